//go:build !purego

package cpu

import xcpu "golang.org/x/sys/cpu"

// archKernels are the assembly kernels that this machine can run, best first.
func archKernels() []kernel {
	if xcpu.X86.HasAVX2 && xcpu.X86.HasFMA {
		return []kernel{{"avx2", 4, 24, mul4x24avx2, avx2}}
	}
	return nil
}

//go:noescape
func mul4x24avx2(k int, a, b, c []float32, ldc int, add bool)
