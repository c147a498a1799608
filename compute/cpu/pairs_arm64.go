//go:build !purego

package cpu

// joinInFours makes pairs.join of one that takes a width that is a multiple of four.
func joinInFours(whole func(dst []float32, ldd int, src []float32, lds, width, n int)) func(dst []float32, ldd int, src []float32, lds, width, n int) {
	return func(dst []float32, ldd int, src []float32, lds, width, n int) {
		some := width &^ 3
		whole(dst, ldd, src, lds, some, n)
		if some < width && n > 0 {
			join(dst[some:], ldd, src[some:], lds, width-some, n)
		}
	}
}

// halveInEights makes pairs.halve of one that takes lines of a multiple of eight.
func halveInEights(whole func(dst []float32, ldd int, src []float32, lds, lines, n int)) func(dst []float32, ldd int, src []float32, lds, lines, n int) {
	return func(dst []float32, ldd int, src []float32, lds, lines, n int) {
		some := n &^ 7
		whole(dst, ldd, src, lds, lines, some)
		if some < n && lines > 0 {
			halve(dst[some/2:], ldd, src[some:], lds, lines, n-some)
		}
	}
}
