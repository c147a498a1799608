package cpu

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"betalasso/compute"
)

// sparseStep takes the step on the listed weights, a block of units a task.
type sparseStep struct {
	s       *sparse
	dy      compute.Mat
	u       compute.Update
	nonzero atomic.Int64
}

// step takes a step and gives the non-zeros and the multiply-adds that it took.
func (s *sparse) step(dy, x compute.Mat, u compute.Update) (nonzero int, work float64) {
	if s.x.of != &x.Data[0] {
		s.d.layOut(&s.x, &s.xRoom, x)
	}
	work = float64(len(s.val)) * float64(x.Rows)
	s.search.found = s.search.found[:0]
	if !u.Hold {
		began := time.Now()
		work += s.search.run(s, dy, x, u)
		s.d.took(Search, began)
	}
	defer s.d.took(GradStep, time.Now())
	j := &s.steps
	j.s, j.dy, j.u = s, dy, u
	j.nonzero.Store(0)
	s.d.pool.run(blocks(s.rows), len(s.val)*x.Rows, j)
	s.count = int(j.nonzero.Load())
	s.remake()
	return s.count, work
}

func (j *sparseStep) do(t int, w *worker) {
	s, n := j.s, 0
	for u := t * unitsEach; u < min((t+1)*unitsEach, s.rows); u++ {
		lo, hi := s.start[u], s.start[u+1]
		if lo == hi {
			continue
		}
		g := grow(&w.vals, hi-lo)
		s.d.kernel.sparse.dots(g, s.delta(j.dy, u, w), s.x.data, s.x.ld, s.col[lo:hi])
		n += s.d.kernel.step(s.val[lo:hi], g, &j.u)
	}
	j.nonzero.Add(int64(n))
}

// delta is the line of unit u of dy.
func (s *sparse) delta(dy compute.Mat, u int, w *worker) []float32 {
	if s.dy.of == &dy.Data[0] {
		return s.dy.data[u*s.dy.ld : (u+1)*s.dy.ld]
	}
	dst := grow(&w.delta, s.x.ld)
	if dy.Trans {
		s.d.line(dst, dy.T().Row(u), w)
		return dst
	}
	src := grow(&w.extra, dy.Rows)
	for n := range src {
		src[n] = dy.At(n, u)
	}
	s.d.line(dst, src, w)
	return dst
}

// revived is a weight that was zero and is not any more.
type revived struct {
	row, col int32
	val      float32
}

// remake takes revived weights into the lists, and zeros out of them where they
// have become many.
func (s *sparse) remake() {
	found := s.search.found
	if len(found) == 0 && s.count*8 >= len(s.val)*7 {
		return
	}
	slices.SortFunc(found, func(a, b revived) int { return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.col, b.col)) })
	start, col, val := s.start, s.col, s.val
	size := s.count + len(found)
	s.start, s.col, s.val = append(make([]int, 0, s.rows+1), 0), make([]int32, 0, size), make([]float32, 0, size)
	s.count, s.back.fresh = 0, false
	var cols []int32
	var vals []float32
	for j := range s.rows {
		cols, vals = cols[:0], vals[:0]
		for k := start[j]; k < start[j+1]; k++ {
			if val[k] != 0 {
				cols, vals = append(cols, col[k]&index), append(vals, val[k])
			}
		}
		for len(found) > 0 && int(found[0].row) == j {
			cols, vals = append(cols, found[0].col), append(vals, found[0].val)
			found = found[1:]
		}
		sortRow(cols, vals)
		s.add(cols, vals)
	}
}

// sortRow sorts a row's columns, which are nearly sorted, and their values.
func sortRow(cols []int32, vals []float32) {
	for i := 1; i < len(cols); i++ {
		for k := i; k > 0 && cols[k-1] > cols[k]; k-- {
			cols[k-1], cols[k] = cols[k], cols[k-1]
			vals[k-1], vals[k] = vals[k], vals[k-1]
		}
	}
}
