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
		if x.HasAVX512BF16 {
			list = append(list, kernel{"avx512bf16", 8, 48, mul8x48avx512bf16, &pairs{joinAVX512BF16, halveAVX512BF16},
				peak{peakAVX512BF16, 24 * 16 * 4}, avx512})
		}
		list = append(list, kernel{"avx512", 8, 48, mul8x48avx512, nil, peak{peakAVX512, 24 * 16 * 2}, avx512})
	}
	return append(list, kernel{"avx2", 4, 24, mul4x24avx2, nil, peak{peakAVX2, 12 * 8 * 2}, avx2})
}

//go:noescape
func mul4x24avx2(k int, a, b, c []float32, ldc int, add bool)

//go:noescape
func mul8x48avx512(k int, a, b, c []float32, ldc int, add bool)

//go:noescape
func mul8x48avx512bf16(k int, a, b, c []float32, ldc int, add bool)

//go:noescape
func joinAVX512BF16(dst []float32, ldd int, src []float32, lds, width, n int)

//go:noescape
func halveAVX512BF16(dst []float32, ldd int, src []float32, lds, lines, n int)

//go:noescape
func peakAVX2(rounds int)

//go:noescape
func peakAVX512(rounds int)

//go:noescape
func peakAVX512BF16(rounds int)
