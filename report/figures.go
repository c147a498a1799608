package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"

	"betalasso/paper"
)

// nonzeroFigure is the counterpart of the paper's Figure 3 on one data set: a
// chart for each layer of S-FC, a curve for each β.
func nonzeroFigure(all []record, set paper.DataSet) (f figure, caption string) {
	f.name = "nonzero-" + set.Name
	curves := map[string][]series{}
	sizes := map[string]int{}
	alpha := 0
	for _, k := range paper.Cases {
		if k.Model != "s-fc" || k.Optimizer != "beta-lasso" {
			continue
		}
		// β = 0 cuts nothing and β = 1 little: the curve below shows at the edges.
		width := map[float64]vg.Length{0: 5, 1: 3}[k.Beta]
		runs, _ := choose(all, set.Name, k)
		drawn := false
		for _, r := range runs {
			lines := map[string]*series{}
			for _, e := range r.events {
				for layer, n := range e.Nonzero {
					if lines[layer] == nil {
						lines[layer] = &series{name: k.Title(), color: colorOf(k), width: width}
					}
					lines[layer].add(float64(e.Epoch), float64(n))
					sizes[layer] = max(sizes[layer], n)
				}
			}
			for layer, s := range lines {
				if len(s.x) > 0 {
					curves[layer] = append(curves[layer], *s)
					drawn = true
					alpha = max(alpha, r.config.Alpha)
				}
			}
		}
		if drawn {
			f.keys = append(f.keys, key{k.Title(), colorOf(k)})
		}
	}
	layers := slices.SortedFunc(maps.Keys(curves), func(a, b string) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), strings.Compare(a, b))
	})
	for _, layer := range layers {
		c := chart{title: fmt.Sprintf("%s: non-zeros of %s", layer, short(float64(sizes[layer]))), log: true, series: curves[layer]}
		if layer == "conv1" {
			c.levels = []level{
				{"S-LOCAL: " + short(float64(localParams(alpha))), float64(localParams(alpha))},
				{"S-CONV: " + short(float64(convParams(alpha))), float64(convParams(alpha))},
			}
		}
		f.charts = append(f.charts, c)
	}
	if len(f.charts) == 0 {
		return f, "no run of S-FC with β-lasso has recorded an epoch"
	}
	caption = fmt.Sprintf("Non-zero weights of each layer of S-FC (α = %d) with β-lasso on %s. Dashed: the first layers of S-LOCAL and S-CONV with the same α.", alpha, set.Title)
	if p := set.Nonzero; p != nil {
		caption += fmt.Sprintf(" The paper's curves (α = 230, about 4,096 epochs, read from its figure) end at %s, %s and %s.", short(p[0]), short(p[1]), short(p[2]))
	}
	return f, caption
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

// curvesFigure is the learning curves on one data set, a curve for each run of
// the table.
func curvesFigure(all []record, set paper.DataSet) figure {
	f := figure{name: "curves-" + set.Name}
	charts := []chart{{title: "training loss"}, {title: "validation loss"}, {title: "training accuracy, %"}, {title: "validation accuracy, %"}}
	for _, k := range paper.Cases {
		runs, _ := choose(all, set.Name, k)
		drawn := false
		for _, r := range runs {
			var lines [4]series
			for i := range lines {
				lines[i] = series{name: k.Title(), color: colorOf(k)}
			}
			for _, e := range r.events {
				x := float64(e.Epoch)
				if e.Epoch > 0 { // before the first step there is no training loss
					lines[0].add(x, e.TrainLoss)
					lines[2].add(x, 100*e.TrainAcc)
				}
				if r.config.Val > 0 {
					lines[1].add(x, e.ValLoss)
					lines[3].add(x, 100*e.ValAcc)
				}
			}
			for i, s := range lines {
				if len(s.x) > 0 {
					charts[i].series = append(charts[i].series, s)
					drawn = true
				}
			}
		}
		if drawn {
			f.keys = append(f.keys, key{k.Title(), colorOf(k)})
		}
	}
	for _, c := range charts {
		if len(c.series) > 0 {
			f.charts = append(f.charts, c)
		}
	}
	return f
}
