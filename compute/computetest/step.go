package computetest

import (
	"math"

	"betalasso/compute"
)

func (s suite) rows() {
	for _, c := range []struct{ n, cols int }{{1, 1}, {3, 10}, {17, 64}, {5, 65}, {33, 130}} {
		a, b := s.random(c.n, c.cols), s.random(1, c.cols)
		got, want, sum := mat(1, c.cols), mat(1, c.cols), mat(1, c.cols)
		s.dev.SumRows(got, a)
		s.ref.SumRows(want, a)
		s.ref.SumRows(sum, magnitude(a))
		s.near("SumRows", got, want, func(i int) float64 { return float64(c.n) * ulp * float64(sum.Data[i]) })
		x, y := copied(a), copied(a)
		s.dev.AddRow(x, b)
		s.ref.AddRow(y, b)
		s.near("AddRow", x, y, func(int) float64 { return 0 })
	}
}

// dropout drops the elements that compute.Keep says, on every device.
func (s suite) dropout() {
	x := s.random(37, 1001)
	got, want := mat(x.Rows, x.Cols), mat(x.Rows, x.Cols)
	s.dev.Dropout(got, x, 0.3, 99)
	s.ref.Dropout(want, x, 0.3, 99)
	s.near("Dropout", got, want, relative(want, 4*ulp, 1e-44))
	s.dev.Dropout(x, x, 0.3, 99)
	s.near("Dropout in place", x, got, func(int) float64 { return 0 })
	dropped := 1 - float64(s.dev.Nonzero(got))/float64(len(got.Data))
	if math.Abs(dropped-0.3-0.02) > 0.02 { // 2 % of random's numbers are 0 as they come
		s.Errorf("dropout with p = 0.3 dropped %.3f", dropped)
	}
}

func (s suite) crossEntropy() {
	for _, c := range []struct{ n, classes int }{{1, 2}, {3, 10}, {70, 100}} {
		x := s.random(c.n, c.classes)
		x.Data[0] = 90 // exp(90) is beyond float32
		labels := make([]uint8, c.n)
		for i := range labels {
			labels[i] = uint8(s.rng.IntN(c.classes))
		}
		got, want := mat(c.n, c.classes), mat(c.n, c.classes)
		loss, correct := s.dev.CrossEntropy(got, x, labels)
		wantLoss, wantCorrect := s.ref.CrossEntropy(want, x, labels)
		s.near("CrossEntropy", got, want, relative(want, 16*ulp, 16*ulp/float64(c.n)))
		if math.Abs(loss-wantLoss) > 1e-5*wantLoss || correct != wantCorrect {
			s.Errorf("CrossEntropy of %v: got loss %g, %d right; want %g, %d", x, loss, correct, wantLoss, wantCorrect)
		}
	}
	flat := mat(1, 4)
	clear(flat.Data)
	if _, correct := s.dev.CrossEntropy(mat(1, 4), flat, []uint8{0}); correct != 1 {
		s.Error("of equal logits the first is not the answer")
	}
	flat.Data[2] = float32(math.NaN())
	if loss, _ := s.dev.CrossEntropy(mat(1, 4), flat, []uint8{0}); !math.IsNaN(loss) {
		s.Errorf("the loss of a NaN is %g", loss)
	}
}

// update: a few roundings of the step. Where they could decide a cut the want
// is moved away from it first.
func (s suite) update() {
	for _, u := range []compute.Update{
		{LR: 0.1},
		{LR: 0.1, WeightDecay: 0.01},
		{LR: 0.1, Momentum: 0.9, WeightDecay: 0.01},
		{LR: 0.05, L1: 0.01},
		{LR: 0.05, L1: 0.01, Cut: 0.5},
		{LR: 0.05, L1: 0.01, Cut: 0.5, Momentum: 0.5},
		{LR: 0, L1: 0.01, Cut: 0.5},
	} {
		for _, n := range []int{1, 7, 8, 9, 100, 16384, 16385, 40000} {
			w, v, dw := s.random(1, n), s.random(1, n), s.random(1, n)
			for i := range w.Data {
				if i%3 == 0 {
					w.Data[i] = 0
				}
			}
			w2, v2 := copied(w), copied(v)
			got := s.dev.Update(w, v, dw, u)
			s.ref.Update(w2, v2, dw, u)
			zeros, edge := 0, 0
			for i, want := range w2.Data {
				g := w.Data[i]
				if g == 0 {
					zeros++
				}
				if (g == 0) != (want == 0) {
					if left := math.Abs(float64(g + want)); math.Abs(left-float64(u.Cut)) > 1e-6 {
						s.Fatalf("Update %+v: element %d is %g, want %g", u, i, g, want)
					}
					edge++
					continue
				}
				if math.Abs(float64(g-want)) > 8*ulp*(1+math.Abs(float64(want))) {
					s.Fatalf("Update %+v: element %d is %g, want %g", u, i, g, want)
				}
			}
			if edge > 1+n/1000 {
				s.Errorf("Update %+v: %d of %d elements were cut otherwise", u, edge, n)
			}
			if got != n-zeros {
				s.Errorf("Update %+v of %d: counted %d non-zeros, want %d", u, n, got, n-zeros)
			}
			if u.Momentum != 0 {
				s.near("Update's momentum", v, v2, relative(v2, 8*ulp, 8*ulp))
			}
		}
	}
	w, dw := s.random(1, 9), s.random(1, 9)
	w.Data[4], dw.Data[7] = float32(math.NaN()), float32(math.Inf(1))
	if got := s.dev.Update(w, compute.Mat{}, dw, compute.Update{LR: 0.1, L1: 0.1, Cut: 10}); got != 2 || !math.IsNaN(float64(w.Data[4])) || !math.IsInf(float64(w.Data[7]), -1) {
		s.Errorf("Update must carry NaN and infinity through the cut: got %v, %d non-zeros", w.Data, got)
	}
}

func (s suite) nonzero() {
	for _, n := range []int{0, 1, 7, 8, 9, 16383, 16384, 16385, 50001} {
		m := s.random(1, n)
		want := s.ref.Nonzero(m)
		if got := s.dev.Nonzero(m); got != want {
			s.Errorf("Nonzero of %d: got %d, want %d", n, got, want)
		}
	}
	m := mat(1, 3)
	m.Data[0], m.Data[1], m.Data[2] = float32(math.Copysign(0, -1)), float32(math.NaN()), 1e-45
	if got := s.dev.Nonzero(m); got != 2 {
		s.Errorf("Nonzero of −0, NaN and the smallest number: got %d, want 2", got)
	}
}
