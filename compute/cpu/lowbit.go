package cpu

import "math"

// lowbit is one way to multiply lines of small integers, and to find the few
// products that a bound does not exclude. A line's numbers lie in words of four
// bytes, and the words in panels, as floats do in those of a kernel: word p of
// line i of a panel is at p*width+i. See side.
type lowbit struct {
	name             string
	mr, nr           int // rows and columns of the tile; nr is a multiple of 4, 48 at most; mr is 8 at most
	rowBits, colBits int // the most bits that a number of a row, or of a column, may have

	// mul sets a tile to products of k words of a row and of a column:
	//
	//	tile[i*nr+j] = start[i] + Σ_p Σ_byte a[p*mr+i]·b[p*nr+j]   // i < mr, j < nr, p < k
	//
	// The bytes of a row are signed and those of a column unsigned, of as many
	// bits as rowBits and colBits allow; sums wrap around at 32 bits.
	mul func(k int, a, b []float32, start, tile []int32)

	// largest gives the bits of a line's largest magnitude, which are above those
	// of Inf if there is a NaN.
	largest func(line []float32) uint32

	// quantise rounds a line to whole numbers q = line·inv, to nearest and ties to
	// even, and writes them to dst, four in a word and the words stride apart, the
	// last one filled up with zeros. What is written is q + offset, in one byte.
	quantise func(dst []float32, stride int, line []float32, inv, scale float32, offset uint8) lineSums

	// score sets bit i of masks[j] where row j < rows and column i < cols of a
	// tile have a score that is not below cut, and reports whether there are any.
	// Rows of the tile are cols numbers apart, cols is a multiple of nr.
	score func(masks []uint64, tile []int32, rows, cols int, u, a, c, v, b, e []float32, cut float32) bool
}

// lineSums are what quantise adds up of a line x: Σq, Σq², Σx² and
// Σ(x − scale·q)², the latter with a relative error below (n+4)·2^-53.
type lineSums struct {
	sum, squares int32
	norm, rest   float64
}

//go:generate go run lowbit_gen.go

// lowbits lists those that this machine can run, best first.
func lowbits() []lowbit {
	return append(archLowbits(), lowbit{
		name: "go", mr: 4, nr: 8, rowBits: 8, colBits: 8, mul: mulBytes4x8,
		largest: largest, quantise: quantise, score: score,
	})
}

// bestLowbit is the best one for rows of the given number of bits, 8 at most;
// columns get as many or, where that is less, its colBits.
func bestLowbit(bits int) lowbit {
	for _, l := range lowbits() {
		if l.rowBits >= bits {
			return l
		}
	}
	panic("cpu: no product of integers has so many bits")
}

// lowBytes are the low bytes of two words.
const lowBytes = 0xff_000000ff

// mulBytes4x8 adds up two columns at a time, j and j+4, in the halves of 64
// bits: what a negative sum borrows from the upper one it gives back in the end.
func mulBytes4x8(k int, a, b []float32, start, tile []int32) {
	var sum [4][4]uint64
	for i := range sum {
		for j := range sum[i] {
			sum[i][j] = uint64(int64(start[i])) + uint64(start[i])<<32
		}
	}
	for p := range k {
		var y [4][4]uint64
		right := b[p*8 : p*8+8 : p*8+8]
		for j := range y {
			w := uint64(math.Float32bits(right[j])) | uint64(math.Float32bits(right[j+4]))<<32
			y[j] = [4]uint64{w & lowBytes, w >> 8 & lowBytes, w >> 16 & lowBytes, w >> 24 & lowBytes}
		}
		for i, w := range a[p*4:][:4] {
			u := int64(int32(math.Float32bits(w)))
			x0, x1, x2, x3 := uint64(int8(u)), uint64(int8(u>>8)), uint64(int8(u>>16)), uint64(u>>24)
			s := &sum[i]
			s[0] += x0*y[0][0] + x1*y[0][1] + x2*y[0][2] + x3*y[0][3]
			s[1] += x0*y[1][0] + x1*y[1][1] + x2*y[1][2] + x3*y[1][3]
			s[2] += x0*y[2][0] + x1*y[2][1] + x2*y[2][2] + x3*y[2][3]
			s[3] += x0*y[3][0] + x1*y[3][1] + x2*y[3][2] + x3*y[3][3]
		}
	}
	for i := range sum {
		for j, s := range sum[i] {
			lower := int32(s)
			tile[i*8+j] = lower
			tile[i*8+j+4] = int32((s - uint64(int64(lower))) >> 32)
		}
	}
}

func largest(line []float32) (most uint32) {
	for _, x := range line {
		most = max(most, math.Float32bits(x)&^(1<<31))
	}
	return most
}

func quantise(dst []float32, stride int, line []float32, inv, scale float32, offset uint8) lineSums {
	var l lineLanes
	l.add(dst, stride, line, inv, scale, offset)
	return l.total()
}

// lineLanes are lineSums on their way: a number goes to the lane of its place
// modulo 8, so that vectors add up in the same order.
type lineLanes struct {
	norm, rest   [8]float64
	sum, squares int32
}

// add adds a line that begins at a multiple of 8.
func (l *lineLanes) add(dst []float32, stride int, line []float32, inv, scale float32, offset uint8) {
	var word uint32
	for i, x := range line {
		q := int32(math.RoundToEven(float64(float32(x * inv))))
		f := float64(x)
		e := f - float64(float64(scale)*float64(q)) // the product is exact
		l.norm[i%8] += float64(f * f)
		l.rest[i%8] += float64(e * e)
		l.sum += q
		l.squares += q * q
		word |= uint32(uint8(q)+offset) << (i % 4 * 8)
		if i%4 == 3 || i == len(line)-1 {
			dst[i/4*stride] = math.Float32frombits(word)
			word = 0
		}
	}
}

func (l *lineLanes) total() lineSums {
	n, r := &l.norm, &l.rest
	return lineSums{l.sum, l.squares,
		n[0] + n[1] + n[2] + n[3] + n[4] + n[5] + n[6] + n[7],
		r[0] + r[1] + r[2] + r[3] + r[4] + r[5] + r[6] + r[7]}
}

// tiny is the smallest normal number. A score adds it to the product of two
// factors, in place of what may have been lost because the product was smaller.
const tiny = 0x1p-126

// scoreOf is what score compares with the threshold, in the order and with the
// rounding of the vector code. It is above (1 − 6·2^-24)·S − 2^-147, S being the
// exact value, for p, a float32 or an integer, is rounded at most once, u·v once
// and, up to what tiny makes good, downwards, and three more sums and a product
// follow.
func scoreOf(p, u, v, a, b, c, e float32) float32 {
	s := float32(float32(float32(u*v)+tiny) * float32(math.Abs(float64(p))))
	return float32(s+float32(a*b)) + float32(c*e)
}

// scoreCut is what scores are compared with, so that none that is really at
// least thr, which is not negative, is below it, see scoreOf.
func scoreCut(thr float32) float32 {
	if thr < 0x1p-100 {
		return 0
	}
	return thr * (1 - 0x1p-20)
}

func score(masks []uint64, tile []int32, rows, cols int, u, a, c, v, b, e []float32, cut float32) (any bool) {
	for j := range rows {
		var mask uint64
		for i, p := range tile[j*cols:][:cols] {
			if !(scoreOf(float32(p), u[j], v[i], a[j], b[i], c[j], e[i]) < cut) {
				mask |= 1 << i
			}
		}
		masks[j] = mask
		any = any || mask != 0
	}
	return any
}
