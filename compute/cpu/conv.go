package cpu

import "betalasso/compute"

// lattice is how an image is laid out for a window that moves by stride: with
// its zeros around it, and each row's columns sorted by their remainder by
// stride, so that the inputs that one tap of the window meets along a row of
// the output are neighbours. The input of tap t at position p·OutW+q stands at
// tap[t] + p·step + q.
type lattice struct {
	win  compute.Window
	size int
	tap  []int
	step int
	from []int32 // index in the image of each number of the lattice, −1 for a zero
}

// lattice gives the lattice of a window, made once.
func (d *Device) lattice(win compute.Window) *lattice {
	if l, ok := d.lattices[win]; ok {
		return l
	}
	s := win.Stride
	high := win.H + 2*win.Pad
	wide := (win.W + 2*win.Pad + s - 1) / s
	l := &lattice{win: win, size: win.C * high * s * wide, step: s * s * wide}
	for c := range win.C {
		for u := range win.Size {
			for v := range win.Size {
				l.tap = append(l.tap, ((c*high+u)*s+v%s)*wide+v/s)
			}
		}
	}
	l.from = make([]int32, l.size)
	for i := range l.from {
		l.from[i] = -1
	}
	for c := range win.C {
		for y := range win.H {
			for x := range win.W {
				py, px := y+win.Pad, x+win.Pad
				l.from[((c*high+py)*s+px%s)*wide+px/s] = int32((c*win.H+y)*win.W + x)
			}
		}
	}
	d.lattices[win] = l
	return l
}

// fill lays image x into dst.
func (l *lattice) fill(dst, x []float32) {
	for i, f := range l.from {
		if f >= 0 {
			dst[i] = x[f]
		} else {
			dst[i] = 0
		}
	}
}

// packPositions packs taps k0..k0+kc of positions j0..j0+nr as the lines of a
// right side: dst[p*nr+j] is what tap k0+p meets at position j0+j.
func (d *Device) packPositions(dst []float32, l *lattice, img []float32, j0, k0, kc int) {
	nr, outW, positions := d.kernel.nr, l.win.OutW(), l.win.Positions()
	have := min(nr, positions-j0)
	if have < nr {
		clear(dst[:nr*kc])
	}
	for j := 0; j < have; {
		p, q := (j0+j)/outW, (j0+j)%outW
		run := min(outW-q, have-j)
		at := p*l.step + q
		switch run {
		case 16:
			for i := range kc {
				*(*[16]float32)(dst[i*nr+j:]) = *(*[16]float32)(img[l.tap[k0+i]+at:])
			}
		case 8:
			for i := range kc {
				*(*[8]float32)(dst[i*nr+j:]) = *(*[8]float32)(img[l.tap[k0+i]+at:])
			}
		default:
			for i := range kc {
				copy(dst[i*nr+j:i*nr+j+run], img[l.tap[k0+i]+at:])
			}
		}
		j += run
	}
	if d.bf16 {
		round(dst[:nr*kc])
	}
}

// packTaps packs positions k0..k0+kc of taps j0..j0+nr as the lines of a right
// side: dst[p*nr+j] is what tap j0+j meets at position k0+p.
func (d *Device) packTaps(dst []float32, l *lattice, img []float32, j0, k0, kc int) {
	nr, outW := d.kernel.nr, l.win.OutW()
	taps := l.tap[j0:min(j0+nr, len(l.tap))]
	if len(taps) < nr {
		clear(dst[:nr*kc])
	}
	for i := range kc {
		src := img[(k0+i)/outW*l.step+(k0+i)%outW:]
		row := dst[i*nr : i*nr+len(taps)]
		for j, t := range taps {
			row[j] = src[t]
		}
	}
	if d.bf16 {
		round(dst[:nr*kc])
	}
}

// Conv is compute.Device's: for each image, a product of the weights with the
// patches, which are packed straight from the image.
func (d *Device) Conv(y, x, w compute.Mat, win compute.Window) {
	check("Conv", x.Cols == win.In() && y.Cols == win.Out() && x.Rows == y.Rows &&
		w.Rows == win.K && w.Cols == win.Patch() && !x.Trans && !y.Trans && !w.Trans, y, x, w)
	l := d.lattice(win)
	nr, taps, positions := d.kernel.nr, win.Patch(), win.Positions()
	a := d.packAll(&d.left, d.kernel.mr, operand{data: w.Data, ld: taps, lines: win.K, k: taps, along: true})
	d.pool.run(x.Rows, func(n int, wk *worker) {
		img := grow(&wk.extra, l.size)
		l.fill(img, x.Row(n))
		out := y.Row(n)
		clear(out)
		for j0 := 0; j0 < positions; j0 += blockCols {
			nb := min(blockCols, positions-j0)
			for k0 := 0; k0 < taps; k0 += depth {
				kc := min(depth, taps-k0)
				b := grow(&wk.b, (blockCols+nr)*depth)
				for j := 0; j < nb; j += nr {
					d.packPositions(b[j*kc:], l, img, j0+j, k0, kc)
				}
				d.block(kc, a.at(0, k0, kc), b, win.K, nb, out[j0:], positions, wk)
			}
		}
	})
}

