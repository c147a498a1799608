//go:build !purego

package cpu

import xcpu "golang.org/x/sys/cpu"

// archKernels are the assembly kernels that this machine can run, best first.
func archKernels() []kernel {
	var list []kernel
	x := &xcpu.X86
	if !x.HasAVX2 || !x.HasFMA {
		return nil
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL {
		if x.HasAVX512BF16 && hasAMX() {
			list = append(list, kernel{
				name: "amx", mr: 32, nr: 32, mul: mul32x32amx, muls: mulsAMX, deep: 256, wide: 512,
				pairs:  &pairs{join: joinAVX512BF16, halve: halveAVX512BF16, across: joinAcrossAVX512BF16, unit: 16, tiles: true, arrange: arrangeAMX},
				runs:   runKernel{mr: 16, nr: 48, words: true, along: true, mul: runs16x48amx},
				sparse: sparseKernel{gather: gatherAMX, more: gatherMoreAMX, dots: inGroups(8, dotsAMX), square: addSquares, split: splitPairsAVX512},
				chains: func(k int, a, b, c []float32, ldc int) { mul32x32amx(chains*k, a, b, c, ldc, false) },
				peak:   peak{run: peakAMX, ops: 4 * 16 * 16 * 32 * 2},
				passes: avx512,
			})
		}
		if x.HasAVX512BF16 {
			list = append(list, kernel{
				name: "avx512bf16", mr: 8, nr: 48, mul: mul8x48avx512bf16, chains: chains8x48avx512bf16,
				pairs:  &pairs{join: joinAVX512BF16, halve: halveAVX512BF16, unit: 1},
				runs:   runKernel{mr: 8, nr: 48, words: true, mul: runs8x48avx512bf16},
				sparse: sparseKernel{gather: gatherPairsAVX512, dots: inGroups(8, dotsPairsAVX512), square: addSquares, split: splitPairsAVX512},
				peak:   peak{run: peakAVX512BF16, ops: 24 * 16 * 4},
				slow:   maker() == "GenuineIntel", // VDPBF16PS every other cycle; see bench/2026-11-26-xeon
				passes: avx512,
			})
		}
		list = append(list, kernel{
			name: "avx512", mr: 8, nr: 48, mul: mul8x48avx512, chains: chains8x48avx512,
			runs:   runKernel{mr: 8, nr: 48, mul: runs8x48avx512},
			sparse: sparseKernel{gather: gatherAVX512, dots: inGroups(8, dotsAVX512)},
			peak:   peak{run: peakAVX512, ops: 24 * 16 * 2},
			passes: avx512,
		})
	}
	return append(list, kernel{
		name: "avx2", mr: 4, nr: 24, mul: mul4x24avx2, chains: chains4x24avx2,
		runs:   runKernel{mr: 4, nr: 24, mul: runs4x24avx2},
		sparse: sparseKernel{gather: gatherAVX2, dots: inGroups(8, dotsAVX2)},
		peak:   peak{run: peakAVX2, ops: 12 * 8 * 2},
		passes: avx2,
	})
}

// maker is the processor's, as CPUID spells it.
func maker() string {
	var name [12]byte
	cpuidMaker(&name)
	return string(name[:])
}

//go:noescape
func cpuidMaker(name *[12]byte)

// addSquares is sparseKernel.square of squaresPairsAVX512.
func addSquares(line []float32) (sum float64) {
	var lanes [16]float32
	squaresPairsAVX512(&lanes, line)
	for _, v := range lanes {
		sum += float64(v)
	}
	return sum
}

//go:noescape
func splitPairsAVX512(lo, hi, line []float32)

//go:noescape
func squaresPairsAVX512(lanes *[16]float32, line []float32)

// arrangeAMX lays left panels out as TDPBF16PS takes them: of sixteen rows of words
// the sixteen of one line after the other.
func arrangeAMX(panel []float32, e edge, rows int) {
	if e == rightEdge {
		return
	}
	var words [16 * 32]float32
	for ; rows > 0; rows -= 16 {
		copy(words[:], panel)
		transpose16avx512(panel, 16, words[:], 32, 2)
		panel = panel[len(words):]
	}
}

// mul32x32amx is kernel.mul.
func mul32x32amx(k int, a, b, c []float32, ldc int, add bool) {
	mulsAMX(1, 1, k, a, 0, b, 0, c, ldc, add, b)
}

//go:noescape
func mulsAMX(n, m, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool, next []float32)

//go:noescape
func runs16x48amx(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)

//go:noescape
func peakAMX(rounds int)

//go:noescape
func gatherAVX512(y, data []float32, ld int, idx []int32, vals []float32)

//go:noescape
func gatherPairsAVX512(y, data []float32, ld int, idx []int32, vals []float32)

func gatherAMX(y, data []float32, ld int, idx []int32, vals []float32) {
	gatherTiles16(y, data, ld, idx, vals, false)
}

func gatherMoreAMX(y, data []float32, ld int, idx []int32, vals []float32) {
	gatherTiles16(y, data, ld, idx, vals, true)
}

//go:noescape
func gatherTiles16(y, data []float32, ld int, idx []int32, vals []float32, add bool)

//go:noescape
func dotsAMX(g, dy, data []float32, ld int, idx []int32)

//go:noescape
func gatherAVX2(y, data []float32, ld int, idx []int32, vals []float32)

//go:noescape
func dotsAVX512(g, dy, data []float32, ld int, idx []int32)

//go:noescape
func dotsPairsAVX512(g, dy, data []float32, ld int, idx []int32)

//go:noescape
func dotsAVX2(g, dy, data []float32, ld int, idx []int32)

//go:noescape
func chains4x24avx2(k int, a, b, c []float32, ldc int)

//go:noescape
func chains8x48avx512(k int, a, b, c []float32, ldc int)

//go:noescape
func chains8x48avx512bf16(k int, a, b, c []float32, ldc int)

//go:noescape
func mul4x24avx2(k int, a, b, c []float32, ldc int, add bool)

//go:noescape
func mul8x48avx512(k int, a, b, c []float32, ldc int, add bool)

//go:noescape
func mul8x48avx512bf16(k int, a, b, c []float32, ldc int, add bool)

//go:noescape
func joinAVX512BF16(dst []float32, ldd int, src []float32, lds, width, n int)

//go:noescape
func joinAcrossAVX512BF16(dst []float32, apart int, src []float32, lds, panels int)

//go:noescape
func halveAVX512BF16(dst []float32, ldd int, src []float32, lds, lines, n int)

//go:noescape
func peakAVX2(rounds int)

//go:noescape
func peakAVX512(rounds int)

//go:noescape
func peakAVX512BF16(rounds int)

//go:noescape
func runs4x24avx2(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)

//go:noescape
func runs8x48avx512(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)

//go:noescape
func runs8x48avx512bf16(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)
