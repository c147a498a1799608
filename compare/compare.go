// Package compare sets finished runs side by side: grouped by their settings,
// with mean, standard deviation and every seed's value, the best group by
// validation, and paired differences with a confidence interval.
package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mathext"

	"betalasso/augment"
	"betalasso/data"
	"betalasso/run"
)

// Run is a finished run.
type Run struct {
	Dir    string     `json:"dir"`
	Config run.Config `json:"config"`
	Result run.Result `json:"result"`
}

// Left is a run that is not compared, and why.
type Left struct {
	Dir    string     `json:"dir"`
	Why    string     `json:"why"`
	Config run.Config `json:"-"`
	Open   bool       `json:"-"` // it would be compared, had it finished
}

// Read reads the runs in those directories. A run that is not finished, cannot
// be read, or is another's twin (the same settings and seed) is left out.
func Read(dirs []string) (runs []Run, left []Left) {
	seen := map[string]string{} // by ID
	for _, dir := range dirs {
		s := run.Look(dir)
		switch id := s.Config.ID(); {
		case s.Result == nil:
			left = append(left, Left{dir, s.Why(), s.Config, s.State != run.Broken})
		case seen[id] != "":
			left = append(left, Left{dir, "the same settings and seed as " + seen[id], s.Config, false})
		default:
			seen[id] = dir
			runs = append(runs, Run{dir, s.Config, *s.Result})
		}
	}
	return runs, left
}

// Group are runs whose settings are equal, except for those that are pooled.
type Group struct {
	Settings []Setting `json:"settings"` // those in which the groups differ
	Runs     []Run     `json:"runs"`
	Open     int       `json:"open"` // runs that are planned or begun, and have no result

	config run.Config // of its first run
	pairs  []string   // of each run, what is pooled
}

// Setting is one setting of a group, as text.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// String is the group's settings, without those that its optimiser does not use:
// optimizer=sgd lr=0.1.
func (g *Group) String() string {
	sgd := slices.Contains(g.Settings, Setting{"optimizer", "sgd"})
	var parts []string
	for _, s := range g.Settings {
		if sgd && s.Value == "0" && (s.Name == "beta" || s.Name == "lambda-conv" || s.Name == "lambda-fc") {
			continue
		}
		parts = append(parts, s.Name+"="+s.Value)
	}
	return cmp.Or(strings.Join(parts, " "), "all runs")
}

// Config is that of one of the group's runs: all have it, except for what is
// pooled.
func (g *Group) Config() run.Config { return g.config }

// Groups groups runs by all settings but the seed, or by the settings named in
// by alone. Open runs, which have no result yet, make groups too, so that the
// groups and their names are the same whatever has finished. They come in the
// order of their settings; a name that is no setting is an error.
func Groups(runs []Run, open []run.Config, by []string) ([]*Group, error) {
	names := run.Settings()
	for _, name := range by {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no setting %q; the settings are %s", name, strings.Join(names, ", "))
		}
	}
	all := slices.Clone(open)
	for _, r := range runs {
		all = append(all, r.Config)
	}
	var keys, pooled []string
	for _, name := range names {
		switch {
		case !run.Material(name):
		case len(by) == 0 && name != "seed", slices.Contains(by, name):
			keys = append(keys, name)
		default:
			pooled = append(pooled, name)
		}
	}
	keys = slices.DeleteFunc(keys, func(name string) bool { // those that are the same everywhere
		return !slices.Contains(by, name) && !slices.ContainsFunc(all, func(c run.Config) bool { return text(c, name) != text(all[0], name) })
	})
	var groups []*Group
	byKey := map[string]*Group{}
	group := func(c run.Config) *Group {
		key := join(c, keys)
		g := byKey[key]
		if g == nil {
			g = &Group{config: c, Runs: []Run{}}
			for _, name := range keys {
				g.Settings = append(g.Settings, Setting{name, text(c, name)})
			}
			byKey[key] = g
			groups = append(groups, g)
		}
		return g
	}
	for _, r := range runs {
		g := group(r.Config)
		g.Runs, g.pairs = append(g.Runs, r), append(g.pairs, join(r.Config, pooled))
	}
	for _, c := range open {
		group(c).Open++
	}
	slices.SortStableFunc(groups, func(a, b *Group) int {
		for _, name := range keys {
			if d := order(name, a.config, b.config); d != 0 {
				return d
			}
		}
		return 0
	})
	return groups, nil
}

