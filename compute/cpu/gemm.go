package cpu

import (
	"sync/atomic"

	"betalasso/compute"
)

const (
	// maxKC, maxMC and maxNC bound GEMM's block sizes, named as BLIS names them.
	//
	// A panel holds KC steps of k. With 512, a right panel of 24 columns takes
	// 48 KiB: more than a first-level cache, but the second level delivers it as
	// fast as it is used. A smaller KC costs more, because a tile of the destination
	// is read and written once per KC block.
	maxKC = 512
	// A task's block of the destination is MC x NC: it fits a 512 KiB second-level
	// cache together with its packed right side. A kernel may have it wider.
	maxMC = 512
	maxNC = 96
	// Blocks are made narrower where a thread would get fewer than tasksEach of
	// them, but lower, down to fewRows, only below rowsEach: several rows of
	// blocks take a copy of the whole right side.
	tasksEach = 6
	rowsEach  = 4
	fewRows   = 128
	// stepRows is how many rows of a weight gradient are summed before the weights
	// take their step. They are as wide as stepRight bytes of the packed right side:
	// the left side comes from far away once for each width.
	stepRows  = 16
	stepRight = 384 << 10
)

// Mul implements compute.Device.
func (d *Device) Mul(dst, a, b compute.Mat) {
	check("Mul", a.Cols == b.Rows && dst.Rows == a.Rows && dst.Cols == b.Cols && !dst.Trans, dst, a, b)
	d.product(target{c: dst.Data, ld: dst.Cols}, leftSide(a), leftSide(b.T()))
}

// leftSide is a, whose rows are the lines, as one side of a product.
func leftSide(a compute.Mat) operand {
	if a.Trans {
		return operand{data: a.Data, ld: a.Rows, lines: a.Rows, k: a.Cols}
	}
	return operand{data: a.Data, ld: a.Cols, lines: a.Rows, k: a.Cols, kMajor: true}
}

// target is the destination of a product [m, n]: it is stored in c, whose rows
// are ld apart; or, with trans, its transpose is; or it is the gradient of
// weights, which take a step along it.
type target struct {
	c     []float32
	ld    int
	trans bool
	step  taker
}

// taker receives a gradient, block by block.
type taker interface {
	// fetch says which block comes next.
	fetch(i0, j0, mb, nb int)

	// block takes the mb x nb block at i0, j0, whose rows in g are ldg apart.
	block(g []float32, ldg, i0, j0, mb, nb int, w *worker)
}

// productJob is a product, a block of the destination a task.
type productJob struct {
	d             *Device
	to            target
	left, right   operand
	a, b          panels // of the sides that are packed at once; a task packs what it needs of the other
	m, n, k       int
	rows          int // of blocks
	height, width int // of a block
}

// product computes left·rightᵀ in terms of lines. The left side is packed at
// once. The right side, the weights in all but the weight gradients, is packed
// by the task that uses it, unless several do. Where blocks are as wide as the
// destination, sides may change places: the left side, the weights, is packed by the
// tasks. An element's sum is the same whatever the blocks.
func (d *Device) product(to target, left, right operand) {
	kn := &d.kernel
	m, n, k := left.lines, right.lines, left.k
	j := &d.jobs.product
	*j = productJob{d: d, to: to, left: left, right: right, m: m, n: n, k: k}
	j.height, j.width = maxMC, max(maxNC, kn.wide)/kn.nr*kn.nr
	tall := m > n && n <= kn.wide && to.step == nil
	switch {
	case tall:
		j.height = min(maxMC, ((m-1)/(2*d.threads)/kn.mr+1)*kn.mr)
	case to.step != nil:
		j.width = max(kn.nr, stepRight/4/max(1, right.rows(kn, k))/kn.nr*kn.nr)
		fallthrough
	default:
		for j.tasks() < tasksEach*d.threads && j.width > kn.nr {
			j.width -= kn.nr
		}
		for j.tasks() < rowsEach*d.threads && j.height > fewRows {
			j.height /= 2
		}
	}
	tasks := j.tasks()
	if !tall {
		j.a = d.packAll(&d.left, leftEdge, left)
	}
	if tall || j.rows > 1 {
		j.b = d.packAll(&d.right, rightEdge, right)
	}
	d.pool.run(tasks, m*n*k, j)
}

// tasks is the number of blocks, and sets rows.
func (j *productJob) tasks() int {
	j.rows = (j.m + j.height - 1) / j.height
	return j.rows * ((j.n + j.width - 1) / j.width)
}

