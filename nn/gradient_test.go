package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	"betalasso/compute"
	"betalasso/compute/ref"
)

func random(dev compute.Device, rows, cols int, seed uint64) compute.Mat {
	r := rand.New(rand.NewPCG(seed, 0))
	m := dev.Alloc(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

func dot(a, b compute.Mat) (sum float64) {
	for i, v := range a.Data {
		sum += float64(v) * float64(b.Data[i])
	}
	return sum
}

func spoil(m compute.Mat) {
	for i := range m.Data {
		m.Data[i] = float32(math.NaN())
	}
}

// slope is the central difference of f by *v.
func slope(v *float32, h float32, f func() float64) float64 {
	at := *v
	*v = at + h
	above := f()
	up := *v
	*v = at - h
	below := f()
	down := *v
	*v = at
	return (above - below) / float64(up-down)
}

const (
	step = 1.0 / 128
	// allowed is the error of a slope: h² of the curvature, and the rounding of
	// some tens of outputs to float32, over h.
	allowed = 2e-3
)

// checkLayer compares what Backward says with the slopes of ⟨dy, y⟩ by every
// element of the input and the parameters.
func checkLayer(t *testing.T, l Layer, x compute.Mat) {
	t.Helper()
	dev := ref.New()
	_, out := l.Size()
	y, dx, dy := dev.Alloc(x.Rows, out), dev.Alloc(x.Rows, x.Cols), random(dev, x.Rows, out, 99)
	f := func() float64 {
		l.Forward(dev, y, x, true)
		return dot(dy, y)
	}
	f()
	spoil(dx) // Backward assigns
	for _, p := range l.Params() {
		spoil(p.Grad)
	}
	l.Backward(dev, dx, dy)
	compare := func(name string, value, grad compute.Mat) {
		t.Helper()
		for i := range value.Data {
			got, want := float64(grad.Data[i]), slope(&value.Data[i], step, f)
			if !(math.Abs(got-want) <= allowed*(1+math.Abs(want))) {
				t.Errorf("d%s[%d]: got %.6f, want %.6f", name, i, got, want)
				return
			}
		}
	}
	compare("x", x, dx)
	for _, p := range l.Params() {
		compare(p.Name, p.Value, p.Grad)
	}

	f()
	if l.InPlace() {
		same := dev.Alloc(dy.Rows, dy.Cols)
		copy(same.Data, dy.Data)
		l.Backward(dev, same, same)
		equal(t, "dx in place of dy", same, dx, 0)
		return
	}
	var before []float32
	for _, p := range l.Params() {
		before = append(before, p.Grad.Data...)
		spoil(p.Grad)
	}
	l.Backward(dev, compute.Mat{}, dy)
	for _, p := range l.Params() {
		equal(t, "d"+p.Name+" without dx", p.Grad, compute.Mat{Rows: p.Grad.Rows, Cols: p.Grad.Cols, Data: before[:len(p.Grad.Data)]}, 0)
		before = before[len(p.Grad.Data):]
	}
}

func equal(t *testing.T, what string, got, want compute.Mat, tolerance float64) {
	t.Helper()
	for i, w := range want.Data {
		if !(math.Abs(float64(got.Data[i]-w)) <= tolerance*(1+math.Abs(float64(w)))) {
			t.Errorf("%s: element %d: got %v, want %v", what, i, got.Data[i], w)
			return
		}
	}
}

// normed is a batch norm with uneven γ and β, and an input for it for which no
// output lies so near to ReLU's edge that a slope would step over it.
func normed(dev compute.Device, rows, units, span int) (*BatchNorm, compute.Mat) {
	for seed := uint64(1); ; seed++ {
		l := NewBatchNormReLU(dev, "bn", units*span, span)
		copy(l.Gamma.Value.Data, random(dev, 1, units, seed+1000).Data)
		copy(l.Beta.Value.Data, random(dev, 1, units, seed+2000).Data)
		x := random(dev, rows, units*span, seed)
		y := dev.Alloc(rows, units*span)
		plain := l.State
		plain.ReLU = false
		dev.BatchNorm(y, x, &plain)
		nearest, least := math.Inf(1), math.Inf(1)
		for _, v := range y.Data {
			nearest = min(nearest, math.Abs(float64(v)))
		}
		for _, v := range l.Gamma.Value.Data {
			least = min(least, math.Abs(float64(v)))
		}
		if nearest > 10*step && least > 0.1 {
			return l, x
		}
	}
}

func TestGradients(t *testing.T) {
	dev := ref.New()
	wide := compute.Window{C: 2, H: 5, W: 6, K: 3, Size: 3, Stride: 2, Pad: 1}
	nine := compute.Window{C: 1, H: 6, W: 5, K: 2, Size: 9, Stride: 2, Pad: 4}
	drop := &Dropout{P: 0.4, Columns: 7, seed: 5}
	unit, unitX := normed(dev, 4, 3, 1)
	plane, planeX := normed(dev, 2, 2, 4)
	for _, c := range []struct {
		name string
		l    Layer
		x    compute.Mat
	}{
		{"Dense", NewDense(dev, "fc", FC, 6, 5, false, 1), random(dev, 4, 6, 1)},
		{"Dense with a bias", NewDense(dev, "fc", FC, 6, 5, true, 1), random(dev, 4, 6, 2)},
		{"Conv2D 3x3", NewConv2D(dev, "conv", wide, 1), random(dev, 3, wide.In(), 3)},
		{"Conv2D 9x9", NewConv2D(dev, "conv", nine, 1), random(dev, 2, nine.In(), 4)},
		{"Local 3x3", NewLocal(dev, "conv", wide, 1), random(dev, 3, wide.In(), 5)},
		{"Local 9x9", NewLocal(dev, "conv", nine, 1), random(dev, 2, nine.In(), 6)},
		{"BatchNorm of units", unit, unitX},
		{"BatchNorm of planes", plane, planeX},
		{"Dropout", drop, random(dev, 3, 7, 7)},
	} {
		t.Run(c.name, func(t *testing.T) { checkLayer(t, c.l, c.x) })
	}
}

// TestNetGradients takes the slopes of the loss through a whole network, so
// that memory that layers share wrongly would show. Where two step widths do
// not agree ReLU's edge lies between; that may happen to few.
func TestNetGradients(t *testing.T) {
	dev := ref.New()
	win := compute.Window{C: 2, H: 4, W: 4, K: 3, Size: 3, Stride: 2, Pad: 1}
	next := compute.Window{C: 3, H: 2, W: 2, K: 2, Size: 3, Stride: 1, Pad: 1}
	net := NewNet(dev, 9,
		NewConv2D(dev, "conv1", win, 1), NewBatchNormReLU(dev, "bn1", win.Out(), win.Positions()),
		NewLocal(dev, "conv2", next, 1), NewBatchNormReLU(dev, "bn2", next.Out(), next.Positions()),
		&Dropout{P: 0.3, Columns: next.Out()},
		NewDense(dev, "fc1", FC, next.Out(), 6, false, 1), NewBatchNormReLU(dev, "bn3", 6, 1),
		&Dropout{P: 0.3, Columns: 6},
		NewDense(dev, "fc2", FC, 6, 4, true, 1))
	const n = 7 // of 9
	x, labels := random(dev, n, win.In(), 1), []uint8{0, 1, 2, 3, 0, 1, 2}
	dlogits := dev.Alloc(n, 4)
	net.SetSeed(3)
	f := func() float64 {
		loss, _ := dev.CrossEntropy(dlogits, net.Forward(x, true), labels)
		return loss / n
	}
	f()
	net.Backward(dlogits)
	compared, skipped := 0, 0
	for _, p := range net.Params() {
		grad := append([]float32(nil), p.Grad.Data...)
		for i, g := range grad {
			want, narrow := slope(&p.Value.Data[i], step, f), slope(&p.Value.Data[i], step/4, f)
			if math.Abs(want-narrow) > allowed {
				skipped++
				continue
			}
			compared++
			if math.Abs(float64(g)-narrow) > allowed {
				t.Errorf("d%s[%d]: got %.6f, want %.6f", p.Name, i, g, narrow)
			}
		}
	}
	if skipped > compared/5 {
		t.Errorf("%d slopes were compared and %d were not", compared, skipped)
	}
}
