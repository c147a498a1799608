package main

import (
	"fmt"
	"path/filepath"

	"betalasso/report"
	"betalasso/run"
)

// reportCommand is `betalasso report`.
type reportCommand struct {
	Dir []string `arg:"" help:"directories of runs, or folders that hold some"`
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
	if len(dirs) == 0 {
		return usageError{fmt.Errorf("no runs in %q: a run's directory has a %s", r.Dir, run.ConfigFile)}
	}
	sum, err := report.Write(dirs, r.Out, report.Options{})
	if err != nil {
		return err
	}
	fmt.Printf("%s\n\n%s\n", sum.Lead, sum.Text)
	fmt.Printf("%d runs; the report: %s\n", len(dirs), filepath.Join(r.Out, "index.html"))
	return nil
}
