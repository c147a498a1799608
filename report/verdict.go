package report

import (
	"fmt"
	"slices"

	"betalasso/compare"
	"betalasso/filters"
	"betalasso/paper"
	"betalasso/run"
)

// Verdict is what the runs on one data set show about the paper's claim that
// β-lasso beats SGD and makes a fully connected network local.
type Verdict struct {
	Data       string              `json:"data"`
	Text       string              `json:"text"`  // Lines as one paragraph
	Lines      []Line              `json:"lines"` // what it says, by what that is about
	Network    string              `json:"network,omitempty"`
	Lasso      *float64            `json:"lasso_test_acc,omitempty"` // means, 0 to 1
	SGD        *float64            `json:"sgd_test_acc,omitempty"`
	Difference *compare.Difference `json:"difference,omitempty"` // in percentage points, by pairs of seeds
	Left       *float64            `json:"weights_left,omitempty"`
	FirstLeft  *float64            `json:"first_layer_left,omitempty"`
	Filters    *FilterMeasure      `json:"filters,omitempty"`
	SGDFilters *FilterMeasure      `json:"sgd_filters,omitempty"`
	Local      *bool               `json:"local,omitempty"`
}

// Line is one statement of a verdict.
type Line struct {
	About string `json:"about"` // accuracy, weights, filters, doubt
	Text  string `json:"text"`
}

// say adds a line.
func (v *Verdict) say(about, format string, args ...any) {
	v.Lines = append(v.Lines, Line{about, fmt.Sprintf(format, args...)})
	if v.Text != "" {
		v.Text += " "
	}
	v.Text += v.Lines[len(v.Lines)-1].Text
}

// FilterMeasure is the medians over the first-layer filters with at least
// filters.MinNonzero non-zeros.
type FilterMeasure struct {
	Count  int     `json:"count"`
	Radius float64 `json:"radius"` // pixels
	Box    [2]int  `json:"box"`    // height and width, pixels
	side   int     // of the images
}

// Filters are local where their median radius is at most localRadius of 32 pixels,
// and their box at most localBox of the image: the paper's have 6.3 pixels and 0.31.
const (
	localRadius = 9
	localBox    = 0.75
)

func (m FilterMeasure) local() bool {
	return m.Radius <= localRadius*float64(m.side)/32 && float64(m.Box[0]*m.Box[1]) <= localBox*float64(m.side*m.side)
}

func (m FilterMeasure) String() string {
	return fmt.Sprintf("median radius %.1f pixels, box %d × %d, over %s filters", m.Radius, m.Box[0], m.Box[1], commas(m.Count))
}

// filtersOf measures the filters of runs; nil if they kept none that count.
func filtersOf(runs []record) *FilterMeasure {
	var radius, height, width []float64
	m := &FilterMeasure{}
	for _, r := range runs {
		if r.noFilter != "" {
			continue
		}
		m.Count += r.filters.eligible
		m.side = max(m.side, r.filters.h)
		for _, f := range r.filters.measures {
			radius, height, width = append(radius, f.Radius), append(height, float64(f.Height)), append(width, float64(f.Width))
		}
	}
	if len(radius) == 0 {
		return nil
	}
	m.Radius, m.Box = median(radius), [2]int{int(median(height)), int(median(width))}
	return m
}

// verdict judges the groups on a data set: the best β-lasso by validation beside
// the best SGD of the same network and size. It says which runs are too short or
// too few for a judgement.
func verdict(set paper.DataSet, list []group, c compare.Comparison) Verdict {
	v := Verdict{Data: set.Name}
	lasso, sgd := pair(list)
	if lasso == nil {
		v.say("doubt", "On %s there is no finished pair of β-lasso and SGD of one network, so these runs say nothing of the paper's claim.", set.Title)
		if text := bestOf(c); text != "" {
			v.say("accuracy", "%s", text)
		}
		return v
	}
	config := lasso.runs[0].config
	v.Network = networkName(config.Model)
	if config.Kernel > 0 {
		v.Network += fmt.Sprintf(" of %d × %d kernels", config.Kernel, config.Kernel)
	}
	a, b := accuracies(lasso.runs), accuracies(sgd.runs)
	ma, _ := mean(a)
	mb, _ := mean(b)
	v.Lasso, v.SGD = &ma, &mb
	d := difference(*lasso, *sgd)
	v.Difference = &d
	what := fmt.Sprintf("On %s, %s with β-lasso (β = %g) reaches %s, with SGD %s", set.Title, v.Network, config.Beta, accuracy(a), accuracy(b))
	switch {
	case d.N == 0:
		v.say("accuracy", "%s; no seed is in both, so their difference has no interval.", what)
	case d.Low == nil:
		v.say("accuracy", "%s: %s points in one pair of runs. One seed gives no interval: whether the difference is more than chance, it cannot tell.", what, points(d.Mean))
	default:
		v.say("accuracy", "%s: %s points (n = %d, 95 %% interval %s to %s), %s.", what, points(d.Mean), d.N, points(*d.Low), points(*d.High),
			map[string]string{"higher": "higher", "lower": "lower", "no difference shown": "which shows no difference"}[d.Verdict()])
	}
	all, first := left(lasso.runs)
	v.Left, v.FirstLeft = &all, &first
	v.say("weights", "Of its weights %s are left, of the first layer's %s.", percent(all), percent(first))
	v.Filters, v.SGDFilters = filtersOf(lasso.runs), filtersOf(sgd.runs)
	if side := lasso.runs[0].result.DataSet.Side; v.Filters != nil && (v.Filters.side < side || config.Model == "s-conv" || config.Model == "d-conv") {
		v.Filters = nil // those of a window are local by construction
	}
	switch {
	case v.Filters != nil:
		is := v.Filters.local()
		v.Local = &is
		text := "Its filters are local: "
		if !is {
			text = "Its filters are not local: "
		}
		text += v.Filters.String()
		if v.SGDFilters != nil {
			text += fmt.Sprintf("; SGD's: radius %.1f, box %d × %d", v.SGDFilters.Radius, v.SGDFilters.Box[0], v.SGDFilters.Box[1])
		}
		v.say("filters", "%s.", text)
		if !is && first > 0.05 {
			v.say("doubt", "%s are too few for these λ to show the effect: λ takes a little off every weight at every step, and most are still there. More epochs show it; the paper trains %s.", count(config.Epochs, "epoch"), commas(paper.Epochs))
		}
	case config.Model == "s-fc" || config.Model == "d-fc":
		v.say("filters", "Whether its filters are local cannot be said: none with %d non-zeros or more were kept.", filters.MinNonzero)
	}
	return v
}

