package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"betalasso/plan"
	"betalasso/run"
)

// trainCommand is `betalasso train`.
type trainCommand struct {
	Config configFile `placeholder:"FILE" help:"YAML, these flags as keys; flags win (default none)"`
	Out    string     `placeholder:"DIR" help:"directory (default runs/MODEL-DATA-OPTIMIZER-sSEED)"`
	JSON   bool       `name:"json" help:"one JSON object per line: epochs, result (default off)"`
	settings
}

// Help is the end of `betalasso train --help`.
func (trainCommand) Help() string {
	return `Example, half a minute on two cores, no download:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 5

The paper's case at the EE-411 report's size, which takes hours:

    betalasso train --model s-fc --data cifar10 --optimizer beta-lasso --beta 50 --lambda-conv 1e-5 --lambda-fc 2e-6

A run's config.yaml repeats the run:

    betalasso train --config runs/s-fc-digits-sgd-s1/config.yaml --out runs/again

The same command resumes an interrupted run, and says so if the run has already finished.`
}

// Run trains.
func (t *trainCommand) Run(ctx *kong.Context) error {
	c, size, err := t.settings.config(originOf(ctx))
	if err != nil {
		return err
	}
	if t.Out == "" {
		t.Out = defaultOut(c)
	}
	again := run.Vacant(t.Out) != nil // known before a long download
	if again {
		if c, err = t.again(c); err != nil {
			return usageError{err}
		}
	}
	s := newSession(t.JSON)
	defer s.close()
	fmt.Fprintln(s.notes, size)
	if !again { // goOn says it of one that has not finished
		if err := s.enoughMemory(c); err != nil {
			return err
		}
	}
	if err := t.foresee(s, c); err != nil {
		return err
	}
	if again {
		d, err := run.OpenLocked(t.Out)
		if err != nil {
			return err
		}
		defer d.Close()
		return s.goOn(d, c)
	}
	set, err := s.load(c)
	if err != nil {
		return err
	}
	d, err := run.Create(t.Out, c)
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = s.fit(d, c, set)
	return s.howToGoOn(err, d)
}

// again is the Config to go on with the run that is in the directory already.
// It is an error if that has other settings than c.
func (t *trainCommand) again(c run.Config) (run.Config, error) {
	had := run.Look(t.Out)
	if had.State == run.Broken {
		return c, fmt.Errorf("%s: there is a run here that cannot be read (%s); choose another --out", t.Out, had.Note)
	}
	if t.Precision == "auto" { // what that was where the run began
		c.Precision = had.Config.Precision
	}
	if list := differences(had.Config, c); len(list) > 0 {
		return c, fmt.Errorf("%s holds a run with other settings (%s); choose another --out, or give the same settings to go on with it", t.Out, strings.Join(list, ", "))
	}
	return c, nil
}

// Trainings of fewer multiply-adds than longRun, less than about a minute, are
// begun without an estimate of their time.
const longRun = 5e12

// foresee prints what is known of c before it is trained: the effect of λ, how
// far the size is from the one asked for, and the estimated time.
func (t *trainCommand) foresee(s *session, c run.Config) error {
	for _, text := range warnings(c, t.Params) {
		warn(errors.New(text))
	}
	if plan.MACs(c) < longRun {
		return nil
	}
	speed, err := s.measure([]run.Config{c}, c.Threads)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.notes, "%d epochs take about %s on this machine; Ctrl-C saves, and the same command goes on\n", c.Epochs, speed.Time(c))
	return nil
}

// warnings are plan's warnings about c; params is the size that was asked for, or
// "".
func warnings(c run.Config, params string) []string {
	list, err := plan.Lambda(c, plan.SizeOf(c), plan.Steps(c))
	if err != nil {
		return nil // it is said elsewhere
	}
	if n, err := parseCount(params); err == nil {
		if text, err := plan.Size(c, plan.SizeOf(c), n); err == nil && text != "" {
			list = append(list, text)
		}
	}
	return list
}
