package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"betalasso/data"
	"betalasso/grid"
	"betalasso/run"
	"betalasso/train"
)

// sweepCheckCommand is `betalasso sweep check`.
type sweepCheckCommand struct {
	studyFlags
	Out       string `placeholder:"DIR" help:"directory that the study will have (default sweeps/NAME)"`
	Processes int    `default:"1" placeholder:"N" help:"local workers at a time (default 1)"`
	Threads   int    `default:"0" placeholder:"N" help:"of each worker; 0 shares out all cores (default 0)"`
}

// Help is the end of `betalasso sweep check --help`.
func (sweepCheckCommand) Help() string {
	return `Each point's settings, memory, time and disk; the data; and for each kind of network a few steps, one evaluation and one checkpoint, which is written, synced and read back in the study's folder. All that is wrong is said at once. A study begins with the same check.

Example:

    betalasso sweep check --study lambda-grid --data digits --params 800k --epochs 2 --out sweeps/mine`
}

// Run checks.
func (c *sweepCheckCommand) Run() error {
	study, points, err := c.expand()
	if err != nil {
		return err
	}
	l := launchFlags{Launcher: "local", Processes: c.Processes, Threads: c.Threads}
	if err := l.validate(); err != nil {
		return err
	}
	s := newSession(false)
	defer s.close()
	if c.Out == "" {
		c.Out = filepath.Join("sweeps", study.Name)
	}
	return s.check(points, c.Out, l)
}

// check is the preflight of points that are to be trained in the study's
// directory out.
func (s *session) check(points []grid.Point, out string, l launchFlags) error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	made := missingParents(out)
	if err := os.MkdirAll(out, 0o777); err != nil {
		return usageError{err}
	}
	old, _ := filepath.Glob(filepath.Join(out, ".check-*")) // the pattern is right
	for _, p := range old {
		if i, err := os.Stat(p); err == nil && time.Since(i.ModTime()) > time.Hour {
			os.RemoveAll(p) // of a check that was killed
		}
	}
	defer func() { // a check leaves nothing behind
		for _, p := range made {
			os.Remove(p)
		}
	}()
	warnOf(points)
	sets := s.verified(points, wrong)
	if s.ctx.Err() != nil {
		return s.stopped("stopped before anything was trained")
	}
	for _, p := range distinct(points) {
		if l.Launcher == "local" { // another machine's memory is not known here
			if err := enoughMemory(p.Config, io.Discard); err != nil {
				wrong("point %d (%s): %w", p.Index, p.Labels, err)
				continue
			}
		}
		set := sets[sourceOf(p.Config)]
		if set == nil {
			continue
		}
		small := reduced(p.Config)
		if _, err := s.trial(small, out, set, share(0, l.Processes, l.Threads)); errors.Is(err, train.ErrStopped) {
			return s.stopped("stopped before anything was trained")
		} else if err != nil {
			wrong("point %d (%s): a trial of a few steps: %w", p.Index, p.Labels, err)
		}
	}
	if len(problems) > 0 {
		return usageError{errors.Join(problems...)}
	}
	_, sum, err := s.estimate(points, out, l.Processes, l.Threads)
	if errors.Is(err, train.ErrStopped) {
		return s.stopped("stopped before anything was trained")
	}
	if err != nil {
		return err
	}
	if free, ok := run.FreeSpace(out); ok && sum.Disk > float64(free) {
		wrong("the points take %s of disk, %s has %s free", bytesText(sum.Disk), out, bytesText(float64(free)))
	}
	if have, of := run.Memory(); l.Launcher == "local" && have > 0 && sum.Memory > have {
		wrong("%d points at a time take up to %s of memory, and there are %s, %s; take fewer --processes", l.Processes, bytesText(sum.Memory), bytesText(have), of)
	}
	if len(problems) > 0 {
		return usageError{errors.Join(problems...)}
	}
	at := ""
	if l.Launcher == "local" {
		at = fmt.Sprintf(" with %d at a time", l.Processes)
	}
	fmt.Fprintf(s.notes, "checked: %d points, about %s%s on this machine, %s of disk, up to %s of memory\n",
		sum.Points, seconds(sum.Seconds), at, bytesText(sum.Disk), bytesText(sum.Memory))
	return nil
}

// verified loads the points' data sets, fetching and verifying them.
func (s *session) verified(points []grid.Point, wrong func(string, ...any)) map[dataSource]*data.Set {
	sets := map[dataSource]*data.Set{}
	tried := map[dataSource]bool{}
	for _, p := range points {
		from := sourceOf(p.Config)
		if tried[from] || s.ctx.Err() != nil {
			continue
		}
		tried[from] = true
		set, err := s.load(p.Config)
		if err != nil {
			wrong("%s: %w", from.name, err)
			continue
		}
		if _, _, err := train.Split(set, p.Config); err != nil {
			wrong("point %d (%s): %w", p.Index, p.Labels, err)
			continue
		}
		// What a trial needs of it is enough, as there may be several.
		most := 0
		for _, q := range points {
			if sourceOf(q.Config) == from {
				most = max(most, trialSteps*q.Config.Batch)
			}
		}
		if sets[from], err = sample(set, most); err != nil {
			wrong("%s: %w", from.name, err)
		}
	}
	s.set = nil // the workers have their own
	return sets
}

// distinct are the first point of each kind of network on each data set, and
// the largest of all.
func distinct(points []grid.Point) []grid.Point {
	type kind struct {
		of   run.Config
		from dataSource
	}
	var list []grid.Point
	seen := map[kind]bool{}
	for _, p := range points {
		k := kind{kindOf(p.Config), sourceOf(p.Config)}
		if !seen[k] {
			seen[k] = true
			list = append(list, p)
		}
	}
	largest := slices.MaxFunc(points, func(a, b grid.Point) int {
		x, y := memoryNeed(a.Config), memoryNeed(b.Config)
		if x < y {
			return -1
		} else if x > y {
			return 1
		}
		return 0
	})
	if !slices.ContainsFunc(list, func(p grid.Point) bool { return p.ID == largest.ID }) {
		list = append(list, largest)
	}
	return list
}

// missingParents are the folders of path that do not exist, deepest first.
func missingParents(path string) (list []string) {
	for ; path != filepath.Dir(path); path = filepath.Dir(path) {
		if _, err := os.Stat(path); err == nil {
			break
		}
		list = append(list, path)
	}
	return list
}
