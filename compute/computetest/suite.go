// Package computetest is the suite that every compute.Device must pass, judged
// against package ref: the sizes around the edges of tiles, transposed views,
// guard words around every destination, NaN and Inf, and operations in place
// where the contract allows it.
package computetest

import (
	"fmt"
	"math"
	"testing"

	"betalasso/compute"
	"betalasso/compute/ref"
)

// ε is the rounding unit of float32, in which devices keep sums.
const ε = 1.0 / (1 << 24)

// tiny is allowed everywhere: a device may lose what is too small for a normal
// float32.
const tiny = 0x1p-125

// Run tests dev. unit is the rounding unit of the operands of its products:
// 2⁻²⁴ where they are float32, 2⁻⁸ where they are rounded to bfloat16.
func Run(t *testing.T, dev compute.Device, unit float64) {
	s := &suite{dev: dev, ref: ref.New(), unit: unit}
	for _, c := range []struct {
		name string
		test func(*suite, *testing.T)
	}{
		{"alloc", (*suite).alloc},
		{"mul", (*suite).mul},
		{"mul, not finite", (*suite).mulNotFinite},
		{"rows", (*suite).rows},
		{"dense", (*suite).dense},
		{"windows", (*suite).windows},
		{"windows, not finite", (*suite).windowsNotFinite},
		{"batch norm", (*suite).batchNorm},
		{"batch norm, not finite", (*suite).batchNormNotFinite},
		{"add, ReLU", (*suite).joins},
		{"average pool", (*suite).averagePool},
		{"dropout", (*suite).dropout},
		{"cross entropy", (*suite).crossEntropy},
		{"cross entropy, not finite", (*suite).crossEntropyNotFinite},
		{"update, exact", (*suite).updateExact},
		{"update, rounded", (*suite).updateRounded},
		{"shapes that do not fit", (*suite).misfits},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer release()
			c.test(s, t)
		})
	}
}

type suite struct {
	dev, ref compute.Device
	unit     float64
}

func (s *suite) alloc(t *testing.T) {
	if s.dev.Name() == "" {
		t.Error("the device has no name")
	}
	m := s.dev.Alloc(7, 3)
	if m.Rows != 7 || m.Cols != 3 || len(m.Data) != 21 || m.Trans {
		t.Fatalf("Alloc(7, 3): got %v of %d numbers", m, len(m.Data))
	}
	for i, v := range m.Data {
		if v != 0 {
			t.Fatalf("Alloc: element %d is %v, want 0", i, v)
		}
	}
}

// sameClass reports whether neither is special, or both are the same NaN or Inf.
func sameClass(got, want float64) bool {
	special := math.IsNaN(want) || math.IsInf(want, 0)
	if !special {
		return !math.IsNaN(got) && !math.IsInf(got, 0)
	}
	return math.IsNaN(want) == math.IsNaN(got) && (math.IsNaN(want) || got == want)
}

// near reports the first element of got that is farther from want than bound
// says for its index, or is NaN or Inf where want is not, or the reverse.
func near(t *testing.T, what string, got, want compute.Mat, bound func(i int) float64) {
	t.Helper()
	for i, w := range want.Data {
		g, w := float64(got.Data[i]), float64(w)
		if !sameClass(g, w) {
			t.Errorf("%s: element %d (row %d): got %v, want %v", what, i, i/want.Cols, g, w)
			return
		}
		if b := tiny + bound(i); math.Abs(g-w) > b {
			t.Errorf("%s: element %d (row %d): got %v, want %v; they differ by %.3g, allowed %.3g", what, i, i/want.Cols, g, w, math.Abs(g-w), b)
			return
		}
	}
}

// exactly wants the same numbers; NaN equals NaN.
func exactly(t *testing.T, what string, got, want compute.Mat) {
	t.Helper()
	near(t, what, got, want, func(int) float64 { return -tiny })
}

