package cpu

// A weight gradient is a sum over the batch. It is taken in chains: example n
// belongs to chain n mod 16, a chain is summed from its first example to its
// last, and the sixteen sums are added from the first to the last. So the
// gradient of a single weight, which a sparse layer needs, is a loop over whole
// vectors, and gives the bits of the dense product.
const chains = 16

// chain is how many rows of a panel a chain of a batch of n takes. Panels of
// pairs hold examples 32m + l and 32m + 16 + l in word m of chain l.
func (kn *kernel) chain(n int) int {
	if kn.pairs != nil {
		return kn.pairs.rows((n + 2*chains - 1) / (2 * chains))
	}
	return (n + chains - 1) / chains
}

// part is how many examples of a batch of n are summed in chains before the next ones
// follow: all, but for a kernel whose chains have a fixed length.
func (kn *kernel) part(n int) int {
	if kn.tiles() {
		return 2 * chains * kn.pairs.unit
	}
	return max(1, n)
}

// packChains is pack for the whole batch of an operand that is summed in chains, one
// part of the batch after the other.
func (d *Device) packChains(dst []float32, e edge, o operand, from, have int, w *worker) {
	kn := &d.kernel
	width, part := kn.width(e), kn.part(o.k)
	for n := 0; n < o.k; n += part {
		p := o
		p.k = min(part, o.k-n)
		if o.kMajor {
			p.data = o.data[n:]
		} else {
			p.data = o.data[n*o.ld:]
		}
		if e == leftEdge && o.kMajor && kn.tiles() {
			d.chainPairsApart(dst, width, p, from, have, w)
		} else {
			d.packPart(dst, width, p, from, have, w)
			kn.finish(dst, e, chains*kn.chain(p.k))
		}
		dst = dst[min(len(dst), chains*kn.chain(part)*width):]
	}
}

// chainPairsApart lays out lines whose numbers are neighbours into panels that want
// them so: of each chain the words of one line after the other.
func (d *Device) chainPairsApart(dst []float32, width int, o operand, from, have int, w *worker) {
	line := grow(&w.numbers, chains*chains)
	for i := range have {
		d.line(line, o.data[(from+i)*o.ld:][:o.k], w)
		d.kernel.transpose16(dst[i*chains:], chains*width, line, chains, 1)
	}
}

// packPart lays out a part of the batch chain by chain, each filled up with zeros.
func (d *Device) packPart(dst []float32, width int, o operand, from, have int, w *worker) {
	long := d.kernel.chain(o.k)
	whole := o.k / chains // examples of each chain that are in vectors of sixteen
	if d.kernel.pairs != nil {
		whole = o.k / (2 * chains)
	}
	if long > whole {
		for l := range chains {
			clear(dst[(l*long+whole)*width : (l+1)*long*width])
		}
		d.packRest(dst, width, o, from, have, whole, long)
	}
	switch {
	case whole == 0:
	case o.kMajor && d.kernel.pairs != nil:
		d.chainPairsAlong(dst, width, o, from, have, whole, long, w)
	case o.kMajor:
		d.chainAlong(dst, width, o, from, have, whole, long)
	default:
		for l := range chains {
			src, to := o.data[l*o.ld+from:], dst[l*long*width:]
			switch {
			case d.kernel.pairs != nil:
				d.kernel.pairs.join(to, width, src, chains*o.ld, have, whole)
			case have == width && width%4 == 0:
				d.kernel.moveRows(to, width, src, chains*o.ld, whole)
			default:
				for m := range whole {
					copy(to[m*width:m*width+have], src[m*chains*o.ld:])
				}
			}
		}
	}
	if d.bf16 && d.kernel.pairs == nil {
		d.kernel.round(dst[:chains*long*width])
	}
}

// chainAlong lays out lines whose numbers are neighbours.
func (d *Device) chainAlong(dst []float32, width int, o operand, from, have, whole, long int) {
	i := 0
	lines := func(n int, transpose func(dst []float32, ldd int, src []float32, lds, n int)) {
		for ; i+n <= have; i += n {
			for m := range whole {
				transpose(dst[m*width+i:], long*width, o.data[(from+i)*o.ld+m*chains:], o.ld, chains/n)
			}
		}
	}
	lines(16, d.kernel.transpose16)
	lines(8, d.kernel.transpose8)
	lines(4, d.kernel.transpose4)
	for ; i < have; i++ {
		line := o.data[(from+i)*o.ld:]
		for m := range whole {
			for l := range chains {
				dst[(l*long+m)*width+i] = line[m*chains+l]
			}
		}
	}
}

// chainPairsAlong is chainAlong for panels of pairs.
func (d *Device) chainPairsAlong(dst []float32, width int, o operand, from, have, whole, long int, w *worker) {
	words := chains * whole
	wide := grow(&w.wide, 16*words)
	for i := 0; i < have; i += 16 {
		some := min(16, have-i)
		for l := range some {
			d.kernel.pairs.join(wide[l*words:], chains, o.data[(from+i+l)*o.ld:], chains, chains, whole)
		}
		d.chainAlong(dst[i:], width, operand{data: wide, ld: words}, 0, some, whole, long)
	}
}

// packRest lays out the examples past the whole vectors, which are too few to
// need speed.
func (d *Device) packRest(dst []float32, width int, o operand, from, have, whole, long int) {
	at := func(n, i int) float32 {
		switch {
		case n >= o.k:
			return 0
		case o.kMajor:
			return o.data[(from+i)*o.ld+n]
		}
		return o.data[n*o.ld+from+i]
	}
	for l := range chains {
		for i := range have {
			if d.kernel.pairs != nil {
				dst[(l*long+whole)*width+i] = pair(at(whole*2*chains+l, i), at(whole*2*chains+chains+l, i))
			} else {
				dst[(l*long+whole)*width+i] = at(whole*chains+l, i)
			}
		}
	}
}
