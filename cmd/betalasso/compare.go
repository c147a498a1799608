package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"betalasso/compare"
	"betalasso/run"
	"betalasso/spelling"
	"betalasso/sweep"
)

// compareCommand is `betalasso compare`.
type compareCommand struct {
	Dir      []string `arg:"" help:"run directories, or folders that contain them"`
	By       []string `placeholder:"SETTING" help:"group by these settings alone, and pool the rest (default: all but the seed)"`
	Metric   string   `default:"test" placeholder:"NAME" help:"metric of the differences: ${metrics} (default test)"`
	Baseline string   `placeholder:"GROUP" help:"group that the others are compared with: some of its settings, optimizer=sgd (default: SGD, or the study's first)"`
	Layers   bool     `help:"also each layer's non-zero weights, in a table of their own (default off; csv and json have them anyway)"`
	Format   string   `default:"text" placeholder:"NAME" help:"text, markdown, latex, csv, json (default text)"`
}

// compareFormats are the values of --format.
var compareFormats = []string{"text", "markdown", "latex", "csv", "json"}

// Help is the end of `betalasso compare --help`.
func (compareCommand) Help() string {
	return `A group holds the runs that differ only in their seed: mean ± sample standard deviation (n − 1), and every seed's value. The best group (*) has the best mean validation accuracy; the test set plays no part in the choice. Differences are between runs of the same seed, with the 95 % confidence interval of their mean (Student's t). Unfinished runs are listed and left out; their groups are still shown.

Example, on the runs of a small study:

    printf 'fixed: {data: digits, alpha: 1, epochs: 2, train: 1000}\naxes: [grid: {lr: [0.1, 0.01]}]\nseeds: 3\n' > study.yaml
    betalasso sweep run study.yaml --out sweeps/mine
    betalasso compare sweeps/mine`
}

// Run compares.
func (c *compareCommand) Run() error {
	if !slices.Contains(compareFormats, c.Format) {
		return usageError{fmt.Errorf("format: there is no %q%s; use one of %s", c.Format, spelling.Hint(c.Format, compareFormats), strings.Join(compareFormats, ", "))}
	}
	dirs, err := findRuns(c.Dir...)
	if err != nil {
		return usageError{err}
	}
	runs, left := compare.Read(dirs)
	all, err := compare.New(runs, left, compare.Options{By: c.By, Metric: c.Metric, Baseline: c.Baseline, Trials: studyTrials(c.Dir)})
	var mistake compare.Mistake
	if errors.As(err, &mistake) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return usageError{fmt.Errorf("no finished runs in %s", strings.Join(c.Dir, ", "))}
	}
	switch c.Format {
	case "json":
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(all)
	case "csv":
		return all.CSV(os.Stdout)
	case "markdown":
		return all.Markdown(os.Stdout)
	case "latex":
		return all.LaTeX(os.Stdout)
	}
	return all.Text(os.Stdout, c.Layers)
}

// studyTrials are the settings of all trials of those of the folders that are
// studies, in their order, begun or not.
func studyTrials(dirs []string) (trials []run.Config) {
	for _, dir := range dirs {
		d, err := sweep.Open(dir)
		if err != nil {
			continue // it is no study, and its runs are found all the same
		}
		for _, p := range d.Trials() {
			trials = append(trials, p.Config)
		}
	}
	return trials
}
