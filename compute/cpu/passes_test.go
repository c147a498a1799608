package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"betalasso/compute"
)

// TestPasses wants from every kernel the bits of the portable passes, also for
// numbers that are not finite, zeros of both signs and what is left over of a
// vector, and no word beyond.
func TestPasses(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)),
		math.SmallestNonzeroFloat32, math.MaxFloat32, 0.5, math.Float32frombits(0x3f808000), math.Float32frombits(0x3f818000)}
	numbers := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(r.NormFloat64())
			if r.IntN(8) == 0 {
				s[i] = special[r.IntN(len(special))]
			}
		}
		return s
	}
	doubles := func(n int) []float64 {
		s := make([]float64, n)
		for i := range s {
			s[i] = r.NormFloat64()
		}
		return s
	}
	const beyond = 40
	nan := float32(math.NaN())
	for _, name := range Kernels(false) {
		kn := device(t, 1, name, false).kernel
		for n := range 60 {
			a, b, c := numbers(n+beyond), numbers(n+beyond), numbers(n+beyond)
			s1, s2 := doubles(n+beyond), doubles(n+beyond)
			cols := columns{numbers(n), numbers(n), numbers(n), numbers(n), numbers(n)}
			for _, limit := range []float32{0, nan} {
				for pass, run := range map[string]func(p passes, a, b, c []float32, s1, s2 []float64) int{
					"round":    func(p passes, a, _, _ []float32, _, _ []float64) int { p.round(a[:n]); return 0 },
					"add":      func(p passes, a, b, c []float32, _, _ []float64) int { p.add(a[:n], b, c); return 0 },
					"relu":     func(p passes, a, b, _ []float32, _, _ []float64) int { p.relu(a[:n], b); return 0 },
					"reluGrad": func(p passes, a, b, c []float32, _, _ []float64) int { p.reluGrad(a[:n], b, c); return 0 },
					"step": func(p passes, a, b, _ []float32, _, _ []float64) int {
						return p.step(a[:n], b[:n], &compute.Update{LR: 0.1, WeightDecay: 0.01, L1: 0.3, Threshold: 0.4})
					},
					"step, hold": func(p passes, a, b, _ []float32, _, _ []float64) int {
						return p.step(a[:n], b[:n], &compute.Update{LR: 0.1, L1: 0.3, Threshold: 0.4, Hold: true})
					},
					"reaching": func(p passes, a, _, _ []float32, _, _ []float64) (sum int) {
						at := make([]int32, n+vector)
						for i, k := range at[:p.reaching(at, a[:n], math.Float32bits(0.5))] {
							sum += (i + 1) * int(k+1)
						}
						return sum
					},
					"rowMoments": func(p passes, a, _, _ []float32, s1, _ []float64) int {
						p.rowMoments(a[:n], lanesOf(s1))
						return 0
					},
					"rowNormalise": func(p passes, a, b, _ []float32, _, _ []float64) int {
						p.rowNormalise(a[:n], b, factorsOf(cols, limit))
						return 0
					},
					"rowGradMoments": func(p passes, a, b, _ []float32, s1, _ []float64) int {
						p.rowGradMoments(a[:n], b, factorsOf(cols, limit), lanesOf(s1))
						return 0
					},
					"rowNormaliseGrad": func(p passes, a, b, c []float32, _, _ []float64) int {
						p.rowNormaliseGrad(a[:n], b, c, factorsOf(cols, limit))
						return 0
					},
					"momentumStep": func(p passes, a, b, c []float32, _, _ []float64) int {
						return p.momentumStep(a[:n], b[:n], c[:n], &compute.Update{LR: 0.1, Momentum: 0.9, WeightDecay: 0.01, L1: 0.3, Threshold: 0.4})
					},
					"moments": func(p passes, a, _, _ []float32, s1, s2 []float64) int { p.moments(a[:n], s1, s2); return 0 },
					"normalise": func(p passes, a, b, _ []float32, _, _ []float64) int {
						p.normalise(a[:n], b, cols, limit)
						return 0
					},
					"gradMoments": func(p passes, a, b, _ []float32, s1, s2 []float64) int {
						p.gradMoments(a[:n], b, cols, limit, s1, s2)
						return 0
					},
					"normaliseGrad": func(p passes, a, b, c []float32, _, _ []float64) int {
						p.normaliseGrad(a[:n], b, c, cols, limit)
						return 0
					},
					"normaliseGrad in place": func(p passes, a, b, _ []float32, _, _ []float64) int {
						p.normaliseGrad(a[:n], a[:n], b, cols, limit)
						return 0
					},
				} {
					what := fmt.Sprintf("%s: %s of %d, limit %v", name, pass, n, limit)
					ga, gb, gc, g1, g2 := slices.Clone(a), slices.Clone(b), slices.Clone(c), slices.Clone(s1), slices.Clone(s2)
					wa, wb, wc, w1, w2 := slices.Clone(a), slices.Clone(b), slices.Clone(c), slices.Clone(s1), slices.Clone(s2)
					got, want := run(kn.passes, ga, gb, gc, g1, g2), run(portable, wa, wb, wc, w1, w2)
					if got != want {
						t.Errorf("%s: got %d, want %d", what, got, want)
					}
					for i, s := range [][2][]float32{{ga, wa}, {gb, wb}, {gc, wc}} {
						if !slices.EqualFunc(s[0], s[1], sameNumber) {
							t.Errorf("%s: operand %d: got %v, want %v", what, i, s[0], s[1])
						}
					}
					for i, s := range [][2][]float64{{g1, w1}, {g2, w2}} {
						if !slices.EqualFunc(s[0], s[1], func(a, b float64) bool { return a == b || a != a && b != b }) {
							t.Errorf("%s: sum %d: got %v, want %v", what, i, s[0], s[1])
						}
					}
				}
			}
		}
	}
}