// order compares two runs by one setting: words in the order in which run lists
// them, numbers by their size.
func order(name string, a, b run.Config) int {
	for setting, words := range map[string][]string{"model": run.Models, "data": data.Names(), "optimizer": run.Optimizers} {
		if setting == name {
			return cmp.Compare(slices.Index(words, text(a, name)), slices.Index(words, text(b, name)))
		}
	}
	if name == "augment" {
		x, _ := augment.Strength(a.Augment) // settings of runs are valid
		y, _ := augment.Strength(b.Augment)
		return cmp.Compare(x, y)
	}
	x, okX := Number(a, name)
	y, okY := Number(b, name)
	if okX && okY {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(text(a, name), text(b, name))
}

// Number is a setting that is a number.
func Number(c run.Config, name string) (float64, bool) {
	switch v := run.Setting(c, name).(type) {
	case int:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func text(c run.Config, name string) string { return fmt.Sprint(run.Setting(c, name)) }

func join(c run.Config, names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(text(c, name) + "\n")
	}
	return b.String()
}

// Metric is a number of a run; NaN where it was not measured.
type Metric struct {
	Name string
	What string
	Of   func(Run) float64
}

// Metrics are all of them.
var Metrics = []Metric{
	{"test", "test accuracy of the last epoch, %", func(r Run) float64 { return 100 * r.Result.Last.TestAcc }},
	{"test-at-best-val", "test accuracy at the best validation, %", func(r Run) float64 { return heldOut(r, 100*r.Result.Best.TestAcc) }},
	{"val", "validation accuracy of the last epoch, %", func(r Run) float64 { return heldOut(r, 100*r.Result.Last.ValAcc) }},
	{"test-loss", "test loss of the last epoch", func(r Run) float64 { return r.Result.Last.TestLoss }},
	{"nonzero", "weights that are not zero", func(r Run) float64 { return float64(nonzero(r.Result)) }},
	{"seconds", "time to train", func(r Run) float64 { return r.Result.WallSeconds }},
}

// heldOut is v where the run held out examples to validate by.
func heldOut(r Run, v float64) float64 {
	if r.Config.Val == 0 {
		return math.NaN()
	}
	return v
}

func nonzero(r run.Result) (n int) {
	for _, l := range r.Layers {
		n += l.Nonzero
	}
	return n
}

// MetricOf is the metric of that name.
func MetricOf(name string) (Metric, error) {
	for _, m := range Metrics {
		if m.Name == name {
			return m, nil
		}
	}
	return Metric{}, fmt.Errorf("there is no metric %q; use one of %s", name, MetricNames())
}

// MetricNames are the names of Metrics as text.
func MetricNames() string {
	var names []string
	for _, m := range Metrics {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", ")
}

// Sample is some values with their mean and sample standard deviation (n − 1),
// which is 0 for one value.
type Sample struct {
	N      int       `json:"n"`
	Mean   float64   `json:"mean"`
	SD     float64   `json:"sd"`
	Values []float64 `json:"values"` // in the order of the runs
}

func sample(values []float64) Sample {
	s := Sample{N: len(values), Values: values}
	if s.N > 0 {
		for _, v := range values {
			s.Mean += v / float64(s.N)
		}
	}
	if s.N > 1 {
		var squares float64
		for _, v := range values {
			squares += (v - s.Mean) * (v - s.Mean)
		}
		s.SD = math.Sqrt(squares / float64(s.N-1))
	}
	return s
}

// student is the t within which Student's distribution has that part of its mass,
// level, to both sides of 0: by I(ν/(ν+t²); ν/2, 1/2) = 1 − level, with ν degrees of
// freedom.
func student(nu, level float64) float64 {
	x := mathext.InvRegIncBeta(nu/2, 0.5, 1-level)
	return math.Sqrt(nu * (1 - x) / x)
}

// Sample is a metric of all runs of the group.
func (g *Group) Sample(m Metric) Sample {
	var values []float64
	for _, r := range g.Runs {
		if v := m.Of(r); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return sample(values)
}

// Best is the group with the best mean validation accuracy, of those that have
// results; the test set is not used. It is nil where one held out no validation
// examples, or there are fewer than two groups.
func Best(groups []*Group) *Group {
	val, _ := MetricOf("val")
	var best *Group
	for _, g := range groups {
		if len(g.Runs) == 0 {
			continue
		}
		if slices.ContainsFunc(g.Runs, func(r Run) bool { return r.Config.Val == 0 }) {
			return nil
		}
		if best == nil || g.Sample(val).Mean > best.Sample(val).Mean {
			best = g
		}
	}
	if len(groups) < 2 {
		return nil
	}
	return best
}

// Difference is a metric of one group less that of another, over the pairs of
// runs that share a seed (and whatever else is pooled).
type Difference struct {
	Sample          // of the differences
	Low    *float64 `json:"low"` // the mean's confidence interval, by Student's t; nil for one pair
	High   *float64 `json:"high"`
}

// BySeed is Paired for groups whose pooled settings differ, by their seeds alone.
func BySeed(g, base *Group, m Metric, level float64) Difference {
	seeds := func(g *Group) *Group {
		h := *g
		h.pairs = nil
		for _, r := range g.Runs {
			h.pairs = append(h.pairs, fmt.Sprint(r.Config.Seed))
		}
		return &h
	}
	return Paired(seeds(g), seeds(base), m, level)
}

// Paired is g less the base, with a confidence interval at that level, 0.95 say.
func Paired(g, base *Group, m Metric, level float64) Difference {
	var values []float64
	for i, r := range g.Runs {
		if j := slices.Index(base.pairs, g.pairs[i]); j >= 0 { // there is one: twins were left out
			if v := m.Of(r) - m.Of(base.Runs[j]); !math.IsNaN(v) {
				values = append(values, v)
			}
		}
	}
	d := Difference{Sample: sample(values)}
	if d.N > 1 {
		half := student(float64(d.N-1), level) * d.SD / math.Sqrt(float64(d.N))
		low, high := d.Mean-half, d.Mean+half
		d.Low, d.High = &low, &high
	}
	return d
}
