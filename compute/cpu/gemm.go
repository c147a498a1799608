package cpu

import "betalasso/compute"

const (
	// depth is how much of k a panel holds. A right panel of 24 columns then is
	// 48 KiB, which a first-level cache does not keep, but the second-level one
	// brings back as fast as it is used; a shorter one costs more, because a
	// tile of the destination is read and written once for every depth. 512
	// is the usual batch as well: a weight gradient is then written just once.
	depth = 512
	// blockRows and blockCols are the destination's block that one task keeps
	// in a 512 KiB second-level cache together with its packed right side.
	blockRows = 512
	blockCols = 96
	// Blocks are made narrower where a thread would get fewer than tasksEach of
	// them, but cut in height, to fewRows at the least, only below rowsEach:
	// several rows of blocks take a copy of the whole right side.
	tasksEach = 6
	rowsEach  = 2
	fewRows   = 128
)

// Mul is compute.Device's.
func (d *Device) Mul(dst, a, b compute.Mat) {
	check("Mul", a.Cols == b.Rows && dst.Rows == a.Rows && dst.Cols == b.Cols && !dst.Trans, dst, a, b)
	left := operand{data: a.Data, ld: a.Cols, lines: a.Rows, k: a.Cols, along: true}
	if a.Trans {
		left.ld, left.along = a.Rows, false
	}
	right := operand{data: b.Data, ld: b.Cols, lines: b.Cols, k: b.Rows}
	if b.Trans {
		right.ld, right.along = b.Rows, true
	}
	d.product(dst.Data, dst.Cols, left, right)
}

// productJob is a product, a block of the destination a task.
type productJob struct {
	d             *Device
	c             []float32
	ldc           int
	a, b          panels  // b only if there are several rows of blocks
	right         operand // else a task packs what it needs
	m, n, k       int
	rows          int // of blocks
	height, width int // of a block
}

// product sets c, whose rows are ldc apart, to left·rightᵀ in terms of lines.
// The left side is packed at once. The right side, the weights in all but the
// weight gradients, is packed by the task that uses it, unless several do.
// An element's sum is the same whatever the blocks.
func (d *Device) product(c []float32, ldc int, left, right operand) {
	kn := &d.kernel
	m, n, k := left.lines, right.lines, left.k
	if k == 0 {
		for i := range m {
			clear(c[i*ldc : i*ldc+n])
		}
		return
	}
	j := &d.jobs.product
	*j = productJob{d: d, c: c, ldc: ldc, right: right, m: m, n: n, k: k}
	j.height, j.width = blockRows, blockCols/kn.nr*kn.nr
	for j.tasks() < tasksEach*d.threads && j.width > kn.nr {
		j.width -= kn.nr
	}
	for j.tasks() < rowsEach*d.threads && j.height > fewRows {
		j.height /= 2
	}
	j.a = d.packAll(&d.left, kn.mr, left)
	if j.rows > 1 {
		j.b = d.packAll(&d.right, kn.nr, right)
	}
	d.pool.run(j.tasks(), m*n*k, j)
}

// tasks is the number of blocks, and sets rows.
func (j *productJob) tasks() int {
	j.rows = (j.m + j.height - 1) / j.height
	return j.rows * ((j.n + j.width - 1) / j.width)
}

func (j *productJob) do(t int, w *worker) {
	kn := &j.d.kernel
	i0, j0 := t%j.rows*j.height, t/j.rows*j.width
	mb, nb := min(j.height, j.m-i0), min(j.width, j.n-j0)
	for k0 := 0; k0 < j.k; k0 += depth {
		kc := min(depth, j.k-k0)
		kr := kn.rows(kc)
		var b []float32
		if j.rows > 1 {
			b = j.b.at(j0/kn.nr, k0, kc)
		} else {
			b = grow(&w.b, j.width*depth)
			for i := 0; i < nb; i += kn.nr {
				j.d.pack(b[i*kr:], kn.nr, j.right, j0+i, k0, kc, w)
			}
		}
		j.d.block(kr, j.a.at(i0/kn.mr, k0, kc), b, mb, nb, j.c[i0*j.ldc+j0:], j.ldc, k0 > 0, w)
	}
}

// block sets the mb x nb block c to the product of packed panels of kr rows, or
// adds it there.
func (d *Device) block(kr int, a, b []float32, mb, nb int, c []float32, ldc int, add bool, w *worker) {
	kn := &d.kernel
	for j := 0; j < nb; j += kn.nr {
		for i := 0; i < mb; i += kn.mr {
			if i+kn.mr <= mb && j+kn.nr <= nb {
				kn.mul(kr, a[i*kr:], b[j*kr:], c[i*ldc+j:], ldc, add)
				continue
			}
			tile := grow(&w.tile, kn.mr*kn.nr)
			kn.mul(kr, a[i*kr:], b[j*kr:], tile, kn.nr, false)
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
