package main

import (
	"errors"
	"fmt"
	"io/fs"

	"betalasso/run"
	"betalasso/train"
)

// evalCommand is `betalasso eval`.
type evalCommand struct {
	Dir     string  `arg:"" help:"the run's directory"`
	Threads *int    `placeholder:"N" help:"changes no result; 0 is all cores (default: as the run)"`
	DataDir *string `placeholder:"DIR" help:"folder with the data set's files (default: as the run)"`
	JSON    bool    `name:"json" help:"one JSON object per line, for each weights file (default off)"`

	PerClass  bool   `name:"per-class" help:"recall and precision of each class, and what it is confused with (default off)"`
	Confusion bool   `help:"write the confusion matrix as confusion.csv and confusion.png; confusion-best for the best weights (default off)"`
	Out       string `default:"." placeholder:"DIR" help:"folder for the matrix (default: this one)"`
}

// Help is the end of `betalasso eval --help`.
func (evalCommand) Help() string {
	return `Example:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 1 --out runs/mine
    betalasso eval runs/mine
    betalasso eval runs/mine --per-class --confusion --out /tmp`
}

// Run scores the weights of the last checkpoint and, where images were held out for
// validation, of the epoch with the best validation accuracy.
func (e *evalCommand) Run() error {
	d, err := run.Open(e.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	c := d.Config()
	if e.Threads != nil {
		c.Threads = *e.Threads
	}
	if e.DataDir != nil {
		c.DataDir = *e.DataDir
	}
	s := newSession(e.JSON)
	defer s.close()
	set, err := s.load(c)
	if err != nil {
		return err
	}
	if err := s.unguarded(); err != nil {
		return err
	}
	dev, err := newDevice(c)
	if err != nil {
		return err
	}
	white, err := whiten(dev, c, set, c.Batch)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name, which, matrix string
		best                bool
	}{{run.WeightsFile, "last checkpoint", "confusion", false}, {run.BestFile, "best validation", "confusion-best", true}} {
		if f.best && c.Val == 0 { // without validation the best epoch is the last one
			continue
		}
		_, weights, err := d.Weights(f.best)
		if f.best && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		r, err := train.Evaluate(train.Options{Dir: d, Config: c, Device: dev, Whiten: white, Set: set, Threads: threads(c)}, weights)
		if err != nil {
			return fmt.Errorf("%s: %w", d.File(f.name), err)
		}
		if s.json {
			var classes []classScore
			if e.PerClass {
				classes = perClass(set.Classes, r.Confusion)
			}
			s.newMeter().object(struct {
				File string `json:"file"`
				train.Scores
				Classes []classScore `json:"classes,omitempty"`
			}{d.File(f.name), r, classes})
		} else {
			val := ""
			if c.Val > 0 {
				val = fmt.Sprintf("validation %.2f %% (loss %.4f), ", 100*r.ValAcc, r.ValLoss)
			}
			fmt.Printf("%s: %stest %.2f %% (loss %.4f)\n", f.which, val, 100*r.TestAcc, r.TestLoss)
		}
		if err := e.classes(s, set, r, f.matrix); err != nil {
			return err
		}
	}
	return nil
}
