package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"betalasso/compare"
	"betalasso/run"
)

// compareCommand is `betalasso compare`.
type compareCommand struct {
	Dir      []string `arg:"" help:"directories of runs, or folders that hold some"`
	By       []string `placeholder:"SETTING" help:"group by these settings alone, and pool the rest (default: all but the seed)"`
	Metric   string   `default:"test" placeholder:"NAME" help:"what the differences are of: ${metrics} (default test)"`
	Baseline string   `placeholder:"GROUP" help:"group that the others are held against: some of its settings, optimizer=sgd (default: the first)"`
	Layers   bool     `help:"also each layer's weights that are not zero, in a table of their own (default off; csv and json have them anyway)"`
	Format   string   `default:"table" placeholder:"NAME" help:"table, csv, json (default table)"`
}

// Help is the end of `betalasso compare --help`.
func (compareCommand) Help() string {
	return `Groups hold the runs that differ in their seed alone: mean ± sample standard deviation (n − 1), and every seed's value. The best group (*) is that of the best mean validation accuracy; the test set has no say. Differences are between runs of the same seed, with the 95 % confidence interval of their mean (Student's t). Runs that are not finished are named and left out.

Example, on the runs of a small study:

    printf 'fixed: {data: digits, alpha: 1, epochs: 2, train: 1000}\naxes: [grid: {lr: [0.1, 0.01]}]\nseeds: 3\n' > study.yaml
    betalasso sweep run study.yaml --out sweeps/mine
    betalasso compare sweeps/mine`
}

// confidence is the level of the intervals.
const confidence = 0.95

// comparison is what the command prints.
type comparison struct {
	Groups     []comparedGroup `json:"groups"`
	Baseline   string          `json:"baseline"`
	Metric     string          `json:"metric"`
	Confidence float64         `json:"confidence"`
	Left       []compare.Left  `json:"left_out"`
}

// comparedGroup is one group with its samples and its difference to the baseline.
type comparedGroup struct {
	*compare.Group
	Best       bool                      `json:"best"`
	Samples    map[string]compare.Sample `json:"samples"` // by metric
	Layers     []compare.Layer           `json:"layers"`
	Difference *compare.Difference       `json:"difference,omitempty"`
}

// Run compares.
func (c *compareCommand) Run() error {
	metric, err := compare.MetricOf(c.Metric)
	if err != nil {
		return usageError{fmt.Errorf("metric: %w", err)}
	}
	dirs, err := findRuns(c.Dir...)
	if err != nil {
		return usageError{err}
	}
	runs, left := compare.Read(dirs)
	if len(runs) == 0 {
		return usageError{fmt.Errorf("no finished runs in %s", strings.Join(c.Dir, ", "))}
	}
	groups, err := compare.Groups(runs, c.By)
	if err != nil {
		return usageError{fmt.Errorf("by: %w", err)}
	}
	base, err := c.baseline(groups)
	if err != nil {
		return usageError{fmt.Errorf("baseline: %w", err)}
	}
	best := compare.Best(groups)
	all := comparison{Baseline: base.String(), Metric: metric.Name, Confidence: confidence, Left: left}
	for _, g := range groups {
		e := comparedGroup{Group: g, Best: g == best, Samples: map[string]compare.Sample{}, Layers: g.Layers()}
		for _, m := range compare.Metrics {
			e.Samples[m.Name] = g.Sample(m)
		}
		if g != base {
			d := compare.Paired(g, base, metric, confidence)
			e.Difference = &d
		}
		all.Groups = append(all.Groups, e)
	}
	switch c.Format {
	case "json":
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(all)
	case "csv":
		return all.csv(os.Stdout)
	case "table":
		return all.table(os.Stdout, metric, c.Layers)
	}
	return usageError{fmt.Errorf("format: there is no %q; use one of table, csv, json", c.Format)}
}

