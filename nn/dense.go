package nn

import "betalasso/compute"

// Dense is the fully connected layer y = x·Wᵀ + b.
type Dense struct {
	W Param       // [out, in]
	B Param       // [1, out]; without a bias its Value is the zero Mat
	x compute.Mat // the last input, [n, in]; Backward needs it
}

// NewDense is a Dense with its first weights, named NAME.weight and NAME.bias.
// A layer before a batch norm needs no bias.
func NewDense(dev compute.Device, name string, g Group, in, out int, bias bool, seed uint64) *Dense {
	l := &Dense{W: newParam(dev, name+".weight", g, out, in)}
	l.W.uniform(seed, in)
	if bias {
		l.B = newParam(dev, name+".bias", None, 1, out)
		l.B.uniform(seed, in)
	}
	return l
}

func (l *Dense) hasBias() bool { return l.B.Value.Data != nil }

// Size is Layer.
func (l *Dense) Size() (in, out int) { return l.W.Value.Cols, l.W.Value.Rows }

// Forward sets y = x·Wᵀ + b.
func (l *Dense) Forward(dev compute.Device, y, x compute.Mat, _ bool) {
	l.x = x
	dev.Mul(y, x, l.W.Value.T())
	if l.hasBias() {
		dev.AddRow(y, l.B.Value)
	}
}

// Backward sets dW = dyᵀ·x, db = Σ dy, dx = dy·W.
func (l *Dense) Backward(dev compute.Device, dx, dy compute.Mat) {
	dev.Mul(l.W.Grad, dy.T(), l.x)
	if l.hasBias() {
		dev.SumRows(l.B.Grad, dy)
	}
	if dx.Data != nil {
		dev.Mul(dx, dy, l.W.Value)
	}
}

// InPlace is Layer.
func (l *Dense) InPlace() bool { return false }

// Params is Layer.
func (l *Dense) Params() []*Param {
	if l.hasBias() {
		return []*Param{&l.W, &l.B}
	}
	return []*Param{&l.W}
}

// Buffers is Layer.
func (l *Dense) Buffers() []Buffer { return nil }
