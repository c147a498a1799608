//go:build !purego

package cpu

import (
	"math"

	"betalasso/compute"
)

// avx2 are the passes in AVX2. The assembly goes through whole vectors of eight,
// along rows of sixteen; what is left over is for the portable loops.
var avx2 = passes{
	transpose16: transpose16avx2, transpose8: transpose8avx2, transpose4: transpose4avx2, moveTaps: moveTapsAVX, moveRows: moveRowsAVX,
	fetch: fetchLines, fetchRows: fetchRows, round: roundAVX2, step: stepAVX2, momentumStep: momentumStepAVX2,
	moments: momentsAVX2, normalise: normaliseAVX2, gradMoments: gradMomentsAVX2, normaliseGrad: normaliseGradAVX2,
	rowMoments: rowMomentsAVX2, rowNormalise: rowNormaliseAVX2, rowGradMoments: rowGradMomentsAVX2, rowNormaliseGrad: rowNormaliseGradAVX2,
}

// avx512 are the same, but for a few.
var avx512 = func() passes {
	p := avx2
	p.transpose16 = transpose16avx512
	p.stepRows = stepRowsAVX512
	p.step = func(w, dw []float32, u *compute.Update) int { return stepRowsAVX512(w, 0, dw, 0, 1, len(w), u) }
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

func roundAVX2(s []float32) {
	n := len(s) &^ 7
	roundVectors(s[:n])
	round(s[n:])
}

func stepAVX2(w, dw []float32, u *compute.Update) int {
	n := len(w) &^ 7
	var free float32 // all bits where a zero may move
	if !u.Hold {
		free = math.Float32frombits(1<<32 - 1)
	}
	count := stepVectors(w[:n], dw, u.LR, u.WeightDecay, u.L1, u.Threshold, free)
	if n == len(w) {
		return count
	}
	return count + step(w[n:], dw[n:], u)
}

func stepRowsAVX512(w []float32, ldw int, dw []float32, ldd, rows, cols int, u *compute.Update) int {
	free := 0
	if !u.Hold {
		free = 0xffff
	}
	return updateRowsAVX512(w, ldw, dw, ldd, rows, cols, u, free)
}

//go:noescape
func updateRowsAVX512(w []float32, ldw int, dw []float32, ldd, rows, cols int, u *compute.Update, free int) int

//go:noescape
func fetchRows(w []float32, ldw, rows, cols int)

func momentumStepAVX2(w, v, dw []float32, u *compute.Update) int {
	n := len(w) &^ 7
	return momentumStepVectors(w[:n], v, dw, u.LR, u.Momentum, u.WeightDecay, u.L1, u.Threshold) +
		momentumStep(w[n:], v[n:], dw[n:], u)
}

func momentsAVX2(x []float32, s1, s2 []float64) {
	n := len(x) &^ 7
	momentsVectors(x[:n], s1, s2)
	moments(x[n:], s1[n:], s2[n:])
}

func normaliseAVX2(y, x []float32, c columns, limit float32) {
	n := len(y) &^ 7
	normaliseVectors(y[:n], x, c.mean, c.scale, c.shift, limit)
	normalise(y[n:], x[n:], c.from(n), limit)
}

func gradMomentsAVX2(dy, x []float32, c columns, limit float32, s1, s2 []float64) {
	n := len(dy) &^ 7
	gradMomentsVectors(dy[:n], x, c.mean, c.scale, c.shift, limit, s1, s2)
	gradMoments(dy[n:], x[n:], c.from(n), limit, s1[n:], s2[n:])
}

func normaliseGradAVX2(dx, dy, x []float32, c columns, limit float32) {
	n := len(dx) &^ 7
	normaliseGradVectors(dx[:n], dy, x, c.mean, c.scale, c.shift, c.k1, c.k2, limit)
	normaliseGrad(dx[n:], dy[n:], x[n:], c.from(n), limit)
}

func rowMomentsAVX2(x []float32, s *lanes) {
	n := len(x) &^ 15
	rowMomentsVectors(x[:n], s)
	rowMoments(x[n:], s)
}

func rowNormaliseAVX2(y, x []float32, c *factors) {
	n := len(y) &^ 15
	rowNormaliseVectors(y[:n], x, c)
	rowNormalise(y[n:], x[n:], c)
}

func rowGradMomentsAVX2(dy, x []float32, c *factors, s *lanes) {
	n := len(dy) &^ 15
	rowGradMomentsVectors(dy[:n], x, c, s)
	rowGradMoments(dy[n:], x[n:], c, s)
}

func rowNormaliseGradAVX2(dx, dy, x []float32, c *factors) {
	n := len(dx) &^ 15
	rowNormaliseGradVectors(dx[:n], dy, x, c)
	rowNormaliseGrad(dx[n:], dy[n:], x[n:], c)
}

// from is the columns from the n-th.
func (c columns) from(n int) columns {
	return columns{c.mean[n:], c.scale[n:], c.shift[n:], c.k1[n:], c.k2[n:]}
}

//go:noescape
func transpose16avx512(dst []float32, ldd int, src []float32, lds, n int)

//go:noescape
func transpose8avx2(dst []float32, ldd int, src []float32, lds, n int)

//go:noescape
func transpose4avx2(dst, src []float32, lds, n int)

//go:noescape
func moveTapsAVX(dst []float32, stride int, src []float32, taps []int, n int)

//go:noescape
func moveRowsAVX(dst []float32, width int, src []float32, lds, n int)

//go:noescape
func fetchLines(s []float32)

//go:noescape
func roundVectors(s []float32)

//go:noescape
func stepVectors(w, dw []float32, lr, decay, l1, threshold, free float32) int

//go:noescape
func momentumStepVectors(w, v, dw []float32, lr, momentum, decay, l1, threshold float32) int

//go:noescape
func momentsVectors(x []float32, s1, s2 []float64)

//go:noescape
func normaliseVectors(y, x, mean, scale, shift []float32, limit float32)

//go:noescape
func gradMomentsVectors(dy, x, mean, scale, shift []float32, limit float32, s1, s2 []float64)

//go:noescape
func normaliseGradVectors(dx, dy, x, mean, scale, shift, k1, k2 []float32, limit float32)

//go:noescape
func rowMomentsVectors(x []float32, s *lanes)

//go:noescape
func rowNormaliseVectors(y, x []float32, c *factors)

//go:noescape
func rowGradMomentsVectors(dy, x []float32, c *factors, s *lanes)

//go:noescape
func rowNormaliseGradVectors(dx, dy, x []float32, c *factors)