// pair is the finished groups that the claim is about: of the networks that
// have both, S-FC first, the β-lasso with β above 1 that is best by validation,
// and the SGD that is.
func pair(list []group) (lasso, sgd *group) {
	rank := func(model string) int { return slices.Index([]string{"d-fc", "s-fc"}, model) }
	better := func(g, than *group) bool { return than == nil || g.val() > than.val() }
	for i := range list {
		g := finishedOf(list[i])
		c := list[i].runs[0].config
		if len(g.runs) == 0 || c.Optimizer != "beta-lasso" || c.Beta <= 1 || c.Imported != "" || c.FromSum != "" {
			continue
		}
		var other *group
		for j := range list {
			h := finishedOf(list[j])
			o := list[j].runs[0].config
			if len(h.runs) > 0 && o.Optimizer == "sgd" && o.Imported == "" && o.FromSum == "" && o.Model == c.Model && o.Network == c.Network && o.Alpha == c.Alpha && o.Width == c.Width && o.Kernel == c.Kernel && o.Epochs == c.Epochs && images(o) == images(c) && better(&h, other) {
				other = &h
			}
		}
		if other == nil {
			continue
		}
		if lasso == nil || rank(c.Model) > rank(lasso.runs[0].config.Model) || c.Model == lasso.runs[0].config.Model && better(&g, lasso) {
			lasso, sgd = &g, other
		}
	}
	return lasso, sgd
}

// images are the settings of what a network is trained on.
func images(c run.Config) run.Config {
	return run.Config{Data: c.Data, DataSum: c.DataSum, Train: c.Train, Val: c.Val, Side: c.Side, Channels: c.Channels, SVHNExtra: c.SVHNExtra, Whiten: c.Whiten}
}

// finishedOf is a group with its finished runs alone.
func finishedOf(g group) group {
	g.runs = slices.DeleteFunc(slices.Clone(g.runs), func(r record) bool { return !r.finished })
	return g
}

func accuracies(runs []record) (list []float64) {
	for _, r := range runs {
		list = append(list, r.result.Last.TestAcc)
	}
	return list
}

// difference is the test accuracy of a group less that of another, in points,
// over the seeds that both have.
func difference(a, b group) compare.Difference {
	metric, _ := compare.MetricOf("test")
	runs := func(g group) (list []compare.Run) {
		for _, r := range g.runs {
			list = append(list, compare.Run{Dir: r.dir, Config: r.config, Result: r.result})
		}
		return list
	}
	groups, err := compare.Groups(append(runs(a), runs(b)...), nil, []string{"optimizer"})
	if err != nil || len(groups) != 2 { // SGD comes first
		return compare.Difference{}
	}
	return compare.BySeed(groups[1], groups[0], metric, compare.Confidence)
}

// left is the mean share of weights that are not zero at the end: of all, and
// of the first layer's.
func left(runs []record) (all, first float64) {
	for _, r := range runs {
		params, nonzero := 0, 0
		for _, l := range r.result.Layers {
			params, nonzero = params+l.Params, nonzero+l.Nonzero
		}
		all += float64(nonzero) / float64(max(1, params)) / float64(len(runs))
		if len(r.result.Layers) > 0 {
			l := r.result.Layers[0]
			first += float64(l.Nonzero) / float64(max(1, l.Params)) / float64(len(runs))
		}
	}
	return all, first
}

// bestOf says which of several settings is the best.
func bestOf(c compare.Comparison) string {
	for _, g := range c.Groups {
		if g.Best {
			return fmt.Sprintf("Of %d settings the best by validation is %s: test %s %%, n = %d.", len(c.Groups), settingsName(g.Group, telling(c)), compare.Spread(g.Samples["test"]), len(g.Runs))
		}
	}
	return ""
}
