package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"betalasso/data"
	"betalasso/plan"
	"betalasso/run"
)

// settleData derives settings from the path of the user's own images: their name,
// folder, content, and the number held out for validation.
func (s settings) settleData(c *run.Config, given origin) error {
	repeated := s.DataSum != "" && given["data"] != byFlag // of a run's config.yaml
	switch {
	case repeated:
		c.DataSum = s.DataSum
		_, err := plan.SourceOf(*c).Info()
		return err
	case !data.IsOwn(s.Data):
		if s.Data != "" && filepath.Base(s.Data) != s.Data {
			return usageError{fmt.Errorf("data: %s: there is nothing there; give a folder, an .npz or a .bin file of your own, or one of the names", s.Data)}
		}
		return nil
	case given["data-dir"] == byFlag:
		return usageError{errors.New("data-dir: your own images lie at the path that --data gives; leave it out")}
	}
	path, err := filepath.Abs(s.Data)
	if err != nil {
		return err
	}
	set, err := plan.Own(context.Background(), c, path, func(p data.Progress) { fmt.Fprintln(os.Stderr, p.Note) })
	if err != nil {
		return usageError{err}
	}
	switch n := set.Val.Len(); {
	case n > 0 && given["val"] != byNobody && s.Val != n:
		return usageError{fmt.Errorf("val: %s has a folder with %d images to validate; leave it out", s.Data, n)}
	case n > 0:
		c.Val = n
	case given["val"] == byNobody:
		c.Val = min(c.Val, set.Train.Len()/10)
	}
	return nil
}
