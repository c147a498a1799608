package cpu

import "betalasso/compute"

// The locally connected layer wants its batch innermost, [features, n]: the
// inputs that a window meets are then rows, each position is one small product
// over the whole batch, and no two positions write to the same place.

// transposeJob transposes a matrix, a band of columns a task.
type transposeJob struct {
	d          *Device
	dst, src   []float32
	rows, cols int
}

const aroundBand = 64

// transpose sets dst, [cols, rows], to the transpose of src, [rows, cols].
func (d *Device) transpose(dst, src []float32, rows, cols int) {
	j := &d.jobs.transpose
	*j = transposeJob{d, dst, src, rows, cols}
	d.pool.run((cols+aroundBand-1)/aroundBand, pass*rows*cols, j)
}

func (j *transposeJob) do(t int, _ *worker) {
	dst, src, rows, cols := j.dst, j.src, j.rows, j.cols
	lo, hi := t*aroundBand, min((t+1)*aroundBand, cols)
	i, whole := 0, lo+(hi-lo)&^15
	for ; i+16 <= rows; i += 16 {
		j.d.kernel.transpose16(dst[lo*rows+i:], rows, src[i*cols+lo:], cols, (whole-lo)/16)
	}
	for c := lo; c < hi; c++ {
		first := i
		if c >= whole {
			first = 0
		}
		for r := first; r < rows; r++ {
			dst[c*rows+r] = src[r*cols+c]
		}
	}
}

// batchInside is m with the batch innermost: its own memory where it is a transposed
// view, else dst.
func (d *Device) batchInside(dst []float32, m compute.Mat) []float32 {
	if m.Trans {
		return m.Data
	}
	d.transpose(dst, m.Data, m.Rows, m.Cols)
	return dst
}