func (j *productJob) do(t int, w *worker) {
	i0, j0 := t%j.rows*j.height, t/j.rows*j.width
	mb, nb := min(j.height, j.m-i0), min(j.width, j.n-j0)
	if j.to.step != nil {
		j.steps(i0, j0, mb, nb, w)
		return
	}
	if !j.to.trans && j.d.kernel.wide == 0 {
		j.sum(j.to.c[i0*j.to.ld+j0:], j.to.ld, i0, j0, mb, nb, w)
		return
	}
	apart := nb + between
	tile := grow(&w.block, j.height*(j.width+between))
	j.sum(tile, apart, i0, j0, mb, nb, w)
	if j.to.trans {
		j.d.transposeBlock(j.to.c[j0*j.to.ld+i0:], j.to.ld, tile, apart, mb, nb)
		return
	}
	for i := range mb {
		copy(j.to.c[(i0+i)*j.to.ld+j0:][:nb], tile[i*apart:])
	}
}

// between is how far apart rows of a block lie beyond their ends: a power of two apart,
// they would want the same places in the cache.
const between = 16

// sum sets the mb x nb block c, whose rows are ldc apart, to that of the product
// at i0, j0.
func (j *productJob) sum(c []float32, ldc, i0, j0, mb, nb int, w *worker) {
	d, kn := j.d, &j.d.kernel
	if j.k == 0 {
		for i := range mb {
			clear(c[i*ldc : i*ldc+nb])
		}
		return
	}
	deep := j.right.deep(kn)
	for k0 := 0; k0 < j.k; k0 += deep {
		kc := min(deep, j.k-k0)
		a := j.side(leftEdge, i0, mb, k0, kc, w)
		b := j.side(rightEdge, j0, nb, k0, kc, w)
		d.block(j.right.rows(kn, kc), false, a, b, mb, nb, c, ldc, k0 > 0, j.upcoming(i0, j0, k0+deep), w)
	}
}

// upcoming is the panels of a side packed at once that a task takes after those before k0.
func (j *productJob) upcoming(i0, j0, k0 int) []float32 {
	kn := &j.d.kernel
	switch {
	case k0 >= j.k:
		return nil
	case j.b.kn != nil:
		return j.b.at(j0/kn.nr, k0, min(j.right.deep(kn), j.k-k0))
	}
	return j.a.at(i0/kn.mr, k0, min(j.left.deep(kn), j.k-k0))
}

// side is the panels of n lines of a side, from the first of a panel on, for kc steps of
// k.
func (j *productJob) side(e edge, from, n, k0, kc int, w *worker) []float32 {
	kn, o, p, buf := &j.d.kernel, &j.left, &j.a, &w.a
	if e == rightEdge {
		o, p, buf = &j.right, &j.b, &w.b
	}
	width, rows := kn.width(e), o.rows(kn, kc)
	if p.kn != nil {
		return p.at(from/width, k0, kc)
	}
	packed := grow(buf, (n+width-1)/width*width*rows)
	if kn.tiles() && e == rightEdge && !o.kMajor && !o.batch && kc%tileSteps == 0 {
		j.d.packAcross(packed, *o, from, n, k0, kc, w)
		return packed
	}
	for i := 0; i < n; i += width {
		j.d.pack(packed[i*rows:], e, *o, from+i, k0, kc, w)
	}
	return packed
}

// gradient gives dyᵀ·x, the gradient of a fully connected layer's weights, to t.
func (d *Device) gradient(t taker, dy, x compute.Mat) {
	left, right := leftSide(dy.T()), leftSide(x.T())
	left.batch, right.batch = true, true
	d.product(target{step: t}, left, right)
}

// steps gives the gradient of the block at i0, j0 to its taker, some rows at a time:
// what the taker will read is on its way into the cache before that.
func (j *productJob) steps(i0, j0, mb, nb int, w *worker) {
	kn := &j.d.kernel
	most, apart := max(stepRows, tilesNear*kn.mr), nb+between
	tile := grow(&w.block, most*(j.width+between))
	if j.k == 0 {
		clear(tile)
		for i := 0; i < mb; i += most {
			j.to.step.block(tile, apart, i0+i, j0, min(most, mb-i), nb, w)
		}
		return
	}
	b := j.side(rightEdge, j0, nb, 0, j.k, w)
	for i := 0; i < mb; i += most {
		rows := min(most, mb-i)
		j.to.step.fetch(i0+i, j0, rows, nb)
		a := j.side(leftEdge, i0+i, rows, 0, j.k, w)
		j.d.block(j.right.rows(kn, j.k), j.right.batch, a, b, rows, nb, tile, apart, false, nil, w)
		j.to.step.block(tile, apart, i0+i, j0, rows, nb, w)
	}
}

