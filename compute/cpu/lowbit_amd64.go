//go:build !purego

package cpu

import (
	"math/bits"

	xcpu "golang.org/x/sys/cpu"
)

// archLowbits are the assembly kernels for small integers that this machine can
// run, best first. In AVX2 the sum of two products must fit into 16 bits, and
// for the fast kernel that of sixteen.
func archLowbits() []lowbit {
	var list []lowbit
	x := &xcpu.X86
	if !x.HasAVX2 || !x.HasFMA {
		return nil
	}
	avx2 := lowbit{largest: largestAVX2, quantise: quantiseAVX2, score: scoreAVX2, exceeding: exceedingAVX2}
	add := func(l lowbit, name string, mr, nr, rowBits, colBits int, mul func(k int, a, b []float32, start, tile []int32)) {
		l.name, l.mr, l.nr, l.rowBits, l.colBits, l.mul = name, mr, nr, rowBits, colBits, mul
		list = append(list, l)
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512VNNI {
		avx512 := avx2
		avx512.score, avx512.exceeding = scoreAVX512, exceedingAVX512
		add(avx512, "avx512vnni", 8, 48, 8, 8, mulBytes8x48avx512vnni)
	}
	if x.HasAVXVNNI {
		add(avx2, "avxvnni", 4, 24, 8, 8, mulBytes4x24avxvnni)
	}
	add(avx2, "avx2", 4, 16, 6, 6, mulBytes4x16avx2)
	add(avx2, "avx2wide", 4, 16, 8, 7, mulBytes4x16avx2wide)
	return list
}

func largestAVX2(line []float32) uint32 {
	n := len(line) &^ 7
	return max(largestVectors(line[:n]), largest(line[n:]))
}

func quantiseAVX2(dst []float32, stride int, line []float32, inv, scale float32, offset uint8) lineSums {
	var l lineLanes
	n := len(line) &^ 7
	quantiseVectors(dst, stride, line[:n], inv, scale, offset, &l)
	if n < len(line) {
		l.add(dst[n/4*stride:], stride, line[n:], inv, scale, offset)
	}
	return l.total()
}

// chunkScores is how many scores have their bits in eight words.
const chunkScores = 512

func exceedingAVX2(dst []int32, p, v, b, e []float32, u, a, c, thr float32) []int32 {
	cut, whole := scoreCut(thr), len(p)&^7
	var masks [chunkScores / 64]uint64
	for i := 0; i < whole; i += chunkScores {
		n := min(chunkScores, whole-i)
		if scoreRowAVX2(&masks, p[i:i+n], v[i:i+n], b[i:i+n], e[i:i+n], u, a, c, cut) {
			dst = appendBits(dst, i, n, &masks)
		}
	}
	return exceedingFrom(dst, whole, p, v, b, e, u, a, c, cut)
}

func exceedingAVX512(dst []int32, p, v, b, e []float32, u, a, c, thr float32) []int32 {
	cut, whole := scoreCut(thr), len(p)&^15
	var masks [chunkScores / 64]uint64
	for i := 0; i < whole; i += chunkScores {
		n := min(chunkScores, whole-i)
		if scoreRowAVX512(&masks, p[i:i+n], v[i:i+n], b[i:i+n], e[i:i+n], u, a, c, cut) {
			dst = appendBits(dst, i, n, &masks)
		}
	}
	return exceedingFrom(dst, whole, p, v, b, e, u, a, c, cut)
}

// appendBits appends first + i for each bit i that is set, of the first n.
func appendBits(dst []int32, first, n int, masks *[chunkScores / 64]uint64) []int32 {
	for w := 0; w < n; w += 64 {
		mask := masks[w/64]
		if n-w < 64 {
			mask &= 1<<(n-w) - 1
		}
		for ; mask != 0; mask &= mask - 1 {
			dst = append(dst, int32(first+w+bits.TrailingZeros64(mask)))
		}
	}
	return dst
}

//go:noescape
func mulBytes8x48avx512vnni(k int, a, b []float32, start, tile []int32)

//go:noescape
func mulBytes4x24avxvnni(k int, a, b []float32, start, tile []int32)

//go:noescape
func mulBytes4x16avx2(k int, a, b []float32, start, tile []int32)

//go:noescape
func mulBytes4x16avx2wide(k int, a, b []float32, start, tile []int32)

//go:noescape
func largestVectors(line []float32) uint32

// quantiseVectors adds a line of whole vectors of eight to l, which is zero.
//
//go:noescape
func quantiseVectors(dst []float32, stride int, line []float32, inv, scale float32, offset uint8, l *lineLanes)

//go:noescape
func scoreAVX2(masks []uint64, tile []int32, rows, cols int, u, a, c, v, b, e []float32, cut float32) bool

//go:noescape
func scoreAVX512(masks []uint64, tile []int32, rows, cols int, u, a, c, v, b, e []float32, cut float32) bool

// scoreRowAVX2 sets the bits of a row of whole vectors of eight numbers, 512 at most.
//
//go:noescape
func scoreRowAVX2(masks *[chunkScores / 64]uint64, p, v, b, e []float32, u, a, c, cut float32) bool

// scoreRowAVX512 does the same for vectors of sixteen.
//
//go:noescape
func scoreRowAVX512(masks *[chunkScores / 64]uint64, p, v, b, e []float32, u, a, c, cut float32) bool
