//go:build !purego

package cpu

import xcpu "golang.org/x/sys/cpu"

// archLowbits are the assembly kernels for small integers that this machine can
// run, best first. SDOT's bytes are signed on both sides, so a column's have seven
// bits. Lines are quantised by the portable loops, once for all their products.
func archLowbits() []lowbit {
	if !xcpu.ARM64.HasASIMDDP {
		return nil
	}
	return []lowbit{{
		name: "neondot", mr: 8, nr: 12, rowBits: 8, colBits: 7, mul: mulBytes8x12dot,
		largest: largest, quantise: quantise, score: scoreNEON,
	}}
}

//go:noescape
func mulBytes8x12dot(k int, a, b []float32, start, tile []int32)

//go:noescape
func scoreNEON(masks []uint64, tile []int32, rows, cols int, u, a, c, v, b, e []float32, cut float32) bool
