package cpu

import "betalasso/compute"

// The weight gradient of a convolution runs with channels innermost: for each row
// of the window, dw[k][v·C+c] is the sum over images and positions of dy,
// [position][k], times the image's numbers from where the window stands on.

const (
	// gradChunks is the most parts that a batch is split into to sum a weight
	// gradient, and gradRoom the most numbers that the parts take together. They
	// are fixed, so that the sum is the same for any number of threads.
	gradChunks = 16
	gradRoom   = 1 << 24
	// gradSteps is how many positions, of one or more images, a sum goes through
	// before it is added to memory; see overBatch for AMX's.
	gradSteps = 1024
	// gradImages is the least number of images that are laid out at once: with
	// the batch innermost they are neighbours.
	gradImages = 16
)

// convGradWJob sums the weight gradients of a part of the batch; on more than half
// as many threads as there are parts, those of some blocks of the taps.
type convGradWJob struct {
	d      *Device
	win    compute.Window
	dy, x  compute.Mat
	sums   []float32 // [part][row of the window][block of columns][panel of k][mr][nr]
	parts  int
	whole  int // images that a part has a multiple of, but for the last
	blocks int // of a row of the window
	panels int
	split  int // tasks of a part
	group  int // images that a sum goes through
	pitch  int // columns of a row of an image, with its zeros
}

// convSumJob adds up the parts of a weight gradient, a channel a task.
type convSumJob struct {
	dw compute.Mat
	g  *convGradWJob
}

// convGradW sets dw to the gradient of the weights.
func (d *Device) convGradW(dw, dy, x compute.Mat, win compute.Window) {
	kn := &d.kernel.runs
	j := &d.jobs.convGradW
	*j = convGradWJob{d: d, win: win, dy: dy, x: x}
	j.blocks, j.panels = (win.Kernel*win.C+kn.nr-1)/kn.nr, (win.K+kn.mr-1)/kn.mr
	j.parts = max(1, min(gradChunks, gradRoom/len(dw.Data)))
	j.whole, j.split = 1, max(1, 2*d.threads/j.parts)
	if kn.along { // parts are whole tiles, and to lay them out is dear
		j.whole = tileSteps
		j.parts = max(1, min(j.parts, (x.Rows+j.whole-1)/j.whole))
		j.split = (d.threads + j.parts - 1) / j.parts
	}
	j.split = min(j.split, win.Kernel*j.blocks)
	j.group = max(1, gradSteps/win.Positions())
	j.pitch = win.W + 2*win.Pad + win.Stride
	j.sums = grow(&d.spare, j.parts*win.Kernel*j.blocks*j.panels*kn.mr*kn.nr)
	d.pool.run(j.parts*j.split, len(dy.Data)*win.Patch(), j)
	s := &d.jobs.convSum
	*s = convSumJob{dw: dw, g: j}
	d.pool.run(win.K, pass*len(j.sums), s)
}

// rowWords is how many rows of numbers, or of words, the positions along a row are.
func (j *convGradWJob) rowWords() int { return j.d.kernel.runs.width(j.win.OutW()) }

// outs and image are how far apart images lie in a left panel and in the right side:
// no power of two, or all want the same few places in the cache.
func (j *convGradWJob) outs() int  { return j.win.OutH()*j.rowWords()*j.d.kernel.runs.mr + 16 }
func (j *convGradWJob) image() int { return j.win.H*j.pitch*j.win.C + 16 }

// unit is how many positions a step has.
func (j *convGradWJob) unit() int {
	if j.d.kernel.runs.words {
		return 2
	}
	return 1
}

func (j *convGradWJob) do(t int, w *worker) {
	win, kn := j.win, &j.d.kernel.runs
	tile := j.panels * kn.mr * kn.nr
	part, all := t/j.split, win.Kernel*j.blocks
	lo, hi := t%j.split*all/j.split, (t%j.split+1)*all/j.split
	sums := j.sums[part*all*tile:]
	units := (j.x.Rows + j.whole - 1) / j.whole
	first, end := part*units/j.parts*j.whole, min(j.x.Rows, (part+1)*units/j.parts*j.whole)
	if first == end {
		clear(sums[lo*tile : hi*tile])
		return
	}
	if kn.along {
		j.overBatch(sums, lo, hi, first, end, w)
		return
	}
	most := min(max(j.group, gradImages), end-first)
	outs, image := j.outs(), j.image()
	buf := grow(&w.extra, most*(j.panels*outs+image)+kn.nr)
	left, right := buf[:most*j.panels*outs], buf[most*j.panels*outs:]
	clear(right)
	for n0 := first; n0 < end; n0 += most {
		some := min(most, end-n0)
		for p := range j.panels {
			j.fillLeft(left[p*most*outs:][:some*outs], n0, some, p, w)
		}
		j.fillRight(right[:some*image], n0, some, w)
		for i := 0; i < some; i += j.group {
			for b := lo; b < hi; b++ {
				runs := j.runs(b/j.blocks, b%j.blocks, min(j.group, some-i), w)
				for p := range j.panels {
					kn.mul(runs, left[(p*most+i)*outs:], right[i*image:], kn.mr, j.unit()*win.Stride*win.C,
						sums[b*tile+p*kn.mr*kn.nr:], kn.nr, n0+i > first)
				}
			}
		}
	}
}

