package cpu

import "betalasso/compute"

// With AMX the weight gradient of a convolution sums over the batch within a tile, and
// over positions from tile to tile: words are pairs of images, so that a group of 32
// fills a tile however small an image is, and where the batch is innermost numbers are
// rounded as they lie.

// tileCache is about how many bytes of both operands are multiplied at once: a part of
// the second-level cache. No sum depends on it.
const tileCache = 1 << 20

// overBatch sums blocks lo to hi of the weight gradient over images first to end.
func (j *convGradWJob) overBatch(sums []float32, lo, hi, first, end int, w *worker) {
	win, kn := j.win, &j.d.kernel.runs
	line := j.pitch * win.C
	outRow, inRow := win.OutW()*kn.mr*tileWords, tileWords*line
	outRows := j.panels * outRow
	band := 1 + (j.d.tiled/4-outRows-win.Kernel*inRow)/(outRows+win.Stride*inRow) // rows of the output at once
	band = min(win.OutH(), max(1, band))
	rows := min(win.H, (band-1)*win.Stride+win.Kernel) // of an image, each in place y%rows
	buf := grow(&w.extra, band*outRows+rows*inRow+kn.nr)
	left, right := buf[:band*outRows], buf[band*outRows:]
	clear(right)
	for n0 := first; n0 < end; n0 += tileSteps {
		some, filled := min(tileSteps, end-n0), 0
		for p0 := 0; p0 < win.OutH(); p0 += band {
			p1 := min(p0+band, win.OutH())
			for p := range j.panels {
				j.fillOutputs(left[p*band*outRow:], p, p0*win.OutW(), p1*win.OutW(), n0, some, w)
			}
			filled = max(filled, p0*win.Stride-win.Pad)
			for last := min(win.H, (p1-1)*win.Stride+win.Kernel-win.Pad); filled < last; filled++ {
				j.fillInputs(right[filled%rows*inRow:], filled, n0, some, w)
			}
			for b := lo; b < hi; b++ {
				row, block := b/j.blocks, b%j.blocks
				runs := w.runs[:0]
				for p := p0; p < p1; p++ {
					y := p*win.Stride + row - win.Pad
					if y < 0 || y >= win.H {
						continue
					}
					from := run{a: (p - p0) * outRow, b: y%rows*inRow + block*kn.nr, n: (some + 1) / 2}
					for range win.OutW() {
						runs = append(runs, from)
						from.a += kn.mr * tileWords
						from.b += win.Stride * win.C
					}
				}
				w.runs = runs
				for p := range j.panels {
					c := sums[(b*j.panels+p)*kn.mr*kn.nr:]
					kn.mul(runs, left[p*band*outRow:], right, tileWords, line, c, kn.nr, n0 > first || p0 > 0)
				}
			}
		}
	}
}

// fillOutputs lays out positions lo to hi of a panel of dy, [position][mr][word]. Rows
// that there is no k for keep what was there: nobody reads what comes of them.
func (j *convGradWJob) fillOutputs(dst []float32, panel, lo, hi, n0, some int, w *worker) {
	mr := j.d.kernel.runs.mr
	for l := range min(mr, j.win.K-panel*mr) {
		at := (panel*mr+l)*j.win.Positions() + lo
		j.d.pairImages(dst[l*tileWords:], mr*tileWords, j.dy, at, hi-lo, n0, some, w)
	}
}

// fillInputs lays out row y of the images, [word][column][c], between the zeros on both
// sides of it.
func (j *convGradWJob) fillInputs(dst []float32, y, n0, some int, w *worker) {
	win := j.win
	pairs := grow(&w.row, win.W*win.C*tileWords) // [column][c][word]
	for c := range win.C {
		j.d.pairImages(pairs[c*tileWords:], win.C*tileWords, j.x, (c*win.H+y)*win.W, win.W, n0, some, w)
	}
	j.d.packKMajor(dst[win.Pad*win.C:], j.pitch*win.C, operand{data: pairs, ld: tileWords}, 0, win.W*win.C, 0, (some+1)/2)
}

// pairImages makes words of two images each, of columns at to at+n of m, whose rows are
// images, from n0 on: dst[i*ldd+word].
func (d *Device) pairImages(dst []float32, ldd int, m compute.Mat, at, n, n0, some int, w *worker) {
	if m.Trans {
		d.kernel.pairs.halve(dst, ldd, m.Data[at*m.Rows+n0:], m.Rows, n, some)
		return
	}
	wide := grow(&w.wide, n*some)
	d.packKMajor(wide, some, operand{data: m.Data, ld: m.Cols}, n0, some, at, n)
	d.kernel.pairs.halve(dst, ldd, wide, some, n, some)
}
