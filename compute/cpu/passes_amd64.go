//go:build !purego

package cpu

import "betalasso/compute"

// avx2 are the passes in AVX2.
var avx2 = passes{
	moves: moves{
		transpose16: transpose16avx2, transpose8: transpose8avx2, transpose4: transpose4avx2,
		moveRows: moveRowsAVX, fetch: fetchLines, fetchRows: fetchRows,
	},
	whole: vectors{
		add: addAVX2, relu: reluAVX2, reluGrad: reluGradAVX2,
		round: roundAVX2, step: stepAVX2, momentumStep: momentumStepAVX2,
		moments: momentsAVX2, normalise: normaliseAVX2, gradMoments: gradMomentsAVX2, normaliseGrad: normaliseGradAVX2,
		rowMoments: rowMomentsAVX2, rowNormalise: rowNormaliseAVX2, rowGradMoments: rowGradMomentsAVX2, rowNormaliseGrad: rowNormaliseGradAVX2,
	},
}

// avx512 are the same, but for a few.
var avx512 = func() passes {
	p := avx2
	p.transpose16 = transpose16avx512
	p.stepRows = stepRowsAVX512
	p.whole.reaching = reachingAVX512
	w := &p.whole
	w.rowMoments, w.rowNormalise, w.rowGradMoments, w.rowNormaliseGrad = rowMoments16, rowNormalise16, rowGradMoments16, rowNormaliseGrad16
	return p
}()

// transpose16avx2 does eight columns at a time, so that what it writes, sixteen
// neighbours, stays in the cache until the line is whole: rows a power of two
// apart all want the same few places there.
func transpose16avx2(dst []float32, ldd int, src []float32, lds, n int) {
	for j := 0; j < 16*n; j += 8 {
		transpose8avx2(dst[j*ldd:], ldd, src[j:], lds, 1)
		transpose8avx2(dst[j*ldd+8:], ldd, src[8*lds+j:], lds, 1)
	}
}

//go:noescape
func rowMoments16(x []float32, s *lanes)

//go:noescape
func rowNormalise16(y, x []float32, c *factors)

//go:noescape
func rowGradMoments16(dy, x []float32, c *factors, s *lanes)

//go:noescape
func rowNormaliseGrad16(dx, dy, x []float32, c *factors)

//go:noescape
func transpose16avx512(dst []float32, ldd int, src []float32, lds, n int)

//go:noescape
func transpose8avx2(dst []float32, ldd int, src []float32, lds, n int)

//go:noescape
func transpose4avx2(dst []float32, ldd int, src []float32, lds, n int)

//go:noescape
func moveRowsAVX(dst []float32, width int, src []float32, lds, n int)

//go:noescape
func fetchLines(s []float32)

//go:noescape
func fetchRows(w []float32, ldw, rows, cols int)

//go:noescape
func roundAVX2(s []float32)

//go:noescape
func stepAVX2(w, dw []float32, u *compute.Update) int

//go:noescape
func stepRowsAVX512(w []float32, ldw int, dw []float32, ldd, rows, cols int, u *compute.Update) int

//go:noescape
func momentumStepAVX2(w, v, dw []float32, u *compute.Update) int

//go:noescape
func momentsAVX2(x []float32, s1, s2 []float64)

//go:noescape
func normaliseAVX2(y, x []float32, c columns, limit float32)

//go:noescape
func gradMomentsAVX2(dy, x []float32, c columns, limit float32, s1, s2 []float64)

//go:noescape
func normaliseGradAVX2(dx, dy, x []float32, c columns, limit float32)

//go:noescape
func rowMomentsAVX2(x []float32, s *lanes)

//go:noescape
func rowNormaliseAVX2(y, x []float32, c *factors)

//go:noescape
func rowGradMomentsAVX2(dy, x []float32, c *factors, s *lanes)

//go:noescape
func rowNormaliseGradAVX2(dx, dy, x []float32, c *factors)

//go:noescape
func addAVX2(dst, a, b []float32)

//go:noescape
func reluAVX2(y, x []float32)

//go:noescape
func reluGradAVX2(dx, dy, y []float32)

//go:noescape
func reachingAVX512(at []int32, g []float32, limit uint32) int