// baseline is the one group that has the settings of --baseline.
func (c *compareCommand) baseline(groups []*compare.Group) (*compare.Group, error) {
	if c.Baseline == "" {
		return groups[0], nil
	}
	wanted := strings.Fields(c.Baseline)
	var found []*compare.Group
	var names []string
	for _, g := range groups {
		names = append(names, g.String())
		have := " " + g.String() + " "
		hits := 0
		for _, w := range wanted {
			if strings.Contains(have, " "+w+" ") {
				hits++
			}
		}
		if hits == len(wanted) {
			found = append(found, g)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%q names %d of the groups, not one; they are:\n  %s", c.Baseline, len(found), strings.Join(names, "\n  "))
	}
	return found[0], nil
}

// table prints what people read.
func (c comparison) table(out io.Writer, metric compare.Metric, layers bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, " ")
	for _, s := range c.Groups[0].Settings {
		fmt.Fprint(w, "\t"+strings.ToUpper(s.Name))
	}
	fmt.Fprintln(w, "\tN\tVAL %\tTEST %\tAT BEST VAL %\tNONZERO\tTEST OF EACH")
	for _, g := range c.Groups {
		mark := " "
		if g.Best {
			mark = "*"
		}
		fmt.Fprint(w, mark)
		for _, s := range g.Settings {
			fmt.Fprint(w, "\t"+s.Value)
		}
		test := g.Samples["test"]
		fmt.Fprintf(w, "\t%d\t%s\t%s\t%s\t%s\t%s\n", test.N, spread(g.Samples["val"]), spread(test), spread(g.Samples["test-at-best-val"]),
			g.share(), values(test))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if layers {
		if err := c.layerTable(out); err != nil {
			return err
		}
	}
	if len(c.Groups) > 1 {
		fmt.Fprintf(out, "\n%s, less that of %s; same seeds, mean and %g %% confidence interval\n", metric.What, c.Baseline, 100*c.Confidence)
		w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, g := range c.Groups {
			switch d := g.Difference; {
			case d == nil:
			case d.N == 0:
				fmt.Fprintf(w, "  %s\tno seed in common\n", g)
			case d.Low == nil:
				fmt.Fprintf(w, "  %s\t%+.4g\tone pair: no interval\n", g, d.Mean)
			default:
				fmt.Fprintf(w, "  %s\t%+.4g\t[%+.4g, %+.4g]\tn = %d\t%s\n", g, d.Mean, *d.Low, *d.High, d.N, verdict(*d))
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out, "\n* best by validation accuracy")
	}
	for _, l := range c.Left {
		fmt.Fprintf(out, "left out: %s: %s\n", run.Printable(l.Dir), run.PrintableLines(l.Why))
	}
	return nil
}

// layerTable prints, below each group's name, a row for each layer.
func (c comparison) layerTable(out io.Writer) error {
	fmt.Fprint(out, "\nweights that are not zero, by layer\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, g := range c.Groups {
		fmt.Fprintf(w, "  %s\n", g)
		for _, l := range g.Layers {
			nonzero, weights := thousands(int(math.Round(l.Nonzero.Mean))), thousands(l.Params)
			if l.Nonzero.N > 1 {
				nonzero += " ± " + thousands(int(math.Round(l.Nonzero.SD)))
			}
			if l.Params == 0 {
				weights = "several sizes"
			}
			fmt.Fprintf(w, "    %s\t%s\tof %s\t%s %%\n", l.Name, nonzero, weights, spread(l.Percent))
		}
	}
	return w.Flush()
}

// verdict is what an interval says.
func verdict(d compare.Difference) string {
	switch {
	case *d.Low > 0:
		return "higher"
	case *d.High < 0:
		return "lower"
	}
	return "no difference shown"
}

// share is the part of the weights that is not zero.
func (g comparedGroup) share() string {
	params := 0
	for _, l := range g.Runs[0].Result.Layers {
		params += l.Params
	}
	s := g.Samples["nonzero"]
	return fmt.Sprintf("%s (%.3g %%)", thousands(int(math.Round(s.Mean))), 100*s.Mean/float64(max(1, params)))
}

func spread(s compare.Sample) string {
	if s.N < 2 {
		return fmt.Sprintf("%.2f", s.Mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", s.Mean, s.SD)
}

func values(s compare.Sample) string {
	var parts []string
	for _, v := range s.Values {
		parts = append(parts, fmt.Sprintf("%.2f", v))
	}
	return strings.Join(parts, " ")
}

// csv prints a row for each group.
func (c comparison) csv(out io.Writer) error {
	w := csv.NewWriter(out)
	var row []string
	for _, s := range c.Groups[0].Settings {
		row = append(row, s.Name)
	}
	row = append(row, "n", "best")
	for _, m := range compare.Metrics {
		row = append(row, m.Name+"_mean", m.Name+"_sd", m.Name+"_values")
	}
	var groups []*compare.Group
	for _, g := range c.Groups {
		groups = append(groups, g.Group)
	}
	layers := compare.LayerNames(groups...)
	for _, name := range layers {
		row = append(row, "nonzero_"+name+"_mean", "nonzero_"+name+"_sd", "nonzero_"+name+"_values", "nonzero_"+name+"_percent")
	}
	w.Write(append(row, "difference_mean", "difference_low", "difference_high", "difference_n"))
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	for _, g := range c.Groups {
		row = nil
		for _, s := range g.Settings {
			row = append(row, run.Cell(s.Value))
		}
		row = append(row, strconv.Itoa(len(g.Runs)), strconv.FormatBool(g.Best))
		add := func(s compare.Sample) {
			var each []string
			for _, v := range s.Values {
				each = append(each, number(v))
			}
			row = append(row, number(s.Mean), number(s.SD), strings.Join(each, " "))
		}
		for _, m := range compare.Metrics {
			add(g.Samples[m.Name])
		}
		for _, name := range layers {
			i := slices.IndexFunc(g.Layers, func(l compare.Layer) bool { return l.Name == name })
			if i < 0 {
				row = append(row, "", "", "", "")
				continue
			}
			add(g.Layers[i].Nonzero)
			row = append(row, number(g.Layers[i].Percent.Mean))
		}
		mean, low, high, n := "", "", "", ""
		if d := g.Difference; d != nil {
			if n = strconv.Itoa(d.N); d.N > 0 {
				mean = number(d.Mean)
			}
			if d.Low != nil {
				low, high = number(*d.Low), number(*d.High)
			}
		}
		w.Write(append(row, mean, low, high, n))
	}
	w.Flush()
	return w.Error()
}
