package cpu

import (
	"slices"

	"betalasso/compute"
)

// sparse is the sparse form of the weights of a fully connected layer: for each
// unit the weights that are not zero, in the order in which the dense product
// adds them up. A weight that became zero stays in the list, as a zero, until the
// lists are made anew.
//
// Every number is the dense form's: a term of a zero weight changes no sum, and
// a zero weight stays zero unless search finds that its step is large enough.
type sparse struct {
	d          *Device
	rows, cols int
	lists                // of each unit: the inputs of its weights
	val        []float32 // the weights
	count      int       // that are not zero
	back       backward

	x, dy    lines // of this step, once they have been laid out
	ready    bool  // x was laid out before its Forward
	only     bool  // and is nowhere else
	left     bool  // outputs of this step are nowhere: see leaves
	owed     owed  // the gradient of the batch norm's output
	xRoom    []float32
	dyRoom   []float32
	forwards sparseForward
	norms    normJob // of the layer after it
	inputs   sparseInput
	steps    sparseStep
	remakes  remake
	cutting  cutting
	search   search
}

// first marks a weight that is the first of a new part of the sum: of a KC block of k,
// which the dense product sums separately, or of a tile. second marks, with first, the
// first of a tile's odd steps that comes after even ones. index is the rest of the word.
const (
	first  = -1 << 31
	second = 1 << 30
	index  = 1<<30 - 1
)

// order is the place of number i in the dense product's order of sums: panels of
// pairs add the odd one of two first, or both together; tiles first the even ones of 32.
func (d *Device) order(i int) int {
	switch {
	case d.kernel.tiles():
		return i&^(tileSteps-1) | i&1*tileWords | i>>1&(tileWords-1)
	case d.kernel.pairs != nil && !d.kernel.pairs.together:
		return i ^ 1
	}
	return i
}

// at is the number at a place, the inverse of order. The places of n numbers are below
// n rounded up to 32.
func (d *Device) at(place int) int {
	if d.kernel.tiles() {
		return place&^(tileSteps-1) | place&(tileWords-1)<<1 | place/tileWords&1
	}
	return d.order(place)
}

// newSparse is the weights whose rows row gives: the columns, from low to high,
// and the values.
func newSparse(d *Device, rows, cols int, row func(j int) ([]int32, []float32)) *sparse {
	s := &sparse{d: d, rows: rows, cols: cols}
	s.search.bursting = d.kernel.tiles()
	s.k, s.start = cols, append(make([]int, 0, rows+1), 0)
	for j := range rows {
		c, v := row(j)
		n := len(s.val)
		s.idx, s.val = append(s.idx, c...), append(s.val, v...)
		d.list(s.idx[n:], s.val[n:], c, v)
		s.start = append(s.start, len(s.val))
	}
	s.idx, s.val = slices.Clip(s.idx), slices.Clip(s.val)
	s.count = d.nonzero(s.val)
	return s
}

// list sets dstCols and dstVals to a row, whose columns are sorted, in the order of the
// lists.
func (d *Device) list(dstCols []int32, dstVals []float32, cols []int32, vals []float32) {
	part := 2 // numbers that the order leaves together
	if d.kernel.tiles() {
		part = tileSteps
	}
	last, to := -1, 0
	for lo := 0; lo < len(cols); {
		hi := lo + 1
		for hi < len(cols) && int(cols[hi])/part == int(cols[lo])/part {
			hi++
		}
		for parity := range int32(2) {
			parity ^= int32(d.order(0) & 1)
			for k := lo; k < hi; k++ {
				if cols[k]&1 == parity {
					dstCols[to], dstVals[to] = d.mark(int(cols[k]), &last), vals[k]
					to++
				}
			}
		}
		lo = hi
	}
}

// mark is i with its marks, where last is what the one before it in the row left there,
// at first -1.
func (d *Device) mark(i int, last *int) int32 {
	part, m := i/maxKC*2, int32(i)
	if d.kernel.tiles() {
		part = i/tileSteps*2 | i&1
	}
	switch {
	case *last < 0 || part == *last:
	case part/2 == *last/2:
		m |= first | second
	default:
		m |= first
	}
	*last = part
	return m
}

func (s *sparse) nonzero() int { return s.count }

// read sets dst to row j.
func (s *sparse) read(dst []float32, j int) {
	clear(dst)
	for k := s.start[j]; k < s.start[j+1]; k++ {
		dst[s.idx[k]&index] = s.val[k]
	}
}

// unitsEach is how many units a task takes.
const unitsEach = 16

// blocks is the number of tasks for n units.
func blocks(n int) int { return (n + unitsEach - 1) / unitsEach }

// sparseForward sets y, and with a batch norm what that gives, a block of units a
// task.
type sparseForward struct {
	s      *sparse
	y      compute.Mat
	norm   *normJob
	z      compute.Mat // what the batch norm gives, unless next has it as lines
	next   *lines
	units  int  // a task
	shared bool // see shares
	left   bool // y is not stored where the backward pass had better compute it again
}

