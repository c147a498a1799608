package ref_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"betalasso/compute"
	"betalasso/compute/computetest"
	"betalasso/compute/ref"
)

func TestDevice(t *testing.T) { computetest.Run(t, ref.New(), 1.0/(1<<24)) }

func mat(rows, cols int, values ...float32) compute.Mat {
	return compute.Mat{Rows: rows, Cols: cols, Data: values}
}

func want(t *testing.T, what string, got []float32, want ...float32) {
	t.Helper()
	for i, w := range want {
		if math.Abs(float64(got[i]-w)) > 1e-6 {
			t.Errorf("%s: got %v, want %v", what, got, want)
			return
		}
	}
}

func TestByHand(t *testing.T) {
	d := ref.New()
	y := d.Alloc(2, 2)
	d.Mul(y, mat(2, 3, 1, 2, 3, 4, 5, 6), mat(3, 2, 1, 0, 0, 1, 1, 1))
	want(t, "Mul", y.Data, 4, 5, 10, 11)
	d.Mul(y, mat(3, 2, 1, 4, 2, 5, 3, 6).T(), mat(2, 3, 1, 0, 1, 0, 1, 1).T())
	want(t, "Mul of views", y.Data, 4, 5, 10, 11)

	// A 3x3 window of ones sums what it sees; its position 0 sees the corner.
	win := compute.Window{C: 1, H: 3, W: 3, K: 1, Kernel: 3, Stride: 2, Pad: 1}
	x := mat(1, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	y = d.Alloc(1, 4)
	filled(d.Conv(win), mat(1, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1)).Forward(y, x)
	want(t, "Conv", y.Data, 12, 16, 24, 28)
	// It is not flipped: the last tap is what lies below and to the right.
	filled(d.Conv(win), mat(1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1)).Forward(y, x)
	want(t, "Conv of one tap", y.Data, 5, 0, 0, 0)
	// Each position has its own tap: the centre, right, below, above-left.
	filled(d.Local(win), mat(4, 9,
		0, 0, 0, 0, 1, 0, 0, 0, 0,
		0, 0, 0, 1, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 1, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 0, 0)).Forward(y, x)
	want(t, "Local", y.Data, 1, 2, 8, 5)

	dx := d.Alloc(1, 2)
	loss, correct := d.CrossEntropy(dx, mat(1, 2, float32(math.Log(3)), 0), []uint16{0})
	if math.Abs(loss-math.Log(4.0/3)) > 1e-6 || correct != 1 {
		t.Errorf("CrossEntropy: got %v, %d, want log 4/3, 1", loss, correct)
	}
	want(t, "CrossEntropy", dx.Data, -0.25, 0.25)
}

// TestAdjoint checks that the three operations of a window are of one bilinear
// form: ⟨dy, f(x, w)⟩ = ⟨dx, x⟩ = ⟨dw, w⟩.
func TestAdjoint(t *testing.T) {
	d := ref.New()
	win := compute.Window{C: 2, H: 7, W: 9, K: 3, Kernel: 3, Stride: 2, Pad: 1}
	r := rand.New(rand.NewPCG(1, 2))
	random := func(rows, cols int) compute.Mat {
		m := d.Alloc(rows, cols)
		for i := range m.Data {
			m.Data[i] = float32(r.NormFloat64())
		}
		return m
	}
	dot := func(a, b compute.Mat) (s float64) {
		for i := range a.Data {
			s += float64(a.Data[i]) * float64(b.Data[i])
		}
		return s
	}
	for _, local := range []bool{false, true} {
		layer, rows := d.Conv(win), win.K
		if local {
			layer, rows = d.Local(win), win.K*win.Positions()
		}
		x, w, dy := random(4, win.In()), random(rows, win.Patch()), random(4, win.Out())
		y, dw, dx := d.Alloc(4, win.Out()), d.Alloc(rows, win.Patch()), d.Alloc(4, win.In())
		filled(layer, w)
		layer.Forward(y, x)
		layer.GradInput(dx, dy)
		filled(layer, dw) // from zeros, a step with η = −1 gives the gradient
		layer.Step(dy, x, compute.Update{LR: -1})
		for i := range rows {
			layer.Read(dw.Row(i), i)
		}
		a, b, c := dot(dy, y), dot(dw, w), dot(dx, x)
		if math.Abs(a-b) > 1e-4 || math.Abs(a-c) > 1e-4 {
			t.Errorf("local %v: ⟨dy, y⟩ = %v, ⟨dw, w⟩ = %v, ⟨dx, x⟩ = %v; want them equal", local, a, b, c)
		}
	}
}

// filled is s with the values of m.
func filled(s compute.Weights, m compute.Mat) compute.Weights {
	for i := range m.Rows {
		s.Write(i, m.Row(i))
	}
	return s
}
