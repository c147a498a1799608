package cpu

import (
	"math"
	"slices"
	"sync"

	"betalasso/compute"
)

// search finds the zero weights that return in a step: those for which
// |η·g| ≥ the threshold, exactly as the dense form would.
type search struct {
	s     *sparse
	u     compute.Update
	mu    sync.Mutex
	found []revived
}

// run sets found, and gives the multiply-adds that it took.
func (f *search) run(s *sparse, dy, x compute.Mat, u compute.Update) float64 {
	f.s, f.u = s, u
	left, right := leftSide(dy.T()), leftSide(x.T())
	left.chained, right.chained = true, true
	s.d.product(target{step: f}, left, right)
	return float64(s.rows) * float64(s.cols) * float64(x.Rows)
}

// block looks through the gradient of a block.
func (f *search) block(g []float32, i0, j0, mb, nb int) {
	limit := f.u.Threshold / f.u.LR * (1 - 1e-6)
	for i := range mb {
		for k, v := range g[i*nb : (i+1)*nb] {
			if !(float32(math.Abs(float64(v))) < limit) { // also where it is not a number
				f.candidate(i0+i, j0+k, v)
			}
		}
	}
}

// candidate takes weight (row, col) if it is zero and its gradient moves it to
// the threshold or beyond.
func (f *search) candidate(row, col int, g float32) {
	v := -float32(f.u.LR * g)
	if float32(math.Abs(float64(v))) < f.u.Threshold || f.s.has(row, col) {
		return
	}
	f.mu.Lock()
	f.found = append(f.found, revived{int32(row), int32(col), v})
	f.mu.Unlock()
}

// has says whether a weight is in the lists.
func (s *sparse) has(row, col int) bool {
	_, ok := slices.BinarySearchFunc(s.col[s.start[row]:s.start[row+1]], s.d.order(col), func(c int32, at int) int {
		return s.d.order(int(c&index)) - at
	})
	return ok
}