func (s *sparse) forward(y, x compute.Mat) {
	s.forwards = sparseForward{s: s, y: y}
	s.runForward(x)
}

// forwardNorm sets y, unless it is left, and z, or next in its place.
func (s *sparse) forwardNorm(z, y, x compute.Mat, bn *compute.BatchNorm, next *lines, left bool) {
	n := &s.norms
	*n = normJob{bn: bn, mode: normTrain, y: z, x: y}
	n.ready("ForwardNorm", s.d)
	s.forwards = sparseForward{s: s, y: y, norm: n, z: z, next: next, left: left}
	s.runForward(x)
	s.left = left
}

func (s *sparse) runForward(x compute.Mat) {
	s.dy.of, s.left, s.owed.lines = nil, false, nil
	s.only = s.ready && s.x.of == &x.Data[0]
	s.ready = false
	if !s.only {
		s.d.layOut(&s.x, &s.xRoom, x)
	}
	work := len(s.val) * x.Rows
	if s.forwards.norm != nil {
		work += pass * s.rows * x.Rows
	}
	j := &s.forwards
	j.units, j.shared = unitsEach, s.shares()
	if j.shared {
		j.units = s.d.sharingUnits(&s.lists)
		s.room()
	}
	s.d.pool.run((s.rows+j.units-1)/j.units, work, j)
	s.cuts.fresh = s.cuts.fresh || j.shared
}

func (j *sparseForward) do(t int, w *worker) {
	s := j.s
	first, last := t*j.units, min((t+1)*j.units, s.rows)
	var ys []float32
	if j.shared {
		ys = grow(&w.outputs, (last-first)*s.x.padded)
		s.d.gatherLists(ys, s.x.padded, &s.lists, s.d.rounded(s.val[s.start[first]:s.start[last]], w), &s.x, first, last, w)
	}
	for u := first; u < last; u++ {
		lo, hi := s.start[u], s.start[u+1]
		var y []float32
		switch {
		case j.shared:
			y = ys[(u-first)*s.x.padded:][:s.x.padded]
		case lo == hi:
			y = w.zeros(s.x.padded)
		case j.norm == nil:
			s.fetch(&s.x, s.idx, s.start, u+1)
			s.d.gather(&j.y, u, &s.x, s.idx[lo:hi], s.d.rounded(s.val[lo:hi], w), w)
			continue
		default:
			s.fetch(&s.x, s.idx, s.start, u+1)
			y = grow(&w.row, s.x.padded)
			s.d.kernel.sparse.gather(y, s.x.data, s.x.ld, s.idx[lo:hi], s.d.rounded(s.val[lo:hi], w))
		}
		y = y[:j.y.Rows]
		if j.norm == nil {
			setUnit(&j.y, u, y)
			continue
		}
		// What goes to memory goes there last: nothing waits for it.
		z := grow(&w.extra, j.y.Rows)
		if lo == hi {
			j.norm.constant(z, y, u, w)
		} else {
			j.norm.row(z, y, nil, u, w)
		}
		if j.next != nil {
			s.d.line(j.next.data[u*j.next.ld:(u+1)*j.next.ld], z, w)
		} else {
			copy(unit(&j.z, u), z)
		}
		if !j.left || hi-lo > leaveBelow {
			copy(unit(&j.y, u), y)
		}
	}
}

// leaves reports whether the outputs of unit u in this step were not stored.
func (s *sparse) leaves(u int) bool { return s.left && s.start[u+1]-s.start[u] <= leaveBelow }

// settleLeft sets y and dz where they have been left.
func (s *sparse) settleLeft(y, dz compute.Mat) {
	if s.left {
		s.forwards = sparseForward{s: s, y: y, units: unitsEach}
		s.d.pool.run(blocks(s.rows), len(s.val)*y.Rows, &s.forwards)
		s.left = false
	}
	if o := &s.owed; o.lines != nil {
		for u := range s.rows {
			row := unit(&dz, u)
			copy(row, o.row(u, &s.d.pool.workers[0]))
		}
		o.lines = nil
	}
}

// fetch brings the first lines that list u of the lists that begin at start names
// into the cache: they lie anywhere.
func (s *sparse) fetch(l *lines, list []int32, start []int, u int) {
	const most = 24 // lines of 1 KB
	if u+1 >= len(start) {
		return
	}
	for _, i := range list[start[u]:min(start[u+1], start[u]+most)] {
		s.d.kernel.fetch(l.data[int(i&index)*l.ld:][:l.ld])
	}
}

