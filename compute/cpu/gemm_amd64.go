//go:build !purego

package cpu

import xcpu "golang.org/x/sys/cpu"

// archKernels are the assembly kernels that this machine can run, best first.
func archKernels() []kernel {
	if xcpu.X86.HasAVX2 && xcpu.X86.HasFMA {
		return []kernel{{"avx2", 4, 24, mul4x24avx2, transpose8avx2, transpose4avx2, moveRunsAVX, moveTapsAVX}}
	}
	return nil
}

//go:noescape
func mul4x24avx2(k int, a, b, c []float32, ldc int)

//go:noescape
func transpose8avx2(dst []float32, ldd int, src []float32, lds, n int)

//go:noescape
func transpose4avx2(dst, src []float32, lds, n int)

//go:noescape
func moveRunsAVX(dst, src []float32, runs []run)

//go:noescape
func moveTapsAVX(dst []float32, stride int, src []float32, taps []int, n int)
