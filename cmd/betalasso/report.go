package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"betalasso/report"
	"betalasso/run"
)

// reportCommand is `betalasso report`.
type reportCommand struct {
	Dir []string `arg:"" help:"run directories, or folders that contain them"`
	Out string   `default:"report" placeholder:"DIR" help:"directory of the report (default report)"`
}

// Help is the end of `betalasso report --help`.
func (reportCommand) Help() string {
	return `Example:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 2 --out runs/mine
    betalasso report runs --out report`
}

// Run writes the report of the runs at or below the directories.
func (r *reportCommand) Run() error {
	dirs, err := findRuns(r.Dir...)
	if err != nil {
		return usageError{err}
	}
	trials := studyTrials(r.Dir)
	if len(dirs)+len(trials) == 0 {
		return usageError{fmt.Errorf("no runs in %q: a run's directory has a %s", r.Dir, run.ConfigFile)}
	}
	sum, err := report.Write(dirs, r.Out, report.Options{Trials: trials})
	if err != nil {
		return err
	}
	sum.Print(os.Stdout, columnsOf(os.Stdout))
	fmt.Printf("%d runs; the report: %s\n", len(dirs), filepath.Join(r.Out, "index.html"))
	if sum.Unfinished != "" {
		return codedError{exitFailure, errors.New(sum.Unfinished)}
	}
	return nil
}
