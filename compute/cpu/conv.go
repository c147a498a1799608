package cpu

import "betalasso/compute"

// A convolution, and its gradient with respect to the input, run with some images
// innermost, as many as a tile has columns. What a tap of the window reads is
// then a row of numbers, and an output of a channel at a position is a sum of
// such rows, each times one weight. Taps that lie outside the image are left out.

// span says which taps lie within the image along one side, for one position of
// the output: n of them from tap on, as weights are packed, which meet the inputs
// from src on.
type span struct{ tap, src, n int }

// axis is one side of a slide.
type axis struct {
	place []int  // of each tap, as weights are packed
	at    []span // for each place of the output
}

// slide is a window that moves over images of in channels and gives out channels.
// For the gradient with respect to the input in and out are exchanged.
type slide struct {
	back                   bool
	in, out                int
	inH, inW               int
	outH, outW             int
	size                   int
	rows, cols             axis
	block                  int // channels that go into one chain
	taps, weightIn, weight int // of the window; how far apart weights of two inputs are, and of two outputs
}

// slideCache is how many bytes of the input the window may see of one block of
// channels at once, with 48 images innermost: a part of the second-level cache. It
// is the same for all kernels, as the blocks are part of the order of sums.
const slideCache = 320 << 10

// slide gives the slide of a convolution or of its gradient with respect to the
// input, made once.
func (d *Device) slide(win compute.Window, back bool) *slide {
	key := slideKey{win, back}
	if s, ok := d.slides[key]; ok {
		return s
	}
	outH, outW, taps := win.OutH(), win.OutW(), win.Kernel*win.Kernel
	s := &slide{back: back, size: win.Kernel, taps: taps}
	if back {
		s.in, s.inH, s.inW, s.out, s.outH, s.outW = win.K, outH, outW, win.C, win.H, win.W
		s.weightIn, s.weight = win.C*taps, taps
		s.rows, s.cols = backAxis(win, outH, win.H), backAxis(win, outW, win.W)
	} else {
		s.in, s.inH, s.inW, s.out, s.outH, s.outW = win.C, win.H, win.W, win.K, outH, outW
		s.weightIn, s.weight = taps, win.C*taps
		s.rows, s.cols = forwardAxis(win, win.H, outH), forwardAxis(win, win.W, outW)
	}
	s.block = min(s.in, max(8, slideCache/(4*48*max(1, s.rows.most()*s.cols.most()))&^7))
	d.slides[key] = s
	return s
}

type slideKey struct {
	win  compute.Window
	back bool
}

// most is the largest number of taps.
func (a axis) most() (n int) {
	for _, s := range a.at {
		n = max(n, s.n)
	}
	return n
}

// forwardAxis: place p meets inputs from p·Stride−Pad on.
func forwardAxis(win compute.Window, in, out int) (a axis) {
	for t := range win.Kernel {
		a.place = append(a.place, t)
	}
	for p := range out {
		from := p*win.Stride - win.Pad
		lo, hi := max(0, -from), min(win.Kernel, in-from)
		a.at = append(a.at, span{lo, from + lo, max(0, hi-lo)})
	}
	return a
}

// backAxis: input x is met at place p by tap x+Pad−p·Stride. Those of one remainder
// by Stride are packed one after the other, the last first, so that places ascend.
func backAxis(win compute.Window, in, out int) (a axis) {
	s := win.Stride
	a.place = make([]int, win.Kernel)
	first, next := make([]int, s), 0
	for r := range s {
		first[r] = next
		for t := last(r, win.Kernel, s); t >= 0; t -= s {
			a.place[t] = next
			next++
		}
	}
	for x := range out {
		r := (x + win.Pad) % s
		tap, count := last(r, win.Kernel, s), 0
		if tap >= 0 {
			count = tap/s + 1
		}
		from := (x + win.Pad - tap) / s // of the last tap; exact
		lo := max(0, -from)
		a.at = append(a.at, span{first[r] + lo, from + lo, max(0, min(count, in-from)-lo)})
	}
	return a
}

// last is the largest number below n with the remainder r by s; negative if there is none.
func last(r, n, s int) int { return r + (n-1-r+s)/s*s - s }

// width is the number of rows, of numbers or of words, that the channels take.
func (k *runKernel) width(channels int) int {
	if k.words {
		return (channels + 1) / 2
	}
	return channels
}

// slidePackJob packs the weights of a slide, a panel of outputs a task: for each
// block of inputs, panel by panel, [tap][input][mr], or along, [mr][tap][input].
type slidePackJob struct {
	d      *Device
	s      *slide
	w, dst []float32
}

