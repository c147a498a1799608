package computetest

import (
	"fmt"
	"math"
	"testing"

	"betalasso/compute"
)

// newNorm is the state of a batch norm with uneven γ and β: some γ negative,
// one unit with γ = β = 0, whose output of 0 stops all gradient under ReLU.
func newNorm(units, span int, relu bool) *compute.BatchNorm {
	bn := &compute.BatchNorm{
		Span: span, ReLU: relu,
		Gamma: random(1, units, 0.5, 1), Beta: random(1, units, 0, 2),
		Mean: newGuarded(1, units).Mat, InvStd: newGuarded(1, units).Mat,
		RunMean: random(1, units, 0, 3), RunVar: absolute(random(1, units, 2, 4)),
		Epsilon: 1e-5, Momentum: 0.1,
	}
	if units > 2 {
		bn.Gamma.Data[2], bn.Beta.Data[2] = 0, 0
	}
	return bn
}

// twin is bn with memory of its own, guarded where operations write.
func twin(bn *compute.BatchNorm) (*compute.BatchNorm, []guarded) {
	c := *bn
	g := []guarded{guard(bn.Mean), guard(bn.InvStd), guard(bn.RunMean), guard(bn.RunVar)}
	c.Mean, c.InvStd, c.RunMean, c.RunVar = g[0].Mat, g[1].Mat, g[2].Mat, g[3].Mat
	return &c, g
}

// normCases are batch sizes, units, spans and the mean of the input: a mean far
// from 0 asks for sums that do not cancel.
var normCases = []struct {
	n, units, span int
	mean           float32
}{
	{1, 1, 1, 0}, {2, 3, 1, 0}, {1, 5, 4, 0}, {7, 16, 1, 1}, {17, 63, 1, 0}, {5, 64, 1, 0}, {3, 65, 1, -2},
	{64, 131, 1, 0}, {9, 7, 3, 0}, {4, 3, 256, 0.5}, {3, 130, 5, 0}, {130, 10, 1, 50}, {16, 5, 49, -50}, {2, 2, 1031, 0},
}

func (s *suite) batchNorm(t *testing.T) {
	for i, c := range normCases {
		for _, relu := range []bool{false, true} {
			what := fmt.Sprintf("%d rows, %d units of %d, mean %v, relu %v", c.n, c.units, c.span, c.mean, relu)
			x := random(c.n, c.units*c.span, c.mean, uint64(i))
			bn := newNorm(c.units, c.span, relu)
			dy := random(x.Rows, x.Cols, 0, uint64(i)+50)
			for _, trans := range []bool{false, true} {
				what := fmt.Sprintf("%s, transposed %v", what, trans)
				x, dy := view(x, trans), view(dy, trans)
				s.normForward(t, what, x, bn)
				s.normBackward(t, what, x, dy, bn)
				s.normEval(t, what, x, bn)
			}
		}
	}
}

// normForward allows, with ε = 2⁻²⁴ and X = (|x| + |mean|)·invstd,
//
//	|y − want| ≤ 16ε·(|γ|·X + |β|)
func (s *suite) normForward(t *testing.T, what string, x compute.Mat, bn *compute.BatchNorm) {
	t.Helper()
	what = "BatchNorm, " + what
	mine, guards := twin(bn)
	his, _ := twin(bn)
	y, gx, want := like(x), guard(x), zerosLike(x)
	s.dev.BatchNorm(y.Mat, gx.Mat, mine)
	s.ref.BatchNorm(want, x, his)
	y.intact(t, what)
	unchanged(t, what, gx.Mat, x)
	for _, g := range guards {
		g.intact(t, what)
	}
	near(t, what, y.Mat, want, func(i int) float64 {
		u := column(x, i) / bn.Span
		return 16 * ε * (math.Abs(float64(bn.Gamma.Data[u]))*size(x, his, i) + math.Abs(float64(bn.Beta.Data[u])))
	})
	scale := func(i int) float64 { // of a mean: the root mean square of what it is of
		return 16 * ε * (math.Abs(float64(his.Mean.Data[i])) + 1/float64(his.InvStd.Data[i]) + math.Abs(float64(bn.RunMean.Data[i])))
	}
	near(t, what+": mean", mine.Mean, his.Mean, scale)
	near(t, what+": running mean", mine.RunMean, his.RunMean, scale)
	near(t, what+": 1/√var", mine.InvStd, his.InvStd, func(i int) float64 { return 16 * ε * float64(his.InvStd.Data[i]) })
	near(t, what+": running variance", mine.RunVar, his.RunVar, func(i int) float64 { return 16 * ε * float64(his.RunVar.Data[i]) })
}

// size is (|x| + |mean|)·invstd of element i: how large the terms of its
// normalised value are.
func size(x compute.Mat, bn *compute.BatchNorm, i int) float64 {
	u := column(x, i) / bn.Span
	return (math.Abs(float64(x.Data[i])) + math.Abs(float64(bn.Mean.Data[u]))) * float64(bn.InvStd.Data[u])
}

