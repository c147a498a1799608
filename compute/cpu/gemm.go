package cpu

import "betalasso/compute"

const (
	// depth is how much of k a panel holds: a right panel of 24 columns then
	// fills three quarters of a 32 KiB first-level cache.
	depth = 256
	// blockRows and blockCols are the destination's block that one task keeps
	// in a 512 KiB second-level cache together with its packed right side.
	blockRows = 512
	blockCols = 96
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

// panels is a packed side of a product: for each depth of k, panel by panel.
type panels struct {
	data  []float32
	width int
	n     int // panels
}

// at is panel i of the depth that begins at k0 and is kc deep.
func (p panels) at(i, k0, kc int) []float32 {
	return p.data[k0*p.n*p.width+i*p.width*kc:]
}

// packAll packs all of o, on all threads.
func (d *Device) packAll(buf *[]float32, width int, o operand) panels {
	p := panels{width: width, n: (o.lines + width - 1) / width}
	p.data = grow(buf, p.n*width*o.k)
	group := max(1, 64/width)
	d.pool.run((p.n+group-1)/group, func(t int, _ *worker) {
		for k0 := 0; k0 < o.k; k0 += depth {
			kc := min(depth, o.k-k0)
			for i := t * group; i < min((t+1)*group, p.n); i++ {
				d.pack(p.at(i, k0, kc), width, o, i*width, k0, kc)
			}
		}
	})
	return p
}

// product sets c, whose rows are ldc apart, to left·rightᵀ in terms of lines.
// The left side is packed at once. The right side, the weights in all but the
// weight gradients, is packed by the task that uses it, unless several do.
func (d *Device) product(c []float32, ldc int, left, right operand) {
	m, n, k := left.lines, right.lines, left.k
	kn := &d.kernel
	a := d.packAll(&d.left, kn.mr, left)
	rows := (m + blockRows - 1) / blockRows
	var b panels
	if rows > 1 {
		b = d.packAll(&d.right, kn.nr, right)
	}
	width := blockCols / kn.nr * kn.nr
	for width > kn.nr && rows*((n+width-1)/width) < 16 {
		width -= kn.nr
	}
	cols := (n + width - 1) / width
	d.pool.run(rows*cols, func(t int, w *worker) {
		i0, j0 := t%rows*blockRows, t/rows*width
		mb, nb := min(blockRows, m-i0), min(width, n-j0)
		for i := range mb {
			clear(c[(i0+i)*ldc+j0 : (i0+i)*ldc+j0+nb])
		}
		for k0 := 0; k0 < k; k0 += depth {
			kc := min(depth, k-k0)
			var bp []float32
			if rows > 1 {
				bp = b.at(j0/kn.nr, k0, kc)
			} else {
				bp = grow(&w.b, width*depth)
				for j := 0; j < nb; j += kn.nr {
					d.pack(bp[j*kc:], kn.nr, right, j0+j, k0, kc)
				}
			}
			d.block(kc, a.at(i0/kn.mr, k0, kc), bp, mb, nb, c[i0*ldc+j0:], ldc, w)
		}
	})
}

// block adds the product of packed panels, kc deep, to the mb x nb block c.
func (d *Device) block(kc int, a, b []float32, mb, nb int, c []float32, ldc int, w *worker) {
	kn := &d.kernel
	for i := 0; i < mb; i += kn.mr {
		for j := 0; j < nb; j += kn.nr {
			if i+kn.mr <= mb && j+kn.nr <= nb {
				kn.mul(kc, a[i*kc:], b[j*kc:], c[i*ldc+j:], ldc)
				continue
			}
			tile := grow(&w.tile, kn.mr*kn.nr)
			clear(tile)
			kn.mul(kc, a[i*kc:], b[j*kc:], tile, kn.nr)
			for r := range min(kn.mr, mb-i) {
				row := c[(i+r)*ldc+j:]
				for s := range min(kn.nr, nb-j) {
					row[s] += tile[r*kn.nr+s]
				}
			}
		}
	}
}
