package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"betalasso/compare"
	"betalasso/paper"
	"betalasso/run"
)

// nonzeroFigure is the counterpart of the paper's Figure 3 on one data set: a
// chart for each layer of a network, a curve for each of its settings that
// β-lasso trained. Of several networks it is the one with the most settings,
// S-FC before others. Where runs have recorded what their steps cost, a last chart
// shows that beside the cost of dense ones.
func nonzeroFigure(list []group, set paper.DataSet) (f figure, caption string) {
	f.name = "nonzero-" + set.Name
	model := ""
	counts := map[string]int{}
	for _, g := range list {
		if c := g.runs[0].config; c.Optimizer == "beta-lasso" {
			counts[c.Model] += 2
			if c.Model == "s-fc" {
				counts[c.Model]++
			}
			if counts[c.Model] > counts[model] {
				model = c.Model
			}
		}
	}
	var groups []group
	for _, g := range list {
		if c := g.runs[0].config; model != "" && c.Model == model && c.Optimizer == "beta-lasso" {
			groups = append(groups, g)
		}
	}
	groups, note := best(groups)
	curves := map[string][]series{}
	sizes := map[string]int{}
	alpha := 0
	var costs []series
	for _, g := range groups {
		cost := g.curve(func(e run.Event) (float64, bool) { return 100 * e.MACs / e.DenseMACs, e.MACs > 0 && e.DenseMACs > 0 })
		if len(cost.x) > 0 {
			costs = append(costs, cost)
		}
		layers := map[string]bool{}
		for _, r := range g.runs {
			for _, e := range r.events {
				for layer, n := range e.Nonzero {
					layers[layer] = true
					sizes[layer] = max(sizes[layer], n)
				}
			}
		}
		drawn := false
		for layer := range layers {
			s := g.curve(func(e run.Event) (float64, bool) { n, ok := e.Nonzero[layer]; return float64(n), ok })
			if len(s.x) > 0 {
				curves[layer] = append(curves[layer], s)
				drawn = true
				alpha = max(alpha, g.runs[0].config.Alpha)
			}
		}
		if drawn {
			f.keys = append(f.keys, key{g.name, g.color, g.dash})
		}
	}
	layers := slices.SortedFunc(maps.Keys(curves), func(a, b string) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), strings.Compare(a, b))
	})
	published, classes := paper.Figure3.Layers[set.Name], 10
	if set.Name == "cifar100" {
		classes = 100
	}
	beside, epochs := false, 0.0
	for _, g := range groups {
		epochs = max(epochs, float64(g.runs[0].config.Epochs))
	}
	for _, layer := range layers {
		c := chart{title: fmt.Sprintf("%s of %s weights", layer, short(float64(sizes[layer]))), y: "non-zero weights", log: true, series: curves[layer]}
		if layer == "conv1" && model == "s-fc" {
			c.levels = []level{
				{"S-LOCAL: " + short(float64(localParams(alpha))), float64(localParams(alpha))},
				{"S-CONV: " + short(float64(convParams(alpha))), float64(convParams(alpha))},
			}
		}
		if i := slices.Index([]string{"conv1", "fc1", "fc2"}, layer); i >= 0 && model == "s-fc" && published[i] != nil {
			theirs := series{name: theirCurve, color: "#737373", dash: 1}
			for k, n := range published[i] {
				theirs.add(paper.Figure3.Epochs[k]/4096*epochs, n/paper.Figure3.Sizes(classes)[i]*float64(sizes[layer]))
			}
			c.series = append(c.series, theirs)
			beside = true
		}
		f.charts = append(f.charts, c)
	}
	if len(f.charts) == 0 {
		return f, "no run with β-lasso has recorded an epoch"
	}
	if beside {
		f.keys = append(f.keys, key{theirCurve, "#737373", 1})
	}
	if len(costs) > 0 {
		f.charts = append(f.charts, chart{title: "cost of a step", y: "multiply-adds, % of dense", log: true, series: costs})
	}
	caption = fmt.Sprintf("Non-zero weights of each layer of %s with β-lasso on %s.%s%s", networkName(model), set.Title, bands(groups), note)
	if model == "s-fc" {
		caption = fmt.Sprintf("Non-zero weights of each layer of S-FC (α = %d) with β-lasso on %s.%s%s Dashed levels: the first layers of S-LOCAL and S-CONV with the same α.", alpha, set.Title, bands(groups), note)
		if p := set.Nonzero; p != nil {
			caption += fmt.Sprintf(" The paper's curves (α = 230, about 4,096 epochs, read from its figure) end at %s, %s and %s; here they are drawn in proportion, to the same share of a layer's weights and of the training.", short(p[0]), short(p[1]), short(p[2]))
		}
	}
	return f, caption
}

