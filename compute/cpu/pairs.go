package cpu

import "math"

// pairs are how panels of bfloat16 are filled. A word of such a panel holds two
// steps of k, the even one in its low half, so that a panel has half as many
// rows; where k is odd, the last high halves are 0.
type pairs struct {
	// join makes words of the numbers of two rows. src's rows are lds apart,
	// dst's ldd:
	//
	//	dst[p*ldd+i] = src[2p*lds+i], src[(2p+1)*lds+i]   // i < width, p < n
	join func(dst []float32, ldd int, src []float32, lds, width, n int)

	// halve makes words of neighbours in lines of n numbers. src's lines are lds
	// apart, dst's ldd:
	//
	//	dst[l*ldd+p] = src[l*lds+2p], src[l*lds+2p+1]   // l < lines, p < ⌈n/2⌉, with 0 past n
	halve func(dst []float32, ldd int, src []float32, lds, lines, n int)

	// across joins two rows for the right panels of tiles, which lie apart numbers apart:
	//
	//	dst[i*apart+j] = src[i*nr+j], src[lds+i*nr+j]   // j < nr, i < panels
	across func(dst []float32, apart int, src []float32, lds, panels int)

	// together says that a word's two products are added to each other first, and
	// not one after the other to the sum, the high ones first.
	together bool

	// unit is what the rows of a panel are a multiple of; those that there is no k
	// for are 0.
	unit int

	// tiles says that the products are AMX's: of 32 steps of k the even ones are summed
	// by themselves and the odd ones, and then all is added to the sum. So chains are as
	// long as a tile, and of sixteen rows of a left panel the words of one line are
	// neighbours: lines whose numbers are neighbours are packed as they are.
	tiles bool

	// arrange lays a panel of whole units out as mul wants it, in place. Nil where
	// that is how it is packed: a[p*mr+i], b[p*nr+j].
	arrange func(panel []float32, e edge, rows int)
}

// rows is n rows rounded up to whole units.
func (p *pairs) rows(n int) int { return (n + p.unit - 1) / p.unit * p.unit }

// finish lays a packed panel out as the kernel wants it.
func (kn *kernel) finish(panel []float32, e edge, rows int) {
	if kn.pairs != nil && kn.pairs.arrange != nil {
		kn.pairs.arrange(panel[:rows*kn.width(e)], e, rows)
	}
}

//go:generate go run bfloat16_gen.go

var portablePairs = pairs{join: join, halve: halve, unit: 1}

// pair is the word of lo and hi, rounded to bfloat16 as AVX512_BF16 does it: to
// nearest with ties to even, what is too small for a normal float32 to 0. NaN
// stays NaN.
func pair(lo, hi float32) float32 {
	return math.Float32frombits(half(lo) | half(hi)<<16)
}

// half is x as bfloat16.
func half(x float32) uint32 {
	b := math.Float32bits(x)
	switch b >> 23 & 0xff {
	case 0:
		b &= 1 << 31
	case 0xff:
		if b<<9 != 0 {
			b |= 1 << 22
		}
	default:
		b += 0x7fff + b>>16&1
	}
	return b >> 16
}

// unpair is the numbers of a word.
func unpair(x float32) (lo, hi float32) {
	b := math.Float32bits(x)
	return math.Float32frombits(b << 16), math.Float32frombits(b &^ 0xffff)
}

func join(dst []float32, ldd int, src []float32, lds, width, n int) {
	for p := range n {
		lo, hi := src[2*p*lds:][:width], src[(2*p+1)*lds:][:width]
		for i, x := range lo {
			dst[p*ldd+i] = pair(x, hi[i])
		}
	}
}

func halve(dst []float32, ldd int, src []float32, lds, lines, n int) {
	for l := range lines {
		from, to := src[l*lds:][:n], dst[l*ldd:][:(n+1)/2]
		for p := range n / 2 {
			to[p] = pair(from[2*p], from[2*p+1])
		}
		if n%2 == 1 {
			to[n/2] = pair(from[n-1], 0)
		}
	}
}

// mulPairs4x8 is kernel.mul for panels of pairs, with the sums in the order of
// VDPBF16PS. A product of two bfloat16 is exact in float32.
func mulPairs4x8(k int, a, b, c []float32, ldc int, add bool) {
	var sum [4][8]float32
	for p := range k {
		addPairs4x8(&sum, a[p*4:], b[p*8:])
	}
	storePairs4x8(&sum, c, ldc, add)
}

// addPairs4x8 adds the products of a step's words.
func addPairs4x8(sum *[4][8]float32, a, b []float32) {
	var lo, hi [8]float32
	for j, y := range b[:8] {
		lo[j], hi[j] = unpair(y)
	}
	for i, x := range a[:4] {
		xlo, xhi := unpair(x)
		s := &sum[i]
		for j := range s {
			s[j] += float32(xhi * hi[j])
			s[j] += float32(xlo * lo[j])
		}
	}
}

// storePairs4x8 sets a tile of c to sum, or adds sum there.
func storePairs4x8(sum *[4][8]float32, c []float32, ldc int, add bool) {
	for i := range sum {
		row := c[i*ldc : i*ldc+8]
		for j, v := range sum[i] {
			if add {
				v += row[j]
			}
			row[j] = v
		}
	}
}

// packPairs is pack for panels of pairs. It reads the operand itself where its
// lines are neighbours.
func (d *Device) packPairs(dst []float32, width int, o operand, from, have, k0, kc int, w *worker) {
	if o.kMajor {
		d.packPairsKMajor(dst, width, o, from, have, k0, kc, w)
		return
	}
	src := o.data[k0*o.ld+from:]
	d.kernel.pairs.join(dst, width, src, o.ld, have, kc/2)
	if kc%2 == 1 {
		wide := grow(&w.wide, 2*have)
		copy(wide, src[(kc-1)*o.ld:][:have])
		clear(wide[have:])
		d.kernel.pairs.join(dst[kc/2*width:], width, wide, have, have, 1)
	}
}

// packAcross packs right panels of n lines of o, whose numbers of one k are neighbours,
// for whole tiles of k, one row of all panels after the other: memory is read as it lies.
func (d *Device) packAcross(dst []float32, o operand, from, n, k0, kc int, w *worker) {
	kn := &d.kernel
	width, rows := kn.nr, kn.rows(kc)
	whole := n / width * width
	for p := range rows {
		kn.pairs.across(dst[p*width:], rows*width, o.data[(k0+2*p)*o.ld+from:], o.ld, whole/width)
	}
	if whole < n {
		d.pack(dst[whole*rows:], rightEdge, o, from+whole, k0, kc, w)
	}
}

// packPairsKMajor makes pairs of the numbers of sixteen lines at a time, and then
// transposes words.
func (d *Device) packPairsKMajor(dst []float32, width int, o operand, from, have, k0, kc int, w *worker) {
	rows := (kc + 1) / 2
	wide := grow(&w.wide, 16*rows)
	for i := 0; i < have; i += 16 {
		some := min(16, have-i)
		d.kernel.pairs.halve(wide, rows, o.data[(from+i)*o.ld+k0:], o.ld, some, kc)
		d.packKMajor(dst[i:], width, operand{data: wide, ld: rows}, 0, some, 0, rows)
	}
}
