package cpu

import "slices"

// kernel is one way to multiply packed panels, and the passes that go with it.
type kernel struct {
	name   string
	mr, nr int // rows and columns of the tile: any; packing is fastest for multiples of 16, 8 and 4

	// mul sets a tile of c, whose rows are ldc apart, to a product of panels, or
	// adds it there:
	//
	//	c[i*ldc+j] = [add] c[i*ldc+j] + Σ_p a[p*mr+i]·b[p*nr+j]   // i < mr, j < nr, p < k
	//
	// Panels of pairs have k rows of words instead, and each of their two halves
	// is multiplied and added in float32, in an order of the kernel's own: see pairs.
	// The instructions for bfloat16 make a sum 0 that is too small for a normal
	// float32.
	mul func(k int, a, b, c []float32, ldc int, add bool)

	// muls is mul for n by m tiles of c, whose panels are lda and ldb numbers apart.
	// Meanwhile it brings next into the cache, 32 numbers for sixteen rows of each tile.
	// Nil: one at a time.
	muls func(n, m, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int, add bool, next []float32)

	deep int // steps of k of a panel; 0: maxKC, in which products are summed
	wide int // columns of a block of the destination, if more than maxNC

	// chains sets a tile of c to a product of panels that are chains of k rows
	// each, one after the other: the first one's product, then the next one's
	// added, and so on.
	chains func(k int, a, b, c []float32, ldc int)

	// pairs is nil for panels of float32.
	pairs *pairs

	// slow says that this machine multiplies float32 faster.
	slow bool

	runs runKernel // for convolutions

	sparse sparseKernel

	peak peak

	passes
}

// kernels lists those that this machine can run with float32 or bfloat16
// operands, best first. Those for bfloat16 that have panels of float32 round
// what is in them. The portable ones are always there.
func kernels(bf16 bool) []kernel {
	list := append(archKernels(),
		kernel{
			name: "go", mr: 4, nr: 8, mul: mul4x8, chains: oneByOne(4, 8, mul4x8),
			runs: portableRuns, sparse: portableSparse, peak: portablePeak, passes: portable,
		},
		kernel{
			name: "gobf16", mr: 4, nr: 8, mul: mulPairs4x8, chains: oneByOne(4, 8, mulPairs4x8),
			pairs: &portablePairs, runs: portableRunsPairs, sparse: portableSparsePairs, peak: portablePeak, passes: portable,
		}, goTiles)
	for i := range list {
		if list[i].deep == 0 {
			list[i].deep = maxKC
		}
	}
	if !bf16 {
		list = slices.DeleteFunc(list, func(k kernel) bool { return k.pairs != nil })
	}
	return list
}

// edge is a side of a product as its panels see it.
type edge int

const (
	leftEdge  edge = iota // panels of mr lines
	rightEdge             // panels of nr lines
)

// width is the lines of a panel.
func (kn *kernel) width(e edge) int {
	if e == leftEdge {
		return kn.mr
	}
	return kn.nr
}

// tiles reports whether products are AMX's.
func (kn *kernel) tiles() bool { return kn.pairs != nil && kn.pairs.tiles }

// rows is how many rows of a panel kc steps of k take.
func (kn *kernel) rows(kc int) int {
	if kn.pairs != nil {
		return kn.pairs.rows((kc + 1) / 2)
	}
	return kc
}

// oneByOne is kernel.chains made of kernel.mul.
func oneByOne(mr, nr int, mul func(k int, a, b, c []float32, ldc int, add bool)) func(k int, a, b, c []float32, ldc int) {
	return func(k int, a, b, c []float32, ldc int) {
		for l := range chains {
			mul(k, a[l*k*mr:], b[l*k*nr:], c, ldc, l > 0)
		}
	}
}

// mul4x8 sums two rows and two columns at a time: more sums than that the compiler
// does not keep in registers.
func mul4x8(k int, a, b, c []float32, ldc int, add bool) {
	for i := 0; i < 4; i += 2 {
		for j := 0; j < 8; j += 2 {
			s := square4x8(k, a[i:], b[j:])
			for r := range 2 {
				row := (*[2]float32)(c[(i+r)*ldc+j:])
				if add {
					s[2*r] += row[0]
					s[2*r+1] += row[1]
				}
				row[0], row[1] = s[2*r], s[2*r+1]
			}
		}
	}
}

// square4x8 is the products of two lines each of panels of four and of eight.
func square4x8(k int, a, b []float32) [4]float32 {
	var s0, s1, s2, s3 float32
	p := 0
	for ; p+4 <= k; p += 4 {
		x, y := (*[14]float32)(a[p*4:]), (*[26]float32)(b[p*8:])
		s0 += float32(x[0] * y[0])
		s1 += float32(x[0] * y[1])
		s2 += float32(x[1] * y[0])
		s3 += float32(x[1] * y[1])
		s0 += float32(x[4] * y[8])
		s1 += float32(x[4] * y[9])
		s2 += float32(x[5] * y[8])
		s3 += float32(x[5] * y[9])
		s0 += float32(x[8] * y[16])
		s1 += float32(x[8] * y[17])
		s2 += float32(x[9] * y[16])
		s3 += float32(x[9] * y[17])
		s0 += float32(x[12] * y[24])
		s1 += float32(x[12] * y[25])
		s2 += float32(x[13] * y[24])
		s3 += float32(x[13] * y[25])
	}
	for ; p < k; p++ {
		x, y := (*[2]float32)(a[p*4:]), (*[2]float32)(b[p*8:])
		s0 += float32(x[0] * y[0])
		s1 += float32(x[0] * y[1])
		s2 += float32(x[1] * y[0])
		s3 += float32(x[1] * y[1])
	}
	return [4]float32{s0, s1, s2, s3}
}