// theirCurve is what legends call a curve of the paper.
const theirCurve = "paper, α = 230, in proportion"

// bands says what curves are of several runs.
func bands(list []group) string {
	if !slices.ContainsFunc(list, func(g group) bool { return len(g.runs) > 1 }) {
		return ""
	}
	return " Curves are means over seeds, bands their standard deviations."
}

// order puts convolutions first.
func order(layer string) int {
	if strings.HasPrefix(layer, "conv") {
		return 0
	}
	return 1
}

// First-layer weights of S-CONV, 243α, and of S-LOCAL, 243αs²/4, on images of
// side s = 32.
func convParams(alpha int) int  { return 243 * alpha }
func localParams(alpha int) int { return 243 * alpha * 32 * 32 / 4 }

// curvesFigure is the learning curves on one data set, a curve for each group.
func curvesFigure(list []group, set paper.DataSet) (f figure, caption string) {
	f.name = "curves-" + set.Name
	groups, note := best(list)
	charts := []chart{
		{title: "training loss", y: "cross-entropy"}, {title: "validation loss", y: "cross-entropy"},
		{title: "training accuracy", y: "accuracy, %"}, {title: "validation accuracy", y: "accuracy, %"},
	}
	for _, g := range groups {
		drawn := false
		held := g.runs[0].config.Val > 0
		for i, of := range []func(run.Event) (float64, bool){ // before the first step there is no training loss
			func(e run.Event) (float64, bool) { return e.TrainLoss, e.Epoch > 0 },
			func(e run.Event) (float64, bool) { return e.ValLoss, held },
			func(e run.Event) (float64, bool) { return 100 * e.TrainAcc, e.Epoch > 0 },
			func(e run.Event) (float64, bool) { return 100 * e.ValAcc, held },
		} {
			if s := g.curve(of); len(s.x) > 0 {
				charts[i].series = append(charts[i].series, s)
				drawn = true
			}
		}
		if drawn {
			f.keys = append(f.keys, key{g.name, g.color, g.dash})
		}
	}
	for _, c := range charts {
		if len(c.series) > 0 {
			f.charts = append(f.charts, c)
		}
	}
	return f, fmt.Sprintf("Loss and accuracy on %s by epoch.%s%s Training is measured on the examples as trained, augmented.", set.Title, bands(groups), note)
}

