package computetest

import (
	"fmt"
	"math"
	"testing"

	"betalasso/compute"
)

// lengths are numbers of elements about the edges of vectors and of tasks.
var lengths = []int{0, 1, 3, 7, 8, 9, 31, 33, 1<<14 - 1, 1<<14 + 9, 1<<16 + 1}

func (s *suite) dropout(t *testing.T) {
	for _, n := range lengths {
		for _, p := range []float32{0, 0.1, 0.5, 0.9} {
			src := random(1, n, 0, 1)
			if n > 4 {
				src.Data[2], src.Data[4] = float32(math.NaN()), float32(math.Inf(1))
			}
			want := zeros(1, n)
			s.ref.Dropout(want, src, p, 77)
			for _, inPlace := range []bool{false, true} {
				what := fmt.Sprintf("Dropout of %d, p = %v, in place %v", n, p, inPlace)
				from := guard(src)
				dst := from
				if !inPlace {
					dst = newGuarded(1, n)
				}
				s.dev.Dropout(dst.Mat, from.Mat, p, 77)
				dst.intact(t, what)
				if !inPlace {
					unchanged(t, what, from.Mat, src)
				}
				near(t, what, dst.Mat, want, func(i int) float64 {
					if !compute.Keep(77, i, p) {
						return 0
					}
					if math.IsInf(float64(src.Data[i]), 0) || math.IsNaN(float64(src.Data[i])) {
						return math.Inf(1)
					}
					return 4 * ε * math.Abs(float64(want.Data[i]))
				})
			}
		}
	}
}

// crossEntropy allows a gradient off by 16ε/n, and a loss off by
// 16ε·Σ(1 + the spread of a row's logits).
func (s *suite) crossEntropy(t *testing.T) {
	for i, c := range []struct {
		n, classes int
		scale      float32
	}{{1, 1, 1}, {1, 2, 1}, {3, 10, 1}, {7, 10, 30}, {64, 10, 1}, {17, 100, 3}, {5, 256, 1}, {4, 10, 3e4}, {6, 10, 0}} {
		what := fmt.Sprintf("CrossEntropy %dx%d, logits about %v", c.n, c.classes, c.scale)
		logits := random(c.n, c.classes, 0, uint64(i))
		labels := make([]uint16, c.n)
		var spread float64
		for r := range c.n {
			labels[r] = uint16(r * 7 % c.classes)
			low, high := math.Inf(1), math.Inf(-1)
			for j := range c.classes {
				v := &logits.Row(r)[j]
				*v *= c.scale
				if r == 1 && j > 2 {
					*v = logits.Row(r)[2] // the first of equals is the answer
				}
				low, high = min(low, float64(*v)), max(high, float64(*v))
			}
			spread += 1 + high - low
		}
		want := zeros(c.n, c.classes)
		wantLoss, wantRight := s.ref.CrossEntropy(want, logits, labels)
		dx, src := newGuarded(c.n, c.classes), guard(logits)
		loss, right := s.dev.CrossEntropy(dx.Mat, src.Mat, labels)
		dx.intact(t, what)
		unchanged(t, what, src.Mat, logits)
		near(t, what, dx.Mat, want, func(int) float64 { return 16 * ε / float64(c.n) })
		if right != wantRight {
			t.Errorf("%s: got %d correct, want %d", what, right, wantRight)
		}
		if math.IsNaN(loss) || math.Abs(loss-wantLoss) > 16*ε*spread {
			t.Errorf("%s: got a loss of %v, want %v", what, loss, wantLoss)
		}
	}
}

// crossEntropyNotFinite wants a loss by which a caller sees that something was
// not a number, wherever in the batch.
func (s *suite) crossEntropyNotFinite(t *testing.T) {
	for _, special := range []float64{math.NaN(), math.Inf(1)} {
		for _, at := range []int{0, 3, 9, 19} {
			logits := random(2, 10, 0, 1)
			logits.Data[at] = float32(special)
			loss, _ := s.dev.CrossEntropy(newGuarded(2, 10).Mat, logits, []uint16{3, 4})
			if !math.IsNaN(loss) && !math.IsInf(loss, 0) {
				t.Errorf("CrossEntropy with a logit %d of %v: got a loss of %v", at, special, loss)
			}
		}
	}
	logits := random(1, 4, 0, 1)
	logits.Data[2] = float32(math.Inf(-1)) // a probability of 0 for another class is no error
	if loss, _ := s.dev.CrossEntropy(newGuarded(1, 4).Mat, logits, []uint16{1}); math.IsNaN(loss) || math.IsInf(loss, 0) {
		t.Errorf("CrossEntropy with a logit of -Inf for another class: got a loss of %v", loss)
	}
}

