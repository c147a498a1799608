package cpu

// operand is a matrix as one side of a product sees it: [lines, k], where the
// lines are rows of the left or columns of the right side.
type operand struct {
	data   []float32
	ld     int
	lines  int
	k      int
	kMajor bool // a line's numbers are neighbours in memory; else those of one k are
	batch  bool // k is the batch of a weight gradient: a panel has all of it, summed in chains
}

// deep is how much of k a panel holds.
func (o operand) deep(kn *kernel) int {
	if o.batch {
		return o.k
	}
	return kn.deep
}

// rows is how many rows of a panel kc steps of k take.
func (o operand) rows(kn *kernel, kc int) int {
	if o.batch {
		return chains * kn.chain(kc)
	}
	return kn.rows(kc)
}

// pack lays lines from..from+width, k0..k0+kc of o, into a panel:
// dst[p*width+i] = o[from+i, k0+p], or pairs of them, with zeros past the last
// line; and then as the kernel arranges it.
func (d *Device) pack(dst []float32, e edge, o operand, from, k0, kc int, w *worker) {
	width, rows := d.kernel.width(e), o.rows(&d.kernel, kc)
	have := min(width, o.lines-from)
	if have < width {
		clear(dst[:width*rows])
	}
	switch {
	case o.batch:
		d.packChains(dst, e, o, from, have, w)
		return
	case d.kernel.tiles() && e == leftEdge && o.kMajor:
		d.packAlong(dst, o, from, have, k0, kc)
		return
	case d.kernel.pairs != nil:
		clear(dst[(kc+1)/2*width : rows*width])
		d.packPairs(dst, width, o, from, have, k0, kc, w)
	default:
		d.packFloats(dst, width, o, from, have, k0, kc)
	}
	d.kernel.finish(dst, e, rows)
}

// packAlong is pack for lines whose numbers are neighbours, into panels that want them
// so: see pairs.tiles.
func (d *Device) packAlong(dst []float32, o operand, from, have, k0, kc int) {
	width := d.kernel.width(leftEdge)
	lines := o.data[from*o.ld+k0:]
	for k := 0; k < kc; k += tileSteps {
		tile := dst[k/2*width:][:tileWords*width]
		some := min(tileSteps, kc-k)
		if some < tileSteps {
			clear(tile)
		}
		d.kernel.pairs.halve(tile, tileWords, lines[k:], o.ld, have, some)
	}
}

// packFloats is pack for panels of float32.
func (d *Device) packFloats(dst []float32, width int, o operand, from, have, k0, kc int) {
	if o.kMajor {
		d.packKMajor(dst, width, o, from, have, k0, kc)
	} else {
		src := o.data[k0*o.ld+from:]
		switch {
		case have == 4 && width == 4:
			for p := range kc {
				*(*[4]float32)(dst[p*4:]) = *(*[4]float32)(src[p*o.ld:])
			}
		case have == width && width%4 == 0:
			d.kernel.moveRows(dst, width, src, o.ld, kc)
		default:
			for p := range kc {
				copy(dst[p*width:p*width+have], src[p*o.ld:])
			}
		}
	}
	if d.bf16 {
		d.kernel.round(dst[:width*kc])
	}
}

// packKMajor is pack for lines whose numbers are neighbours: a transposition, by
// blocks as far as there are whole ones.
func (d *Device) packKMajor(dst []float32, width int, o operand, from, have, k0, kc int) {
	i := 0
	lines := func(n, whole int, transpose func(dst []float32, ldd int, src []float32, lds, n int)) {
		for ; i+n <= have; i += n {
			src := o.data[(from+i)*o.ld+k0:]
			transpose(dst[i:], width, src, o.ld, whole/n)
			for l := range n {
				for p := whole; p < kc; p++ {
					dst[p*width+i+l] = src[l*o.ld+p]
				}
			}
		}
	}
	if kc >= 16 {
		lines(16, kc&^15, d.kernel.transpose16)
		lines(8, kc&^7, d.kernel.transpose8)
	}
	if kc >= 4 {
		lines(4, kc&^3, d.kernel.transpose4)
	}
	for ; i < have; i++ {
		for p, v := range o.data[(from+i)*o.ld+k0:][:kc] {
			dst[p*width+i] = v
		}
	}
}

// panels is a packed side of a product: for each KC block of k, panel by panel.
type panels struct {
	kn    *kernel
	e     edge
	o     operand
	data  []float32
	width int
	n     int // panels
}

// at is panel i of the KC block that begins at k0 and is kc deep.
func (p panels) at(i, k0, kc int) []float32 {
	return p.data[p.o.rows(p.kn, k0)*p.n*p.width+i*p.width*p.o.rows(p.kn, kc):]
}

// packJob packs a whole operand, a group of panels a task.
type packJob struct {
	d     *Device
	p     panels
	o     operand
	group int
}

// packAll packs all of o, on all threads.
func (d *Device) packAll(buf *[]float32, e edge, o operand) panels {
	width := d.kernel.width(e)
	p := panels{kn: &d.kernel, e: e, o: o, width: width, n: (o.lines + width - 1) / width}
	p.data = grow(buf, p.n*width*o.rows(&d.kernel, o.k))
	j := &d.jobs.pack
	*j = packJob{d: d, p: p, o: o, group: max(1, 64/width)}
	d.pool.run((p.n+j.group-1)/j.group, pass*len(p.data), j)
	return p
}

func (j *packJob) do(t int, w *worker) {
	deep := j.o.deep(&j.d.kernel)
	for k0 := 0; k0 < j.o.k; k0 += deep {
		kc := min(deep, j.o.k-k0)
		for i := t * j.group; i < min((t+1)*j.group, j.p.n); i++ {
			j.d.pack(j.p.at(i, k0, kc), j.p.e, j.o, i*j.p.width, k0, kc, w)
		}
	}
}
