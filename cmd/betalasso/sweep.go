package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"betalasso/plan"
	"betalasso/run"
	"betalasso/spelling"
	"betalasso/sweep"
)

// sweepCommand is `betalasso sweep`.
type sweepCommand struct {
	Run    sweepRunCommand    `cmd:"" default:"withargs" help:"Train the unfinished trials of a study."`
	Plan   sweepPlanCommand   `cmd:"" help:"List the trials of a study with estimates of time and disk."`
	Check  sweepCheckCommand  `cmd:"" help:"Check a study before it begins: settings, data, memory, time, disk."`
	Status sweepStatusCommand `cmd:"" help:"Show the state of each trial of a study."`
	Retry  sweepRetryCommand  `cmd:"" help:"Retry only the failed trials."`
	Work   sweepWorkCommand   `cmd:"" help:"Run a worker for a study."`

	Continue sweepContinueCommand `cmd:"" help:"Resubmit unfinished trials to Slurm."`
}

// launchFlags say how a study's workers are started.
type launchFlags struct {
	Launcher  string `default:"local" placeholder:"NAME" help:"what starts the workers: local, slurm, kubernetes (default local)"`
	Processes int    `default:"1" placeholder:"N" help:"local workers at a time; they share the cores (default 1)"`
	Threads   int    `default:"0" placeholder:"N" help:"threads of each worker; 0 divides all cores (default 0)"`
	JSON      bool   `name:"json" help:"one JSON object per line: counts, time left (default off)"`

	clusterFlags
	slurmFlags
	kubernetesFlags
}

// sweepRunCommand is `betalasso sweep STUDY`.
type sweepRunCommand struct {
	studyFlags
	Out string `placeholder:"DIR" help:"directory of the study (default sweeps/NAME)"`
	launchFlags
}

// Help is the end of `betalasso sweep run --help`.
func (sweepRunCommand) Help() string {
	return `Example, two learning rates with two seeds each, a minute on two cores, no download:

    printf 'fixed: {data: digits, alpha: 1, epochs: 2, train: 1000}\naxes: [grid: {lr: [0.1, 0.01]}]\nseeds: 2\n' > study.yaml
    betalasso sweep run study.yaml --out sweeps/mine --processes 2

The word run is optional. The same command resumes a study that was stopped; finished trials are kept. The exit status is 0 when every trial is done.`
}

// Run trains what is not done.
func (r *sweepRunCommand) Run(ctx *kong.Context) error {
	study, trials, err := r.expand()
	if err != nil {
		return err
	}
	if r.Out == "" {
		r.Out = filepath.Join("sweeps", study.Name)
	}
	if err := r.validate(); err != nil {
		return err
	}
	if err := r.misplaced(ctx); err != nil {
		return err
	}
	s := newSession(r.JSON)
	defer s.close()
	var speed plan.Rates
	if todo := unfinished(trials, r.Out); len(todo) > 0 {
		if speed, err = s.check(todo, r.Out, r.launchFlags); err != nil {
			return err
		}
	}
	d, err := sweep.Create(r.Out, study, trials)
	if err != nil {
		return studyError(err)
	}
	if _, err := d.Advance(); err != nil { // where a study that was done has got more seeds
		return err
	}
	return s.launch(r.launchFlags, d, nil, speed)
}

// unfinished are the trials that have no result in a study's directory.
func unfinished(trials []sweep.Trial, out string) (todo []sweep.Trial) {
	for _, p := range trials {
		if _, err := os.Stat(filepath.Join(out, sweep.RunsDir, p.ID, run.ResultFile)); err != nil {
			todo = append(todo, p)
		}
	}
	return todo
}

// launch starts workers for the open trials of d and waits for them, or submits
// them to a cluster. Where the IDs of failed trials are given, it opens these again,
// and launches them alone. The speeds are for the time left.
func (s *session) launch(l launchFlags, d *sweep.Dir, failed []string, speed plan.Rates) error {
	switch l.Launcher {
	case "slurm":
		return s.slurmLaunch(l, d, failed)
	case "kubernetes":
		return s.kubernetesLaunch(l, d, failed)
	}
	return s.local(l, d, failed, speed)
}

