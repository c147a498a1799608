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
	high int // rows of a channel
	wide int // columns of one remainder
	tap  []int
	step int
}

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
		for u := range win.Kernel {
			for v := range win.Kernel {
				l.tap = append(l.tap, ((c*l.high+u)*s+v%s)*l.wide+v/s)
			}
		}
	}
	d.lattices[win] = l
	return l
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
	have := min(nr, l.win.Positions()-j0)
	if d.kernel.pairs == nil {
		if have < nr {
			clear(dst[:nr*kc])
		}
		d.layTaps(dst, nr, l, img, l.tap[k0:k0+kc], j0, have)
		if d.bf16 {
			d.kernel.round(dst[:nr*kc])
		}
		return
	}
	wide := grow(&w.wide, nr*pairSteps)
	if have < nr {
		clear(wide)
	}
	for p := 0; p < kc; p += pairSteps {
		some := min(pairSteps, kc-p)
		d.layTaps(wide, nr, l, img, l.tap[k0+p:k0+p+some], j0, have)
		d.joinRows(dst[p/2*nr:], nr, wide, some)
	}
	rows := d.kernel.rows(kc)
	clear(dst[(kc+1)/2*nr : rows*nr])
	d.kernel.finish(dst, rightEdge, rows)
}

// layTaps sets dst[p*ld+j] to what taps[p] meets at position j0+j, j < n.
func (d *Device) layTaps(dst []float32, ld int, l *lattice, img []float32, taps []int, j0, n int) {
	outW := l.win.OutW()
	for j := 0; j < n; {
		p, q := (j0+j)/outW, (j0+j)%outW
		run := min(outW-q, n-j)
		src := img[p*l.step+q:]
		if run >= 8 {
			run &^= 7
			d.kernel.moveTaps(dst[j:], ld, src, taps, run/8)
		} else if run >= 4 {
			run = 4
			for i, t := range taps {
				*(*[4]float32)(dst[i*ld+j:]) = *(*[4]float32)(src[t:])
			}
		} else {
			for i, t := range taps {
				copy(dst[i*ld+j:i*ld+j+run], src[t:])
			}
		}
		j += run
	}
}
