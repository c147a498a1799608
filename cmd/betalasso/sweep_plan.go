package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"betalasso/plan"
	"betalasso/sweep"
)

// sweepPlanCommand is `betalasso sweep plan`.
type sweepPlanCommand struct {
	studyFlags
	Processes int  `default:"1" placeholder:"N" help:"local workers at a time, for the time (default 1)"`
	Threads   int  `default:"0" placeholder:"N" help:"threads of each worker; 0 divides all cores (default 0)"`
	JSON      bool `name:"json" help:"one JSON object per line: trials, then the sum (default off)"`
}

// Help is the end of `betalasso sweep plan --help`.
func (sweepPlanCommand) Help() string {
	return `The time comes from a few training steps of each kind of network on this machine.

Example:

    betalasso sweep plan --study scaling --data digits --max-params 256k --epochs 10`
}

// Run prints the trials and what they take.
func (p *sweepPlanCommand) Run() error {
	study, trials, err := p.expand()
	if err != nil {
		return err
	}
	if err := (launchFlags{Launcher: "local", Processes: p.Processes}).validate(); err != nil {
		return err
	}
	told := map[plan.Source]bool{}
	for _, q := range trials {
		from := plan.SourceOf(q.Config)
		if told[from] {
			continue
		}
		told[from] = true
		if err := from.Counted(); err != nil {
			fmt.Fprintf(os.Stderr, "warning: %s\nTime and memory are for as many images as the publisher has\n", err)
		}
	}
	warnOf(trials)
	s := newSession(p.JSON)
	defer s.close()
	list, sum, err := s.bench(sweep.Share(0, p.Processes, p.Threads)).Estimate(trials, p.Processes)
	if s.ctx.Err() != nil {
		return s.stopped("stopped")
	}
	if err != nil {
		return err
	}
	if p.JSON {
		e := json.NewEncoder(os.Stdout)
		for _, x := range list {
			if err := e.Encode(x); err != nil {
				return err
			}
		}
		return e.Encode(sum)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TRIAL\tID\tWEIGHTS\tTIME\tDISK\tMEMORY\tSETTINGS")
	for _, x := range list {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Index, x.ID, short(x.Weights), plan.Span(time.Duration(x.Seconds*float64(time.Second))), plan.Bytes(x.Disk), plan.Bytes(x.Memory), x.Labels)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\n%d trials, about %s with %d at a time on this machine, and %s of disk\n",
		sum.Trials, sum.Time(), sum.Processes, plan.Bytes(sum.Disk))
	if t := study.Then; t != nil {
		fmt.Printf("then the best by validation accuracy, with %d seeds each, which is not in these sums\n", len(t.Seeds))
	}
	return nil
}

// warnOf warns of trials whose settings will not do what they seem to, once for
// each setting that does so.
func warnOf(trials []sweep.Trial) {
	count := map[string]int{}
	first := map[string]sweep.Trial{}
	var order []string
	for _, p := range trials {
		for _, text := range warnings(p.Config, p.Asked) {
			if count[text]++; count[text] == 1 {
				first[text] = p
				order = append(order, text)
			}
		}
	}
	for _, text := range order {
		more := ""
		if n := count[text] - 1; n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		warn(fmt.Errorf("trial %d%s (%s): %s", first[text].Index, more, first[text].Labels, text))
	}
}
