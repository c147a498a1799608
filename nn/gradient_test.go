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
	rows, cols := p.Shape()
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
	_, out := l.Features()
	y, dx, dy := dev.Alloc(x.Rows, out), dev.Alloc(x.Rows, x.Cols), random(dev, x.Rows, out, 99)
	if unitMajor(l, false) { // so does a net lay them out
		y = dev.Alloc(out, x.Rows).T()
		dy = dev.Alloc(out, x.Rows).T()
		dev.Add(dy, random(dev, x.Rows, out, 99), y)
	}
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
		same.Trans = dy.Trans
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

// away is m with all of it away from 0.
func away(m compute.Mat) compute.Mat {
	for i, v := range m.Data {
		m.Data[i] = v + float32(math.Copysign(0.2, float64(v)))
	}
	return m
}

// residual is a block of two convolutions without ReLU, of 2 channels of 4x4; the
// first moves by stride.
func residual(dev compute.Device, batch, stride int, shortcut func(compute.Window) []Layer) *Residual {
	first := compute.Window{C: 2, H: 4, W: 4, K: 2, Kernel: 3, Stride: stride, Pad: 1}
	next := compute.Window{C: 2, H: first.OutH(), W: first.OutW(), K: 2, Kernel: 3, Stride: 1, Pad: 1}
	l := &Residual{Body: []Layer{
		NewConv2D(dev, "a", Conv, first, 3), NewBatchNorm(dev, "bna", first.Out(), first.Positions()),
		NewConv2D(dev, "b", Conv, next, 4), NewBatchNorm(dev, "bnb", next.Out(), next.Positions()),
	}}
	if shortcut != nil {
		l.Shortcut = shortcut(first)
	}
	return ready(dev, batch, l)
}

// dense is a block of a fully connected layer whose output lies unit by unit in
// memory while its input does not.
func dense(dev compute.Device, batch int) *Residual {
	return ready(dev, batch, &Residual{Body: []Layer{NewDense(dev, "a", FC, 6, 6, true, 3)}})
}

// ready gives l its memory, as NewNet does.
func ready(dev compute.Device, batch int, l *Residual) *Residual {
	var shared scratch
	l.prepare(dev, batch, false, &shared)
	shared.alloc(dev, batch)
	return l
}

func TestGradients(t *testing.T) {
	dev := ref.New()
	wide := compute.Window{C: 2, H: 5, W: 6, K: 3, Kernel: 3, Stride: 2, Pad: 1}
	nine := compute.Window{C: 1, H: 6, W: 5, K: 2, Kernel: 9, Stride: 2, Pad: 4}
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
		{"Conv2D 3x3", NewConv2D(dev, "conv", Conv, wide, 1), random(dev, 3, wide.In(), 3)},
		{"Conv2D 9x9", NewConv2D(dev, "conv", Conv, nine, 1), random(dev, 2, nine.In(), 4)},
		{"Local 3x3", NewLocal(dev, "conv", Conv, wide, 1), random(dev, 3, wide.In(), 5)},
		{"Local 9x9", NewLocal(dev, "conv", Conv, nine, 1), random(dev, 2, nine.In(), 6)},
		{"BatchNorm of units", units, unitsX},
		{"BatchNorm of planes", plane, planeX},
		{"Dropout", drop, random(dev, 3, 7, 7)},
		{"BatchNorm without ReLU", NewBatchNorm(dev, "bn", 6, 2), random(dev, 4, 6, 8)},
		{"ReLU", &ReLU{Columns: 7}, away(random(dev, 3, 7, 9))},
		{"AveragePool of all", &AveragePool{compute.Window{C: 2, H: 3, W: 3, K: 2, Kernel: 3, Stride: 1}}, random(dev, 3, 18, 10)},
		{"AveragePool 2x2", &AveragePool{compute.Window{C: 2, H: 5, W: 4, K: 2, Kernel: 2, Stride: 2}}, random(dev, 3, 40, 11)},
		{"Residual of the input itself", residual(dev, 8, 1, nil), random(dev, 8, 32, 12)},
		{"Residual with a shortcut", residual(dev, 8, 2, func(win compute.Window) []Layer {
			win.Kernel, win.Pad = 1, 0
			return []Layer{NewConv2D(dev, "short", Conv, win, 5), NewBatchNorm(dev, "bnshort", win.Out(), win.Positions())}
		}), random(dev, 8, 32, 13)},
		{"Residual of fully connected layers", dense(dev, 3), random(dev, 3, 6, 14)},
	} {
		t.Run(c.name, func(t *testing.T) { checkLayer(t, c.l, c.x) })
	}
}

