package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"strings"
	"text/tabwriter"

	"betalasso/run"
	"betalasso/sweep"
)

// sweepStatusCommand is `betalasso sweep status`.
type sweepStatusCommand struct {
	Dir  string `arg:"" help:"the study's directory"`
	JSON bool   `name:"json" help:"one JSON object per line and trial (default off)"`
}

// Help is the end of `betalasso sweep status --help`.
func (sweepStatusCommand) Help() string {
	return "Example:\n\n    betalasso sweep status sweeps/mine"
}

// Run prints a table of the trials.
func (s *sweepStatusCommand) Run() error {
	d, err := sweep.Open(s.Dir)
	if err != nil {
		return studyError(err)
	}
	list, err := d.Status()
	if err != nil {
		return err
	}
	if s.JSON {
		e := json.NewEncoder(os.Stdout)
		for _, p := range list {
			if err := e.Encode(p); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TRIAL\tID\tSTATE\tEPOCH\tATTEMPTS\tVAL\tTEST\tSETTINGS")
	for _, p := range list {
		val, test := "", ""
		if p.Result != nil {
			val, test = fmt.Sprintf("%.2f %%", 100*p.Result.Last.ValAcc), fmt.Sprintf("%.2f %%", 100*p.Result.Last.TestAcc)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%d/%d\t%d\t%s\t%s\t%s\n", p.Index, p.ID, p.State, p.Epoch, p.Config.Epochs, p.Attempts, val, test, p.Labels)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\n%s\n%s", countLine(list), chosenText(d, list))
	for _, p := range list {
		if p.State == run.Failed || p.State == run.Broken {
			fmt.Printf("trial %d (%s) %s: %s\n", p.Index, p.ID, p.State, run.PrintableLines(strings.TrimSpace(p.Last.Why)))
		}
	}
	return nil
}

// countLine says how many trials are in each state.
func countLine(list []sweep.Status) string {
	counts := sweep.Counts(list)
	var parts []string
	for _, state := range run.Statuses {
		if state == run.Broken && counts[state] == 0 {
			continue // it is rare
		}
		parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
	}
	return fmt.Sprintf("%d trials: %s", len(list), strings.Join(parts, ", "))
}

// chosenText is the test accuracy of the trials that the study's second stage
// chooses by the statuses of all trials, over that stage's seeds; a line for each
// that has results.
func chosenText(d *sweep.Dir, list []sweep.Status) string {
	chosen, err := d.Chosen(list)
	if err != nil {
		return err.Error() + "\n"
	}
	byID := map[string]sweep.Status{}
	for _, p := range list {
		byID[p.ID] = p
	}
	var b strings.Builder
	for _, trials := range chosen {
		var scores []float64
		for _, p := range trials {
			if r := byID[p.ID].Result; r != nil {
				scores = append(scores, 100*r.Last.TestAcc)
			}
		}
		if n := len(scores); n > 0 {
			labels := maps.Clone(trials[0].Labels)
			delete(labels, "seed")
			mean, sd := meanSD(scores)
			fmt.Fprintf(&b, "chosen by validation: %s: test %.2f ± %.2f %%, n = %d\n", labels, mean, sd, n)
		}
	}
	return b.String()
}

// meanSD is the mean and the sample standard deviation, which is 0 of one.
func meanSD(list []float64) (mean, sd float64) {
	n := float64(len(list))
	for _, x := range list {
		mean += x / n
	}
	for _, x := range list {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / max(1, n-1))
}