// reopen opens failed trials again: all that can be.
func reopen(d *sweep.Dir, failed []string) error {
	var wrong []error
	for _, id := range failed {
		if err := d.Reopen(id); err != nil {
			wrong = append(wrong, fmt.Errorf("trial %s: %w", id, err))
		}
	}
	return errors.Join(wrong...)
}

// validate is what is wrong with the flags.
func (l launchFlags) validate() error {
	if !slices.Contains(launchers, l.Launcher) {
		return usageError{fmt.Errorf("launcher: there is no %q%s; use one of %s", l.Launcher, spelling.Hint(l.Launcher, launchers), strings.Join(launchers, ", "))}
	}
	if l.Processes < 1 || l.Processes > 1024 {
		return usageError{fmt.Errorf("processes: must be from 1 to 1024, not %d", l.Processes)}
	}
	if l.Launcher == "local" {
		return nil
	}
	for _, f := range []struct {
		name         string
		value, least int
	}{{"cpus", l.CPUs, 1}, {"rounds", l.Rounds, 1}, {"max-parallel", l.MaxParallel, 0}, {"warning", l.Warning, 0}} {
		if f.value < f.least {
			return usageError{fmt.Errorf("%s: must be at least %d, not %d", f.name, f.least, f.value)}
		}
	}
	if l.Launcher == "kubernetes" {
		return l.kubernetesFlags.validate()
	}
	return nil
}

// misplaced is which flags of the command line are another launcher's: without it
// they would do nothing, or have the study trained where it should not be.
func (l launchFlags) misplaced(ctx *kong.Context) error {
	var wrong []error
	for _, p := range ctx.Path {
		if p.Flag == nil {
			continue
		}
		of := launchers
		switch {
		case p.Flag.Name == "processes" || p.Flag.Name == "threads":
			of = []string{"local"}
		case p.Flag.Group == nil:
		case p.Flag.Group.Key == "cluster":
			of = []string{"slurm", "kubernetes"}
		case slices.Contains(launchers, p.Flag.Group.Key):
			of = []string{p.Flag.Group.Key}
		}
		if !slices.Contains(of, l.Launcher) {
			wrong = append(wrong, fmt.Errorf("--%s: only for --launcher %s, and the launcher is %s; give that launcher, or leave the flag out",
				p.Flag.Name, strings.Join(of, " or "), l.Launcher))
		}
	}
	if wrong != nil {
		return usageError{errors.Join(wrong...)}
	}
	return nil
}

// launchers are the values of --launcher.
var launchers = []string{"local", "slurm", "kubernetes"}

// sweepRetryCommand is `betalasso sweep retry`.
type sweepRetryCommand struct {
	Dir string `arg:"" help:"the study's directory"`
	launchFlags
}

// Help is the end of `betalasso sweep retry --help`.
func (sweepRetryCommand) Help() string {
	return "Example:\n\n    betalasso sweep retry sweeps/mine"
}

// Run opens the failed trials again and trains them.
func (r *sweepRetryCommand) Run(ctx *kong.Context) error {
	if err := r.validate(); err != nil {
		return err
	}
	if err := r.misplaced(ctx); err != nil {
		return err
	}
	d, err := sweep.Open(r.Dir)
	if err != nil {
		return studyError(err)
	}
	list, err := d.Status()
	if err != nil {
		return err
	}
	var failed []string
	var configs []run.Config
	for _, s := range list {
		if s.State == run.Failed || s.State == run.Broken {
			failed = append(failed, s.ID)
			configs = append(configs, s.Config)
		}
	}
	if len(failed) == 0 {
		fmt.Println("nothing failed")
		return nil
	}
	s := newSession(r.JSON)
	defer s.close()
	var speed plan.Rates
	if r.Launcher == "local" {
		if speed, err = s.measure(configs, sweep.Share(0, r.Processes, r.Threads)); err != nil {
			return err
		}
	}
	return s.launch(r.launchFlags, d, failed, speed)
}
