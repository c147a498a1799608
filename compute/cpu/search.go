package cpu

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"betalasso/compute"
)

// search finds the zero weights that return in a step: those for which |η·g| is
// not below the threshold, exactly as the dense form would.
//
// For almost all of them a bound shows that they stay, at a fraction of what
// their gradients cost. The bound is of products of short lines of small
// integers: the lines of the batch themselves, quantised, or, shorter still, their
// coordinates in a basis that holds most of the inputs. What neither side's
// integers hold has a norm, and the product of two norms limits what it can add.
// Where it excludes too few, the dense gradient is taken after all.
type search struct {
	s        *sparse
	u        compute.Update
	choice   choice
	bursting bool // weights return in great numbers

	work       float64 // the multiply-adds of this step
	level      int     // of this step's lines
	projected  bool
	prepared   time.Duration // what the inputs took
	low        lowbit
	basis      basis
	cols       side
	inBeside   []float32 // of each input: the norm of what its coordinates do not hold
	reach      []float32 // and what times a unit's length limits all else that the integers do not have
	farthest   float32   // the longest input's norm
	limit      float32   // gradients below it move no zero weight
	slack      float64
	coordsJob  inputCoords
	candidates atomic.Int64

	mu    sync.Mutex
	found []revived
}

// levels are the lengths of the lines that are multiplied; whole stands for the
// batch's own.
var levels = [...]int{8, 16, 32, 64, whole}

const (
	whole   = 1 << 30
	lowBits = 8
)

// choice is which level a layer takes: that which took the least time. It tries
// them all one after the other, some steps each, first of all and then now and
// then. What it chooses shows in no number.
type choice struct {
	best   int
	took   [len(levels)]time.Duration // of the last step of each
	trying int                        // the level that is tried
	left   int                        // steps that it is tried for; 0: none is
	wait   int                        // steps until they are tried again
	pause  int                        // what wait begins with
}

const (
	trySteps   = 3 // a basis takes some to be as good as it will be
	firstPause = 256
	mostPause  = 4096
)

// next is the level to take in this step.
func (c *choice) next() int {
	if c.wait == 0 && c.left == 0 {
		c.trying, c.left = len(levels)-1, trySteps
	}
	if c.left > 0 {
		return c.trying
	}
	return c.best
}

// done says how long a step took at the level that next gave.
func (c *choice) done(level int, took time.Duration) {
	c.took[level] = took
	if c.left == 0 {
		c.wait--
		return
	}
	if c.left--; c.left > 0 {
		return
	}
	if level == len(levels)-1 || took < c.took[c.best] {
		c.best = level
	}
	if c.trying > 0 {
		c.trying, c.left = c.trying-1, trySteps
		return
	}
	c.pause = max(firstPause, min(2*c.pause, mostPause))
	c.wait = c.pause
}

// burst is the part of all weights that are candidates on whole lines for which
// the dense gradient is taken in the next step instead.
const burst = 1.0 / 20

// begin readies the search of a step and says whether units is to be called for
// each block of units. Without that, all that returns is found already.
func (f *search) begin(s *sparse, dy, x compute.Mat, u compute.Update) (units bool) {
	f.s, f.u, f.work = s, u, 0
	f.found = f.found[:0]
	if u.Hold || u.LR == 0 {
		return false
	}
	// |fl(η·g)| ≥ the threshold only where |g| is at least this.
	f.limit = u.Threshold / u.LR * (1 - 1e-6)
	f.candidates.Store(0)
	if f.bursting {
		f.dense(dy, x)
		f.work = float64(s.rows) * float64(s.cols) * float64(x.Rows)
		return false
	}
	began := time.Now()
	f.level = f.choice.next()
	f.inputs(min(levels[f.level], s.x.padded))
	f.prepared = time.Since(began)
	return true
}

