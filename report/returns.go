package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"betalasso/paper"
	"betalasso/run"
)

// returnsFigure shows which zero weights return, of the run with the most of
// those that have recorded it: how many in each epoch, and of which units they
// are, by the σ that batch norm divides by and by the weights that the unit has,
// each beside the distribution if every unit had equally many returns.
func returnsFigure(all []record, set paper.DataSet) (f figure, caption string) {
	f.name = "returns-" + set.Name
	var of *record
	most := 0
	for i, r := range all {
		total := 0
		for _, e := range r.events {
			for _, n := range e.Returns {
				total += n.Weights
			}
		}
		if r.opened && r.config.Data == set.Name && total > most {
			of, most = &all[i], total
		}
	}
	if of == nil {
		return f, ""
	}
	layers := map[string]*returned{}
	before := map[string]run.Returns{} // the epoch before
	for _, e := range of.events {
		for name, n := range e.Returns {
			if layers[name] == nil {
				layers[name] = &returned{}
			}
			units := n
			if b, ok := before[name]; ok {
				units = b
			}
			layers[name].add(e.Epoch, n, units)
		}
		before = e.Returns
	}
	counts := chart{title: "weights that return", y: "in an epoch", log: true}
	norms := chart{title: "norm of the layer's weights", y: "at an epoch's end", log: true}
	around := chart{title: "in the steps around the peaks", x: "steps after the peak", y: "in a step", log: true}
	var words []string
	names := slices.SortedFunc(maps.Keys(layers), func(a, b string) int { return 2*(order(a)-order(b)) + strings.Compare(a, b) })
	for i, name := range names {
		r := layers[name]
		if r.weights == 0 {
			continue
		}
		color := palette[i%len(palette)]
		counts.series = append(counts.series, series{name: name, color: color, x: r.epochs, y: r.counts},
			series{name: name + ": most in one step", color: color, dash: 1, x: r.epochs, y: r.most})
		f.keys = append(f.keys, key{name + ": of the weights that return", color, 0}, key{name + ": most in one step", color, 1}, key{name + ": of all units", color, 2})
		words = append(words, fmt.Sprintf("%s: %s returned; the median σ of their units is %s where that of all units is %s, and the median number of a unit's weights %s where it is %s",
			name, commas(r.weights), sigma(r.std), sigma(r.unitStd), atMost(r.left), atMost(r.unitLeft)))
		std := chart{title: name + " by σ of the unit", x: "σ", y: "%", logX: true}
		std.series = shares(r.std, r.unitStd, color, run.StdOf)
		left := chart{title: name + " by the unit's weights", x: "non-zero weights of the unit", y: "%", logX: true}
		left.series = shares(r.left, r.unitLeft, color, func(bin int) float64 { return math.Exp2(float64(bin) - 0.5) }) // the middle of a bin; that of no weights is left of it
		f.charts = append(f.charts, std, left)
		if len(r.norms.x) > 0 {
			r.norms.color = color
			norms.series = append(norms.series, r.norms)
		}
		for _, peak := range peaks(r.steps) {
			s := series{color: color}
			for at := max(0, peak-peakBefore); at <= min(peak+peakAfter, len(r.steps)-1); at++ {
				s.add(float64(at-peak), max(1, r.steps[at])) // the axis is logarithmic
			}
			around.series = append(around.series, s)
		}
	}
	f.charts = append([]chart{counts}, f.charts...)
	if len(norms.series) > 0 { // runs of earlier versions have not recorded it
		f.charts = append(f.charts, norms)
	}
	if len(around.series) > 0 {
		f.charts = append(f.charts, around)
	}
	return f, fmt.Sprintf("Zero weights of %s that return (%s, %s, seed %d). Over all steps, %s. Lines: share of the returning weights; dotted: of all units at the end of the epoch before, as it would be if each had as many.",
		networkName(of.config.Model), set.Title, of.config.SizeText(), of.config.Seed, strings.Join(words, "; "))
}

