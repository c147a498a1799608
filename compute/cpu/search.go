package cpu

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"betalasso/compute"
)

// search finds the zero weights that return in a step: those for which |η·g| is
// not below the threshold, exactly as the dense form would.
//
// For almost all of them a bound shows that they stay, at a fraction of what
// their gradients cost: the norms of a unit's gradients and of an input, or a
// product of the batch's lines quantised to small integers, as far into the batch as
// is needed, where the norm of what the integers do not have limits what it can add.
// Where the last step's norms were enough by themselves, there are no integers. Where
// the bound excludes too few, the dense gradient is taken after all.
//
// Behind a batch norm the gradients of a unit add up to next to nothing, so that
// inputs may be taken without their means: what this leaves out is the product of
// that sum and the mean.
type search struct {
	s        *sparse
	u        compute.Update
	bursting bool // all gradients are taken: weights return in great numbers, or AMX makes that the cheaper way
	searched bool // there was a step before this one, so that loud says how it was
	few      bool // few units were loud in it, and norms alone do in this one

	work       float64      // the multiply-adds of this step
	loud       atomic.Int64 // units that norms alone do not exclude
	candidates atomic.Int64 // weights that no bound excludes
	limit      float32      // gradients below it move no zero weight
	slack      float64      // what rounding adds to a product, as a part of the norms'

	// Of each input: its norm, with its mean and without, and the mean.
	norms, centred, means []float32
	farthest              float32 // the most of norms, and of centred, with what rounding adds
	nearest               float32
	shift                 float32 // the most of the means' magnitudes
	moments               inputMoments

	low     *lowbit // not part of this: a worker keeps it in its side, and so would keep all of this and the device
	byNorm  descending
	order   []int32 // the inputs from the longest to the shortest: the lines of cols
	cols    side
	reach   []float32 // what times a unit's length limits all that the integers do not have
	colMost []float32 // of each tile of cols, and the most of its hat
	hatMost float32
	room    float64 // a part of the limit that products are expected to take
	lines   inputLines

	mu       sync.Mutex
	found    []revived
	returned int // in the last step that looked
}

// lowBits are those of a quantised number.
const lowBits = 8

// burst is the part of all weights that are candidates for which
// the dense gradient is taken in the next step instead.
const burst = 1.0 / 20

// begin readies the search of a step and reports whether units is to be called
// for each block of units. Without that, all that returns is found already.
func (f *search) begin(s *sparse, dy, x compute.Mat, u compute.Update) (units bool) {
	f.s, f.u, f.work = s, u, 0
	f.found = f.found[:0]
	if u.Hold || u.LR == 0 {
		return false
	}
	// A burst finds many at a time, and then none for long.
	room(&f.found, f.returned)
	room(&s.remakes.found, f.returned)
	f.found = f.found[:0]
	// |fl(η·g)| ≥ the threshold only where |g| is at least this.
	f.limit = u.Threshold / u.LR * (1 - 1e-6)
	f.candidates.Store(0)
	if f.bursting {
		f.dense(dy, x)
		f.work = float64(s.rows) * float64(s.cols) * float64(x.Rows)
		return false
	}
	f.few = f.loud.Load()*quiet < int64(s.rows) && f.searched
	f.searched = true
	f.loud.Store(0)
	f.measure()
	if !f.few {
		f.inputs()
	}
	return true
}

// end closes a step whose units have all been looked at.
func (f *search) end() {
	all, candidates := float64(f.s.rows)*float64(f.s.cols), float64(f.candidates.Load())
	f.work = candidates * float64(f.s.x.padded)
	f.bursting = !f.few && candidates > burst*all
	if f.few {
		return
	}
	f.work += all * float64(f.cols.n) / 4
	// A product that stops too early leaves what costs more one by one.
	switch part := candidates / max(1, float64(f.loud.Load())*float64(f.s.cols)); {
	case part > 0.004:
		f.room = min(0.8, f.room+0.05)
	case part < 0.002:
		f.room = max(0.05, f.room-0.02)
	}
}

// dense looks at every gradient.
func (f *search) dense(dy, x compute.Mat) {
	f.s.restore(x)
	f.s.cutAll()
	f.s.d.gradient(f, dy, x)
	f.bursting = f.s.d.kernel.tiles() || float64(len(f.found)) > burst/10*float64(f.s.rows)*float64(f.s.cols)
}

