package main

import (
	"fmt"
	"text/tabwriter"

	"betalasso/run"
)

// printTable prints the test accuracies of runs, a case a row and a data set a
// column, as means over seeds; the report has them beside the paper's.
func printTable(s *session, dirs []string) error {
	type cell struct {
		sum float64
		n   int
	}
	table := map[string]map[string]cell{}
	var sets []string
	for _, path := range dirs {
		d, err := run.Open(path)
		if err != nil {
			return err
		}
		c := d.Config()
		if _, seen := table[c.Data]; !seen {
			table[c.Data] = map[string]cell{}
			sets = append(sets, c.Data)
		}
		if r, err := d.Result(); err == nil {
			name := caseOf(c)
			v := table[c.Data][name]
			table[c.Data][name] = cell{v.sum + r.Last.TestAcc, v.n + 1}
		}
	}
	w := tabwriter.NewWriter(s.notes, 0, 0, 3, ' ', 0)
	fmt.Fprint(w, "\ntest accuracy")
	for _, name := range sets {
		fmt.Fprintf(w, "\t%s", name)
	}
	fmt.Fprintln(w)
	for _, c := range cases {
		fmt.Fprint(w, c.title)
		for _, name := range sets {
			if v := table[name][c.name]; v.n > 0 {
				fmt.Fprintf(w, "\t%.2f %%", 100*v.sum/float64(v.n))
			} else {
				fmt.Fprint(w, "\t-")
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// caseOf is the case that a Config is of.
func caseOf(c run.Config) string {
	for _, k := range cases {
		if k.model == c.Model && k.optimizer == c.Optimizer && k.beta == c.Beta {
			return k.name
		}
	}
	return ""
}
