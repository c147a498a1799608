package nn

import "betalasso/compute"

// Kind is how the weights of a Linear are connected.
type Kind int

const (
	Dense  Kind = iota // each output has a weight for each input
	Conv2D             // a window that moves, with the same weights at every position
	Local              // a window with weights of its own at every position
)

// Linear is a layer of weights: y = x·Wᵀ + b if it is fully connected, otherwise
// a convolution or a locally connected layer.
type Linear struct {
	Kind Kind
	Win  compute.Window // of Conv2D and Local
	W    Param
	B    Param       // [1, out]; without a bias its Value is the zero Mat
	x    compute.Mat // the last input, [n, in]; Backward needs it

	fused *fused

	before compute.Weights // those whose StepNorm alone reads this layer's input gradient, or nil
}

// NewDense is a fully connected layer with its first weights, named NAME.weight
// and NAME.bias. A layer before a batch norm needs no bias.
func NewDense(dev compute.Device, name string, g Group, in, out int, bias bool, seed uint64) *Linear {
	l := &Linear{Kind: Dense, W: Param{Name: name + ".weight", Group: g, Weights: dev.Dense(out, in)}}
	l.W.uniform(seed, in)
	if bias {
		l.B = newVector(dev, name+".bias", out)
		l.B.uniform(seed, in)
	}
	return l
}

// NewConv2D is a convolution without a bias, with its first weights, named
// NAME.weight: [K, C·Kernel·Kernel].
func NewConv2D(dev compute.Device, name string, g Group, win compute.Window, seed uint64) *Linear {
	l := &Linear{Kind: Conv2D, Win: win, W: Param{Name: name + ".weight", Group: g, Weights: dev.Conv(win)}}
	l.W.uniform(seed, win.Patch())
	return l
}

// NewLocal is a locally connected layer without a bias, with its first weights,
// named NAME.weight: [OutH·OutW·K, C·Kernel·Kernel].
func NewLocal(dev compute.Device, name string, g Group, win compute.Window, seed uint64) *Linear {
	l := &Linear{Kind: Local, Win: win, W: Param{Name: name + ".weight", Group: g, Weights: dev.Local(win)}}
	l.W.uniform(seed, win.Patch())
	return l
}

// HasBias reports whether l has a bias.
func (l *Linear) HasBias() bool { return l.B.Value.Data != nil }

// Features implements Layer.
func (l *Linear) Features() (in, out int) {
	if l.Kind != Dense {
		return l.Win.In(), l.Win.Out()
	}
	out, in = l.W.Shape()
	return in, out
}

// Forward implements Layer.
func (l *Linear) Forward(dev compute.Device, y, x compute.Mat, train bool) {
	l.x = x
	if train && l.fused != nil {
		return // the batch norm does it
	}
	l.W.Weights.Forward(y, x)
	if l.HasBias() {
		dev.AddRow(y, l.B.Value)
	}
}

// Backward implements Layer.
func (l *Linear) Backward(dev compute.Device, dx, dy compute.Mat, rule Rule) {
	if l.fused != nil && l.fused.back {
		l.fused.backward(dev, dy, rule)
		return
	}
	if dx.Data != nil {
		l.gradInput(dx, dy)
	}
	l.W.Nonzero = l.W.Weights.Step(dy, l.x, rule(l.W.Group))
	if l.HasBias() {
		dev.SumRows(l.B.Grad, dy)
		l.B.step(dev, rule)
	}
}

// gradInput sets dx, or leaves it to the layer before, if only that reads it.
func (l *Linear) gradInput(dx, dy compute.Mat) {
	if w, ok := l.W.Weights.(compute.NormWeights); ok && l.before != nil {
		w.GradInputFor(l.before, dx, dy)
		return
	}
	l.W.Weights.GradInput(dx, dy)
}

// InPlace implements Layer.
func (l *Linear) InPlace() bool { return false }

// Params implements Layer.
func (l *Linear) Params() []*Param {
	if l.HasBias() {
		return []*Param{&l.W, &l.B}
	}
	return []*Param{&l.W}
}

// Buffers implements Layer.
func (l *Linear) Buffers() []Buffer { return nil }
