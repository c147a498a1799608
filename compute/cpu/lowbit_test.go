package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// quantised is a side with lines of n numbers.
func quantised(l *lowbit, columns bool, bits, n int, lines []float32) *side {
	s := new(side)
	if columns {
		s.resetColumns(l, bits, len(lines)/n, n, 0)
	} else {
		s.resetRows(l, bits, len(lines)/n, n)
	}
	s.set(0, lines)
	return s
}

// number is number p of line l, as the panels hold it.
func (s *side) number(l, p int) int {
	word := math.Float32bits(s.panel(l / s.width)[p/4*s.width+l%s.width])
	b := uint8(word >> (p % 4 * 8))
	if s.start == nil {
		return int(b) - int(s.offset)
	}
	return int(int8(b))
}

// gauss is n normal numbers.
func gauss(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(r.NormFloat64())
	}
	return s
}

// TestLowbitProduct wants every kernel's tiles to be exact, at every number of
// bits, with numbers as large as they can be, and nothing beside the tile.
func TestLowbitProduct(t *testing.T) {
	const guard, words = 12345, 5
	r := rand.New(rand.NewPCG(21, 1))
	for _, l := range lowbits() {
		for bits := 2; bits <= l.rowBits; bits++ {
			for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 28, 31, 32, 33, 63, 64, 65, 512, 999} {
				for _, extreme := range []bool{false, true} {
					rows, cols := gauss(r, 2*l.mr*n), gauss(r, 2*l.nr*n)
					if extreme { // sums of one sign, in some pairs
						for i := range rows {
							rows[i] = float32(1 - i/n%3)
						}
						for i := range cols {
							cols[i] = float32(1 - i/n%2*2)
						}
					}
					a, b := quantised(&l, false, bits, n, rows), quantised(&l, true, bits, n, cols)
					for j := 0; j < 2*l.mr; j += l.mr {
						for i := 0; i < 2*l.nr; i += l.nr {
							buf := slices.Repeat([]int32{guard}, l.mr*l.nr+2*words)
							tile := buf[words : words+l.mr*l.nr]
							l.mul(a.depth(), a.panel(j/l.mr), b.panel(i/l.nr), a.start[j:], tile)
							for k, got := range tile {
								want := 0
								for p := range n {
									want += a.number(j+k/l.nr, p) * b.number(i+k%l.nr, p)
								}
								if int(got) != want {
									t.Fatalf("%s: %d bits, n %d, row %d, column %d: got %d, want %d", l.name, bits, n, j+k/l.nr, i+k%l.nr, got, want)
								}
							}
							for k := range words {
								if buf[k] != guard || buf[len(buf)-1-k] != guard {
									t.Fatalf("%s: %d bits, n %d: wrote beside the tile", l.name, bits, n)
								}
							}
						}
					}
				}
			}
		}
	}
}

// TestBestLowbit wants the first of the list that has the bits.
func TestBestLowbit(t *testing.T) {
	for bits := 2; bits <= 8; bits++ {
		got := bestLowbit(bits)
		for _, l := range lowbits() {
			if l.rowBits >= bits {
				if got.name != l.name {
					t.Errorf("%d bits: got %s, want %s", bits, got.name, l.name)
				}
				break
			}
		}
	}
}

// TestLongestLine wants the largest sum of the longest line to fit.
func TestLongestLine(t *testing.T) {
	line := slices.Repeat([]float32{1}, longestLine)
	for _, l := range lowbits() {
		a, b := quantised(&l, false, l.rowBits, longestLine, line), quantised(&l, true, l.rowBits, longestLine, line)
		tile := make([]int32, l.mr*l.nr)
		l.mul(a.depth(), a.words, b.words, a.start, tile)
		want := a.number(0, 0) * b.number(0, 0) * longestLine
		if int(tile[0]) != want {
			t.Errorf("%s: got %d, want %d", l.name, tile[0], want)
		}
	}
}