// Of the steps around a peak, these are shown. Peaks are further apart, and stand
// out: they have peakFactor times the returns of any of the quieter nine tenths of
// the steps, and no fewer than the largest one's over peakFactor.
const (
	peakBefore, peakAfter = 20, 20
	mostPeaks             = 6
	peakFactor            = 5
)

// peaks are the steps with the most returns, the first of equals, largest first.
func peaks(steps []float64) (list []int) {
	sorted := slices.Sorted(slices.Values(steps))
	if len(sorted) == 0 {
		return nil
	}
	least := max(1, peakFactor*sorted[len(sorted)*9/10], sorted[len(sorted)-1]/peakFactor)
	for len(list) < mostPeaks {
		best := -1
		for i, n := range steps {
			near := slices.ContainsFunc(list, func(p int) bool { return i >= p-peakBefore-peakAfter && i <= p+peakBefore+peakAfter })
			if !near && n >= least && (best < 0 || n > steps[best]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		list = append(list, best)
	}
	return list
}

// returned is a layer's record over a run.
type returned struct {
	weights           int
	epochs, counts    []float64
	most              []float64 // in one step of each epoch
	norms             series    // of the layer's weights, by epoch
	steps             []float64 // returns in each step of the run, as far as every epoch has recorded them
	std, left         []float64 // of the weights, by bin
	unitStd, unitLeft []float64 // of the units, each epoch by the weights that returned in it
}

// add adds an epoch. units has the distribution of the units before it: a burst
// changes it.
func (r *returned) add(epoch int, n, units run.Returns) {
	if n.Norm > 0 {
		r.norms.add(float64(epoch), n.Norm)
	}
	for _, k := range n.Steps {
		r.steps = append(r.steps, float64(k))
	}
	if n.Weights == 0 {
		return
	}
	r.weights += n.Weights
	r.epochs, r.counts = append(r.epochs, float64(epoch)), append(r.counts, float64(n.Weights))
	r.most = append(r.most, float64(n.Most))
	r.std, r.left = plus(r.std, n.Std, 0), plus(r.left, n.Left, 0)
	r.unitStd, r.unitLeft = plus(r.unitStd, units.UnitStd, float64(n.Weights)), plus(r.unitLeft, units.UnitLeft, float64(n.Weights))
}

// plus adds counts to a histogram; where there is a weight, their shares times that.
func plus(to []float64, counts []int, weight float64) []float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	for i, n := range counts {
		if i == len(to) {
			to = append(to, 0)
		}
		if weight == 0 {
			to[i] += float64(n)
		} else if total > 0 {
			to[i] += weight * float64(n) / float64(total)
		}
	}
	return to
}

// shares are two histograms in per cent, over the bins that either has.
func shares(some, all []float64, color string, middle func(bin int) float64) []series {
	lists := [][]float64{some, all}
	first, last := len(some), -1
	for _, list := range lists {
		for i, n := range list {
			if n > 0 {
				first, last = min(first, i), max(last, i)
			}
		}
	}
	var out []series
	for k, list := range lists {
		s := series{color: color, dash: 2 * k}
		total := 0.0
		for _, n := range list {
			total += n
		}
		for i := first; i <= last && i < len(list); i++ {
			s.add(middle(i), 100*list[i]/max(total, 1))
		}
		out = append(out, s)
	}
	return out
}

// halfway is the bin that holds the median.
func halfway(list []float64) int {
	total, sum := 0.0, 0.0
	for _, n := range list {
		total += n
	}
	for i, n := range list {
		if sum += n; sum > 0 && 2*sum >= total {
			return i
		}
	}
	return 0
}

// sigma is the median σ of a histogram.
func sigma(list []float64) string { return fmt.Sprintf("%.2g", run.StdOf(halfway(list))) }

// atMost is the median of a histogram of numbers of weights, as its bin has them.
func atMost(list []float64) string {
	switch bin := halfway(list); bin {
	case 0, 1:
		return fmt.Sprint(bin)
	default:
		return fmt.Sprintf("%d to %d", 1<<(bin-1), 1<<bin-1)
	}
}