// lanesOf are sums in the memory of s, which has room for them.
func lanesOf(s []float64) *lanes { return (*lanes)(unsafe.Pointer(&s[:32][0])) }

// factorsOf are the factors of one unit, where c has some.
func factorsOf(c columns, limit float32) *factors {
	if len(c.mean) == 0 {
		return &factors{limit: limit}
	}
	return &factors{c.mean[0], c.scale[0], c.shift[0], c.k1[0], c.k2[0], limit}
}

// TestTranspose wants every number of a block in its place, and no word beyond.
func TestTranspose(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, name := range Kernels(false) {
		p := device(t, 1, name, false).kernel.passes
		for _, c := range []struct {
			lines int
			run   func(dst []float32, ldd int, src []float32, lds, n int)
		}{{16, p.transpose16}, {8, p.transpose8}, {4, p.transpose4}} {
			for n := range 4 {
				wide := n * c.lines
				ldd, lds := c.lines+r.IntN(3), wide+r.IntN(3)
				src, dst := make([]float32, c.lines*lds), make([]float32, wide*ldd+5)
				for i := range src {
					src[i] = float32(i + 1)
				}
				want := slices.Clone(dst)
				for j := range wide {
					for i := range c.lines {
						want[j*ldd+i] = src[i*lds+j]
					}
				}
				c.run(dst, ldd, src, lds, n)
				if !slices.Equal(dst, want) {
					t.Errorf("%s: %d lines, %d blocks: got %v, want %v", name, c.lines, n, dst, want)
				}
			}
		}
	}
}

// sameNumber reports whether a and b have the same bits, or are both NaN.
func sameNumber(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// TestRound is the rule of rounding to bfloat16, by its cases.
func TestRound(t *testing.T) {
	for _, c := range []struct {
		name       string
		from, want uint32
	}{
		{"a bfloat16 stays", 0x3f810000, 0x3f810000},
		{"below half goes down", 0x3f807fff, 0x3f800000},
		{"above half goes up", 0x3f808001, 0x3f810000},
		{"half goes to even, down", 0x3f808000, 0x3f800000},
		{"half goes to even, up", 0x3f818000, 0x3f820000},
		{"the sign stays", 0xbf818000, 0xbf820000},
		{"the largest number becomes infinite", 0x7f7fffff, 0x7f800000},
		{"infinity stays", 0xff800000, 0xff800000},
	} {
		for _, name := range Kernels(false) {
			s := slices.Repeat([]float32{math.Float32frombits(c.from)}, 11)
			device(t, 1, name, false).kernel.round(s)
			for i, v := range s {
				if got := math.Float32bits(v); got != c.want {
					t.Errorf("%s: %s: element %d: got %#x, want %#x", name, c.name, i, got, c.want)
				}
			}
		}
	}
}