// transposeBlock sets dst, whose rows are ldd apart, to the transpose of src, [rows,
// cols], whose rows are lds apart.
func (d *Device) transposeBlock(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	i, whole := 0, cols&^15
	if whole > 0 {
		for ; i+16 <= rows; i += 16 {
			d.kernel.transpose16(dst[i:], ldd, src[i*lds:], lds, whole/16)
		}
	}
	for c := range cols {
		first := i
		if c >= whole {
			first = 0
		}
		for r := first; r < rows; r++ {
			dst[c*ldd+r] = src[r*lds+c]
		}
	}
}

// block sets the mb x nb block c to the product of packed panels of kr rows, or
// adds it there. Panels of chains are added up chain by chain. next is what will be needed
// afterwards; it may be nil.
func (d *Device) block(kr int, chained bool, a, b []float32, mb, nb int, c []float32, ldc int, add bool, next []float32, w *worker) {
	kn := &d.kernel
	if kn.muls != nil {
		d.wholeTiles(kr, a, b, mb, nb, c, ldc, add, next)
	}
	for j := 0; j < nb; j += kn.nr {
		i := 0
		if kn.muls != nil && j+kn.nr <= nb {
			i = mb / kn.mr * kn.mr
		}
		for ; i < mb; i += kn.mr {
			if i+kn.mr <= mb && j+kn.nr <= nb {
				kn.multiply(kr, chained, a[i*kr:], b[j*kr:], c[i*ldc+j:], ldc, add)
				continue
			}
			// Tiles that stick out: what is added to goes along, for a kernel may add to it
			// step by step.
			tile, cols := grow(&w.tile, kn.mr*kn.nr), min(kn.nr, nb-j)
			for r := 0; add && r < min(kn.mr, mb-i); r++ {
				copy(tile[r*kn.nr:], c[(i+r)*ldc+j:][:cols])
			}
			kn.multiply(kr, chained, a[i*kr:], b[j*kr:], tile, kn.nr, add)
			for r := range min(kn.mr, mb-i) {
				copy(c[(i+r)*ldc+j:][:cols], tile[r*kn.nr:])
			}
		}
	}
}

// wholeTiles is block for tiles that do not stick out, by kernel.muls. As many panels of
// the left side as fit into the first-level cache meet all of the right side, some steps
// of k at a time.
func (d *Device) wholeTiles(kr int, a, b []float32, mb, nb int, c []float32, ldc int, add bool, next []float32) {
	kn := &d.kernel
	rows, cols := mb/kn.mr, nb/kn.nr
	if cols == 0 {
		return
	}
	for i := 0; i < rows; i += tilesNear {
		for k := 0; k < kr; k += stepsNear {
			n, words := min(tilesNear, rows-i), min(stepsNear, kr-k)
			fetched := min(len(next), n*cols*words/16*32)
			if fetched == 0 {
				next = b
			}
			kn.muls(n, cols, words, a[i*kn.mr*kr+k*kn.mr:], kr*kn.mr,
				b[k*kn.nr:], kr*kn.nr, c[i*kn.mr*ldc:], ldc, add || k > 0, next)
			next = next[fetched:]
		}
	}
}

// tilesNear panels of stepsNear words take 32 KiB for AMX.
const (
	tilesNear = 2
	stepsNear = 128
)

// multiply is mul, or chains, of panels of k rows.
func (kn *kernel) multiply(k int, chained bool, a, b, c []float32, ldc int, add bool) {
	if chained {
		kn.chains(k/chains, a, b, c, ldc)
	} else {
		kn.mul(k, a, b, c, ldc, add)
	}
}

// gradientStep is an update of dense weights along a gradient that comes block
// by block.
type gradientStep struct {
	d       *Device
	w, v    []float32
	cols    int
	u       compute.Update
	nonzero atomic.Int64
}

// fetch brings the weights into the cache.
func (s *gradientStep) fetch(i0, j0, mb, nb int) {
	s.d.kernel.fetchRows(s.w[i0*s.cols+j0:], s.cols, mb, nb)
}

// block takes the step.
func (s *gradientStep) block(g []float32, ldg, i0, j0, mb, nb int, _ *worker) {
	at := i0*s.cols + j0
	var v []float32
	if s.u.Momentum != 0 {
		v = s.v[at:]
	}
	s.nonzero.Add(int64(s.d.kernel.update(s.w[at:], v, s.cols, g, ldg, mb, nb, &s.u)))
}