// gradChunks is the number of parts that a batch is cut into to sum a
// convolution's weight gradient. It is fixed, so that the sum is the same for
// any number of threads.
const gradChunks = 16

// ConvGradW is compute.Device's.
func (d *Device) ConvGradW(dw, dy, x compute.Mat, win compute.Window) {
	check("ConvGradW", x.Cols == win.In() && dy.Cols == win.Out() && x.Rows == dy.Rows &&
		dw.Rows == win.K && dw.Cols == win.Patch() && !x.Trans && !dy.Trans && !dw.Trans, dw, dy, x)
	l := d.lattice(win)
	kn := &d.kernel
	taps, positions, size := win.Patch(), win.Positions(), len(dw.Data)
	parts := grow(&d.spare, gradChunks*size)
	lines := (win.K + kn.mr - 1) / kn.mr * kn.mr
	d.pool.run(gradChunks, func(t int, wk *worker) {
		part := parts[t*size : (t+1)*size]
		clear(part)
		buf := grow(&wk.extra, l.size+lines*depth)
		img, a := buf[:l.size], buf[l.size:]
		b := grow(&wk.b, kn.nr*depth)
		for n := t * x.Rows / gradChunks; n < (t+1)*x.Rows/gradChunks; n++ {
			l.fill(img, x.Row(n))
			left := operand{data: dy.Row(n), ld: positions, lines: win.K, k: positions, along: true}
			for k0 := 0; k0 < positions; k0 += depth {
				kc := min(depth, positions-k0)
				for i := 0; i < win.K; i += kn.mr {
					d.pack(a[i*kc:], kn.mr, left, i, k0, kc)
				}
				for j := 0; j < taps; j += kn.nr {
					d.packTaps(b, l, img, j, k0, kc)
					d.block(kc, a, b, win.K, min(kn.nr, taps-j), part[j:], taps, wk)
				}
			}
		}
	})
	const group = 4096
	d.pool.run((size+group-1)/group, func(t int, _ *worker) {
		lo, hi := t*group, min((t+1)*group, size)
		sum := dw.Data[lo:hi]
		copy(sum, parts[lo:hi])
		for c := 1; c < gradChunks; c++ {
			for i, v := range parts[c*size+lo : c*size+hi] {
				sum[i] += v
			}
		}
	})
}

// ConvGradX is compute.Device's: the patches' gradients by a product, added up
// where they overlap.
func (d *Device) ConvGradX(dx, dy, w compute.Mat, win compute.Window) {
	check("ConvGradX", dx.Cols == win.In() && dy.Cols == win.Out() && dx.Rows == dy.Rows &&
		w.Rows == win.K && w.Cols == win.Patch() && !dx.Trans && !dy.Trans && !w.Trans, dx, dy, w)
	l := d.lattice(win)
	kn := &d.kernel
	taps, positions, outW := win.Patch(), win.Positions(), win.OutW()
	a := d.packAll(&d.left, kn.mr, operand{data: w.Data, ld: taps, lines: taps, k: win.K})
	d.pool.run(dy.Rows, func(n int, wk *worker) {
		buf := grow(&wk.extra, l.size+taps*positions)
		img, patches := buf[:l.size], buf[l.size:]
		clear(buf)
		right := operand{data: dy.Row(n), ld: positions, lines: positions, k: win.K}
		b := grow(&wk.b, kn.nr*depth)
		for j := 0; j < positions; j += kn.nr {
			for k0 := 0; k0 < win.K; k0 += depth {
				kc := min(depth, win.K-k0)
				d.pack(b, kn.nr, right, j, k0, kc)
				d.block(kc, a.at(0, k0, kc), b, taps, min(kn.nr, positions-j), patches[j:], positions, wk)
			}
		}
		for t, at := range l.tap {
			for p := range positions / outW {
				dst := img[at+p*l.step:][:outW]
				for q, v := range patches[t*positions+p*outW:][:outW] {
					dst[q] += v
				}
			}
		}
		out := dx.Row(n)
		for i, f := range l.from {
			if f >= 0 {
				out[f] = img[i]
			}
		}
	})
}