// runs are the rows of some images in which row u of the window meets them with one
// of the taps of a block of columns.
func (j *convGradWJob) runs(u, block, some int, w *worker) []run {
	win, kn, s, unit := j.win, &j.d.kernel.runs, j.win.Stride, j.unit()
	v0, v1 := block*kn.nr/win.C, min((block*kn.nr+kn.nr-1)/win.C, win.Kernel-1)
	q0 := max(0, (win.Pad-v1+s-1)/s) / unit         // v1 is inside from here on
	q1 := min(win.OutW(), (win.W-1+win.Pad-v0+s)/s) // and v0 to here
	n := (q1+unit-1)/unit - q0
	runs := w.runs[:0]
	for i := range some {
		for p := range win.OutH() {
			y := p*s + u - win.Pad
			if n > 0 && y >= 0 && y < win.H {
				runs = append(runs, run{
					a: i*j.outs() + (p*j.rowWords()+q0)*kn.mr,
					b: i*j.image() + (y*j.pitch+q0*unit*s)*win.C + block*kn.nr,
					n: n,
				})
			}
		}
	}
	w.runs = runs
	return runs
}

// fillLeft lays out a panel of dy of some images: [image][position][mr], or words
// of two positions along a row.
func (j *convGradWJob) fillLeft(dst []float32, n0, some, panel int, w *worker) {
	d, win, kn := j.d, j.win, &j.d.kernel.runs
	outW, mr, positions := win.OutW(), kn.mr, win.Positions()
	have, row := min(mr, win.K-panel*mr), j.rowWords()*j.unit()
	to := dst
	if kn.words {
		to = grow(&w.wide, len(dst)*2)
	}
	if have < mr || row > outW {
		clear(to)
	}
	image := j.outs() * j.unit()
	for p := range win.OutH() {
		if j.dy.Trans {
			for q := range outW {
				at, ld := p*outW+q, positions*j.dy.Rows
				if at+ahead < positions {
					d.kernel.fetchRows(j.dy.Data[panel*mr*ld+(at+ahead)*j.dy.Rows+n0:], ld, have, some)
				}
				from := operand{data: j.dy.Data[at*j.dy.Rows:], ld: ld}
				d.packKMajor(to[(p*row+q)*mr:], image, from, panel*mr, have, n0, some)
			}
			continue
		}
		for i := range some {
			d.packKMajor(to[i*image+p*row*mr:], mr, operand{data: j.dy.Row(n0 + i), ld: positions}, panel*mr, have, p*outW, outW)
		}
	}
	if kn.words {
		d.kernel.pairs.join(dst, mr, to, mr, mr, len(dst)/mr)
	} else if d.bf16 {
		d.kernel.round(dst)
	}
}

// fillRight lays out some images with zeros on both sides of their rows,
// [image][row][column][c]; where steps are words, each is made of a column and the
// one that is Stride on. What is zero in dst stays so.
func (j *convGradWJob) fillRight(dst []float32, n0, some int, w *worker) {
	d, win, kn := j.d, j.win, &j.d.kernel.runs
	c, s, area := win.C, win.Stride, win.H*win.W
	line := j.pitch * c
	to, flat := dst, grow(&w.row, area*c) // flat: one image without zeros
	if kn.words {
		to = grow(&w.wide, len(dst))
		clear(to)
	}
	if j.x.Trans {
		for at := range area {
			ld := area * j.x.Rows
			if at+ahead < area {
				d.kernel.fetchRows(j.x.Data[(at+ahead)*j.x.Rows+n0:], ld, c, some)
			}
			from := operand{data: j.x.Data[at*j.x.Rows:], ld: ld}
			d.packKMajor(to[at/win.W*line+(win.Pad+at%win.W)*c:], j.image(), from, 0, c, n0, some)
		}
	} else {
		for i := range some {
			d.packKMajor(flat, c, operand{data: j.x.Row(n0 + i), ld: area}, 0, c, 0, area)
			for y := range win.H {
				copy(to[i*j.image()+y*line+win.Pad*c:], flat[y*win.W*c:(y+1)*win.W*c])
			}
		}
	}
	if !kn.words {
		if d.bf16 {
			d.kernel.round(dst)
		}
		return
	}
	for y := range some * win.H {
		at := y/win.H*j.image() + y%win.H*line
		for x := range min(2*s, j.pitch-s) {
			d.kernel.pairs.join(dst[at+x*c:], 2*s*c, to[at+x*c:], s*c, c, (j.pitch-s-x+2*s-1)/(2*s))
		}
	}
}

func (j *convSumJob) do(k int, w *worker) {
	g := j.g
	win, kn := g.win, &g.d.kernel.runs
	mr, nr, taps := kn.mr, kn.nr, win.Kernel*win.Kernel
	row := j.dw.Row(k)
	all := len(g.sums) / g.parts
	sum := grow(&w.row, nr)
	for u := range win.Kernel {
		for b := range g.blocks {
			at := (((u*g.blocks+b)*g.panels+k/mr)*mr + k%mr) * nr
			copy(sum, g.sums[at:at+nr])
			for p := 1; p < g.parts; p++ {
				for i, v := range g.sums[p*all+at:][:nr] {
					sum[i] += v
				}
			}
			for i := range min(nr, win.Kernel*win.C-b*nr) {
				v, c := (b*nr+i)/win.C, (b*nr+i)%win.C
				row[c*taps+u*win.Kernel+v] = sum[i]
			}
		}
	}
}
