package cpu

import (
	"sync/atomic"
	"time"

	"betalasso/compute"
)

// sparseStep finds the weights that return and takes the step on the listed ones,
// a block of units a task: the gradients of their outputs are laid out once for
// both.
type sparseStep struct {
	s       *sparse
	dy      compute.Mat // the gradient of the output, or, with norm, of the batch norm's output
	norm    *normJob
	u       compute.Update
	block   int // units
	shared  bool
	search  bool
	nonzero atomic.Int64
	// What all threads took for the search, and for the rest.
	searching, stepping atomic.Int64
}

// mostUnits is how many units a task takes at most: their gradients stay in the
// second-level cache while inputs pass by.
const mostUnits = 128

// manyUnits is how many units a task takes that has a use for many.
func (s *sparse) manyUnits() int {
	return max(unitsEach, min(mostUnits, s.rows/(8*s.d.threads)&^(unitsEach-1)))
}

// stepNorm takes a step from dz, the gradient of the output of a batch norm of y.
func (s *sparse) stepNorm(dgamma, dbeta, dz, y, x compute.Mat, bn *compute.BatchNorm, u compute.Update) (nonzero int, work float64) {
	n := &s.norms
	*n = normJob{bn: bn, mode: normGrad, y: dz, x: y, dy: dz, dgamma: dgamma, dbeta: dbeta}
	n.ready("StepNorm", s.d)
	s.steps.norm = n
	defer func() { s.steps.norm = nil }()
	return s.step(dz, x, u)
}

// step takes a step and gives the non-zeros and the multiply-adds that it took.
func (s *sparse) step(dy, x compute.Mat, u compute.Update) (nonzero int, work float64) {
	if s.x.of != &x.Data[0] {
		s.d.layOut(&s.x, &s.xRoom, x)
	}
	began := time.Now()
	j := &s.steps
	j.s, j.dy, j.u = s, dy, u
	j.search = s.search.begin(s, dy, x, u)
	s.d.took(Search, began)
	began = time.Now()
	j.block, j.shared = s.manyUnits(), s.shares()
	if j.shared {
		s.room()
		if !j.search {
			j.block = s.d.sharingUnits(&s.lists)
		}
	}
	j.nonzero.Store(0)
	j.searching.Store(0)
	j.stepping.Store(0)
	s.d.pool.run((s.rows+j.block-1)/j.block, s.rows*s.x.ld+len(s.val)*x.Rows, j)
	s.cuts.fresh = s.cuts.fresh || j.shared
	if j.owedShared() {
		s.owed.of.cuts.fresh = true
	}
	if j.search {
		searching, stepping := float64(j.searching.Load()), float64(j.stepping.Load())
		took := time.Duration(float64(time.Since(began)) * searching / max(1, searching+stepping)) // a clock may stand still
		s.search.end()
		s.d.spent[Search] += took
		s.d.spent[GradStep] -= took
	}
	work = float64(len(s.val))*float64(x.Rows) + s.search.work
	s.count = int(j.nonzero.Load())
	s.remake()
	s.d.took(GradStep, began)
	return s.count, work
}

func (j *sparseStep) do(t int, w *worker) {
	s, n := j.s, 0
	lo, hi := t*j.block, min((t+1)*j.block, j.s.rows)
	began := time.Now()
	if !j.search && !j.shared && !j.owedShared() {
		for u := lo; u < hi; u++ { // a unit's inputs are in the cache for its output and for its gradients
			n += j.unit(u, j.deltas(u, u+1, w), w)
		}
		j.nonzero.Add(int64(n))
		j.stepping.Add(int64(time.Since(began)))
		return
	}
	deltas := j.deltas(lo, hi, w)
	laid := time.Now()
	if j.search {
		s.search.units(lo, hi, deltas, w)
	}
	searched := time.Now()
	if j.shared {
		g := grow(&w.vals, s.start[hi]-s.start[lo])
		s.dotsLists(g, deltas, lo, hi, w)
		n = s.d.kernel.step(s.val[s.start[lo]:s.start[hi]], g, &j.u)
	} else {
		for u := lo; u < hi; u++ {
			n += j.unit(u, deltas[(u-lo)*s.x.ld:(u-lo+1)*s.x.ld], w)
		}
	}
	j.nonzero.Add(int64(n))
	j.searching.Add(int64(searched.Sub(laid)))
	j.stepping.Add(int64(laid.Sub(began) + time.Since(searched)))
}