// inputs lists, for each position and tap of a window, the index of the input
// that they meet, −1 where that lies outside.
func (d *Device) inputs(win compute.Window) []int32 {
	if s, ok := d.localInputs[win]; ok {
		return s
	}
	var s []int32
	for p := range win.OutH() {
		for q := range win.OutW() {
			for c := range win.C {
				for u := range win.Kernel {
					for v := range win.Kernel {
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
	d.localInputs[win] = s
	return s
}

// small sets c to left·rightᵀ in terms of lines, on this worker alone.
func (d *Device) small(c []float32, ldc int, left, right operand, w *worker) {
	kn := &d.kernel
	m, n := left.lines, right.lines
	lines := (m + kn.mr - 1) / kn.mr * kn.mr
	buf := grow(&w.b, (lines+kn.nr)*maxKC)
	a, b := buf[:lines*maxKC], buf[lines*maxKC:]
	if left.k == 0 {
		for i := range m {
			clear(c[i*ldc : i*ldc+n])
		}
	}
	for k0 := 0; k0 < left.k; k0 += maxKC {
		kc := min(maxKC, left.k-k0)
		kr := kn.rows(kc)
		for i := 0; i < m; i += kn.mr {
			d.pack(a[i*kr:], leftEdge, left, i, k0, kc, w)
		}
		for j := 0; j < n; j += kn.nr {
			d.pack(b, rightEdge, right, j, k0, kc, w)
			d.block(kr, false, a, b, m, min(kn.nr, n-j), c[j:], ldc, k0 > 0, nil, w)
		}
	}
}

// patch gathers the rows of xt, [features, n], that a window meets.
func patch(dst, xt []float32, idx []int32, n int) {
	for t, i := range idx {
		if i < 0 {
			clear(dst[t*n : (t+1)*n])
		} else {
			copy(dst[t*n:(t+1)*n], xt[int(i)*n:])
		}
	}
}

// localMats is what the jobs of a locally connected layer share: transposed
// matrices, and where the inputs of each position and tap are.
type localMats struct {
	d         *Device
	n         int // the batch
	k, taps   int
	positions int
	idx       []int32
	xt, yt    []float32 // [features, n]; of x or dx, of y or dy
	w         compute.Mat
}

func (d *Device) localMats(n int, w compute.Mat, win compute.Window) localMats {
	in := win.In() * n
	buf := grow(&d.spare, in+win.Out()*n)
	return localMats{d, n, win.K, win.Patch(), win.Positions(), d.inputs(win), buf[:in], buf[in:], w}
}

// macs is the number of multiply-adds.
func (j *localMats) macs() int { return j.n * j.positions * j.k * j.taps }

// patch gathers the inputs that position p meets, [taps, n].
func (j *localMats) patch(p int, w *worker) []float32 {
	dst := grow(&w.extra, j.taps*j.n)
	patch(dst, j.xt, j.idx[p*j.taps:(p+1)*j.taps], j.n)
	return dst
}

// localJob, localGradWJob do a position a task; localGradXJob some of the batch.
type (
	localJob      struct{ localMats }
	localGradWJob struct{ localMats }
	localGradXJob struct {
		localMats
		band int
	}
)

func (d *Device) localForward(y, x, w compute.Mat, win compute.Window) {
	j := &d.jobs.local
	j.localMats = d.localMats(x.Rows, w, win)
	j.xt = d.batchInside(j.xt, x)
	if y.Trans {
		j.yt = y.Data
	}
	d.pool.run(j.positions, j.macs(), j)
	if !y.Trans {
		d.transpose(y.Data, j.yt, y.Cols, j.n)
	}
}

func (j *localJob) do(p int, w *worker) {
	j.d.small(j.yt[p*j.n:], j.positions*j.n,
		operand{data: j.w.Data[p*j.k*j.taps:], ld: j.taps, lines: j.k, k: j.taps, kMajor: true},
		operand{data: j.patch(p, w), ld: j.n, lines: j.n, k: j.taps}, w)
}

func (d *Device) localGradW(dw, dy, x compute.Mat, win compute.Window) {
	j := &d.jobs.localW
	j.localMats = d.localMats(x.Rows, dw, win)
	j.xt, j.yt = d.batchInside(j.xt, x), d.batchInside(j.yt, dy)
	d.pool.run(j.positions, j.macs(), j)
}

func (j *localGradWJob) do(p int, w *worker) {
	j.d.small(j.w.Data[p*j.k*j.taps:], j.taps,
		operand{data: j.yt[p*j.n:], ld: j.positions * j.n, lines: j.k, k: j.n, kMajor: true},
		operand{data: j.patch(p, w), ld: j.n, lines: j.taps, k: j.n, kMajor: true}, w)
}

// localBand is how much of the batch a task of localGradX takes, in whole tiles.
const localBand = 72

// localGradX goes through all positions with some of the batch a task, because
// windows overlap.
func (d *Device) localGradX(dx, dy, w compute.Mat, win compute.Window) {
	j := &d.jobs.localX
	j.localMats = d.localMats(dx.Rows, w, win)
	j.yt = d.batchInside(j.yt, dy)
	if dx.Trans {
		j.xt = dx.Data
	}
	j.band = localBand / d.kernel.nr * d.kernel.nr
	d.pool.run((j.n+j.band-1)/j.band, j.macs(), j)
	if !dx.Trans {
		d.transpose(dx.Data, j.xt, dx.Cols, j.n)
	}
}

func (j *localGradXJob) do(t int, w *worker) {
	n, taps := j.n, j.taps
	lo := t * j.band
	nb := min(j.band, n-lo)
	for i := lo; i < len(j.xt); i += n {
		clear(j.xt[i : i+nb])
	}
	g := grow(&w.extra, taps*nb)
	for p := range j.positions {
		j.d.small(g, nb,
			operand{data: j.w.Data[p*j.k*taps:], ld: taps, lines: taps, k: j.k},
			operand{data: j.yt[p*n+lo:], ld: j.positions * n, lines: nb, k: j.k}, w)
		for t, i := range j.idx[p*taps : (p+1)*taps] {
			if i < 0 {
				continue
			}
			dst := j.xt[int(i)*n+lo:][:nb]
			for b, v := range g[t*nb : (t+1)*nb] {
				dst[b] += v
			}
		}
	}
}
