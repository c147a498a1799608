//go:build !purego

package cpu

import "betalasso/compute"

// neon are the passes in NEON.
var neon = passes{
	moves: moves{
		transpose16: transpose16neon, transpose8: transpose8neon, transpose4: transpose4neon,
		moveRows:  moveRowsNEON,
		fetch:     func(s []float32) { fetchRowsNEON(s, 0, 1, len(s)) },
		fetchRows: fetchRowsNEON,
	},
	whole: vectors{
		round: roundNEON, step: stepNEON, momentumStep: momentumStepNEON,
		moments: momentsNEON, normalise: normaliseNEON, gradMoments: gradMomentsNEON, normaliseGrad: normaliseGradNEON,
		rowMoments: rowMomentsNEON, rowNormalise: rowNormaliseNEON, rowGradMoments: rowGradMomentsNEON, rowNormaliseGrad: rowNormaliseGradNEON,
	},
}

// transpose16neon does sixteen columns at a time: whole lines of the cache of what it
// reads, and the lines of what it writes while they are there.
func transpose16neon(dst []float32, ldd int, src []float32, lds, n int) {
	for j := 0; j < 16*n; j += 16 {
		transposeNEON(dst[j*ldd:], ldd, src[j:], lds, 16, 16)
	}
}

func transpose8neon(dst []float32, ldd int, src []float32, lds, n int) {
	transposeNEON(dst, ldd, src, lds, 8, 8*n)
}

func transpose4neon(dst []float32, ldd int, src []float32, lds, n int) {
	transposeNEON(dst, ldd, src, lds, 4, 4*n)
}

//go:noescape
func transposeNEON(dst []float32, ldd int, src []float32, lds, rows, cols int)

//go:noescape
func moveRowsNEON(dst []float32, width int, src []float32, lds, n int)

//go:noescape
func fetchRowsNEON(s []float32, ld, rows, cols int)

//go:noescape
func roundNEON(s []float32)

//go:noescape
func stepNEON(w, dw []float32, u *compute.Update) int

//go:noescape
func momentumStepNEON(w, v, dw []float32, u *compute.Update) int

//go:noescape
func momentsNEON(x []float32, s1, s2 []float64)

//go:noescape
func normaliseNEON(y, x []float32, c columns, limit float32)

//go:noescape
func gradMomentsNEON(dy, x []float32, c columns, limit float32, s1, s2 []float64)

//go:noescape
func normaliseGradNEON(dx, dy, x []float32, c columns, limit float32)

//go:noescape
func rowMomentsNEON(x []float32, s *lanes)

//go:noescape
func rowNormaliseNEON(y, x []float32, c *factors)

//go:noescape
func rowGradMomentsNEON(dy, x []float32, c *factors, s *lanes)

//go:noescape
func rowNormaliseGradNEON(dx, dy, x []float32, c *factors)
