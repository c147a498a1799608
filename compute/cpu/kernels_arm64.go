//go:build !purego

package cpu

// archKernels are the assembly kernels that this machine can run, best first. Every
// arm64 has NEON.
func archKernels() []kernel {
	var list []kernel
	if hasBF16() {
		list = append(list, kernel{
			name: "neonbf16", mr: 8, nr: 12, mul: mul8x12bf16, chains: oneByOne(8, 12, mul8x12bf16),
			pairs:  &pairs{join: joinInFours(joinBF16), halve: halveInEights(halveBF16), together: true, unit: 2, arrange: zipPairs},
			runs:   runKernel{mr: 8, nr: 12, mul: runs8x12neon},
			sparse: sparseKernel{gather: gatherBF16, dots: inGroups(4, dotsBF16), square: squarePairs, split: splitPairs},
			peak:   peak{run: peakBF16, ops: 24 * 16 * 2},
			passes: neon,
		})
	}
	return append(list, kernel{
		name: "neon", mr: 8, nr: 12, mul: mul8x12neon, chains: oneByOne(8, 12, mul8x12neon),
		runs:   runKernel{mr: 8, nr: 12, mul: runs8x12neon},
		sparse: sparseKernel{gather: gatherNEON, dots: inGroups(4, dotsNEON)},
		peak:   peak{run: peakNEON, ops: 24 * 4 * 2},
		passes: neon,
	})
}

// zipPairs lays a panel of an even number of rows out for BFMMLA, which takes two
// lines of four steps of k each.
func zipPairs(panel []float32, e edge, rows int) {
	if e == leftEdge {
		zipPairs8(panel, rows)
	} else {
		zipPairs12(panel, rows)
	}
}

//go:noescape
func mul8x12neon(k int, a, b, c []float32, ldc int, add bool)

//go:noescape
func mul8x12bf16(k int, a, b, c []float32, ldc int, add bool)

//go:noescape
func joinBF16(dst []float32, ldd int, src []float32, lds, width, n int)

//go:noescape
func halveBF16(dst []float32, ldd int, src []float32, lds, lines, n int)

//go:noescape
func zipPairs8(panel []float32, rows int)

//go:noescape
func zipPairs12(panel []float32, rows int)

//go:noescape
func gatherNEON(y, data []float32, ld int, idx []int32, vals []float32)

//go:noescape
func gatherBF16(y, data []float32, ld int, idx []int32, vals []float32)

//go:noescape
func dotsNEON(g, dy, data []float32, ld int, idx []int32)

//go:noescape
func dotsBF16(g, dy, data []float32, ld int, idx []int32)

//go:noescape
func peakNEON(rounds int)

//go:noescape
func peakBF16(rounds int)

//go:noescape
func runs8x12neon(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)
