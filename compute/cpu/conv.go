package cpu

import "betalasso/compute"

// convJob is a convolution, an image a task.
type convJob struct {
	d    *Device
	l    *lattice
	a    panels // the weights
	y, x compute.Mat
}

// convolve sets y to the convolution of x: for each image, a product of the
// weights with the patches, which are packed straight from the image.
func (d *Device) convolve(y, x compute.Mat, w []float32, win compute.Window) {
	taps := win.Patch()
	j := &d.jobs.conv
	*j = convJob{d: d, l: d.lattice(win), y: y, x: x}
	j.a = d.packAll(&d.left, leftEdge, operand{data: w, ld: taps, lines: win.K, k: taps, kMajor: true})
	d.pool.run(x.Rows, len(y.Data)*taps, j)
}

func (j *convJob) do(n int, w *worker) {
	d, l := j.d, j.l
	nr, taps, positions := d.kernel.nr, l.win.Patch(), l.win.Positions()
	img := grow(&w.extra, l.size)
	l.fill(img, j.x.Row(n))
	out := j.y.Row(n)
	b := grow(&w.b, (maxNC+nr)*maxKC)
	for j0 := 0; j0 < positions; j0 += maxNC {
		nb := min(maxNC, positions-j0)
		for k0 := 0; k0 < taps; k0 += maxKC {
			kc := min(maxKC, taps-k0)
			kr := d.kernel.rows(kc)
			for i := 0; i < nb; i += nr {
				d.packPositions(b[i*kr:], l, img, j0+i, k0, kc, w)
			}
			d.block(kr, false, j.a.at(0, k0, kc), b, l.win.K, nb, out[j0:], positions, k0 > 0, w)
		}
	}
}

// gradChunks is the number of parts that a batch is cut into to sum a
// convolution's weight gradient. It is fixed, so that the sum is the same for
// any number of threads.
const gradChunks = 16

// convGradWJob sums the weight gradients of a part of the batch; on more than
// half as many threads as there are parts, those of some of the taps.
type convGradWJob struct {
	d     *Device
	l     *lattice
	dy, x compute.Mat
	parts []float32 // [gradChunks, K, taps]
	split int       // tasks of a part
}

// convSumJob adds up the parts of a weight gradient, a channel a task.
type convSumJob struct {
	dw    compute.Mat
	parts []float32
}

// convGradW sets dw to the gradient by the weights.
func (d *Device) convGradW(dw, dy, x compute.Mat, win compute.Window) {
	l, parts := d.lattice(win), grow(&d.spare, gradChunks*len(dw.Data))
	j := &d.jobs.convGradW
	nr := d.kernel.nr
	split := min(max(1, 2*d.threads/gradChunks), (win.Patch()+nr-1)/nr)
	*j = convGradWJob{d: d, l: l, dy: dy, x: x, parts: parts, split: split}
	d.pool.run(gradChunks*split, len(dy.Data)*win.Patch(), j)
	s := &d.jobs.convSum
	*s = convSumJob{dw: dw, parts: parts}
	d.pool.run(win.K, pass*len(parts), s)
}

