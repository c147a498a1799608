package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"betalasso/plan"
	"betalasso/sweep"
	"betalasso/train"
)

// sweepCheckCommand is `betalasso sweep check`.
type sweepCheckCommand struct {
	studyFlags
	Out       string `placeholder:"DIR" help:"directory of the study (default sweeps/NAME)"`
	Processes int    `default:"1" placeholder:"N" help:"local workers at a time (default 1)"`
	Threads   int    `default:"0" placeholder:"N" help:"threads of each worker; 0 divides all cores (default 0)"`
}

// Help is the end of `betalasso sweep check --help`.
func (sweepCheckCommand) Help() string {
	return `Checks each trial's settings, memory, time and disk, and the data. For each kind of network it trains a few steps, evaluates once, and writes a checkpoint to the study's folder and reads it back. All problems are reported at once. Every study starts with the same check.

Example:

    betalasso sweep check --study lambda-grid --data digits --params 800k --epochs 2 --out sweeps/mine`
}

// Run checks.
func (c *sweepCheckCommand) Run() error {
	study, trials, err := c.expand()
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
	_, err = s.check(trials, c.Out, l)
	return err
}

// check is the preflight of trials that are to be trained in the study's
// directory out. It gives the speeds that it measured.
func (s *session) check(trials []sweep.Trial, out string, l launchFlags) (plan.Rates, error) {
	warnOf(trials)
	k := plan.Check{
		Bench: s.bench(sweep.Share(0, l.Processes, l.Threads)), Out: out, Load: s.load, Processes: l.Processes,
		Stopped: func() bool { return s.ctx.Err() != nil },
	}
	at := ""
	if l.Launcher == "local" { // another machine's memory is not known here
		k.Room = plan.Here()
		at = fmt.Sprintf(" with %d at a time", l.Processes)
	}
	sum, err := k.Run(trials)
	s.set = nil // the workers have their own
	var problem plan.Problem
	switch {
	case errors.Is(err, train.ErrStopped):
		return nil, s.stopped("stopped before anything was trained")
	case errors.As(err, &problem):
		return nil, usageError{err}
	case err != nil:
		return nil, err
	}
	fmt.Fprintf(s.notes, "checked: %d trials, about %s%s on this machine, %s of disk, up to %s of memory\n",
		sum.Trials, sum.Time(), at, plan.Bytes(sum.Disk), plan.Bytes(sum.Memory))
	return sum.Rates, nil
}
