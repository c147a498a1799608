package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
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
	fmt.Printf("\n%s\n%s", countLine(list), chosenText(d.Study(), list))
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
// chose, over that stage's seeds; a line for each that has results.
func chosenText(study *sweep.Study, list []sweep.Status) string {
	if study.Then == nil {
		return ""
	}
	seedless := func(p sweep.Trial) string {
		p.Config.Seed = 0
		return p.Config.ID()
	}
	text := map[string]string{}
	var order []string
	for _, p := range list {
		if key := seedless(p.Trial); p.Stage > 0 && text[key] == "" {
			labels := maps.Clone(p.Labels)
			delete(labels, "seed")
			text[key] = labels.String()
			order = append(order, key)
		}
	}
	scores := map[string][]float64{}
	for _, p := range list { // of the first stage too, which may have had such a seed
		if key := seedless(p.Trial); text[key] != "" && p.Result != nil && slices.Contains(study.Then.Seeds, fmt.Sprint(p.Config.Seed)) {
			scores[key] = append(scores[key], 100*p.Result.Last.TestAcc)
		}
	}
	var b strings.Builder
	for _, key := range order {
		if n := len(scores[key]); n > 0 {
			mean, sd := meanSD(scores[key])
			fmt.Fprintf(&b, "chosen by validation: %s: test %.2f ± %.2f %%, n = %d\n", text[key], mean, sd, n)
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
