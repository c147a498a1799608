package cpu

import "betalasso/compute"

// With AMX the weight gradient of a convolution sums over the batch within a tile, and
// over positions from tile to tile: words are pairs of images, so that a part of the
// batch fills a tile however small an image is, and where the batch is innermost
// numbers are rounded as they lie.

// tileCache is how many bytes of both operands are multiplied at once: a part of the
// second-level cache. No sum depends on it.
const tileCache = 1 << 20

// overBatch sums the weight gradient of images first to end, blocks lo to hi of it, some
// rows of the output at a time.
func (j *convGradWJob) overBatch(sums []float32, lo, hi, first, end int, w *worker) {
	win, kn := j.win, &j.d.kernel.runs
	words, line := (end-first+1)/2, j.pitch*win.C
	outRow, inRow := win.OutW()*kn.mr*words, words*line
	band := min(win.OutH(), max(1, tileCache/4/(j.panels*outRow+win.Stride*inRow)))
	panel, rows := band*outRow, min(win.H, (band-1)*win.Stride+win.Kernel)
	buf := grow(&w.extra, j.panels*panel+rows*inRow+kn.nr)
	left, right := buf[:j.panels*panel], buf[j.panels*panel:]
	clear(right)
	tile := kn.mr * kn.nr
	for p0 := 0; p0 < win.OutH(); p0 += band {
		p1 := min(p0+band, win.OutH())
		y0, y1 := max(0, p0*win.Stride-win.Pad), min(win.H, (p1-1)*win.Stride+win.Kernel-win.Pad)
		for p := range j.panels {
			j.fillOutputs(left[p*panel:], p, p0*win.OutW(), p1*win.OutW(), first, end, w)
		}
		for y := y0; y < y1; y++ {
			j.fillInputs(right[(y-y0)*inRow:], y, first, end, w)
		}
		for b := lo; b < hi; b++ {
			runs := w.runs[:0]
			for p := p0; p < p1; p++ {
				y := p*win.Stride + b/j.blocks - win.Pad
				for q := 0; q < win.OutW() && y >= 0 && y < win.H; q++ {
					runs = append(runs, run{
						a: (p-p0)*outRow + q*kn.mr*words,
						b: (y-y0)*inRow + q*win.Stride*win.C + b%j.blocks*kn.nr,
						n: words,
					})
				}
			}
			w.runs = runs
			for p := range j.panels {
				kn.mul(runs, left[p*panel:], right, words, line, sums[(b*j.panels+p)*tile:], kn.nr, p0 > 0)
			}
		}
	}
}

// fillOutputs lays out some positions of a panel of dy, [position][mr][word]. Rows that
// there is no k for keep what was there: nobody reads what comes of them.
func (j *convGradWJob) fillOutputs(dst []float32, panel, lo, hi, first, end int, w *worker) {
	mr, words := j.d.kernel.runs.mr, (end-first+1)/2
	for l := range min(mr, j.win.K-panel*mr) {
		at := (panel*mr+l)*j.win.Positions() + lo
		j.d.pairImages(dst[l*words:], mr*words, j.dy, at, hi-lo, first, end, w)
	}
}

// fillInputs lays out row y of the images, [word][column][c], between the zeros on both
// sides of it.
func (j *convGradWJob) fillInputs(dst []float32, y, first, end int, w *worker) {
	win, words := j.win, (end-first+1)/2
	pairs := grow(&w.row, win.W*win.C*words) // [column][c][word]
	for c := range win.C {
		j.d.pairImages(pairs[c*words:], win.C*words, j.x, (c*win.H+y)*win.W, win.W, first, end, w)
	}
	j.d.packKMajor(dst[win.Pad*win.C:], j.pitch*win.C, operand{data: pairs, ld: words}, 0, win.W*win.C, 0, words)
}

// pairImages makes words of two images each of n columns of m from at on, for rows
// first to end of m: dst[i*ldd+word].
func (d *Device) pairImages(dst []float32, ldd int, m compute.Mat, at, n, first, end int, w *worker) {
	some := end - first
	if m.Trans {
		d.kernel.pairs.halve(dst, ldd, m.Data[at*m.Rows+first:], m.Rows, n, some)
		return
	}
	wide := grow(&w.wide, n*some)
	d.packKMajor(wide, some, operand{data: m.Data, ld: m.Cols}, first, some, at, n)
	d.kernel.pairs.halve(dst, ldd, wide, some, n, some)
}