// fetch implements taker.
func (f *search) fetch(_, _, _, _ int) {}

// block looks through the gradient of a block.
func (f *search) block(g []float32, ldg, i0, j0, mb, nb int, w *worker) {
	var room [256]revived
	found, limit := room[:0], math.Float32bits(f.limit)
	w.places = growTo(w.places, nb+vector)
	for i := range mb {
		row := g[i*ldg:][:nb]
		n := f.s.d.kernel.reaching(w.places, row, limit)
		if n == 0 {
			continue
		}
		listed := f.s.listed(i0+i, j0, nb, w)
		for _, k := range w.places[:n] {
			if listed[k/64]>>(k&63)&1 == 1 {
				continue
			}
			if v, ok := f.returns(row[k]); ok {
				if len(found) == cap(found) {
					f.take(found)
					found = found[:0]
				}
				found = append(found, revived{int32(i0 + i), int32(j0) + k, v})
			}
		}
		clear(listed)
	}
	f.take(found)
}

// listed has a bit for each of the n inputs from j0 on, 1 for those that unit u has a
// weight for. The caller clears it.
func (s *sparse) listed(u, j0, n int, w *worker) []uint64 {
	marks := w.mark(n)[:(n+63)/64]
	for b := j0 / maxKC; b <= (j0+n-1)/maxKC; b++ {
		lo, hi := s.part(u, b)
		for _, c := range s.idx[lo:hi] {
			if k := int(c&index) - j0; k >= 0 && k < n {
				marks[k/64] |= 1 << (k & 63)
			}
		}
	}
	return marks
}

// small reports whether a gradient moves no zero weight. One that is not a number is
// not small.
func (f *search) small(g float32) bool { return unsigned(g) < math.Float32bits(f.limit) }

// unsigned orders numbers as their magnitudes, and above all what is not a number.
func unsigned(v float32) uint32 { return math.Float32bits(v) &^ (1 << 31) }

// returns gives what a zero weight becomes, if its gradient moves it to the threshold or
// beyond.
func (f *search) returns(g float32) (v float32, ok bool) {
	v = -float32(f.u.LR * g)
	return v, !(float32(math.Abs(float64(v))) < f.u.Threshold)
}

// take adds to what was found.
func (f *search) take(found []revived) {
	if len(found) == 0 {
		return
	}
	f.mu.Lock()
	f.found = append(f.found, found...)
	f.mu.Unlock()
}

// quiet is which part of the units may be loud in a step for norms alone to do in the
// next one.
const quiet = 64

// measure takes the norms of the inputs.
func (f *search) measure() {
	s := f.s
	// What the dense product's own rounding may add, and that of norms, which are
	// sums of as many terms: see rounding.
	f.slack = rounding(s.x.padded)
	for _, list := range []*[]float32{&f.norms, &f.centred, &f.means} {
		*list = growTo(*list, s.cols)
	}
	f.moments = inputMoments{f}
	s.d.pool.run((s.cols+lineBand-1)/lineBand, s.cols*s.x.padded*4, &f.moments)
	f.farthest, f.nearest, f.shift = 0, 0, 0
	for i, v := range f.norms {
		f.farthest = max(f.farthest, above(float64(v)*(1+f.slack)))
		f.nearest = max(f.nearest, above(float64(f.centred[i])+f.slack*float64(v)))
		f.shift = max(f.shift, above(math.Abs(float64(f.means[i]))))
	}
}

// inputMoments takes inputs' norms and means, a band a task.
type inputMoments struct {
	f *search
}

func (j *inputMoments) do(t int, w *worker) {
	f, s := j.f, j.f.s
	for i := t * lineBand; i < min((t+1)*lineBand, s.cols); i++ {
		s1, s2 := s.d.sums(s.x.data[i*s.x.ld:(i+1)*s.x.ld], w)
		n := float64(s.x.padded)
		mean := float32(s1 / n)
		f.means[i], f.norms[i] = mean, above(math.Sqrt(s2*(1+0x1p-40)))
		m := float64(mean)
		// Σ(x − m)², and what the sums' rounding may have taken away.
		f.centred[i] = above(math.Sqrt(max(0, s2-2*m*s1+n*m*m) + s2*0x1p-40))
	}
}