// end closes a step whose calls of units took so long.
func (f *search) end(took time.Duration) {
	all, candidates := float64(f.s.rows)*float64(f.s.cols), float64(f.candidates.Load())
	f.bursting = levels[f.level] == whole && candidates > burst*all
	f.choice.done(f.level, f.prepared+took)
	f.work = all*float64(f.cols.n)/4 + candidates*float64(f.s.x.padded)
}

// dense looks at every gradient.
func (f *search) dense(dy, x compute.Mat) {
	f.s.restore(x)
	f.s.d.gradient(f, dy, x)
	f.bursting = float64(len(f.found)) > burst/10*float64(f.s.rows)*float64(f.s.cols)
}

// fetch implements taker.
func (f *search) fetch(_, _, _, _ int) {}

// block looks through the gradient of a block.
func (f *search) block(g []float32, i0, j0, mb, nb int) {
	for i := range mb {
		for k, v := range g[i*nb : (i+1)*nb] {
			if !(float32(math.Abs(float64(v))) < f.limit) { // also where it is not a number
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

// inputs readies the inputs' side for a bound over lines of so many numbers.
func (f *search) inputs(length int) {
	s := f.s
	if f.low.mul == nil {
		f.low = bestLowbit(lowBits)
	}
	f.projected = length < s.x.padded
	// What the dense product's own rounding may add, and that of norms and
	// coordinates, which are sums of as many terms: see rounding.
	f.slack = rounding(s.x.padded)
	if f.projected {
		f.basis.make(s.d, &s.x, s.cols, length)
		f.slack += f.basis.error
	}
	f.reach, f.inBeside = growTo(f.reach, s.cols), growTo(f.inBeside, s.cols)
	f.cols.resetColumns(&f.low, lowBits, s.cols, length, 0)
	f.coordsJob = inputCoords{f}
	s.d.pool.run((s.cols+lineBand-1)/lineBand, s.cols*length*64, &f.coordsJob)
	f.farthest = 0
	for i, v := range f.reach {
		f.farthest = max(f.farthest, above(math.Hypot(float64(f.cols.norm[i]), float64(f.inBeside[i])))+v)
	}
}

// rounding is an upper bound of the error of a float32 sum of n products, in
// chains or not, as a part of the product of the norms; four times over, for
// the sums that a bound is made of.
func rounding(n int) float64 { return 4 * float64(n+64) * 0x1p-24 }

// inputCoords quantises the inputs' lines or coordinates, a band a task.
type inputCoords struct {
	f *search
}

func (j *inputCoords) do(t int, w *worker) {
	f, s := j.f, j.f.s
	for i := t * lineBand; i < min((t+1)*lineBand, s.cols); i++ {
		line := s.x.data[i*s.x.ld : (i+1)*s.x.ld]
		var square float64
		if f.projected {
			square = s.d.square(line, w)
		}
		rest := f.describe(&f.cols, i, line, square, w)
		norm := math.Hypot(float64(f.cols.norm[i]), rest)
		f.inBeside[i] = above(rest)
		f.reach[i] = above(float64(f.cols.rest[i]) + f.slack*norm)
		if f.projected {
			// Quantised to q steps either way, k coordinates are off by at most
			// √k/2q of the largest, and so of their norm.
			const steps = 1<<lowBits - 2
			f.reach[i] = above(float64(f.reach[i]) + math.Sqrt(float64(f.cols.n))/steps*(norm+float64(f.cols.rest[i])))
		}
	}
}

// describe quantises a line to be line i of a side, and gives an upper bound of
// the norm of what its coordinates do not hold. square is the line's own product,
// which only coordinates need.
func (f *search) describe(to *side, i int, line []float32, square float64, w *worker) (rest float64) {
	d := f.s.d
	if !f.projected {
		to.setLine(i, d.numbers(line, w))
		return 0
	}
	b := &f.basis
	coords := grow(&w.coords, len(b.idx))
	d.kernel.sparse.dots(coords, line, b.lines, len(line), b.idx)
	if to == &f.cols {
		b.keep(i, coords)
	}
	to.setLine(i, coords)
	norm := square * (1 + f.slack)
	held := float64(to.norm[i]) * float64(to.norm[i]) * (1 - 2*f.slack)
	return math.Sqrt(max(0, norm-held) + f.slack*norm)
}

// loud are the units of a block that the norms alone do not exclude.
type loud struct {
	units          []int
	side           side
	squares        []float64
	length, beside []float32 // the norm of a unit's gradients, and of what their coordinates do not hold
	near           [][]int32 // the inputs that a bound did not exclude
	screener       screener
}

// units finds what returns among the weights of units lo..hi, whose gradients are
// deltas.
func (f *search) units(lo, hi int, deltas []float32, w *worker) {
	s, l := f.s, &w.loud
	l.units, l.squares, l.length, l.beside = l.units[:0], l.squares[:0], l.length[:0], l.beside[:0]
	for u := lo; u < hi; u++ {
		square := s.d.square(deltas[(u-lo)*s.x.ld:(u-lo+1)*s.x.ld], w)
		length := above(math.Sqrt(square*(1+f.slack)) * (1 + f.slack))
		if !(length*f.farthest < f.limit) { // also where it is not a number
			l.units, l.squares, l.length = append(l.units, u), append(l.squares, square), append(l.length, length)
		}
	}
	if len(l.units) == 0 {
		return
	}
	l.side.resetRows(&f.low, lowBits, (len(l.units)+7)&^7, f.cols.n)
	for k, u := range l.units {
		l.beside = append(l.beside, above(f.describe(&l.side, k, deltas[(u-lo)*s.x.ld:(u-lo+1)*s.x.ld], l.squares[k], w)))
	}
	for len(l.near) < len(l.units) {
		l.near = append(l.near, nil)
	}
	near := l.near[:len(l.units)]
	for k := range near {
		near[k] = near[k][:0]
	}
	b := bound{u: l.side.scale, a: l.length, c: l.side.rest, v: f.cols.scale, b: f.reach, e: f.cols.hat}
	if f.projected {
		b = bound{u: l.side.scale, a: l.beside, c: l.length, v: f.cols.scale, b: f.inBeside, e: f.reach}
	}
	l.screener.screen(near, &l.side, &f.cols, 0, b, f.limit)
	for k, u := range l.units {
		f.exact(u, near[k], deltas[(u-lo)*s.x.ld:(u-lo+1)*s.x.ld], w)
	}
}

// exact takes the gradients of unit u's candidates that are zero.
func (f *search) exact(u int, near []int32, line []float32, w *worker) {
	if len(near) == 0 {
		return
	}
	s := f.s
	marks := w.mark(s.cols)
	for _, c := range s.col[s.start[u]:s.start[u+1]] {
		marks[(c&index)/64] |= 1 << (c & 63)
	}
	zeros := near[:0]
	for _, c := range near {
		if marks[c/64]>>(c&63)&1 == 0 {
			zeros = append(zeros, c)
		}
	}
	for _, c := range s.col[s.start[u]:s.start[u+1]] {
		marks[(c&index)/64] = 0
	}
	f.candidates.Add(int64(len(zeros)))
	g := grow(&w.vals, len(zeros))
	s.d.kernel.sparse.dots(g, line, s.x.data, s.x.ld, zeros)
	for k, c := range zeros {
		if !(float32(math.Abs(float64(g[k]))) < f.limit) {
			f.candidate(u, int(c), g[k])
		}
	}
}

// mark is a bit for each of n inputs, all 0; a caller leaves them so.
func (w *worker) mark(n int) []uint64 {
	if len(w.marks) < (n+63)/64 {
		w.marks = make([]uint64, (n+63)/64)
	}
	return w.marks
}

// numbers are a line's numbers as float32, in an order that all lines share.
func (d *Device) numbers(line []float32, w *worker) []float32 {
	if d.kernel.pairs == nil {
		return line
	}
	n := grow(&w.numbers, 2*len(line))
	for i, x := range line {
		n[i], n[len(line)+i] = unpair(x)
	}
	return n
}