// misfits wants a panic wherever shapes do not fit together.
func (s *suite) misfits(t *testing.T) {
	d, m := s.dev, s.dev.Alloc
	win := compute.Window{C: 2, H: 4, W: 4, K: 3, Kernel: 3, Stride: 1, Pad: 1}
	bn := newNorm(3, 1, false)
	for _, c := range []struct {
		name string
		call func()
	}{
		{"Mul, inner sizes", func() { d.Mul(m(2, 3), m(2, 4), m(5, 3)) }},
		{"Mul, rows of dst", func() { d.Mul(m(3, 3), m(2, 4), m(4, 3)) }},
		{"Mul, columns of dst", func() { d.Mul(m(2, 4), m(2, 4), m(4, 3)) }},
		{"Mul, dst a view", func() { d.Mul(m(3, 2).T(), m(2, 4), m(4, 3)) }},
		{"AddRow", func() { d.AddRow(m(2, 3), m(1, 2)) }},
		{"SumRows", func() { d.SumRows(m(1, 2), m(4, 3)) }},
		{"Conv, x", func() { d.Conv(win).Forward(m(2, win.Out()), m(2, win.In()-1)) }},
		{"Conv, y", func() { d.Conv(win).Forward(m(3, win.Out()), m(2, win.In())) }},
		{"Conv, dx", func() { d.Conv(win).GradInput(m(1, win.In()), m(2, win.Out())) }},
		{"Conv, dy", func() { d.Conv(win).Step(m(2, win.Out()+1), m(2, win.In()), compute.Update{}) }},
		{"Local, y", func() { d.Local(win).Forward(m(2, win.Out()+1), m(2, win.In())) }},
		{"Local, dy", func() { d.Local(win).Step(m(1, win.Out()), m(2, win.In()), compute.Update{}) }},
		{"Dense, x", func() { d.Dense(3, 4).Forward(m(2, 3), m(2, 5)) }},
		{"Dense, y", func() { d.Dense(3, 4).Forward(m(2, 4), m(2, 4)) }},
		{"Dense, dx", func() { d.Dense(3, 4).GradInput(m(2, 3), m(2, 3)) }},
		{"Dense, dy", func() { d.Dense(3, 4).Step(m(3, 3), m(2, 4), compute.Update{}) }},
		{"Dense, hold with momentum", func() { d.Dense(3, 4).Step(m(2, 3), m(2, 4), compute.Update{Momentum: 0.5, Hold: true}) }},
		{"BatchNorm", func() { d.BatchNorm(m(2, 4), m(2, 4), bn) }},
		{"BatchNormEval", func() { d.BatchNormEval(m(2, 3), m(3, 3), bn) }},
		{"BatchNormGrad", func() { d.BatchNormGrad(m(2, 3), m(1, 3), m(1, 3), m(2, 3), m(3, 3), bn) }},
		{"Add", func() { d.Add(m(2, 3), m(2, 3), m(3, 2)) }},
		{"ReLU", func() { d.ReLU(m(2, 3), m(3, 2)) }},
		{"ReLU, a view", func() { d.ReLU(m(2, 3), m(3, 2).T()) }},
		{"ReLUGrad", func() { d.ReLUGrad(m(2, 3), m(2, 3), m(2, 2)) }},
		{"AveragePool, y", func() { d.AveragePool(m(2, 9), m(2, 32), compute.Window{C: 2, H: 4, W: 4, K: 2, Kernel: 2, Stride: 2}) }},
		{"AveragePool, channels", func() { d.AveragePool(m(2, 4), m(2, 32), compute.Window{C: 2, H: 4, W: 4, K: 1, Kernel: 2, Stride: 2}) }},
		{"AveragePoolGrad, dx", func() {
			d.AveragePoolGrad(m(2, 31), m(2, 8), compute.Window{C: 2, H: 4, W: 4, K: 2, Kernel: 2, Stride: 2})
		}},
		{"Dropout", func() { d.Dropout(m(2, 3), m(3, 2), 0.5, 1) }},
		{"CrossEntropy, labels", func() { d.CrossEntropy(m(2, 3), m(2, 3), make([]uint16, 3)) }},
		{"CrossEntropy, dx", func() { d.CrossEntropy(m(2, 2), m(2, 3), make([]uint16, 2)) }},
		{"Update, dw", func() { d.Update(m(2, 3), compute.Mat{}, m(2, 2), compute.Update{LR: 1}) }},
		{"Update, v", func() { d.Update(m(2, 3), compute.Mat{}, m(2, 3), compute.Update{LR: 1, Momentum: 0.9}) }},
	} {
		if text := panicOf(c.call); text == "" {
			t.Errorf("%s: did not panic", c.name)
		}
	}
}

func panicOf(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}