func (j *slidePackJob) do(p int, w *worker) {
	d, s, kn := j.d, j.s, &j.d.kernel.runs
	mr := kn.mr
	panels := (s.out + mr - 1) / mr
	have := min(mr, s.out-p*mr)
	buf := grow(&w.extra, 3*s.taps*mr)
	wide, words := buf[:2*s.taps*mr], buf[2*s.taps*mr:]
	lines := func(dst []float32, width, c int) {
		d.packKMajor(dst, width, operand{data: j.w[c*s.weightIn:], ld: s.weight}, p*mr, have, 0, s.taps)
	}
	for c0 := 0; c0 < s.in; c0 += s.block {
		c1 := min(c0+s.block, s.in)
		cw := kn.width(c1 - c0)
		dst := j.dst[(panels*kn.width(c0)+p*cw)*s.taps*mr:]
		step, row, _ := kn.left(s.taps * cw)
		for i := range cw {
			from := wide
			if kn.words {
				clear(wide)
				lines(wide, 2*mr, c0+2*i)
				if c0+2*i+1 < c1 {
					lines(wide[mr:], 2*mr, c0+2*i+1)
				}
				d.kernel.pairs.join(words, mr, wide, mr, mr, s.taps)
				from = words
			} else {
				if have < mr {
					clear(wide)
				}
				lines(wide, mr, c0+i)
				if d.bf16 {
					d.kernel.round(wide[:s.taps*mr])
				}
			}
			for t := range s.taps {
				at := (s.rows.place[t/s.size]*s.size+s.cols.place[t%s.size])*cw + i
				moveLine(dst[at*step:], row, from[t*mr:], mr)
			}
		}
	}
}

// moveLine copies n numbers to where they are so far apart; four and eight neighbours
// faster than copy.
func moveLine(dst []float32, apart int, src []float32, n int) {
	switch {
	case apart > 1:
		for i, v := range src[:n] {
			dst[i*apart] = v
		}
	case n == 8:
		*(*[8]float32)(dst) = *(*[8]float32)(src)
	case n == 4:
		*(*[4]float32)(dst) = *(*[4]float32)(src)
	default:
		copy(dst[:n], src)
	}
}

// slideJob is a convolution or its gradient with respect to the input: some
// images and rows of the output a task.
type slideJob struct {
	d     *Device
	s     *slide
	w     []float32 // packed
	y, x  compute.Mat
	bands int // that the output is split into
}

// slideTasks is the least number of tasks for each thread.
const slideTasks = 8

// convolve sets y to the convolution of x, or to the gradient of the input, where
// y is dx and x is dy.
func (d *Device) convolve(y, x compute.Mat, weights []float32, win compute.Window, back bool) {
	s, kn := d.slide(win, back), &d.kernel.runs
	panels := (s.out + kn.mr - 1) / kn.mr
	p := &d.jobs.slidePack
	*p = slidePackJob{d: d, s: s, w: weights, dst: grow(&d.left, panels*kn.width(s.in)*s.taps*kn.mr)}
	d.pool.run(panels, pass*len(p.dst), p)
	j := &d.jobs.slide
	*j = slideJob{d: d, s: s, w: p.dst, y: y, x: x}
	images := (x.Rows + kn.nr - 1) / kn.nr
	j.bands = min(s.outH, max(1, slideTasks*d.threads/max(1, images)))
	d.pool.run(images*j.bands, len(x.Data)*s.out*s.taps, j)
}

// slideOut is how many numbers of the output are kept until they go to memory.
const slideOut = 64 << 10

func (j *slideJob) do(t int, w *worker) {
	s, kn := j.s, &j.d.kernel.runs
	mr, nr := kn.mr, kn.nr
	n0, band := t/j.bands*nr, t%j.bands
	have := min(nr, j.x.Rows-n0)
	y0, y1 := band*s.outH/j.bands, (band+1)*s.outH/j.bands
	lo, hi := s.inH, 0 // rows of the input
	for _, r := range s.rows.at[y0:y1] {
		if r.n > 0 {
			lo, hi = min(lo, r.src), max(hi, r.src+r.n)
		}
	}
	in := images{j: j, n0: n0, have: have, lo: lo, rows: max(0, hi-lo)}
	in.data = grow(&w.extra, in.rows*s.inW*kn.width(s.in)*nr)
	panels := (s.out + mr - 1) / mr
	line := s.outW * panels * mr * nr
	some := max(1, slideOut/line, (15+s.outW)/s.outW)
	// Whole tiles go straight to where they belong if the batch is innermost there.
	straight := j.y.Trans && have == nr && s.out%mr == 0
	var out []float32
	if !straight {
		out = grow(&w.block, min(some, y1-y0)*line)
	}
	filled := lo
	for r0 := y0; r0 < y1; r0 += some {
		r1 := min(r0+some, y1)
		for y := r0; y < r1; y++ {
			if r := s.rows.at[y]; r.n > 0 && r.src+r.n > filled {
				in.fill(filled, r.src+r.n, w)
				filled = r.src + r.n
			}
			if straight {
				plane := s.outH * s.outW * j.y.Rows
				j.row(tiles{j.y.Data[y*s.outW*j.y.Rows+n0:], plane, j.y.Rows, mr * plane}, &in, y, w)
			} else {
				j.row(tiles{out[(y-r0)*line:], nr, panels * mr * nr, mr * nr}, &in, y, w)
			}
		}
		if straight {
			continue
		}
		j.store(out, r0, r1, n0, have, panels)
	}
}

