package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"betalasso/grid"
)

// sweepStatusCommand is `betalasso sweep status`.
type sweepStatusCommand struct {
	Dir  string `arg:"" help:"the study's directory"`
	JSON bool   `name:"json" help:"one JSON object a line, one a point (default off)"`
}

// Help is the end of `betalasso sweep status --help`.
func (sweepStatusCommand) Help() string {
	return "Example:\n\n    betalasso sweep status sweeps/mine"
}

// Run prints a table of the points.
func (s *sweepStatusCommand) Run() error {
	d, err := grid.Open(s.Dir)
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
	fmt.Fprintln(w, "POINT\tID\tSTATE\tEPOCH\tATTEMPTS\tVAL\tTEST\tSETTINGS")
	for _, p := range list {
		val, test := "", ""
		if p.Result != nil {
			val, test = fmt.Sprintf("%.2f %%", 100*p.Result.Last.ValAcc), fmt.Sprintf("%.2f %%", 100*p.Result.Last.TestAcc)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%d/%d\t%d\t%s\t%s\t%s\n", p.Index, p.ID, p.State, p.Reached.Epoch, p.Config.Epochs, p.Attempts, val, test, p.Labels)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\n%s\n", countLine(list))
	for _, p := range list {
		if p.State == grid.StateFailed {
			fmt.Printf("point %d (%s) failed: %s\n", p.Index, p.ID, strings.TrimSpace(p.Last.Why))
		}
	}
	return nil
}

// countLine says how many points are in each state.
func countLine(list []grid.Status) string {
	counts := grid.Counts(list)
	var parts []string
	for _, state := range grid.States {
		parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
	}
	return fmt.Sprintf("%d points: %s", len(list), strings.Join(parts, ", "))
}