// inputs quantises the inputs' lines.
func (f *search) inputs() {
	s := f.s
	if f.low == nil {
		l := bestLowbit(lowBits)
		f.low = &l
	}
	f.order = f.byNorm.of(f.centred)
	f.reach = growTo(f.reach, s.cols)
	f.cols.resetColumns(f.low, lowBits, s.cols, s.x.padded, 0)
	f.cols.divide(leastPart)
	f.lines = inputLines{f}
	s.d.pool.run((s.cols+lineBand-1)/lineBand, s.cols*s.x.padded*16, &f.lines)
	f.colMost, f.hatMost = f.cols.temper(f.reach, 1/share, f.low.nr, f.colMost), slices.Max(f.cols.hat)
}

// leastPart is the fewest words of a part: a comparison costs as much as some.
const leastPart = 8

// descending sorts norms by buckets: nearly, and in no time.
type descending struct {
	order []int32
}

// of gives the numbers of norms from the longest to the shortest, but for a
// 256th of the longest.
func (d *descending) of(norms []float32) []int32 {
	var most float32
	for _, v := range norms {
		if v <= math.MaxFloat32 {
			most = max(most, v)
		}
	}
	scale := 255 / max(most, 0x1p-100)
	bucket := func(v float32) int {
		if !(v <= most) {
			return 0
		}
		return 255 - int(v*scale)
	}
	var starts [257]int32
	for _, v := range norms {
		starts[bucket(v)+1]++
	}
	for b := range 256 {
		starts[b+1] += starts[b]
	}
	d.order = growTo(d.order, len(norms))
	for i, v := range norms {
		b := bucket(v)
		d.order[starts[b]] = int32(i)
		starts[b]++
	}
	return d.order
}

// sums are those of a line's numbers and of their squares.
func (d *Device) sums(line []float32, w *worker) (s1, s2 float64) {
	w.lanes = lanes{}
	d.kernel.rowMoments(d.numbers(line, w), &w.lanes)
	return w.lanes.totals()
}

// centre is a line's numbers less their mean.
func (d *Device) centre(line []float32, mean float32, w *worker) []float32 {
	n := d.numbers(line, w)
	c := grow(&w.centred, len(n))
	w.unit = factors{mean: mean, scale: 1, limit: float32(math.NaN())} // nothing is ≤ NaN
	d.kernel.rowNormalise(c, n, &w.unit)
	return c
}

// rounding is an upper bound of the error of a float32 sum of n products, in
// chains or not, as a part of the product of the norms; four times over, for
// the sums that a bound is made of.
func rounding(n int) float64 { return 4 * float64(n+64) * 0x1p-24 }

// inputLines quantises the inputs' lines, a band a task.
type inputLines struct {
	f *search
}

func (j *inputLines) do(t int, w *worker) {
	f, s := j.f, j.f.s
	for i := t * lineBand; i < min((t+1)*lineBand, s.cols); i++ {
		of := f.order[i]
		mean, norm := f.means[of], float64(f.norms[of])
		f.cols.setLine(i, s.d.centre(s.x.data[int(of)*s.x.ld:][:s.x.ld], mean, w))
		f.reach[i] = above(float64(f.cols.rest[i]) + f.slack*norm)
		// Beside what rounding leaves of a unit's gradients, their sum times the mean.
		f.cols.hat[i] = above(float64(f.cols.hat[i]) + math.Abs(float64(mean))*math.Sqrt(float64(s.x.padded)))
	}
}

// loud are the units of a block that the norms alone do not exclude.
type loud struct {
	units    []int
	length   []float32 // the norm of a unit's gradients
	sums     []float32 // the magnitude of their sum, by √n
	order    descending
	side     side
	stops    stops
	near     [][]int32 // the inputs that a bound did not exclude
	screener screener
}

