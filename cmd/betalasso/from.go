package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"betalasso/run"
)

// settleFrom derives settings from the run whose weights the training begins with:
// what they are, and where nothing else is said, its network, whitening and data.
func (s *settings) settleFrom(c *run.Config, given origin) error {
	if s.From == "" && s.FromSum == "" {
		return nil
	}
	var b run.Beginning
	var err error
	if s.From != "" {
		if c.From, err = filepath.Abs(s.From); err != nil {
			return err
		}
	}
	if c.FromSum = s.FromSum; c.FromSum != "" && given["from"] != byFlag { // of a run's config.yaml
		b, err = c.Beginning()
	} else {
		b, c.FromSum, err = run.BeginningFrom(c.From)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; give the directory of a run that has weights", err)
	}
	if err != nil {
		return usageError{fmt.Errorf("from: %w", err)}
	}
	had := b.Config
	said := byNobody
	network := []string{"model", "network", "alpha", "width", "kernel", "params"}
	for _, name := range network {
		said = max(said, given[name])
	}
	if said < given["from"] {
		s.Model, s.Network, s.Kernel, s.Params = had.Model, had.Network, had.Kernel, ""
		s.Alpha, s.Width = had.Alpha, had.Width
		c.Model, c.Kernel = had.Model, had.Kernel
		for _, name := range network {
			given[name] = byNobody
		}
		if had.Width > 0 {
			given["width"] = given["from"]
		} else {
			given["alpha"] = given["from"]
		}
	}
	if given["whiten"] < given["from"] {
		c.Whiten = had.Whiten
	}
	if given["data"] < given["from"] {
		s.Data, c.Data = had.Data, had.Data
		if given["svhn-extra"] < given["from"] {
			c.SVHNExtra = had.SVHNExtra
		}
		if given["skip-bad"] < given["from"] {
			c.SkipBad = had.SkipBad
		}
		if had.DataSum != "" {
			s.Data = had.DataDir
		}
	}
	if given["side"] < given["from"] {
		c.Side = had.Side
	}
	if given["channels"] < given["from"] {
		c.Channels = had.Channels
	}
	return nil
}
