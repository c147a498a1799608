package cpu

// run is n steps of a sum of products: where the numbers of the first one begin in
// the left and in the right operand.
type run struct{ a, b, n int }

// runKernel is how a kernel multiplies operands that do not lie in panels, but in
// runs of steps that are the same distance apart: those of convolutions.
type runKernel struct {
	mr, nr int // rows and columns of the tile

	// words says that a step is a word of pairs, as in panels of pairs.
	words bool

	// along says that the steps of a row of the left operand are neighbours, as AMX
	// wants them, and not the rows of a step.
	along bool

	// mul sets a tile of c, whose rows are ldc apart, to a sum over runs, or adds it
	// there. It is one chain, from 0, run after run:
	//
	//	c[i*ldc+j] = [add] c[i*ldc+j] + Σ_r Σ_p a[r.a+p*lda+i]·b[r.b+p*ldb+j]   // i < mr, j < nr, p < r.n
	//
	// or, along, of a[r.a+i*lda+p]; then the chain begins with what c has, and of sixteen
	// steps of a run the low halves are summed by themselves and the high ones (see
	// pairs.tiles). Every run has a step or more, and all runs of a call have as many.
	mul func(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool)
}

var (
	portableRuns      = runKernel{mr: 4, nr: 8, mul: runs4x8}
	portableRunsPairs = runKernel{mr: 4, nr: 8, words: true, mul: runsPairs4x8}
)

// left says how far apart in a left operand of so many steps those of a row are, and
// rows; lda, mul's, is one of the two.
func (k *runKernel) left(steps int) (step, row, lda int) {
	if k.along {
		return 1, steps, steps
	}
	return k.mr, 1, k.mr
}

// runs4x8 is runKernel.mul, two rows and two columns at a time as mul4x8.
func runs4x8(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool) {
	for i := 0; i < 4; i += 2 {
		for j := 0; j < 8; j += 2 {
			var s0, s1, s2, s3 float32
			for _, r := range runs {
				at, bt := r.a+i, r.b+j
				for range r.n {
					x, y := (*[2]float32)(a[at:]), (*[2]float32)(b[bt:])
					s0 += float32(x[0] * y[0])
					s1 += float32(x[0] * y[1])
					s2 += float32(x[1] * y[0])
					s3 += float32(x[1] * y[1])
					at += lda
					bt += ldb
				}
			}
			top, bottom := (*[2]float32)(c[i*ldc+j:]), (*[2]float32)(c[(i+1)*ldc+j:])
			if add {
				s0, s1, s2, s3 = s0+top[0], s1+top[1], s2+bottom[0], s3+bottom[1]
			}
			top[0], top[1], bottom[0], bottom[1] = s0, s1, s2, s3
		}
	}
}

// runsPairs4x8 is runKernel.mul of words.
func runsPairs4x8(runs []run, a, b []float32, lda, ldb int, c []float32, ldc int, add bool) {
	var sum [4][8]float32
	for _, r := range runs {
		for p := range r.n {
			addPairs4x8(&sum, a[r.a+p*lda:], b[r.b+p*ldb:])
		}
	}
	storePairs4x8(&sum, c, ldc, add)
}
