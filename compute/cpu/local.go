package cpu

import "betalasso/compute"

// The locally connected layer turns its batch around, to [features, n]: the
// inputs that a window meets are then rows, each position is one small product
// over the whole batch, and no two positions write to the same place.

// around sets dst, [cols, rows], to the transpose of src, [rows, cols].
func (d *Device) around(dst, src []float32, rows, cols int) {
	const band = 64
	d.pool.run((cols+band-1)/band, func(t int, _ *worker) {
		lo, hi := t*band, min((t+1)*band, cols)
		i := 0
		for ; i+8 <= rows; i += 8 {
			whole := (hi - lo) / 8
			d.kernel.transpose8(dst[lo*rows+i:], rows, src[i*cols+lo:], cols, whole)
			for j := lo + whole*8; j < hi; j++ {
				for r := range 8 {
					dst[j*rows+i+r] = src[(i+r)*cols+j]
				}
			}
		}
		for ; i < rows; i++ {
			for j := lo; j < hi; j++ {
				dst[j*rows+i] = src[i*cols+j]
			}
		}
	})
}

// inputs lists, for each position and tap of a window, the index of the input
// that they meet, −1 where that lies outside.
func (d *Device) inputs(win compute.Window) []int32 {
	if s, ok := d.windows[win]; ok {
		return s
	}
	var s []int32
	for p := range win.OutH() {
		for q := range win.OutW() {
			for c := range win.C {
				for u := range win.Size {
					for v := range win.Size {
						y, x := p*win.Stride+u-win.Pad, q*win.Stride+v-win.Pad
						if y < 0 || y >= win.H || x < 0 || x >= win.W {
							s = append(s, -1)
						} else {
							s = append(s, int32((c*win.H+y)*win.W+x))
						}
					}
				}
			}
		}
	}
	d.windows[win] = s
	return s
}

// small sets c to left·rightᵀ in terms of lines, on this worker alone.
func (d *Device) small(c []float32, ldc int, left, right operand, w *worker) {
	kn := &d.kernel
	m, n := left.lines, right.lines
	lines := (m + kn.mr - 1) / kn.mr * kn.mr
	buf := grow(&w.b, (lines+kn.nr)*depth)
	a, b := buf[:lines*depth], buf[lines*depth:]
	for i := range m {
		clear(c[i*ldc : i*ldc+n])
	}
	for k0 := 0; k0 < left.k; k0 += depth {
		kc := min(depth, left.k-k0)
		for i := 0; i < m; i += kn.mr {
			d.pack(a[i*kc:], kn.mr, left, i, k0, kc)
		}
		for j := 0; j < n; j += kn.nr {
			d.pack(b, kn.nr, right, j, k0, kc)
			d.block(kc, a, b, m, min(kn.nr, n-j), c[j:], ldc, w)
		}
	}
}

// patch copies the rows of xt, [features, n], that idx names.
func patch(dst, xt []float32, idx []int32, n int) {
	for t, i := range idx {
		if i < 0 {
			clear(dst[t*n : (t+1)*n])
		} else {
			copy(dst[t*n:(t+1)*n], xt[int(i)*n:])
		}
	}
}

// Local is compute.Device's.
func (d *Device) Local(y, x, w compute.Mat, win compute.Window) {
	n, taps, positions := x.Rows, win.Patch(), win.Positions()
	check("Local", x.Cols == win.In() && y.Cols == win.Out() && y.Rows == n &&
		w.Rows == positions*win.K && w.Cols == taps && !x.Trans && !y.Trans && !w.Trans, y, x, w)
	idx := d.inputs(win)
	buf := grow(&d.spare, len(x.Data)+len(y.Data))
	xt, yt := buf[:len(x.Data)], buf[len(x.Data):]
	d.around(xt, x.Data, n, x.Cols)
	d.pool.run(positions, func(p int, wk *worker) {
		xp := grow(&wk.extra, taps*n)
		patch(xp, xt, idx[p*taps:(p+1)*taps], n)
		d.small(yt[p*n:], positions*n,
			operand{data: w.Data[p*win.K*taps:], ld: taps, lines: win.K, k: taps, along: true},
			operand{data: xp, ld: n, lines: n, k: taps}, wk)
	})
	d.around(y.Data, yt, y.Cols, n)
}

// LocalGradW is compute.Device's.
func (d *Device) LocalGradW(dw, dy, x compute.Mat, win compute.Window) {
	n, taps, positions := x.Rows, win.Patch(), win.Positions()
	check("LocalGradW", x.Cols == win.In() && dy.Cols == win.Out() && dy.Rows == n &&
		dw.Rows == positions*win.K && dw.Cols == taps && !x.Trans && !dy.Trans && !dw.Trans, dw, dy, x)
	idx := d.inputs(win)
	buf := grow(&d.spare, len(x.Data)+len(dy.Data))
	xt, dyt := buf[:len(x.Data)], buf[len(x.Data):]
	d.around(xt, x.Data, n, x.Cols)
	d.around(dyt, dy.Data, n, dy.Cols)
	d.pool.run(positions, func(p int, wk *worker) {
		xp := grow(&wk.extra, taps*n)
		patch(xp, xt, idx[p*taps:(p+1)*taps], n)
		d.small(dw.Data[p*win.K*taps:], taps,
			operand{data: dyt[p*n:], ld: positions * n, lines: win.K, k: n, along: true},
			operand{data: xp, ld: n, lines: taps, k: n, along: true}, wk)
	})
}

// LocalGradX is compute.Device's. A task takes some of the batch through all
// positions, because windows overlap.
func (d *Device) LocalGradX(dx, dy, w compute.Mat, win compute.Window) {
	n, taps, positions := dx.Rows, win.Patch(), win.Positions()
	check("LocalGradX", dx.Cols == win.In() && dy.Cols == win.Out() && dy.Rows == n &&
		w.Rows == positions*win.K && w.Cols == taps && !dx.Trans && !dy.Trans && !w.Trans, dx, dy, w)
	idx := d.inputs(win)
	buf := grow(&d.spare, len(dx.Data)+len(dy.Data))
	dxt, dyt := buf[:len(dx.Data)], buf[len(dx.Data):]
	d.around(dyt, dy.Data, n, dy.Cols)
	const band = 72
	d.pool.run((n+band-1)/band, func(t int, wk *worker) {
		lo := t * band
		nb := min(band, n-lo)
		for i := range dx.Cols {
			clear(dxt[i*n+lo : i*n+lo+nb])
		}
		g := grow(&wk.extra, taps*nb)
		for p := range positions {
			d.small(g, nb,
				operand{data: w.Data[p*win.K*taps:], ld: taps, lines: taps, k: win.K},
				operand{data: dyt[p*n+lo:], ld: positions * n, lines: nb, k: win.K}, wk)
			for t, i := range idx[p*taps : (p+1)*taps] {
				if i < 0 {
					continue
				}
				dst := dxt[int(i)*n+lo:][:nb]
				for j, v := range g[t*nb : (t+1)*nb] {
					dst[j] += v
				}
			}
		}
	})
	d.around(dx.Data, dxt, dx.Cols, n)
}
