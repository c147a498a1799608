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
	// cache together with its packed right side.
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

	// block takes the mb x nb block at i0, j0, whose rows in g are nb apart.
	block(g []float32, i0, j0, mb, nb int)
}

// productJob is a product, a block of the destination a task.
type productJob struct {
	d             *Device
	to            target
	a, b          panels  // b only if there are several rows of blocks
	right         operand // else a task packs what it needs
	m, n, k       int
	rows          int // of blocks
	height, width int // of a block
}

// product computes left·rightᵀ in terms of lines. The left side is packed at
// once. The right side, the weights in all but the weight gradients, is packed
// by the task that uses it, unless several do. An element's sum is the same
// whatever the blocks.
func (d *Device) product(to target, left, right operand) {
	kn := &d.kernel
	m, n, k := left.lines, right.lines, left.k
	j := &d.jobs.product
	*j = productJob{d: d, to: to, right: right, m: m, n: n, k: k}
	j.height, j.width = maxMC, maxNC/kn.nr*kn.nr
	if to.step != nil {
		j.width = max(kn.nr, stepRight/4/max(1, right.rows(kn, k))/kn.nr*kn.nr)
	}
	for j.tasks() < tasksEach*d.threads && j.width > kn.nr {
		j.width -= kn.nr
	}
	for j.tasks() < rowsEach*d.threads && j.height > fewRows {
		j.height /= 2
	}
	j.a = d.packAll(&d.left, leftEdge, left)
	if j.rows > 1 {
		j.b = d.packAll(&d.right, rightEdge, right)
	}
	d.pool.run(j.tasks(), m*n*k, j)
}

// tasks is the number of blocks, and sets rows.
func (j *productJob) tasks() int {
	j.rows = (j.m + j.height - 1) / j.height
	return j.rows * ((j.n + j.width - 1) / j.width)
}

func (j *productJob) do(t int, w *worker) {
	i0, j0 := t%j.rows*j.height, t/j.rows*j.width
	mb, nb := min(j.height, j.m-i0), min(j.width, j.n-j0)
	switch {
	case j.to.step != nil:
		j.steps(i0, j0, mb, nb, w)
	case j.to.trans:
		tile := grow(&w.block, j.height*j.width)
		j.sum(tile, nb, i0, j0, mb, nb, w)
		j.d.transposeBlock(j.to.c[j0*j.to.ld+i0:], j.to.ld, tile, mb, nb)
	default:
		j.sum(j.to.c[i0*j.to.ld+j0:], j.to.ld, i0, j0, mb, nb, w)
	}
}

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
	deep := j.right.deep()
	for k0 := 0; k0 < j.k; k0 += deep {
		kc := min(deep, j.k-k0)
		kr := j.right.rows(kn, kc)
		var b []float32
		if j.rows > 1 {
			b = j.b.at(j0/kn.nr, k0, kc)
		} else {
			b = grow(&w.b, j.width*kr)
			for i := 0; i < nb; i += kn.nr {
				d.pack(b[i*kr:], rightEdge, j.right, j0+i, k0, kc, w)
			}
		}
		d.block(kr, false, j.a.at(i0/kn.mr, k0, kc), b, mb, nb, c, ldc, k0 > 0, w)
	}
}

// gradient gives dyᵀ·x, the gradient of a fully connected layer's weights, to t.
func (d *Device) gradient(t taker, dy, x compute.Mat) {
	left, right := leftSide(dy.T()), leftSide(x.T())
	left.batch, right.batch = true, true
	left.chained, right.chained = d.kernel.chains != nil, d.kernel.chains != nil
	d.product(target{step: t}, left, right)
}

// steps gives the gradient of the block at i0, j0 to its taker, some rows at a time:
// what the taker will read is on its way into the cache before that.
func (j *productJob) steps(i0, j0, mb, nb int, w *worker) {
	kn := &j.d.kernel
	tile := grow(&w.block, stepRows*j.width)
	if j.k == 0 {
		clear(tile)
		for i := 0; i < mb; i += stepRows {
			j.to.step.block(tile, i0+i, j0, min(stepRows, mb-i), nb)
		}
		return
	}
	kr := j.right.rows(kn, j.k)
	var b []float32
	if j.rows > 1 {
		b = j.b.at(j0/kn.nr, 0, j.k)
	} else {
		b = grow(&w.b, j.width*kr)
		for i := 0; i < nb; i += kn.nr {
			j.d.pack(b[i*kr:], rightEdge, j.right, j0+i, 0, j.k, w)
		}
	}
	for i := 0; i < mb; i += stepRows {
		rows := min(stepRows, mb-i)
		j.to.step.fetch(i0+i, j0, rows, nb)
		j.d.block(kr, j.right.chained, j.a.at((i0+i)/kn.mr, 0, j.k), b, rows, nb, tile, nb, false, w)
		j.to.step.block(tile, i0+i, j0, rows, nb)
	}
}

// transposeBlock sets dst, whose rows are ldd apart, to the transpose of src, [rows, cols].
func (d *Device) transposeBlock(dst []float32, ldd int, src []float32, rows, cols int) {
	i, whole := 0, cols&^15
	if whole > 0 {
		for ; i+16 <= rows; i += 16 {
			d.kernel.transpose16(dst[i:], ldd, src[i*cols:], cols, whole/16)
		}
	}
	for c := range cols {
		first := i
		if c >= whole {
			first = 0
		}
		for r := first; r < rows; r++ {
			dst[c*ldd+r] = src[r*cols+c]
		}
	}
}

// block sets the mb x nb block c to the product of packed panels of kr rows, or
// adds it there. Panels of chains are added up chain by chain.
func (d *Device) block(kr int, chained bool, a, b []float32, mb, nb int, c []float32, ldc int, add bool, w *worker) {
	kn := &d.kernel
	for j := 0; j < nb; j += kn.nr {
		for i := 0; i < mb; i += kn.mr {
			if i+kn.mr <= mb && j+kn.nr <= nb {
				kn.multiply(kr, chained, a[i*kr:], b[j*kr:], c[i*ldc+j:], ldc, add)
				continue
			}
			tile := grow(&w.tile, kn.mr*kn.nr)
			kn.multiply(kr, chained, a[i*kr:], b[j*kr:], tile, kn.nr, false)
			cols := min(kn.nr, nb-j)
			for r := range min(kn.mr, mb-i) {
				row, sum := c[(i+r)*ldc+j:][:cols], tile[r*kn.nr:][:cols]
				if !add {
					copy(row, sum)
					continue
				}
				for s, v := range sum {
					row[s] += v
				}
			}
		}
	}
}

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
func (s *gradientStep) block(g []float32, i0, j0, mb, nb int) {
	at := i0*s.cols + j0
	var v []float32
	if s.u.Momentum != 0 {
		v = s.v[at:]
	}
	s.nonzero.Add(int64(s.d.kernel.update(s.w[at:], v, s.cols, g, nb, mb, nb, &s.u)))
}