// units finds what returns among the weights of units lo..hi, whose gradients are
// deltas.
func (f *search) units(lo, hi int, deltas []float32, w *worker) {
	s, l := f.s, &w.loud
	l.units, l.length, l.sums = l.units[:0], l.length[:0], l.sums[:0]
	root := math.Sqrt(float64(s.x.padded))
	for u := lo; u < hi; u++ {
		line := deltas[(u-lo)*s.x.ld : (u-lo+1)*s.x.ld]
		length := above(math.Sqrt(s.d.square(line, w)*(1+f.slack)) * (1 + f.slack))
		if length*f.farthest < f.limit {
			continue
		}
		sum, _ := s.d.sums(line, w)
		bySum := above(math.Abs(sum)*(1+0x1p-40)/root + float64(length)*0x1p-40)
		if float64(length)*float64(f.nearest)+float64(bySum)*root*float64(f.shift) < float64(f.limit)*(1-1e-6) {
			continue
		}
		l.units, l.length, l.sums = append(l.units, u), append(l.length, length), append(l.sums, bySum)
	}
	f.loud.Add(int64(len(l.units)))
	for len(l.near) < len(l.units) {
		l.near = append(l.near, nil)
	}
	for k := range l.units {
		l.near[k] = l.near[k][:0]
	}
	switch {
	case len(l.units) == 0:
	case f.few:
		f.byNorms(lo, deltas, w)
	default:
		f.byProducts(lo, deltas, w)
	}
}

// byNorms looks through loud units by norms alone.
func (f *search) byNorms(lo int, deltas []float32, w *worker) {
	l, ld := &w.loud, f.s.x.ld
	root := math.Sqrt(float64(f.s.x.padded))
	for k, u := range l.units {
		near, length, sum := l.near[k], float64(l.length[k]), float64(l.sums[k])*root
		for i, norm := range f.centred {
			if !(length*(float64(norm)+f.slack*float64(f.norms[i]))+sum*math.Abs(float64(f.means[i])) < float64(f.limit)*(1-1e-6)) {
				near = append(near, int32(i))
			}
		}
		l.near[k] = near
		f.exact(u, near, deltas[(u-lo)*ld:(u-lo+1)*ld], w)
	}
}

// byProducts looks through loud units by products of quantised lines, from the loudest
// unit and the longest input on.
func (f *search) byProducts(lo int, deltas []float32, w *worker) {
	l, ld := &w.loud, f.s.x.ld
	order := l.order.of(l.length)
	l.side.resetRows(f.low, lowBits, (len(order)+7)&^7, f.cols.n)
	l.side.divide(leastPart)
	factors := grow(&w.vals, 2*len(order))
	lengths, rests := factors[:len(order)], factors[len(order):]
	for k, of := range order {
		u := l.units[of]
		l.side.setLine(k, f.s.d.numbers(deltas[(u-lo)*ld:(u-lo+1)*ld], w))
		lengths[k] = l.length[of]
		rests[k] = above(float64(l.side.rest[k]) + float64(l.sums[of]))
	}
	b := bound{u: l.side.scale, a: lengths, c: rests, v: f.cols.scale, b: f.reach, e: f.cols.hat, stops: &l.stops}
	l.stops.set(&l.side, &f.cols, &b, f.colMost, f.hatMost, f.limit, f.room)
	near := l.near[:len(order)]
	l.screener.screen(near, &l.side, &f.cols, 0, b, f.limit)
	for k, of := range order {
		u := l.units[of]
		for n, i := range near[k] {
			near[k][n] = f.order[i]
		}
		f.exact(u, near[k], deltas[(u-lo)*ld:(u-lo+1)*ld], w)
	}
}

// exact takes the gradients of unit u's candidates that are zero.
func (f *search) exact(u int, near []int32, line []float32, w *worker) {
	if len(near) == 0 {
		return
	}
	s := f.s
	marks := w.mark(s.cols)
	for _, c := range s.idx[s.start[u]:s.start[u+1]] {
		marks[(c&index)/64] |= 1 << (c & 63)
	}
	zeros := near[:0]
	for _, c := range near {
		if marks[c/64]>>(c&63)&1 == 0 {
			zeros = append(zeros, c)
		}
	}
	for _, c := range s.idx[s.start[u]:s.start[u+1]] {
		marks[(c&index)/64] = 0
	}
	f.candidates.Add(int64(len(zeros)))
	g := grow(&w.vals, len(zeros))
	s.d.kernel.sparse.dots(g, line, s.x.data, s.x.ld, zeros)
	for k, c := range zeros {
		if f.small(g[k]) {
			continue
		}
		if v, ok := f.returns(g[k]); ok {
			f.take([]revived{{int32(u), c, v}})
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
	d.kernel.sparse.split(n[:len(line)], n[len(line):], line)
	return n
}
