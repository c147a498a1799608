package main

import (
	"errors"
	"fmt"

	"github.com/alecthomas/kong"

	"betalasso/run"
	"betalasso/train"
)

// trainCommand is `betalasso train`.
type trainCommand struct {
	Config configFile `placeholder:"FILE" help:"YAML, these flags as keys; flags win (default none)"`
	Out    string     `placeholder:"DIR" help:"directory (default runs/MODEL-DATA-OPTIMIZER-sSEED)"`
	JSON   bool       `name:"json" help:"one JSON object a line: epochs, result (default off)"`
	settings
}

// Help is the end of `betalasso train --help`.
func (trainCommand) Help() string {
	return `Example, half a minute on two cores, no download:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 5

The paper's case, at the report's size, for hours:

    betalasso train --model s-fc --data cifar10 --optimizer beta-lasso --beta 50 --lambda-conv 1e-5 --lambda-fc 2e-6

A run's config.yaml repeats the run:

    betalasso train --config runs/s-fc-digits-sgd-s1/config.yaml --out runs/again`
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
	if err := run.Vacant(t.Out); err != nil { // before a long download
		return err
	}
	s := newSession(t.JSON)
	defer s.close()
	fmt.Fprintln(s.notes, size)
	if err := enoughMemory(c, s.notes); err != nil {
		return err
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
	if errors.Is(err, train.ErrStopped) {
		return s.stopped(fmt.Sprintf("saved; go on with: betalasso resume %s", quote(t.Out)))
	}
	return hintResume(err, d, t.Out)
}
