package cpu

// kernel is one way to multiply packed panels.
type kernel struct {
	name   string
	mr, nr int // rows and columns of the tile; nr is a multiple of 8 or mr and nr are 4

	// mul adds a product of panels to a tile of c whose rows are ldc apart:
	//
	//	c[i*ldc+j] += Σ_p a[p*mr+i]·b[p*nr+j]   // i < mr, j < nr, p < k
	mul func(k int, a, b, c []float32, ldc int)

	// transpose8 lays eight rows of 8n numbers, lds apart, into columns:
	//
	//	dst[j*ldd+i] = src[i*lds+j]   // i < 8, j < 8n
	transpose8 func(dst []float32, ldd int, src []float32, lds, n int)

	// transpose4 is the same for four rows of 4n numbers, with ldd = 4.
	transpose4 func(dst, src []float32, lds, n int)

	// moveRuns copies runWidth numbers for each run:
	//
	//	dst[r.to+i] = src[r.at+i]   // i < runWidth, for r in runs in order
	moveRuns func(dst, src []float32, runs []run)

	// moveTaps copies 8n neighbours for each tap:
	//
	//	dst[p*stride+i] = src[taps[p]+i]   // i < 8n
	moveTaps func(dst []float32, stride int, src []float32, taps []int, n int)
}

// kernels lists those that this machine can run, best first. The last is
// portable Go and is always there.
func kernels() []kernel {
	return append(archKernels(), kernel{"go", 4, 8, mul4x8, transpose8, transpose4, moveRuns, moveTaps})
}

func mul4x8(k int, a, b, c []float32, ldc int) {
	for half := 0; half < 8; half += 4 {
		var s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33 float32
		for p := range k {
			x := a[p*4 : p*4+4 : p*4+4]
			y := b[p*8+half : p*8+half+4 : p*8+half+4]
			s00 += float32(x[0] * y[0])
			s01 += float32(x[0] * y[1])
			s02 += float32(x[0] * y[2])
			s03 += float32(x[0] * y[3])
			s10 += float32(x[1] * y[0])
			s11 += float32(x[1] * y[1])
			s12 += float32(x[1] * y[2])
			s13 += float32(x[1] * y[3])
			s20 += float32(x[2] * y[0])
			s21 += float32(x[2] * y[1])
			s22 += float32(x[2] * y[2])
			s23 += float32(x[2] * y[3])
			s30 += float32(x[3] * y[0])
			s31 += float32(x[3] * y[1])
			s32 += float32(x[3] * y[2])
			s33 += float32(x[3] * y[3])
		}
		for i, s := range [4][4]float32{{s00, s01, s02, s03}, {s10, s11, s12, s13}, {s20, s21, s22, s23}, {s30, s31, s32, s33}} {
			row := c[i*ldc+half : i*ldc+half+4]
			for j := range row {
				row[j] += s[j]
			}
		}
	}
}

func transpose8(dst []float32, ldd int, src []float32, lds, n int) {
	for j := range 8 * n {
		for i := range 8 {
			dst[j*ldd+i] = src[i*lds+j]
		}
	}
}

func transpose4(dst, src []float32, lds, n int) {
	for j := range 4 * n {
		for i := range 4 {
			dst[j*4+i] = src[i*lds+j]
		}
	}
}

func moveRuns(dst, src []float32, runs []run) {
	for _, r := range runs {
		copy(dst[r.to:r.to+runWidth], src[r.at:])
	}
}

func moveTaps(dst []float32, stride int, src []float32, taps []int, n int) {
	for p, t := range taps {
		copy(dst[p*stride:p*stride+8*n], src[t:])
	}
}
