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
	high   int // rows of a channel
	wide   int // columns of one remainder
	tap    []int
	step   int
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

// lattice gives the lattice of a window, made once.
func (d *Device) lattice(win compute.Window) *lattice {
	if l, ok := d.lattices[win]; ok {
		return l
	}
	s := win.Stride
	l := &lattice{win: win, high: win.H + 2*win.Pad, wide: (win.W + 2*win.Pad + s - 1) / s}
	l.size = win.C * l.high * s * l.wide
	l.step = s * s * l.wide
	for c := range win.C {
		for u := range win.Size {
			for v := range win.Size {
				l.tap = append(l.tap, ((c*l.high+u)*s+v%s)*l.wide+v/s)
			}
		}
	}
	l.sortTaps(d.kernel.nr)
	d.lattices[win] = l
	return l
}

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

// columns tells of an image's columns with remainder r: the leftmost, how many
// there are, and where in a row of the lattice they begin.
func (l *lattice) columns(r int) (first, count, at int) {
	s, pad := l.win.Stride, l.win.Pad
	first = (r - pad%s + s) % s
	return first, (l.win.W - first + s - 1) / s, r*l.wide + (first+pad)/s
}

// fill lays image x into dst, whose rest is zeros.
func (l *lattice) fill(dst, x []float32) {
	win, s := l.win, l.win.Stride
	clear(dst[:l.size])
	for r := range s {
		first, count, at := l.columns(r)
		for c := range win.C {
			for y := range win.H {
				src := x[(c*win.H+y)*win.W:][:win.W]
				to := dst[(c*l.high+y+win.Pad)*s*l.wide+at:][:count]
				if s == 1 {
					copy(to, src)
					continue
				}
				i := first
				for q := range to {
					to[q] = src[i]
					i += s
				}
			}
		}
	}
}

// empty is the reverse of fill: it takes the image x out of src.
func (l *lattice) empty(x, src []float32) {
	win, s := l.win, l.win.Stride
	for r := range s {
		first, count, at := l.columns(r)
		for c := range win.C {
			for y := range win.H {
				dst := x[(c*win.H+y)*win.W:][:win.W]
				i := first
				for _, v := range src[(c*l.high+y+win.Pad)*s*l.wide+at:][:count] {
					dst[i] = v
					i += s
				}
			}
		}
	}
}

// packPositions packs taps k0..k0+kc of positions j0..j0+nr as the lines of a
// right side.
func (d *Device) packPositions(dst []float32, l *lattice, img []float32, j0, k0, kc int, w *worker) {
	nr := d.kernel.nr
	if d.kernel.pairs == nil {
		d.layPositions(dst, l, img, j0, k0, kc)
		if d.bf16 {
			d.kernel.round(dst[:nr*kc])
		}
		return
	}
	wide := grow(&w.wide, nr*chunk)
	for p := 0; p < kc; p += chunk {
		some := min(chunk, kc-p)
		d.layPositions(wide, l, img, j0, k0+p, some)
		d.joinChunk(dst[p/2*nr:], nr, wide, some)
	}
}

// layPositions sets dst[p*nr+j] to what tap k0+p meets at position j0+j.
func (d *Device) layPositions(dst []float32, l *lattice, img []float32, j0, k0, kc int) {
	nr, outW, positions := d.kernel.nr, l.win.OutW(), l.win.Positions()
	have := min(nr, positions-j0)
	if have < nr {
		clear(dst[:nr*kc])
	}
	for j := 0; j < have; {
		p, q := (j0+j)/outW, (j0+j)%outW
		run := min(outW-q, have-j)
		src, taps := img[p*l.step+q:], l.tap[k0:k0+kc]
		switch {
		case run%8 == 0:
			d.kernel.moveTaps(dst[j:], nr, src, taps, run/8)
		case run == 4:
			for i, t := range taps {
				*(*[4]float32)(dst[i*nr+j:]) = *(*[4]float32)(src[t:])
			}
		default:
			for i, t := range taps {
				copy(dst[i*nr+j:i*nr+j+run], src[t:])
			}
		}
		j += run
	}
}

// packTaps packs positions k0..k0+kc of the j-th panel of sorted taps as the
// lines of a right side. dst and img have runWidth numbers of room behind them;
// the columns past the last tap hold anything.
func (d *Device) packTaps(dst []float32, l *lattice, img []float32, j, k0, kc int, w *worker) {
	nr := d.kernel.nr
	if d.kernel.pairs == nil {
		d.layTaps(dst, l, img, j, k0, kc)
		if d.bf16 {
			d.kernel.round(dst[:nr*kc])
		}
		return
	}
	wide := grow(&w.wide, nr*chunk+runWidth)
	for p := 0; p < kc; p += chunk {
		some := min(chunk, kc-p)
		d.layTaps(wide, l, img, j, k0+p, some)
		d.joinChunk(dst[p/2*nr:], nr, wide, some)
	}
}

// layTaps sets dst[p*nr+i] to what tap sorted[j·nr+i] meets at position k0+p.
func (d *Device) layTaps(dst []float32, l *lattice, img []float32, j, k0, kc int) {
	nr, outW := d.kernel.nr, l.win.OutW()
	p, q := k0/outW, k0%outW
	for i := range kc {
		d.kernel.moveRuns(dst[i*nr:i*nr+nr+runWidth], img[p*l.step+q:], l.runs[j])
		if q++; q == outW {
			p, q = p+1, 0
		}
	}
}