func (j *convGradWJob) do(t int, w *worker) {
	d, l, kn := j.d, j.l, &j.d.kernel
	k, taps, positions := l.win.K, l.win.Patch(), l.win.Positions()
	chunk, panels := t/j.split, (taps+kn.nr-1)/kn.nr
	lo, hi := t%j.split*panels/j.split*kn.nr, min((t%j.split+1)*panels/j.split*kn.nr, taps)
	part := j.parts[chunk*k*taps : (chunk+1)*k*taps]
	for c := range k {
		clear(part[c*taps+lo : c*taps+hi])
	}
	lines := (k + kn.mr - 1) / kn.mr * kn.mr
	buf := grow(&w.extra, l.size+(lines+kn.nr)*maxKC)
	img, buf := buf[:l.size], buf[l.size:]
	a, met := buf[:lines*maxKC], buf[lines*maxKC:]
	b := grow(&w.b, kn.nr*maxKC)
	for n := chunk * j.x.Rows / gradChunks; n < (chunk+1)*j.x.Rows/gradChunks; n++ {
		l.fill(img, j.x.Row(n))
		left := operand{data: j.dy.Row(n), ld: positions, lines: k, k: positions, kMajor: true}
		for k0 := 0; k0 < positions; k0 += maxKC {
			kc := min(maxKC, positions-k0)
			kr := kn.rows(kc)
			for i := 0; i < k; i += kn.mr {
				d.pack(a[i*kr:], leftEdge, left, i, k0, kc, w)
			}
			for i := lo; i < hi; i += kn.nr {
				nb := min(kn.nr, hi-i)
				d.layTaps(met, kc, l, img, l.tap[i:i+nb], k0, kc)
				d.pack(b, rightEdge, operand{data: met, ld: kc, lines: nb, k: kc, kMajor: true}, 0, 0, kc, w)
				d.block(kr, false, a, b, k, nb, part[i:], taps, true, w)
			}
		}
	}
}

func (j *convSumJob) do(k int, _ *worker) {
	row := j.dw.Row(k)
	clear(row)
	for c := range gradChunks {
		for i, v := range j.parts[c*len(j.dw.Data)+k*len(row):][:len(row)] {
			row[i] += v
		}
	}
}

// convGradXJob is an input gradient, an image a task.
type convGradXJob struct {
	d      *Device
	l      *lattice
	a      panels // the weights
	dx, dy compute.Mat
}

// convGradX sets dx to the gradient by the input. With a stride of 1 it is a
// convolution of dy with the weights turned by 180°. Else it is the patches'
// gradients, by a product, added up where they overlap.
func (d *Device) convGradX(dx, dy, w compute.Mat, win compute.Window) {
	if win.Stride == 1 && win.Pad < win.Kernel {
		back := compute.Window{C: win.K, H: win.OutH(), W: win.OutW(), K: win.C,
			Kernel: win.Kernel, Stride: 1, Pad: win.Kernel - 1 - win.Pad}
		turned := grow(&d.spare, len(w.Data))
		area := win.Kernel * win.Kernel
		for k := range win.K {
			for c := range win.C {
				src, dst := w.Data[(k*win.C+c)*area:][:area], turned[(c*win.K+k)*area:][:area]
				for i, v := range src {
					dst[area-1-i] = v
				}
			}
		}
		d.convolve(dx, dy, turned, back)
		return
	}
	taps := win.Patch()
	j := &d.jobs.convGradX
	*j = convGradXJob{d: d, l: d.lattice(win), dx: dx, dy: dy}
	j.a = d.packAll(&d.left, leftEdge, operand{data: w.Data, ld: taps, lines: taps, k: win.K})
	d.pool.run(dy.Rows, len(dy.Data)*taps, j)
}

func (j *convGradXJob) do(n int, w *worker) {
	d, l, kn := j.d, j.l, &j.d.kernel
	k, taps, positions, outW := l.win.K, l.win.Patch(), l.win.Positions(), l.win.OutW()
	buf := grow(&w.extra, l.size+taps*positions)
	img, patches := buf[:l.size], buf[l.size:]
	right := operand{data: j.dy.Row(n), ld: positions, lines: positions, k: k}
	b := grow(&w.b, kn.nr*maxKC)
	for i := 0; i < positions; i += kn.nr {
		for k0 := 0; k0 < k; k0 += maxKC {
			kc := min(maxKC, k-k0)
			d.pack(b, rightEdge, right, i, k0, kc, w)
			d.block(kn.rows(kc), false, j.a.at(0, k0, kc), b, taps, min(kn.nr, positions-i), patches[i:], positions, k0 > 0, w)
		}
	}
	clear(img)
	for t, at := range l.tap {
		for p := range positions / outW {
			dst := img[at+p*l.step:][:outW]
			for q, v := range patches[t*positions+p*outW:][:outW] {
				dst[q] += v
			}
		}
	}
	l.empty(j.dx.Row(n), img)
}
