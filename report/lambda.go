package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"betalasso/paper"
	"betalasso/run"
)

// lambdaFigure shows the effect of λ on one network with β-lasso: accuracy, the
// share of the first layer that is left, and how local its filters are, against λ
// of the layer that replaces the convolution, a line for each λ of the others;
// and accuracy against locality. Of several families of settings it is the one
// with the most pairs of λ.
func lambdaFigure(list []group, set paper.DataSet) (f figure, caption string) {
	f.name = "lambda-" + set.Name
	families := map[run.Config][]group{}
	var most []group
	for _, g := range list {
		c := g.runs[0].settings()
		if c.Optimizer != "beta-lasso" || c.LambdaConv <= 0 || c.LambdaFC <= 0 {
			continue
		}
		c.LambdaConv, c.LambdaFC = 0, 0
		families[c] = append(families[c], g)
		if len(families[c]) > len(most) {
			most = families[c]
		}
	}
	var all []lambdaPair
	convs := map[float64]bool{}
	for _, g := range most {
		if p, ok := pairOf(g); ok {
			all = append(all, p)
			convs[p.conv] = true
		}
	}
	if len(convs) < 2 || len(all) < 4 {
		return f, ""
	}
	slices.SortFunc(all, func(a, b lambdaPair) int { return cmp.Or(cmp.Compare(a.fc, b.fc), cmp.Compare(a.conv, b.conv)) })
	charts := []chart{
		{title: "accuracy", y: "test accuracy, %"},
		{title: "first layer", y: "non-zero weights", log: true},
		{title: "radius of its filters", y: "median, pixels"},
		{title: "box around its filters", y: "median √(height · width), pixels"},
	}
	scatter := chart{title: "accuracy and locality", x: "median radius of the filters, pixels", y: "test accuracy, %"}
	lines := map[float64]int{} // where the curves of a λ of the fully connected layers are
	for _, p := range all {
		k, ok := lines[p.fc]
		if !ok {
			k = len(lines)
			lines[p.fc] = k
			name, color := "λ fc "+exponent(p.fc), palette[k%len(palette)]
			f.keys = append(f.keys, key{name, color, k / len(palette)})
			for i := range charts {
				charts[i].x, charts[i].logX = "λ conv", true
				charts[i].series = append(charts[i].series, series{name: name, color: color, dash: k / len(palette), bars: i == 0})
			}
			scatter.series = append(scatter.series, series{name: name, color: color, width: 0.01, bars: true}) // no line: both are outcomes
		}
		charts[0].series[k].spread = append(charts[0].series[k].spread, p.accSD)
		for i, v := range []float64{p.acc, p.left, p.radius, p.box} {
			if i < 2 || p.radius > 0 {
				charts[i].series[k].add(p.conv, v)
			}
		}
		if p.radius > 0 {
			s := &scatter.series[k]
			s.spread = append(s.spread, p.accSD)
			s.add(p.radius, p.acc)
		}
	}
	f.charts = slices.DeleteFunc(append(charts, scatter), func(c chart) bool { // without filters there is no locality
		return !slices.ContainsFunc(c.series, func(s series) bool { return len(s.x) > 0 })
	})
	local := slices.DeleteFunc(slices.Clone(all), func(p lambdaPair) bool { return p.radius == 0 })
	caption = fmt.Sprintf("What λ decides: %s on %s, β = %g, %d pairs of λ.%s Filters are those with 20 weights or more.", networkName(most[0].runs[0].config.Model), set.Title, most[0].runs[0].config.Beta, len(all), seeds(most))
	if len(local) > 0 {
		best := slices.MaxFunc(all, func(a, b lambdaPair) int { return cmp.Compare(a.acc, b.acc) })
		least := slices.MinFunc(local, func(a, b lambdaPair) int { return cmp.Compare(a.radius, b.radius) })
		caption += fmt.Sprintf(" Most accurate: λ %s / %s (%.2f %%, radius %s); most local: λ %s / %s (radius %.1f, %.2f %%).",
			exponent(best.conv), exponent(best.fc), best.acc, pixels(best.radius), exponent(least.conv), exponent(least.fc), least.radius, least.acc)
	}
	if len(local) > 1 {
		caption += fmt.Sprintf(" Rank correlation of accuracy and radius over the pairs: %.2f.", ranks(local))
	}
	return f, caption
}

// lambdaPair is the outcome of one pair of λ.
type lambdaPair struct {
	conv, fc    float64
	acc, accSD  float64 // test accuracy, %
	left        float64 // of the first layer's weights
	radius, box float64 // medians over filters, pixels; 0 where no filter is measured
}

// pairOf is that of a group; false where no run has finished.
func pairOf(g group) (p lambdaPair, ok bool) {
	c := g.runs[0].config
	p.conv, p.fc = c.LambdaConv, c.LambdaFC
	var acc, left, radius, box []float64
	for _, r := range g.runs {
		if !r.finished || len(r.result.Layers) == 0 {
			continue
		}
		first := r.result.Layers[0]
		acc = append(acc, 100*r.result.Last.TestAcc)
		left = append(left, float64(first.Nonzero))
		for _, m := range r.filters.measures {
			radius = append(radius, m.Radius)
			box = append(box, math.Sqrt(float64(m.Height*m.Width)))
		}
	}
	if len(acc) == 0 {
		return p, false
	}
	if p.acc, p.accSD = mean(acc); math.IsNaN(p.accSD) {
		p.accSD = 0
	}
	p.left, _ = mean(left)
	if len(radius) > 0 {
		p.radius, p.box = median(radius), median(box)
	}
	return p, true
}

// seeds says how many runs each point is the mean of.
func seeds(list []group) string {
	least, most := math.MaxInt, 0
	for _, g := range list {
		n := 0
		for _, r := range g.runs {
			if r.finished {
				n++
			}
		}
		least, most = min(least, n), max(most, n)
	}
	switch {
	case most <= 1:
		return " One seed."
	case least == most:
		return fmt.Sprintf(" %d seeds; bars are standard deviations.", most)
	}
	return fmt.Sprintf(" %d to %d seeds; bars are standard deviations.", least, most)
}

// pixels is a radius in words.
func pixels(radius float64) string {
	if radius == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.1f", radius)
}

// ranks is Spearman's rank correlation of accuracy and radius.
func ranks(list []lambdaPair) float64 {
	of := func(value func(lambdaPair) float64) []float64 {
		out := make([]float64, len(list))
		for i, p := range list {
			below, same := 0, 0
			for _, q := range list {
				if value(q) < value(p) {
					below++
				} else if value(q) == value(p) {
					same++
				}
			}
			out[i] = float64(below) + float64(same-1)/2
		}
		return out
	}
	return stat.Correlation(of(func(p lambdaPair) float64 { return p.radius }), of(func(p lambdaPair) float64 { return p.acc }), nil)
}
