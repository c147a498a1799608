package cpu

// operand is a matrix as one side of a product sees it: [lines, k], where the
// lines are rows of the left or columns of the right side.
type operand struct {
	data    []float32
	ld      int
	lines   int
	k       int
	along   bool // a line's numbers are neighbours in memory; else those of one k are
	chained bool // k is the batch of a weight gradient, and is summed in chains
}

// deep is how much of k a panel holds.
func (o operand) deep() int {
	if o.chained {
		return o.k
	}
	return depth
}

// rows is how many rows of a panel kc steps of k take.
func (o operand) rows(kn *kernel, kc int) int {
	if o.chained {
		return chains * kn.chain(kc)
	}
	return kn.rows(kc)
}

// pack lays lines from..from+width, k0..k0+kc of o, into a panel:
// dst[p*width+i] = o[from+i, k0+p], or pairs of them, with zeros past the last
// line.
func (d *Device) pack(dst []float32, width int, o operand, from, k0, kc int, w *worker) {
	have := min(width, o.lines-from)
	if have < width {
		clear(dst[:width*o.rows(&d.kernel, kc)])
	}
	if o.chained {
		d.packChains(dst, width, o, from, have, w)
		return
	}
	if d.kernel.pairs != nil {
		d.packPairs(dst, width, o, from, have, k0, kc, w)
		return
	}
	if o.along {
		d.packAlong(dst, width, o, from, have, k0, kc)
	} else {
		src := o.data[k0*o.ld+from:]
		switch {
		case have == 4 && width == 4:
			for p := range kc {
				*(*[4]float32)(dst[p*4:]) = *(*[4]float32)(src[p*o.ld:])
			}
		case have == width:
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

// packAlong is pack for lines whose numbers are neighbours: a transposition, by
// blocks as far as there are whole ones.
func (d *Device) packAlong(dst []float32, width int, o operand, from, have, k0, kc int) {
	i, whole := 0, 0
	if width == 4 {
		whole = kc &^ 3
		for ; i+4 <= have && whole > 0; i += 4 {
			d.kernel.transpose4(dst[i:], o.data[(from+i)*o.ld+k0:], o.ld, whole/4)
		}
	} else {
		whole = kc &^ 15
		for ; i+16 <= have && whole > 0; i += 16 {
			d.kernel.transpose16(dst[i:], width, o.data[(from+i)*o.ld+k0:], o.ld, whole/16)
		}
		for ; i+8 <= have && whole > 0; i += 8 {
			d.kernel.transpose8(dst[i:], width, o.data[(from+i)*o.ld+k0:], o.ld, whole/8)
		}
	}
	for l := range have {
		row := o.data[(from+l)*o.ld+k0:]
		first := 0
		if l < i {
			first = whole
		}
		for p := first; p < kc; p++ {
			dst[p*width+l] = row[p]
		}
	}
}

// panels is a packed side of a product: for each depth of k, panel by panel.
type panels struct {
	kn    *kernel
	o     operand
	data  []float32
	width int
	n     int // panels
}

// at is panel i of the depth that begins at k0 and is kc deep.
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
func (d *Device) packAll(buf *[]float32, width int, o operand) panels {
	p := panels{kn: &d.kernel, o: o, width: width, n: (o.lines + width - 1) / width}
	p.data = grow(buf, p.n*width*o.rows(&d.kernel, o.k))
	j := &d.jobs.pack
	*j = packJob{d: d, p: p, o: o, group: max(1, 64/width)}
	d.pool.run((p.n+j.group-1)/j.group, pass*len(p.data), j)
	return p
}

func (j *packJob) do(t int, w *worker) {
	deep := j.o.deep()
	for k0 := 0; k0 < j.o.k; k0 += deep {
		kc := min(deep, j.o.k-k0)
		for i := t * j.group; i < min((t+1)*j.group, j.p.n); i++ {
			j.d.pack(j.p.at(i, k0, kc), j.p.width, j.o, i*j.p.width, k0, kc, w)
		}
	}
}