// expect readies the lines of x, [n, cols], which someone else will set before
// the next Forward.
func (s *sparse) expect(x compute.Mat) *lines {
	s.x.padded, s.x.ld = s.d.lineSize(x.Rows)
	s.x.of = &x.Data[0]
	s.x.data = grow(&s.xRoom, s.cols*s.x.ld)
	s.ready = true
	return &s.x
}

// restore sets x where it was only laid out, as a product would round it.
func (s *sparse) restore(x compute.Mat) {
	if !s.only {
		return
	}
	for c := range x.Cols {
		s.d.unline(unit(&x, c), s.x.data[c*s.x.ld:(c+1)*s.x.ld])
	}
	s.only = false
}

// owed is the gradient of a layer's input, not yet summed: it is summed for one
// unit of the layer before at a time, from the lines of the output's gradient.
type owed struct {
	d      *Device
	lines  *lines // nil: there is none
	of     *lists // as in backward
	vals   []float32
	shared bool // units share lines
}

// silent reports whether a unit's gradient is 0, because all its outgoing weights
// are.
func (o *owed) silent(u int) bool { return o.of.start[u] == o.of.start[u+1] }

// row is the gradient of unit u's output, for all examples of a line, in memory
// of w.
func (o *owed) row(u int, w *worker) []float32 {
	row := grow(&w.dz, o.lines.padded)
	lo, hi := o.of.start[u], o.of.start[u+1]
	o.d.kernel.sparse.gather(row, o.lines.data, o.lines.ld, o.of.idx[lo:hi], o.vals[lo:hi])
	return row
}

// rows are the gradients of the outputs of units first to last, likewise.
func (o *owed) rows(first, last int, w *worker) []float32 {
	n := o.lines.padded
	rows := grow(&w.outputs, (last-first)*n)
	o.d.gatherLists(rows, n, o.of, o.vals[o.of.start[first]:o.of.start[last]], o.lines, first, last, w)
	return rows
}

// owe makes o the gradient of the input.
func (s *sparse) owe(o *owed, dy compute.Mat) {
	s.turnBack()
	s.d.layOut(&s.dy, &s.dyRoom, dy)
	*o = owed{s.d, &s.dy, &s.back.lists, s.back.val, s.sharesBack(dy.Rows)}
	if o.shared {
		s.back.room()
	}
}

// sparseInput sets dx, a block of inputs a task.
type sparseInput struct {
	s      *sparse
	dx     compute.Mat
	inputs int // a task
	shared bool
}

func (s *sparse) gradInput(dx, dy compute.Mat) {
	s.turnBack()
	s.d.layOut(&s.dy, &s.dyRoom, dy)
	j := &s.inputs
	*j = sparseInput{s: s, dx: dx, inputs: unitsEach, shared: s.sharesBack(dy.Rows)}
	if j.shared {
		j.inputs = s.d.sharingUnits(&s.back.lists)
		s.back.room()
	}
	s.d.pool.run((s.cols+j.inputs-1)/j.inputs, len(s.val)*dy.Rows, j)
	s.back.cuts.fresh = s.back.cuts.fresh || j.shared
}

func (j *sparseInput) do(t int, w *worker) {
	s, b := j.s, &j.s.back
	first, last := t*j.inputs, min((t+1)*j.inputs, s.cols)
	if j.shared {
		n, vals := s.dy.padded, b.val[b.start[first]:b.start[last]]
		if j.dx.Trans && n == j.dx.Rows {
			s.d.gatherLists(j.dx.Data[first*n:], n, &b.lists, vals, &s.dy, first, last, w)
			return
		}
		ys := grow(&w.outputs, (last-first)*n)
		s.d.gatherLists(ys, n, &b.lists, vals, &s.dy, first, last, w)
		for i := first; i < last; i++ {
			setUnit(&j.dx, i, ys[(i-first)*n:][:j.dx.Rows])
		}
		return
	}
	for i := first; i < last; i++ {
		s.fetch(&s.dy, b.idx, b.start, i+1)
		lo, hi := b.start[i], b.start[i+1]
		s.d.gather(&j.dx, i, &s.dy, b.idx[lo:hi], b.val[lo:hi], w)
	}
}

// rounded is vals as a product takes them.
func (d *Device) rounded(vals []float32, w *worker) []float32 {
	if !d.bf16 {
		return vals
	}
	r := grow(&w.vals, len(vals))
	copy(r, vals)
	d.kernel.round(r)
	return r
}

// gather sets unit u of y, of all examples, to the sum of the lines that idx
// names, each times its value.
func (d *Device) gather(y *compute.Mat, u int, from *lines, idx []int32, vals []float32, w *worker) {
	if y.Trans && from.padded == y.Rows {
		d.kernel.sparse.gather(unit(y, u), from.data, from.ld, idx, vals)
		return
	}
	row := grow(&w.extra, from.padded)
	d.kernel.sparse.gather(row, from.data, from.ld, idx, vals)
	setUnit(y, u, row[:y.Rows])
}
