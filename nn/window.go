package nn

import "betalasso/compute"

// Conv2D is a convolution without a bias.
type Conv2D struct {
	Win compute.Window
	W   Param // [K, C·Size·Size]
	x   compute.Mat
}

// NewConv2D is a Conv2D with its first weights, named NAME.weight.
func NewConv2D(dev compute.Device, name string, win compute.Window, seed uint64) *Conv2D {
	l := &Conv2D{Win: win, W: newParam(dev, name+".weight", Conv, win.K, win.Patch())}
	l.W.uniform(seed, win.Patch())
	return l
}

// Size is Layer.
func (l *Conv2D) Size() (in, out int) { return l.Win.In(), l.Win.Out() }

// Forward is compute.Device's Conv.
func (l *Conv2D) Forward(dev compute.Device, y, x compute.Mat, _ bool) {
	l.x = x
	dev.Conv(y, x, l.W.Value, l.Win)
}

// Backward is Layer.
func (l *Conv2D) Backward(dev compute.Device, dx, dy compute.Mat) {
	dev.ConvGradW(l.W.Grad, dy, l.x, l.Win)
	if dx.Data != nil {
		dev.ConvGradX(dx, dy, l.W.Value, l.Win)
	}
}

// InPlace is Layer.
func (l *Conv2D) InPlace() bool { return false }

// Params is Layer.
func (l *Conv2D) Params() []*Param { return []*Param{&l.W} }

// Buffers is Layer.
func (l *Conv2D) Buffers() []Buffer { return nil }

// Local is a locally connected layer without a bias: a convolution whose
// positions share nothing.
type Local struct {
	Win compute.Window
	W   Param // [OutH·OutW·K, C·Size·Size]
	x   compute.Mat
}

// NewLocal is a Local with its first weights, named NAME.weight.
func NewLocal(dev compute.Device, name string, win compute.Window, seed uint64) *Local {
	l := &Local{Win: win, W: newParam(dev, name+".weight", Conv, win.Positions()*win.K, win.Patch())}
	l.W.uniform(seed, win.Patch())
	return l
}

// Size is Layer.
func (l *Local) Size() (in, out int) { return l.Win.In(), l.Win.Out() }

// Forward is compute.Device's Local.
func (l *Local) Forward(dev compute.Device, y, x compute.Mat, _ bool) {
	l.x = x
	dev.Local(y, x, l.W.Value, l.Win)
}

// Backward is Layer.
func (l *Local) Backward(dev compute.Device, dx, dy compute.Mat) {
	dev.LocalGradW(l.W.Grad, dy, l.x, l.Win)
	if dx.Data != nil {
		dev.LocalGradX(dx, dy, l.W.Value, l.Win)
	}
}

// InPlace is Layer.
func (l *Local) InPlace() bool { return false }

// Params is Layer.
func (l *Local) Params() []*Param { return []*Param{&l.W} }

// Buffers is Layer.
func (l *Local) Buffers() []Buffer { return nil }