// store puts rows r0 to r1 of the output where they belong.
func (j *slideJob) store(out []float32, r0, r1, n0, have, panels int) {
	s, y, kn := j.s, j.y, &j.d.kernel.runs
	line := panels * kn.mr * kn.nr
	for o := range s.out {
		first, positions := (o*s.outH+r0)*s.outW, (r1-r0)*s.outW
		if !y.Trans {
			j.d.packKMajor(y.Data[n0*y.Cols+first:], y.Cols, operand{data: out[o*kn.nr:], ld: line}, 0, positions, 0, have)
			continue
		}
		for p := range positions {
			copy(y.Data[(first+p)*y.Rows+n0:][:have], out[p*line+o*kn.nr:])
		}
	}
}

// tiles is where the tiles of some rows of the output go.
type tiles struct {
	c             []float32
	ld            int // of the rows of a tile
	column, panel int // how far apart tiles are
}

// row sets a row of the output.
func (j *slideJob) row(to tiles, in *images, y int, w *worker) {
	s, kn := j.s, &j.d.kernel.runs
	mr, nr := kn.mr, kn.nr
	panels := (s.out + mr - 1) / mr
	r := s.rows.at[y]
	for c0 := 0; c0 < s.in; c0 += s.block {
		cw := kn.width(min(s.block, s.in-c0))
		a := j.w[panels*kn.width(c0)*s.taps*mr:]
		b := in.block(c0)
		step, _, lda := kn.left(s.taps * cw)
		for x, c := range s.cols.at {
			runs := w.runs[:0]
			for i := range r.n {
				if c.n > 0 {
					runs = append(runs, run{
						a: ((r.tap+i)*s.size + c.tap) * cw * step,
						b: ((r.src+i-in.lo)*s.inW + c.src) * cw * nr,
						n: c.n * cw,
					})
				}
			}
			w.runs = runs
			for p := range panels {
				kn.mul(runs, a[p*s.taps*cw*mr:], b, lda, nr, to.c[x*to.column+p*to.panel:], to.ld, c0 > 0)
			}
		}
	}
}

// images are rows of some images as a slide reads them: for each block of channels,
// [row][column][channel][image].
type images struct {
	j        *slideJob
	n0, have int // of the batch
	lo, rows int // of an image
	data     []float32
}

// block is the block of channels from c0 on.
func (m *images) block(c0 int) []float32 {
	kn := &m.j.d.kernel.runs
	return m.data[m.rows*m.j.s.inW*kn.width(c0)*kn.nr:]
}

// fill lays out rows lo to hi.
func (m *images) fill(lo, hi int, w *worker) {
	s, kn := m.j.s, &m.j.d.kernel.runs
	for c0 := 0; c0 < s.in; c0 += s.block {
		channels := min(s.block, s.in-c0)
		line := s.inW * kn.width(channels) * kn.nr
		for y := lo; y < hi; y++ {
			row := m.block(c0)[(y-m.lo)*line:][:line]
			if m.j.x.Trans {
				m.fillTrans(row, c0, channels, y, w)
			} else {
				m.fillRow(row, c0, channels, y, w)
			}
		}
	}
}

// ahead is how many positions before they are read numbers are fetched where the
// batch is innermost: those of the channels of a position are too far apart for the
// processor to see where the next ones are.
const ahead = 3

// fillTrans lays out one row of a block of channels, where the batch is innermost.
func (m *images) fillTrans(row []float32, c0, channels, y int, w *worker) {
	d, s, kn, x := m.j.d, m.j.s, &m.j.d.kernel.runs, m.j.x
	if m.have < kn.nr {
		clear(row)
	}
	first, ld := ((c0*s.inH+y)*s.inW)*x.Rows+m.n0, s.inH*s.inW*x.Rows
	for q := range s.inW {
		if q+ahead < s.inW {
			d.kernel.fetchRows(x.Data[first+(q+ahead)*x.Rows:], ld, channels, m.have)
		}
		from := operand{data: x.Data[first+q*x.Rows:], ld: ld}
		to := row[q*kn.width(channels)*kn.nr:]
		if kn.words {
			d.packPairs(to, kn.nr, from, 0, m.have, 0, channels, w)
		} else {
			d.packFloats(to, kn.nr, from, 0, m.have, 0, channels)
		}
	}
}

// fillRow is the same where an image is one row of the batch.
func (m *images) fillRow(row []float32, c0, channels, y int, w *worker) {
	d, s, kn := m.j.d, m.j.s, &m.j.d.kernel.runs
	nr, cw := kn.nr, kn.width(channels)
	to, width := row, cw
	if kn.words {
		width = 2 * cw
		to = grow(&w.wide, s.inW*width*nr)
	}
	if m.have < nr || width > channels {
		clear(to)
	}
	for c := range channels {
		x := operand{data: m.j.x.Data, ld: m.j.x.Cols}
		d.packKMajor(to[c*nr:], width*nr, x, m.n0, m.have, ((c0+c)*s.inH+y)*s.inW, s.inW)
	}
	if kn.words {
		d.kernel.pairs.join(row, nr, to, nr, nr, s.inW*cw)
	} else if d.bf16 {
		d.kernel.round(row)
	}
}
