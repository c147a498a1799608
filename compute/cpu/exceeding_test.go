package cpu

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestExceeding wants every kernel to find the same columns, all that exceed the
// threshold and no number far below it, whatever is left over of a vector.
func TestExceeding(t *testing.T) {
	r := rand.New(rand.NewPCG(27, 1))
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)),
		math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32, 0x1p-126, 0x1p-75}
	for n := range 1100 {
		if n > 70 && n%101 != 0 && n%512 > 17 {
			continue
		}
		numbers := func(positive bool) []float32 {
			s := gauss(r, n)
			for i, x := range s {
				if r.IntN(20) == 0 {
					x = special[r.IntN(len(special))]
				}
				if positive {
					x = float32(math.Abs(float64(x)))
				}
				s[i] = x
			}
			return s
		}
		p, v, b, e := numbers(false), numbers(true), numbers(true), numbers(true)
		for _, thr := range []float32{0, 0x1p-140, 0x1p-101, 1, 2.5, 7, math.MaxFloat32, float32(math.Inf(1)), float32(math.NaN())} {
			for _, f := range [][3]float32{{1, 0.5, 0.25}, {0, 1, 2}, {0, 0, 0}, {0x1p-75, 0, 1}, {0x1p100, 1, 1}, {1, float32(math.Inf(1)), 0}} {
				want := exceeding([]int32{-1}, p, v, b, e, f[0], f[1], f[2], thr)
				for i := range p {
					score := math.Abs(float64(p[i]))*float64(f[0])*float64(v[i]) + float64(f[1])*float64(b[i]) + float64(f[2])*float64(e[i])
					found := slices.Contains(want, int32(i))
					if !(score < float64(thr)) && !found {
						t.Fatalf("n %d, threshold %v: got no column %d, want it: its score is %v", n, thr, i, score)
					}
					beyond := score > 1e38 || f[0]*v[i] > 1e38 // Inf in float32, and perhaps NaN then
					if found && !beyond && score < float64(thr)*0.99999-1e-20 && math.Abs(float64(p[i])) < 1e9 && thr >= 0x1p-100 {
						t.Fatalf("n %d, threshold %v: got column %d, whose score is %v", n, thr, i, score)
					}
				}
				for _, l := range lowbits() {
					if got := l.exceeding([]int32{-1}, p, v, b, e, f[0], f[1], f[2], thr); !slices.Equal(got, want) {
						t.Fatalf("%s: n %d, threshold %v, factors %v: got %v, want %v", l.name, n, thr, f, got, want)
					}
				}
			}
		}
	}
}

// TestExceedingRoundsDown wants a column to be found whose score is the
// threshold, wherever roundings take it.
func TestExceedingRoundsDown(t *testing.T) {
	r := rand.New(rand.NewPCG(28, 1))
	const n = 64
	for range 300 {
		p, v, b, e := gauss(r, n), make([]float32, n), make([]float32, n), make([]float32, n)
		u, a, c := r.Float32(), r.Float32(), r.Float32()
		for i := range n {
			v[i], b[i], e[i] = r.Float32(), r.Float32(), r.Float32()
			p[i] *= float32(int(1) << r.IntN(20))
		}
		if r.IntN(4) == 0 { // u·v is too small for a normal number, and p large
			u *= 0x1p-100
			for i := range n {
				v[i] *= 0x1p-45
				p[i] *= 0x1p100
				b[i], e[i] = 0, 0
			}
		}
		i := r.IntN(n)
		score, term := new(big.Float).SetPrec(700), new(big.Float).SetPrec(700)
		for _, f := range [][3]float32{{float32(math.Abs(float64(p[i]))), u, v[i]}, {a, b[i], 1}, {c, e[i], 1}} {
			term.SetFloat64(float64(f[0]) * float64(f[1]))
			score.Add(score, term.Mul(term, big.NewFloat(float64(f[2]))))
		}
		thr := float32Below(score)
		for _, l := range lowbits() {
			if got := l.exceeding(nil, p, v, b, e, u, a, c, thr); !slices.Contains(got, int32(i)) {
				t.Fatalf("%s: threshold %v, which is the score of column %d: got %v", l.name, thr, i, got)
			}
		}
	}
}

// TestExceedingUnderflow wants a column whose score is three terms that all
// vanish, with a sum above the smallest threshold.
func TestExceedingUnderflow(t *testing.T) {
	const n, u, a, c = 33, 1, 0x1p-100, 0x1p-90
	p, v, b, e := slices.Repeat([]float32{0x1p-30}, n), slices.Repeat([]float32{0.4 * 0x1p-119}, n),
		slices.Repeat([]float32{0.4 * 0x1p-49}, n), slices.Repeat([]float32{0.4 * 0x1p-59}, n)
	for _, l := range lowbits() {
		if got := l.exceeding(nil, p, v, b, e, u, a, c, 0x1p-149); len(got) != n {
			t.Errorf("%s: got %d columns, want all %d", l.name, len(got), n)
		}
	}
}