// normBackward allows, with X as above, g the gradient that passes ReLU, and n
// the numbers of a unit,
//
//	|dβ − want| ≤ 16ε·Σ|g|
//	|dγ − want| ≤ 16ε·Σ|g|X
//	|dx − want| ≤ 16ε·|γ|·invstd·(|g| + Σ|g|/n + X·Σ|g|X/n)
func (s *suite) normBackward(t *testing.T, what string, x, dy compute.Mat, bn *compute.BatchNorm) {
	t.Helper()
	what = "BatchNormGrad, " + what
	bn, _ = twin(bn)
	out := zerosLike(x)
	s.ref.BatchNorm(out, x, bn)
	want, wantGamma, wantBeta := zerosLike(x), zeros(1, bn.Gamma.Cols), zeros(1, bn.Gamma.Cols)
	s.ref.BatchNormGrad(want, wantGamma, wantBeta, dy, x, bn)
	sum, dot := make([]float64, bn.Gamma.Cols), make([]float64, bn.Gamma.Cols)
	for i, g := range dy.Data {
		if bn.ReLU && out.Data[i] <= 0 {
			continue
		}
		u := column(x, i) / bn.Span
		sum[u] += math.Abs(float64(g))
		dot[u] += math.Abs(float64(g)) * size(x, bn, i)
	}
	count := float64(x.Rows * bn.Span)
	for _, inPlace := range []bool{false, true} {
		what := fmt.Sprintf("%s, in place %v", what, inPlace)
		state, guards := twin(bn)
		gx, gy := guard(x), guard(dy)
		dx := gy
		if !inPlace {
			dx = like(x)
		}
		dgamma, dbeta := newGuarded(1, bn.Gamma.Cols), newGuarded(1, bn.Gamma.Cols)
		s.dev.BatchNormGrad(dx.Mat, dgamma.Mat, dbeta.Mat, gy.Mat, gx.Mat, state)
		for _, g := range append(guards, dx, gy, dgamma, dbeta) {
			g.intact(t, what)
		}
		unchanged(t, what, gx.Mat, x)
		if !inPlace {
			unchanged(t, what, gy.Mat, dy)
		}
		unchanged(t, what, state.RunMean, bn.RunMean)
		unchanged(t, what, state.RunVar, bn.RunVar)
		near(t, what+": dγ", dgamma.Mat, wantGamma, func(i int) float64 { return 16 * ε * dot[i] })
		near(t, what+": dβ", dbeta.Mat, wantBeta, func(i int) float64 { return 16 * ε * sum[i] })
		near(t, what+": dx", dx.Mat, want, func(i int) float64 {
			u := column(x, i) / bn.Span
			g := math.Abs(float64(dy.Data[i]))
			return 16 * ε * math.Abs(float64(bn.Gamma.Data[u])) * float64(bn.InvStd.Data[u]) *
				(g + sum[u]/count + size(x, bn, i)*dot[u]/count)
		})
	}
}

func (s *suite) normEval(t *testing.T, what string, x compute.Mat, bn *compute.BatchNorm) {
	t.Helper()
	what = "BatchNormEval, " + what
	want := zerosLike(x)
	s.ref.BatchNormEval(want, x, bn)
	for _, inPlace := range []bool{false, true} {
		what := fmt.Sprintf("%s, in place %v", what, inPlace)
		state, guards := twin(bn)
		gx := guard(x)
		y := gx
		if !inPlace {
			y = like(x)
		}
		s.dev.BatchNormEval(y.Mat, gx.Mat, state)
		for _, g := range append(guards, gx, y) {
			g.intact(t, what)
		}
		if !inPlace {
			unchanged(t, what, gx.Mat, x)
		}
		unchanged(t, what, state.RunMean, bn.RunMean)
		unchanged(t, what, state.RunVar, bn.RunVar)
		near(t, what, y.Mat, want, func(i int) float64 {
			u := column(x, i) / bn.Span
			inv := 1 / math.Sqrt(float64(bn.RunVar.Data[u])+float64(bn.Epsilon))
			terms := (math.Abs(float64(x.Data[i])) + math.Abs(float64(bn.RunMean.Data[u]))) * inv
			return 16 * ε * (math.Abs(float64(bn.Gamma.Data[u]))*terms + math.Abs(float64(bn.Beta.Data[u])))
		})
	}
}

// batchNormNotFinite wants a NaN or Inf to spoil its unit, visibly, and no
// other; and a unit that never varies to come out as β.
func (s *suite) batchNormNotFinite(t *testing.T) {
	const units, span, rows = 5, 3, 4
	for _, special := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		x := random(rows, units*span, 0, 1)
		x.Data[span] = float32(special) // unit 1
		for r := range rows {
			for i := range span {
				x.Row(r)[3*span+i] = 2.5 // unit 3
			}
		}
		bn, _ := twin(newNorm(units, span, true))
		y := newGuarded(rows, units*span)
		s.dev.BatchNorm(y.Mat, x, bn)
		for u := range units {
			if got, want := math.IsNaN(float64(bn.RunVar.Data[u])), u == 1; got != want {
				t.Errorf("BatchNorm with %v in unit 1: running variance of unit %d is %v", special, u, bn.RunVar.Data[u])
			}
			for r := range rows {
				for i := range span {
					v := float64(y.Row(r)[u*span+i])
					if math.IsNaN(v) != (u == 1) {
						t.Fatalf("BatchNorm with %v in unit 1: unit %d is %v", special, u, v)
					}
					if want := max(0, bn.Beta.Data[3]); u == 3 && math.Abs(v-float64(want)) > 1e-5 {
						t.Fatalf("BatchNorm of a unit that does not vary: got %v, want β = %v", v, want)
					}
				}
			}
		}
	}
}