// TestQuantise wants every kernel to make the numbers and the norms of the
// portable one, whatever is in a line, and the norms to be upper bounds, and
// close ones.
func TestQuantise(t *testing.T) {
	r := rand.New(rand.NewPCG(22, 1))
	portable := lowbits()[len(lowbits())-1]
	for n := 1; n < 70; n++ {
		lines := linesOfAllKinds(r, n)
		count := len(lines) / n
		for bits := 2; bits <= 8; bits++ {
			for _, columns := range []bool{false, true} {
				want := quantised(&portable, columns, bits, n, lines)
				for l := range count {
					checkNorms(t, want, l, lines[l*n:][:n])
				}
				for _, low := range lowbits() {
					if bits > low.rowBits || bits > low.colBits {
						continue
					}
					got := quantised(&low, columns, bits, n, lines)
					what := fmt.Sprintf("%s: n %d, %d bits, columns %v", low.name, n, bits, columns)
					for l := range count {
						for p := range n {
							if finite(lines[l*n:][:n]) && got.number(l, p) != want.number(l, p) {
								t.Fatalf("%s: line %d, number %d: got %d, want %d", what, l, p, got.number(l, p), want.number(l, p))
							}
						}
					}
					for k, f := range [][2][]float32{{got.scale, want.scale}, {got.norm, want.norm}, {got.rest, want.rest}, {got.hat, want.hat}} {
						if !slices.Equal(f[0], f[1]) {
							t.Fatalf("%s: factor %d: got %v, want %v", what, k, f[0], f[1])
						}
					}
				}
			}
		}
	}
}

// checkNorms wants s's norms of a line to be upper bounds, and close to the true
// ones.
func checkNorms(t *testing.T, s *side, l int, line []float32) {
	t.Helper()
	if !finite(line) {
		for _, v := range []float32{s.norm[l], s.rest[l], s.hat[l]} {
			if !math.IsInf(float64(v), 1) {
				t.Fatalf("%d bits, line %v: got a norm of %v, want +Inf", s.bits, line, v)
			}
		}
		return
	}
	var norm, rest, hat float64
	limit := 1<<(s.bits-1) - 1
	for p, x := range line {
		q := s.number(l, p)
		if q > limit || q < -limit {
			t.Fatalf("%d bits, line %v: number %d is %d, beyond %d", s.bits, line, p, q, limit)
		}
		h := float64(s.scale[l]) * float64(q)
		e := float64(x) - h
		if scale := float64(s.scale[l]); scale > 0 && math.Abs(e) > 0.50001*scale {
			t.Fatalf("%d bits, line %v: %v is %d times %v", s.bits, line, x, q, scale)
		}
		norm, rest, hat = norm+float64(x)*float64(x), rest+e*e, hat+h*h
	}
	for _, c := range []struct {
		what      string
		got       float32
		trueValue float64
	}{{"norm", s.norm[l], norm}, {"rest", s.rest[l], rest}, {"hat", s.hat[l], hat}} {
		want := math.Sqrt(c.trueValue)
		if got := float64(c.got); got < want || want < 3e38 && got > want*(1+1e-6)+0x1p-148 { // above adds the smallest number, and is rounded
			t.Fatalf("%d bits, line %v: %s: got %g, want a little more than %g", s.bits, line, c.what, got, want)
		}
	}
}

func finite(line []float32) bool {
	return !slices.ContainsFunc(line, func(x float32) bool { return x-x != 0 })
}

// linesOfAllKinds is lines of n numbers, one of them or more of each kind.
func linesOfAllKinds(r *rand.Rand, n int) []float32 {
	var lines []float32
	line := func(number func(p int) float64) {
		for p := range n {
			lines = append(lines, float32(number(p)))
		}
	}
	normal := func(int) float64 { return r.NormFloat64() }
	line(normal)
	line(func(int) float64 { return 0 })
	line(func(int) float64 { return math.Copysign(0, -1) })
	line(func(int) float64 { return math.Exp(20 * r.NormFloat64()) })
	line(func(p int) float64 { return float64(1-p%2*2) * (1e6 + r.Float64()) })
	line(func(int) float64 { return 0.1 })
	for _, exponent := range []int{-149, -140, -127, -126, -101, -100, -99, 60, 124, 127} {
		line(func(int) float64 { return math.Ldexp(2*r.Float64()-1, exponent) })
	}
	line(func(int) float64 { return math.MaxFloat32 })
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat32} {
		line(normal)
		lines[len(lines)-1-r.IntN(n)] = float32(x)
	}
	return lines
}
