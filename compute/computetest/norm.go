package computetest

import (
	"fmt"

	"betalasso/compute"
)

// norm is a batch norm with plausible state.
func (s suite) norm(units, span int, relu bool) compute.BatchNorm {
	bn := compute.BatchNorm{
		Span: span, ReLU: relu, Gamma: s.random(1, units), Beta: s.random(1, units),
		Mean: mat(1, units), InvStd: mat(1, units),
		RunMean: s.random(1, units), RunVar: magnitude(s.random(1, units)), Epsilon: 1e-5, Average: 0.1,
	}
	return bn
}

// twin is bn with state of its own.
func twin(bn compute.BatchNorm) compute.BatchNorm {
	bn.Mean, bn.InvStd = copied(bn.Mean), copied(bn.InvStd)
	bn.RunMean, bn.RunVar = copied(bn.RunMean), copied(bn.RunVar)
	return bn
}

// batchNorm: a dozen roundings of numbers of the size of the normalised input
// (at most √n) and its scale.
func (s suite) batchNorm() {
	for _, c := range []struct{ n, units, span int }{
		{2, 1, 1}, {7, 63, 1}, {32, 64, 1}, {33, 65, 1}, {5, 130, 1}, {3, 5, 16}, {4, 3, 49}, {2, 9, 256}, {8, 65, 4},
	} {
		for _, relu := range []bool{false, true} {
			name := fmt.Sprintf("BatchNorm [%d, %d·%d] relu %v", c.n, c.units, c.span, relu)
			bn := s.norm(c.units, c.span, relu)
			other := twin(bn)
			x := s.random(c.n, c.units*c.span)
			got, want := mat(x.Rows, x.Cols), mat(x.Rows, x.Cols)
			const bound = 400 * ulp
			s.dev.BatchNorm(got, x, &bn)
			s.ref.BatchNorm(want, x, &other)
			s.near(name, got, want, relative(want, bound, bound))
			s.near(name+" mean", bn.Mean, other.Mean, relative(other.Mean, bound, bound))
			s.near(name+" 1/σ", bn.InvStd, other.InvStd, relative(other.InvStd, bound, bound))
			s.near(name+" running mean", bn.RunMean, other.RunMean, relative(other.RunMean, bound, bound))
			s.near(name+" running variance", bn.RunVar, other.RunVar, relative(other.RunVar, bound, bound))

			// The state of ref for both, so that ReLU's edge is in one place.
			bn = twin(other)
			dy := s.random(x.Rows, x.Cols)
			dx, wantX := mat(x.Rows, x.Cols), mat(x.Rows, x.Cols)
			dg, db, wantG, wantB := mat(1, c.units), mat(1, c.units), mat(1, c.units), mat(1, c.units)
			s.ref.BatchNormGrad(wantX, wantG, wantB, dy, x, &other)
			s.dev.BatchNormGrad(dx, dg, db, dy, x, &bn)
			size := float64(c.n * c.span)
			s.near(name+" dγ", dg, wantG, relative(wantG, bound, bound*size))
			s.near(name+" dβ", db, wantB, relative(wantB, bound, bound*size))
			grad := func(i int) float64 {
				u := i % x.Cols / c.span
				return 40 * bound * (1 + float64(other.InvStd.Data[u])) * (1 + size)
			}
			s.near(name+" dx", dx, wantX, grad)
			s.dev.BatchNormGrad(dy, dg, db, dy, x, &bn) // in place
			s.near(name+" dx in place", dy, dx, func(int) float64 { return 0 })

			s.ref.BatchNormEval(want, x, &other)
			s.dev.BatchNormEval(got, x, &bn)
			scale := func(i int) float64 { return 400 * ulp * 400 }
			s.near(name+" in evaluation", got, want, scale)
			s.dev.BatchNormEval(x, x, &bn) // in place
			s.near(name+" in evaluation, in place", x, got, func(int) float64 { return 0 })
		}
	}
}
