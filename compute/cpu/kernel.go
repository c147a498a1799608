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

	// chains sets a tile of c to a product of panels that are chains of k rows
	// each, one after the other: the first one's product, then the next one's
	// added, and so on. Nil for a kernel that adds up a whole batch in one go: it has
	// no sparse form.
	chains func(k int, a, b, c []float32, ldc int)

	// pairs is nil for panels of float32.
	pairs *pairs

	sparse sparseKernel // its fields are nil where chains is

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
			sparse: portableSparse, peak: portablePeak, passes: portable,
		},
		kernel{
			name: "gobf16", mr: 4, nr: 8, mul: mulPairs4x8, chains: oneByOne(4, 8, mulPairs4x8),
			pairs: &portablePairs, sparse: portableSparsePairs, peak: portablePeak, passes: portable,
		})
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

func mul4x8(k int, a, b, c []float32, ldc int, add bool) {
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
			for j, v := range s {
				if add {
					v += row[j]
				}
				row[j] = v
			}
		}
	}
}
