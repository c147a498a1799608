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
		list = append(list, kernel{"avx512", 8, 48, mul8x48avx512, avx2})
	}
	return append(list, kernel{"avx2", 4, 24, mul4x24avx2, avx2})
}

//go:noescape
func mul4x24avx2(k int, a, b, c []float32, ldc int, add bool)

//go:noescape
func mul8x48avx512(k int, a, b, c []float32, ldc int, add bool)