// TestNetGradients takes the slopes of the loss through whole networks, so
// that memory that layers share wrongly would show. Where two step widths do
// not agree ReLU's edge lies between; that may happen to few.
func TestNetGradients(t *testing.T) {
	dev := ref.New()
	win := compute.Window{C: 2, H: 4, W: 4, K: 3, Kernel: 3, Stride: 2, Pad: 1}
	next := compute.Window{C: 3, H: 2, W: 2, K: 2, Kernel: 3, Stride: 1, Pad: 1}
	norm := func(name string, w compute.Window) Layer { return NewBatchNormReLU(dev, name, w.Out(), w.Positions()) }
	plain := NewNet(dev, 9,
		NewConv2D(dev, "conv1", Conv, win, 1), norm("bn1", win),
		NewLocal(dev, "conv2", Conv, next, 1), norm("bn2", next),
		&Dropout{P: 0.3, Columns: next.Out()},
		NewDense(dev, "fc1", FC, next.Out(), 6, false, 1), NewBatchNormReLU(dev, "bn3", 6, 1),
		&Dropout{P: 0.3, Columns: 6},
		NewDense(dev, "fc2", FC, 6, 4, true, 1))
	t.Run("a chain", func(t *testing.T) { netGradients(t, dev, plain, win.In(), step) })

	same := compute.Window{C: 3, H: 2, W: 2, K: 3, Kernel: 3, Stride: 1, Pad: 1}
	wide, point := same, same
	wide.K, point.K = 4, 4
	point.Kernel, point.Pad = 1, 0
	back := compute.Window{C: 4, H: 2, W: 2, K: 4, Kernel: 3, Stride: 1, Pad: 1}
	inner := &Residual{Body: []Layer{NewConv2D(dev, "inner", Conv, back, 1), NewBatchNorm(dev, "bninner", back.Out(), back.Positions())}}
	tree := NewNet(dev, 9,
		NewConv2D(dev, "conv1", Conv, win, 1), norm("bn1", win),
		&Residual{Body: []Layer{
			NewBatchNorm(dev, "bn2", same.In(), 4), &ReLU{Columns: same.In()}, NewConv2D(dev, "conv2", Conv, same, 1),
			&Dropout{P: 0.3, Columns: same.Out()}, norm("bn3", same), NewConv2D(dev, "conv3", Conv, same, 1),
		}},
		&Residual{
			Body:     []Layer{NewConv2D(dev, "conv4", Conv, wide, 1), norm("bn4", wide), inner},
			Shortcut: []Layer{NewConv2D(dev, "conv5", Conv, point, 1), NewBatchNorm(dev, "bn5", point.Out(), point.Positions())},
		}, &ReLU{Columns: wide.Out()},
		&AveragePool{compute.Window{C: 4, H: 2, W: 2, K: 4, Kernel: 2, Stride: 2}},
		&Residual{Body: []Layer{NewDense(dev, "fc1", FC, 4, 4, true, 1), NewBatchNormReLU(dev, "bn6", 4, 1)}},
		NewDense(dev, "fc2", FC, 4, 4, true, 1))
	t.Run("a tree", func(t *testing.T) { netGradients(t, dev, tree, win.In(), step/4) })
}

// netGradients compares slopes over 2h and over h/2.
func netGradients(t *testing.T, dev compute.Device, net *Net, in int, h float32) {
	const n = 7 // of 9
	x, labels := random(dev, n, in, 1), []uint16{0, 1, 2, 3, 0, 1, 2}
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
			want, narrow := slope(values, i, h, set, f), slope(values, i, h/4, set, f)
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
