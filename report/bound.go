package report

import (
	"fmt"
	"math"
	"slices"
)

// The bound of Theorem 2 is computed with weights of 32 bits, and holds for all
// but one training set in twenty.
const (
	weightBits = 32
	confidence = 0.05 // δ
)

// complexity is the second term of the bound of Theorem 2,
//
//	L_D ≤ L_S + √((k·b + |d| + ln(2n/δ)) / 2m),  |d| ≤ ‖w‖₀·log₂(k·n) + 2·log₂ n,
//
// for a network of which k of n weights are not 0 and none are shared, so that
// ‖w‖₀ is k, with b bits a weight, trained on m examples.
func complexity(k, n, m int) float64 {
	if n == 0 || m == 0 {
		return math.Inf(1)
	}
	size := math.Log2(max(1, float64(k)*float64(n)))
	bits := float64(k)*weightBits + float64(k)*size + 2*math.Log2(float64(n))
	return math.Sqrt((bits + math.Log(2*float64(n)/confidence)) / (2 * float64(m)))
}

// tellingWeights is the most non-zeros of n weights at which the bound's second term is
// below 1 for m examples.
func tellingWeights(n, m int) int {
	low, high := 0, n
	for low < high {
		mid := (low + high + 1) / 2
		if complexity(mid, n, m) < 1 {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

// Bound is a row of the table of Theorem 2.
type Bound struct {
	Case                      string
	Nonzero, Weights          string
	Train, Test, Gap          string // errors in percent, and how much larger the test's is
	Complexity, Bound, Enough string
}

// boundHead heads the table.
var boundHead = []string{"run", "non-zero", "weights", "training error", "test error", "gap", "second term", "bound", "weights at which it would tell"}

// bounds are those of the finished runs that were trained here, those with
// fewest non-zeros first.
func bounds(all []record) (list []Bound, vacuous bool) {
	type entry struct {
		r record
		k int
	}
	var runs []entry
	for _, r := range all {
		if !r.finished || r.config.Imported != "" || len(r.events) == 0 || r.result.DataSet.Train == 0 {
			continue
		}
		k := 0
		for _, l := range r.result.Layers {
			k += l.Nonzero
		}
		runs = append(runs, entry{r, k})
	}
	slices.SortStableFunc(runs, func(a, b entry) int { return a.k - b.k })
	vacuous = true
	for _, e := range runs {
		r, n, m := e.r, e.r.result.Params, e.r.result.DataSet.Train
		train, test := 1-r.events[len(r.events)-1].TrainAcc, 1-r.result.Last.TestAcc
		second := complexity(e.k, n, m)
		vacuous = vacuous && train+second >= 1
		list = append(list, Bound{
			Case: fmt.Sprintf("%s, seed %d", runOf(r).Title, r.config.Seed), Nonzero: commas(e.k), Weights: commas(n),
			Train: fmt.Sprintf("%.2f", 100*train), Test: fmt.Sprintf("%.2f", 100*test), Gap: fmt.Sprintf("%+.2f", 100*(test-train)),
			Complexity: fmt.Sprintf("%.0f", 100*second), Bound: fmt.Sprintf("%.0f", 100*(train+second)), Enough: commas(tellingWeights(n, m)),
		})
	}
	return list, vacuous && len(list) > 0
}

// BoundNote says what the table of Theorem 2 shows, and where it says nothing.
func (p *page) BoundNote() string {
	note := "Test error ≤ training error + √((k·b + k·log₂(k·n) + 2·log₂ n + ln(2n/δ)) / 2m), in percent, for all but one training set in twenty (δ = 0.05): k of n weights are not 0, of b = 32 bits each, and m images were trained on. " +
		"The training error is that of the last epoch, on augmented images as trained, so that the gap may be negative. A bound of 100 or more is vacuous: it says nothing, as no error is larger. "
	if p.Vacuous {
		return note + "Here it is so for every run. The last column is the most weights with which the second term would be below 100: networks as sparse as that are out of reach, and the theorem explains no gap measured here; it only orders the runs, by their non-zeros."
	}
	return note + "The last column is the most weights with which the second term is below 100: a run with more of them has a vacuous bound, and its gap is not explained by the theorem."
}
