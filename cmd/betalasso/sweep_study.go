package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"betalasso/run"
	"betalasso/spelling"
	"betalasso/sweep"
)

// sweepWords are what may stand in a study file's place.
var sweepWords = []string{"run", "plan", "check", "status", "retry", "work"}

// studyFlags say which study.
type studyFlags struct {
	File string `arg:"" optional:"" help:"study file (YAML), described in docs/sweeps.md"`
	namedFlags
}

// expand reads the study and lists its trials.
func (f studyFlags) expand() (*sweep.Study, []sweep.Trial, error) {
	study, err := f.read()
	if err != nil {
		return nil, nil, studyError(err)
	}
	trials, err := study.Expand(newResolver())
	return study, trials, studyError(err)
}

// read reads the study file, or makes the named study.
func (f studyFlags) read() (*sweep.Study, error) {
	switch {
	case f.File == "" && f.Study == "":
		return nil, usageError{fmt.Errorf("give a study file, or --study with one of %s", strings.Join(studyNames, ", "))}
	case f.File != "" && f.Study != "":
		if _, err := os.Stat(f.File); err != nil {
			return nil, usageError{fmt.Errorf("there is no study file %s%s; to run --study %s, leave it out", f.File, spelling.Hint(f.File, sweepWords), f.Study)}
		}
		return nil, usageError{errors.New("give a study file or --study, not both")}
	case f.Study != "":
		text, err := f.text()
		if err != nil {
			return nil, usageError{err}
		}
		return sweep.Parse(f.Study, text)
	case len(f.given()) > 0:
		return nil, usageError{fmt.Errorf("%s: only of the paper's studies; what %s says of it stands in the file", strings.Join(f.given(), ", "), f.File)}
	}
	study, err := sweep.Load(f.File)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w%s", err, spelling.Hint(f.File, sweepWords))
	}
	if err == nil && study.Name == "" {
		study.Name = strings.TrimSuffix(filepath.Base(f.File), filepath.Ext(f.File))
		if strings.Trim(study.Name, ".") == "" {
			return nil, usageError{fmt.Errorf("%s has no name that a folder can have; give it one with name: in the file", f.File)}
		}
	}
	return study, err
}

// studyError makes a usageError of what is wrong with a study.
func studyError(err error) error {
	var p sweep.Problems
	var d *sweep.DifferentError
	if errors.As(err, &p) || errors.As(err, &d) || errors.Is(err, fs.ErrNotExist) {
		return usageError{err}
	}
	return err
}

// newResolver makes Configs of settings as `betalasso train` makes them of its
// flags.
func newResolver() sweep.Resolver {
	var c struct{ settings }
	k, err := kong.New(&c, kong.Vars{"models": "", "datasets": ""})
	if err != nil {
		panic(err) // the tags of settings are wrong
	}
	return func(s sweep.Settings) (run.Config, error) {
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
		if err == nil && cfg.DataDir != "" { // a worker may be elsewhere
			cfg.DataDir, err = filepath.Abs(cfg.DataDir)
		}
		return cfg, err
	}
}
