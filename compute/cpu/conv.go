package cpu

import (
	"slices"

	"betalasso/compute"
)

// lattice is how an image is laid out for a window that moves by stride: with
// its zeros around it, and each row's columns sorted by their remainder by
// stride, so that the inputs that one tap of the window meets along a row of
// the output are neighbours. The input of tap t at position p·OutW+q stands at
// tap[t] + p·step + q.
type lattice struct {
	win    compute.Window
	size   int
	tap    []int
	step   int
	from   []int32 // index in the image of each number of the lattice, −1 for a zero
	sorted []int32 // the taps in rising order of where they stand
	runs   [][]run // for each right panel of sorted taps: its neighbours in memory
}

// run is some of a panel's taps that stand side by side in the lattice.
type run struct {
	to, at int // place in the panel; place in the lattice
}

// runWidth is how many numbers are moved at once for a run, and so the longest
// run. What is moved too much is overwritten by the next.
const runWidth = 8

// sortTaps fills sorted and runs, for panels of nr.
func (l *lattice) sortTaps(nr int) {
	for t := range l.tap {
		l.sorted = append(l.sorted, int32(t))
	}
	slices.SortFunc(l.sorted, func(a, b int32) int { return l.tap[a] - l.tap[b] })
	for j := 0; j < len(l.sorted); j += nr {
		var list []run
		length := 0
		for i, t := range l.sorted[j:min(j+nr, len(l.sorted))] {
			at := l.tap[t]
			if n := len(list); n > 0 && length < runWidth && at == list[n-1].at+length {
				length++
				continue
			}
			list = append(list, run{i, at})
			length = 1
		}
		l.runs = append(l.runs, list)
	}
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
	l.sortTaps(d.kernel.nr)
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
		if run%8 == 0 {
			d.kernel.moveTaps(dst[j:], nr, img[at:], l.tap[k0:k0+kc], run/8)
		} else {
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

// packTaps packs positions k0..k0+kc of the j-th panel of sorted taps as the
// lines of a right side: dst[p*nr+i] is what tap sorted[j·nr+i] meets at position
// k0+p. dst and img have runWidth numbers of room behind them; the columns past
// the last tap hold anything.
func (d *Device) packTaps(dst []float32, l *lattice, img []float32, j, k0, kc int) {
	nr, outW := d.kernel.nr, l.win.OutW()
	for i := range kc {
		src := img[(k0+i)/outW*l.step+(k0+i)%outW:]
		row := dst[i*nr : i*nr+nr+runWidth]
		d.kernel.moveRuns(row, src, l.runs[j])
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
		buf := grow(&wk.extra, l.size+runWidth+lines*depth)
		img, a := buf[:l.size+runWidth], buf[l.size+runWidth:]
		b := grow(&wk.b, kn.nr*depth+runWidth)
		for n := t * x.Rows / gradChunks; n < (t+1)*x.Rows/gradChunks; n++ {
			l.fill(img, x.Row(n))
			left := operand{data: dy.Row(n), ld: positions, lines: win.K, k: positions, along: true}
			for k0 := 0; k0 < positions; k0 += depth {
				kc := min(depth, positions-k0)
				for i := 0; i < win.K; i += kn.mr {
					d.pack(a[i*kc:], kn.mr, left, i, k0, kc)
				}
				for j := 0; j < taps; j += kn.nr {
					d.packTaps(b, l, img, j/kn.nr, k0, kc)
					d.block(kc, a, b, win.K, min(kn.nr, taps-j), part[j:], taps, wk)
				}
			}
		}
	})
	d.pool.run(win.K, func(k int, _ *worker) {
		row := dw.Row(k)
		for i, tap := range l.sorted {
			var sum float32
			for c := range gradChunks {
				sum += parts[c*size+k*taps+i]
			}
			row[tap] = sum
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