// settingsFigure is test accuracy against the weights that are left, and against
// each number among the settings in which the groups differ; the paper's Figure 2
// stands beside networks of several sizes, and Figure 5 beside kernels.
func settingsFigure(c compare.Comparison, set paper.DataSet) (f figure, caption string) {
	f.name = "settings-" + set.Name
	var finished []compare.Compared
	for _, g := range c.Groups {
		if len(g.Runs) > 0 {
			finished = append(finished, g)
		}
	}
	if len(finished) < 2 {
		return f, ""
	}
	families := map[string]int{} // colours are those of families: what a line joins
	family := func(name string) (color string, dash int) {
		at, ok := families[name]
		if !ok {
			at = len(families)
			families[name] = at
			f.keys = append(f.keys, key{name, palette[at%len(palette)], at / len(palette)})
		}
		return palette[at%len(palette)], at / len(palette)
	}
	said := telling(c)
	sizes, onlySGD := map[string]int{}, true // of SGD's settings
	for _, g := range finished {
		if g.Config().Optimizer == "sgd" {
			sizes[without(g, said, "alpha", "width")]++
		} else {
			onlySGD = false
		}
	}
	network := func(g compare.Compared) string {
		if name := without(g, said, "alpha", "width"); g.Config().Optimizer == "sgd" && sizes[name] > 1 {
			return name
		}
		return settingsName(g.Group, map[string]bool{"model": said["model"], "optimizer": said["optimizer"]})
	}
	add := func(ch *chart, name string, x float64, acc compare.Sample) {
		i := slices.IndexFunc(ch.series, func(s series) bool { return s.name == name })
		if i < 0 {
			color, dash := family(name)
			i = len(ch.series)
			ch.series = append(ch.series, series{name: name, color: color, dash: dash, bars: true})
		}
		s := &ch.series[i]
		at, _ := slices.BinarySearch(s.x, x)
		s.x, s.y, s.spread = slices.Insert(s.x, at, x), slices.Insert(s.y, at, acc.Mean), slices.Insert(s.spread, at, acc.SD)
	}
	left := chart{title: "accuracy and size", x: "weights that are not zero", y: "test accuracy, %", logX: true}
	for _, g := range finished {
		if n := g.Samples["nonzero"].Mean; n >= 1 {
			add(&left, network(g), n, g.Samples["test"])
		}
	}
	for i, s := range left.series {
		at := slices.IndexFunc(finished, func(g compare.Compared) bool { return network(g) == s.name })
		model := finished[at].Config().Model
		if finished[at].Config().Optimizer != "sgd" || sizes[s.name] < 2 {
			left.series[i].width = 0.01 // sizes are an outcome, or those of several settings: no line joins them
			continue
		}
		accuracy := paper.Figure2[set.Name].Accuracy[model]
		beside := series{name: "the paper, 400 epochs: " + networkName(model), color: s.color, dash: 1}
		drawn := slices.ContainsFunc(left.series, func(o series) bool { return o.name == beside.name })
		if most := s.x[len(s.x)-1]; accuracy != nil && !drawn && most >= 2*s.x[0] {
			for k, n := range paper.Figure2[set.Name].Weights {
				if accuracy[k] > 0 && n <= 4*most {
					beside.add(n, accuracy[k])
				}
			}
			left.series = append(left.series, beside)
			f.keys = append(f.keys, key{beside.name, s.color, 1})
		}
	}
	f.charts = append(f.charts, left)
	for _, s := range finished[0].Settings {
		size := s.Name == "alpha" || s.Name == "width"
		if !said[s.Name] || size && onlySGD { // the first chart has SGD's sizes
			continue
		}
		lasso := s.Name == "beta" || strings.HasPrefix(s.Name, "lambda")
		ch := chart{title: "accuracy by " + s.Name, x: s.Name, y: "test accuracy, %", logX: true}
		values, others := map[float64]bool{}, map[string]int{}
		var some []compare.Compared
		for _, g := range finished {
			x, ok := compare.Number(g.Config(), s.Name)
			if !ok || lasso && g.Config().Optimizer != "beta-lasso" {
				continue
			}
			some = append(some, g)
			values[x] = true
			others[without(g, said, s.Name)]++
			ch.logX = ch.logX && x > 0
		}
		if len(values) < 2 {
			continue
		}
		for _, g := range some {
			x, _ := compare.Number(g.Config(), s.Name)
			name := without(g, said, s.Name)
			switch {
			case len(others) == len(some): // nothing else stays the same while this varies
				name = network(g)
			case others[name] == 1: // or not for this one
				continue
			}
			add(&ch, name, x, g.Samples["test"])
		}
		f.charts = append(f.charts, ch)
		if p, ok := paper.Figure5[set.Name]; ok && s.Name == "kernel" {
			beside := chart{title: "the paper's Figure 5, full size", x: ch.x, y: ch.y, logX: ch.logX}
			for i, side := range p.Sides {
				add(&beside, "the paper: β-lasso", side, compare.Sample{Mean: p.Lasso[i]})
				add(&beside, "the paper: SGD", side, compare.Sample{Mean: p.SGD[i]})
			}
			f.charts = append(f.charts, beside)
		}
	}
	seeds := ""
	if slices.ContainsFunc(finished, func(g compare.Compared) bool { return len(g.Runs) > 1 }) {
		seeds = " Bars are standard deviations over seeds."
	}
	return f, fmt.Sprintf("Test accuracy on %s after the last epoch, a point for each setting.%s", set.Title, seeds)
}

// without is a group's name but for some settings, which is what a line joins that
// follows those.
func without(g compare.Compared, said map[string]bool, names ...string) string {
	rest := *g.Group
	rest.Settings = slices.DeleteFunc(slices.Clone(rest.Settings), func(s compare.Setting) bool { return slices.Contains(names, s.Name) })
	return settingsName(&rest, said)
}
