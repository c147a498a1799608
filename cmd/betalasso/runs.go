package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"betalasso/index"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/spelling"
)

// runsCommand is `betalasso runs`.
type runsCommand struct {
	Dir   []string `arg:"" optional:"" help:"run directories, or folders that contain them (default: this folder)"`
	State []string `placeholder:"NAME" help:"only runs in these states: planned, running, interrupted, failed, broken, done (default: all)"`
	Sort  string   `default:"dir" placeholder:"NAME" help:"dir, or best first: val, test; fewest first: nonzero; latest first: age (default dir)"`
	Limit int      `placeholder:"N" help:"list at most this many runs (default 0: all)"`
	JSON  bool     `name:"json" help:"one JSON object per line and run (default off)"`
}

// Help is the end of `betalasso runs --help`.
func (runsCommand) Help() string {
	return `Results are indexed in your cache folder and read again when a run's files change. The index can be deleted at any time.

Example:

    betalasso runs . --sort val --limit 20`
}

// runOrders are the values of --sort, except dir.
var runOrders = map[string]func(a, b run.Snapshot) int{
	"val":  func(a, b run.Snapshot) int { return cmp.Compare(valOf(b), valOf(a)) },
	"test": func(a, b run.Snapshot) int { return cmp.Compare(testOf(b), testOf(a)) },
	"nonzero": func(a, b run.Snapshot) int {
		return cmp.Compare(cmp.Or(a.Nonzero(), math.MaxInt), cmp.Or(b.Nonzero(), math.MaxInt))
	},
	"age": func(a, b run.Snapshot) int { return b.Updated.Compare(a.Updated) },
}

// Run lists.
func (c *runsCommand) Run() error {
	var states []string
	for _, s := range run.Statuses {
		states = append(states, string(s))
	}
	for _, s := range c.State {
		if !slices.Contains(states, s) {
			return usageError{fmt.Errorf("state: there is no %q%s; the states are %s", s, spelling.Hint(s, states), strings.Join(states, ", "))}
		}
	}
	order, ok := runOrders[c.Sort]
	if names := []string{"dir", "val", "test", "nonzero", "age"}; !ok && c.Sort != "dir" {
		return usageError{fmt.Errorf("sort: there is no %q%s; use one of %s", c.Sort, spelling.Hint(c.Sort, names), strings.Join(names, ", "))}
	}
	if c.Limit < 0 {
		return usageError{fmt.Errorf("limit: %d is below zero", c.Limit)}
	}
	if len(c.Dir) == 0 {
		c.Dir = []string{"."}
	}
	for _, dir := range c.Dir {
		if _, err := os.Stat(dir); err != nil {
			return usageError{err}
		}
	}
	x := openIndex()
	rows, err := x.Refresh(context.Background(), c.Dir...)
	if err != nil {
		return err
	}
	if x.Note != "" {
		fmt.Fprintln(os.Stderr, "betalasso:", x.Note)
	}
	for _, err := range x.Unread {
		warn(err)
	}
	if len(c.State) > 0 {
		rows = slices.DeleteFunc(rows, func(r run.Snapshot) bool { return !slices.Contains(c.State, string(r.State)) })
	}
	if order != nil {
		slices.SortStableFunc(rows, order)
	}
	if c.Limit > 0 {
		rows = rows[:min(c.Limit, len(rows))]
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		for _, r := range rows {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	return printRuns(rows)
}

// openIndex opens the user's index; without one, all files are read.
func openIndex() *index.Index {
	path, err := index.Path()
	if err == nil {
		var x *index.Index
		if x, err = index.Open(path); err == nil {
			return x
		}
	}
	return &index.Index{Note: fmt.Sprintf("there is no index, so all files are read: %s", err)}
}

// findRuns is run.Find, with a warning for each folder that it cannot read.
func findRuns(dirs ...string) ([]string, error) {
	found, unread, err := run.Find(dirs...)
	for _, err := range unread {
		warn(err)
	}
	return found, err
}

func warn(err error) { fmt.Fprintf(os.Stderr, "warning: %s\n", run.PrintableLines(err.Error())) }

func printRuns(rows []run.Snapshot) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "STATE\tMODEL\tSIZE\tDATA\tOPTIMIZER\tβ\tλ CONV\tλ FC\tDROPOUT\tSEED\tEPOCH\tVAL %\tTEST %\tNONZERO\tAGE\tDIR\tNAME")
	here, _ := os.Getwd()
	for _, r := range rows {
		dir := r.Dir
		if rel, err := filepath.Rel(here, dir); err == nil && filepath.IsLocal(rel) {
			dir = rel
		}
		nonzero := ""
		if r.Last != nil || r.Result != nil {
			nonzero = plan.Thousands(r.Nonzero())
		}
		c := r.Config
		size := fmt.Sprintf("α=%d", c.Alpha)
		if c.Width > 0 {
			size = fmt.Sprint(c.Width)
		}
		lasso := [3]string{}
		if c.Optimizer == "beta-lasso" {
			lasso = [3]string{fmt.Sprint(c.Beta), fmt.Sprint(c.LambdaConv), fmt.Sprint(c.LambdaFC)}
		}
		dropout := ""
		if c.Dropout > 0 {
			dropout = fmt.Sprint(c.Dropout)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d/%d\t%s\t%s\t%s\t%s\t%s\t%s\n", r.State, c.Model, size, c.Data, c.Optimizer,
			lasso[0], lasso[1], lasso[2], dropout, c.Seed, r.Epoch, r.Config.Epochs, percentOrNothing(valOf(r)), percentOrNothing(testOf(r)), nonzero, ageText(time.Since(r.Updated)), run.Printable(dir), run.Printable(c.Name))
	}
	return w.Flush()
}

// valOf is the validation accuracy after the last epoch; −1: none.
func valOf(r run.Snapshot) float64 {
	if v, ok := r.Val(); ok {
		return v
	}
	return -1
}

// testOf is the test accuracy after the last epoch; −1: none.
func testOf(r run.Snapshot) float64 {
	if v, ok := r.Test(); ok {
		return v
	}
	return -1
}

func percentOrNothing(x float64) string {
	if x < 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", 100*x)
}

// ageText is an age in its largest unit.
func ageText(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
