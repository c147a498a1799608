package compare

import (
	"fmt"
	"slices"
	"strings"

	"betalasso/run"
)

// Confidence is the level of the intervals.
const Confidence = 0.95

// Options are the options of a comparison.
type Options struct {
	By       []string     // the settings that make the groups; none: all but the seed
	Metric   string       // that the differences are of; "": test
	Baseline string       // some of the settings of the group that others are held against
	Trials   []run.Config // of the study that the runs are of, in its order
}

// Comparison is groups of runs side by side.
type Comparison struct {
	Groups     []Compared `json:"groups"`
	Baseline   string     `json:"baseline"`
	Metric     string     `json:"metric"`
	Confidence float64    `json:"confidence"`
	Open       int        `json:"open"` // runs that are planned or begun, and have no result
	Left       []Left     `json:"left_out"`

	what string // the metric, in words
}

// Compared is one group with its samples and its difference to the baseline.
type Compared struct {
	*Group
	Best       bool              `json:"best"`
	Samples    map[string]Sample `json:"samples"` // by metric
	Layers     []Layer           `json:"layers"`
	Difference *Difference       `json:"difference,omitempty"` // nil for the baseline, and where that has no results
}

// Mistake is what is wrong with an option; it begins with the option's name.
type Mistake struct{ error }

// New compares runs. Left are those that are not compared; the open ones among
// them make groups too.
func New(runs []Run, left []Left, o Options) (Comparison, error) {
	if o.Metric == "" {
		o.Metric = "test"
	}
	metric, err := MetricOf(o.Metric)
	if err != nil {
		return Comparison{}, Mistake{fmt.Errorf("metric: %w", err)}
	}
	open := openConfigs(runs, left, o.Trials)
	groups, err := Groups(runs, open, o.By)
	if err != nil {
		return Comparison{}, Mistake{fmt.Errorf("by: %w", err)}
	}
	c := Comparison{Metric: metric.Name, what: metric.What, Confidence: Confidence, Open: len(open), Left: left}
	if len(groups) == 0 {
		return c, nil
	}
	base, err := baseline(groups, o)
	if err != nil {
		return Comparison{}, Mistake{fmt.Errorf("baseline: %w", err)}
	}
	c.Baseline = base.String()
	best := Best(groups)
	for _, g := range groups {
		e := Compared{Group: g, Best: g == best, Samples: map[string]Sample{}, Layers: g.Layers()}
		for _, m := range Metrics {
			e.Samples[m.Name] = g.Sample(m)
		}
		if g != base && len(base.Runs) > 0 && len(g.Runs) > 0 {
			d := Paired(g, base, metric, Confidence)
			e.Difference = &d
		}
		c.Groups = append(c.Groups, e)
	}
	return c, nil
}

// openConfigs are the settings of runs that have no result yet: those that were
// left out for that, and the trials of the study that have not even begun.
func openConfigs(runs []Run, left []Left, trials []run.Config) (open []run.Config) {
	known := map[string]bool{}
	for _, r := range runs {
		known[r.Config.ID()] = true
	}
	add := func(c run.Config) {
		if id := c.ID(); !known[id] {
			known[id] = true
			open = append(open, c)
		}
	}
	for _, l := range left {
		if l.Open {
			add(l.Config)
		}
	}
	for _, c := range trials {
		add(c)
	}
	return open
}

// baseline is the one group that has the settings of Options.Baseline; or SGD;
// or what the study has first; or the first.
func baseline(groups []*Group, o Options) (*Group, error) {
	if o.Baseline == "" {
		if slices.ContainsFunc(groups, func(g *Group) bool { return g.config.Optimizer != groups[0].config.Optimizer }) {
			if i := slices.IndexFunc(groups, func(g *Group) bool { return g.config.Optimizer == "sgd" }); i >= 0 {
				return groups[i], nil
			}
		}
		for _, c := range o.Trials {
			for _, g := range groups {
				if !slices.ContainsFunc(g.Settings, func(s Setting) bool { return text(c, s.Name) != s.Value }) {
					return g, nil
				}
			}
		}
		return groups[0], nil
	}
	wanted := strings.Fields(o.Baseline)
	var found []*Group
	var names []string
	for _, g := range groups {
		names = append(names, g.String())
		have := strings.Fields(g.String())
		if !slices.ContainsFunc(wanted, func(w string) bool { return !slices.Contains(have, w) }) {
			found = append(found, g)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%q names %d of the groups, not one; they are:\n  %s", o.Baseline, len(found), strings.Join(names, "\n  "))
	}
	return found[0], nil
}

// Verdict is what an interval says: higher, lower, or that it shows no
// difference; "" where there is none.
func (d Difference) Verdict() string {
	switch {
	case d.Low == nil:
		return ""
	case *d.Low > 0:
		return "higher"
	case *d.High < 0:
		return "lower"
	}
	return "no difference shown"
}