// owedShared reports whether the gradients of outputs are to be summed block by block.
func (j *sparseStep) owedShared() bool {
	return j.norm != nil && j.s.owed.lines != nil && j.s.owed.shared
}

// silent reports whether the gradient of unit u's output is known to be 0.
func (j *sparseStep) silent(u int) bool {
	return j.norm != nil && j.s.owed.lines != nil && j.s.owed.silent(u)
}

// unit takes the step on the weights of unit u, whose gradient is delta, and gives
// its non-zeros.
func (j *sparseStep) unit(u int, delta []float32, w *worker) (nonzero int) {
	s := j.s
	from, to := s.start[u], s.start[u+1]
	if from == to {
		return 0
	}
	g := grow(&w.vals, to-from)
	if j.silent(u) {
		clear(g)
	} else {
		s.fetch(&s.x, s.idx, s.start, u+1)
		s.d.kernel.sparse.dots(g, delta, s.x.data, s.x.ld, s.idx[from:to])
	}
	return s.d.kernel.step(s.val[from:to], g, &j.u)
}

// deltas are the lines of the gradients of the outputs of units lo..hi.
func (j *sparseStep) deltas(lo, hi int, w *worker) []float32 {
	s, dy := j.s, &j.dy
	ld := s.x.ld
	if s.dy.of == &dy.Data[0] {
		return s.dy.data[lo*ld : hi*ld]
	}
	deltas := grow(&w.deltas, (hi-lo)*ld)
	var dz []float32
	if j.owedShared() {
		dz = s.owed.rows(lo, hi, w)
	}
	for u := lo; u < hi; u++ {
		dst := deltas[(u-lo)*ld : (u-lo+1)*ld]
		switch {
		case j.silent(u):
			clear(dst)
			j.norm.dgamma.Data[u], j.norm.dbeta.Data[u] = 0, 0
		case j.norm != nil:
			j.normed(dst, j.gradient(dz, u-lo, u, w), u, w)
		case dy.Trans:
			s.d.line(dst, unit(dy, u), w)
		default:
			row := grow(&w.extra, dy.Rows)
			for n := range row {
				row[n] = dy.At(n, u)
			}
			s.d.line(dst, row, w)
		}
	}
	return deltas
}

// gradient is the gradient of the batch norm's output for unit u, which row k of dz
// has if that was summed for many units.
func (j *sparseStep) gradient(dz []float32, k, u int, w *worker) []float32 {
	n := j.dy.Rows
	switch {
	case dz != nil:
		return dz[k*j.s.owed.lines.padded:][:n]
	case j.s.owed.lines != nil:
		return j.s.owed.row(u, w)[:n]
	}
	return unit(&j.dy, u)
}

// normed lays out the gradient of unit u's output, from dz, that of the batch norm's. A
// unit without weights needs it for the search alone.
func (j *sparseStep) normed(dst, dz []float32, u int, w *worker) {
	s, n := j.s, j.dy.Rows
	var y []float32
	lo, hi := s.start[u], s.start[u+1]
	switch {
	case lo == hi:
		y = w.zeros(n)
	case s.leaves(u):
		s.fetch(&s.x, s.idx, s.start, u+1)
		y = grow(&w.row, s.x.padded)
		s.d.kernel.sparse.gather(y, s.x.data, s.x.ld, s.idx[lo:hi], s.d.rounded(s.val[lo:hi], w))
		y = y[:n]
	default:
		y = unit(&j.norm.x, u)
	}
	if lo == hi && !j.search {
		j.norm.sums(y, dz, u, w)
		return
	}
	row := grow(&w.extra, n)
	j.norm.row(row, y, dz, u, w)
	s.d.line(dst, row, w)
}
