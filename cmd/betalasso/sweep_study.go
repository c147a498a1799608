package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"betalasso/grid"
	"betalasso/run"
)

// studyFlags say which study.
type studyFlags struct {
	File string `arg:"" optional:"" help:"study file (YAML)"`
}

// expand reads the study and lists its points.
func (f studyFlags) expand() (*grid.Study, []grid.Point, error) {
	if f.File == "" {
		return nil, nil, usageError{errors.New("give a study file")}
	}
	study, err := grid.Load(f.File)
	if err != nil {
		return nil, nil, studyError(err)
	}
	if study.Name == "" {
		study.Name = strings.TrimSuffix(filepath.Base(f.File), filepath.Ext(f.File))
	}
	points, err := study.Expand(newResolver())
	return study, points, studyError(err)
}

// studyError makes a usageError of what is wrong with a study.
func studyError(err error) error {
	var p grid.Problems
	var d *grid.DifferentError
	if errors.As(err, &p) || errors.As(err, &d) || errors.Is(err, fs.ErrNotExist) {
		return usageError{err}
	}
	return err
}

// newResolver makes Configs of settings as `betalasso train` makes them of its
// flags.
func newResolver() grid.Resolver {
	var c struct{ settings }
	k, err := kong.New(&c, kong.Vars{"models": ""})
	if err != nil {
		panic(err) // the tags of settings are wrong
	}
	return func(s grid.Settings) (run.Config, error) {
		var args []string
		for _, name := range slices.Sorted(maps.Keys(s)) {
			args = append(args, fmt.Sprintf("--%s=%s", name, s[name]))
		}
		c.settings = settings{}
		ctx, err := k.Parse(args)
		if err != nil {
			return run.Config{}, errors.New(strings.TrimPrefix(err.Error(), "--"))
		}
		cfg, _, err := c.settings.config(originOf(ctx))
		return cfg, err
	}
}
