//go:build !purego

package cpu

import (
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
	avx2 := lowbit{largest: largestAVX2, quantise: quantiseAVX2, score: scoreAVX2}
	add := func(l lowbit, name string, mr, nr, rowBits, colBits int, mul func(k int, a, b []float32, start, tile []int32)) {
		l.name, l.mr, l.nr, l.rowBits, l.colBits, l.mul = name, mr, nr, rowBits, colBits, mul
		list = append(list, l)
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512VNNI {
		avx512 := avx2
		avx512.score = scoreAVX512
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
