package cpu

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestScoreRoundsDown wants every kernel to find a column whose score is the
// threshold, wherever roundings take it, also where u·v is too small for a normal
// number.
func TestScoreRoundsDown(t *testing.T) {
	r := rand.New(rand.NewPCG(28, 1))
	const n = 48
	for try := range 400 {
		p, v, b, e := make([]int32, n), make([]float32, n), make([]float32, n), make([]float32, n)
		u, a, c := r.Float32(), r.Float32(), r.Float32()
		for i := range n {
			v[i], b[i], e[i] = r.Float32(), r.Float32(), r.Float32()
			p[i] = int32(r.IntN(1 << (1 + r.IntN(30))))
			if try%4 == 0 {
				p[i] |= 1 << 30
				b[i], e[i] = 0, 0
				v[i] = 0x1p-64 * (1 + v[i]) // a product of both may be below 2^-126
			}
			p[i] *= int32(1 - 2*r.IntN(2))
		}
		if try%4 == 0 {
			u = 0x1p-64 * (1 + u)
		}
		i := r.IntN(n)
		score, term := new(big.Float).SetPrec(700), new(big.Float).SetPrec(700)
		for _, f := range [][3]float64{{math.Abs(float64(p[i])), float64(u), float64(v[i])}, {float64(a), float64(b[i]), 1}, {float64(c), float64(e[i]), 1}} {
			term.SetFloat64(f[0])
			term.Mul(term, big.NewFloat(f[1]))
			score.Add(score, term.Mul(term, big.NewFloat(f[2])))
		}
		cut := scoreCut(float32Below(score))
		if try%4 == 0 && cut == 0 {
			t.Fatalf("the threshold %v excludes nothing: the test is of no use", score)
		}
		for _, l := range lowbits() {
			var mask [1]uint64
			l.score(mask[:], p, 1, n/l.nr*l.nr, []float32{u}, []float32{a}, []float32{c}, v, b, e, cut)
			if i < n/l.nr*l.nr && mask[0]>>i&1 == 0 {
				t.Fatalf("%s: threshold %v, which is the score of column %d: not found", l.name, score, i)
			}
		}
	}
}
