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

// slope is the central difference of f by number i of values, which set puts
// where f takes them from.
func slope(values []float32, i int, h float32, set func(), f func() float64) float64 {
	at := values[i]
	up, down := at+h, at-h
	values[i] = up
	set()
	above := f()
	values[i] = down
	set()
	below := f()
	values[i] = at
	set()
	return (above - below) / float64(up-down)
}

// put sets all values of p.
func put(p *Param, values []float32) {
	rows, cols := p.Size()
	for i := range rows {
		p.Write(i, values[i*cols:(i+1)*cols])
	}
}

// unit is a rule whose step is the gradient itself.
func unit(Group) compute.Update { return compute.Update{LR: 1} }

// gradients are those of the parameters, by a step along them that is taken back.
func gradients(params []*Param, backward func(Rule)) [][]float32 {
	var before, list [][]float32
	for _, p := range params {
		before = append(before, p.Values())
	}
	backward(unit)
	for i, p := range params {
		g := p.Values()
		for k, v := range g {
			g[k] = before[i][k] - v
		}
		list = append(list, g)
		put(p, before[i])
	}
	return list
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
	grads := gradients(l.Params(), func(r Rule) { l.Backward(dev, dx, dy, r) })
	compare := func(name string, values, grad []float32, set func()) {
		t.Helper()
		for i := range values {
			got, want := float64(grad[i]), slope(values, i, step, set, f)
			if !(math.Abs(got-want) <= allowed*(1+math.Abs(want))) {
				t.Errorf("d%s[%d]: got %.6f, want %.6f", name, i, got, want)
				return
			}
		}
	}
	compare("x", x.Data, dx.Data, func() {})
	for i, p := range l.Params() {
		values := p.Values()
		compare(p.Name, values, grads[i], func() { put(p, values) })
	}

	f()
	if l.InPlace() {
		same := dev.Alloc(dy.Rows, dy.Cols)
		copy(same.Data, dy.Data)
		gradients(l.Params(), func(r Rule) { l.Backward(dev, same, same, r) })
		equal(t, "dx in place of dy", same, dx, 0)
		return
	}
	again := gradients(l.Params(), func(r Rule) { l.Backward(dev, compute.Mat{}, dy, r) })
	for i, p := range l.Params() {
		equal(t, "d"+p.Name+" without dx", compute.Mat{Data: again[i]}, compute.Mat{Data: grads[i]}, 0)
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
	units, unitsX := normed(dev, 4, 3, 1)
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
		{"BatchNorm of units", units, unitsX},
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
	x, labels := random(dev, n, win.In(), 1), []uint16{0, 1, 2, 3, 0, 1, 2}
	dlogits := dev.Alloc(n, 4)
	net.SetSeed(3)
	f := func() float64 {
		loss, _ := dev.CrossEntropy(dlogits, net.Forward(x, true), labels)
		return loss / n
	}
	f()
	grads := gradients(net.Params(), func(r Rule) { net.Backward(dlogits, r) })
	compared, skipped := 0, 0
	for k, p := range net.Params() {
		values := p.Values()
		set := func() { put(p, values) }
		for i, g := range grads[k] {
			want, narrow := slope(values, i, step, set, f), slope(values, i, step/4, set, f)
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