var updates = []compute.Update{
	{LR: 0.5},
	{LR: 0.5, Momentum: 0.5},
	{LR: 0.5, WeightDecay: 0.25},
	{LR: 0.5, Momentum: 0.5, WeightDecay: 0.25},
	{LR: 0.5, L1: 0.25},
	{LR: 0.5, L1: 0.25, Threshold: 0.25},
	{LR: 0.25, L1: 0.125, Threshold: 0.5},
	{LR: 0.5, Momentum: 0.5, L1: 0.25, Threshold: 0.25},
	{LR: 0.5, Momentum: 0.5, WeightDecay: 0.125, L1: 0.25, Threshold: 0.5},
	{LR: 0, L1: 0.25, Threshold: 0.25},
	{LR: 0.5, L1: 0.25, Threshold: 0.25, Hold: true},
}

// updateExact uses small multiples of powers of 2, with which every device's
// arithmetic is exact: the weights, the momentum and the count must agree, also
// where |w| is just the threshold, where w is ±0, and where w or dw is not a number.
func (s *suite) updateExact(t *testing.T) {
	for _, u := range updates {
		for _, n := range lengths {
			w, v, dw := zeros(1, n), zeros(1, n), zeros(1, n)
			for i := range n {
				w.Data[i] = float32(i%17-8) / 8
				dw.Data[i] = float32(i*5%13-6) / 4
				v.Data[i] = float32(i*3%7-3) / 4
			}
			if n > 8 {
				w.Data[2] = float32(math.NaN())
				dw.Data[4] = float32(math.Inf(1))
				w.Data[6] = float32(math.Copysign(0, -1))
				dw.Data[n-1] = float32(math.NaN())
			}
			s.update(t, w, v, dw, u, func(float64) float64 { return 0 })
		}
	}
}

// updateRounded uses any numbers, and allows the terms of a step one rounding
// each: 8ε of their sum.
func (s *suite) updateRounded(t *testing.T) {
	for _, u := range []compute.Update{
		{LR: 0.1, L1: 1e-3, Threshold: 0.05},
		{LR: 0.0317, Momentum: 0.9, WeightDecay: 5e-4},
		{LR: 0.0317, Momentum: 0.9, WeightDecay: 5e-4, L1: 2e-5, Threshold: 1e-3},
	} {
		s.update(t, random(3, 6007, 0, 1), random(3, 6007, 0, 2), random(3, 6007, 0, 3), u,
			func(terms float64) float64 { return 8 * ε * terms })
	}
}

func (s *suite) update(t *testing.T, w, v, dw compute.Mat, u compute.Update, allow func(terms float64) float64) {
	t.Helper()
	what := fmt.Sprintf("Update of %d by %+v", len(w.Data), u)
	gw, gv, gd := guard(w), guard(v), guard(dw)
	if u.Momentum == 0 {
		gv = guarded{} // nobody needs it
	}
	wantW, wantV := clone(w), clone(v)
	s.ref.Update(wantW, wantV, dw, u)
	got := s.dev.Update(gw.Mat, gv.Mat, gd.Mat, u)
	gw.intact(t, what)
	unchanged(t, what, gd.Mat, dw)
	terms := func(i int) float64 {
		abs := func(x float32) float64 { return math.Abs(float64(x)) }
		sum := abs(dw.Data[i]) + float64(u.WeightDecay)*abs(w.Data[i]) + float64(u.L1)
		if u.Momentum != 0 {
			sum += float64(u.Momentum) * abs(v.Data[i])
		}
		return sum
	}
	uncut, d, m := zeros(1, 1), zeros(1, 1), zeros(1, 1)
	bound := func(i int) float64 {
		b := allow(math.Abs(float64(w.Data[i])) + float64(u.LR)*terms(i))
		if b == 0 || math.IsNaN(b) {
			return 0
		}
		one := u
		one.Threshold = 0
		uncut.Data[0] = w.Data[i]
		d.Data[0], m.Data[0] = dw.Data[i], v.Data[i]
		s.ref.Update(uncut, m, d, one)
		if math.Abs(math.Abs(float64(uncut.Data[0]))-float64(u.Threshold)) <= b {
			return float64(u.Threshold) + b // on either side of the threshold is right
		}
		return b
	}
	near(t, what, gw.Mat, wantW, bound)
	if u.Momentum != 0 {
		gv.intact(t, what)
		near(t, what+": momentum", gv.Mat, wantV, func(i int) float64 {
			if b := allow(terms(i)); !math.IsNaN(b) {
				return b
			}
			return 0
		})
	}
	want := 0
	for _, v := range gw.Data {
		if v != 0 {
			want++
		}
	}
	if got != want {
		t.Errorf("%s: returned %d, want the %d that are not zero", what, got, want)
	}
}
