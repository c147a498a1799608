package nn

import "betalasso/compute"

// BatchNorm is batch normalisation of units that each own span neighbouring
// columns, followed by ReLU if State.ReLU.
type BatchNorm struct {
	Gamma, Beta Param // [1, units]
	State       compute.BatchNorm
	name        string
	x           compute.Mat
	fused       *fused
}

// NewBatchNormReLU is NewBatchNorm followed by ReLU.
func NewBatchNormReLU(dev compute.Device, name string, columns, span int) *BatchNorm {
	l := NewBatchNorm(dev, name, columns, span)
	l.State.ReLU = true
	return l
}

// NewBatchNorm is a BatchNorm over columns inputs with γ = 1 and β = 0,
// and PyTorch's ε = 1e-5 and momentum 0.1. Its tensors are
// NAME.gamma, NAME.beta, NAME.mean and NAME.var.
func NewBatchNorm(dev compute.Device, name string, columns, span int) *BatchNorm {
	units := columns / span
	l := &BatchNorm{
		Gamma: newVector(dev, name+".gamma", units),
		Beta:  newVector(dev, name+".beta", units),
		name:  name,
	}
	l.State = compute.BatchNorm{
		Span:  span,
		Gamma: l.Gamma.Value, Beta: l.Beta.Value,
		Mean: dev.Alloc(1, units), InvStd: dev.Alloc(1, units),
		RunMean: dev.Alloc(1, units), RunVar: dev.Alloc(1, units),
		Epsilon: 1e-5, Momentum: 0.1,
	}
	for i := range units {
		l.Gamma.Value.Data[i] = 1
		l.State.RunVar.Data[i] = 1
	}
	return l
}

// Features implements Layer.
func (l *BatchNorm) Features() (in, out int) {
	n := l.Gamma.Value.Cols * l.State.Span
	return n, n
}

// Forward normalises by the batch, or by the running averages in evaluation.
func (l *BatchNorm) Forward(dev compute.Device, y, x compute.Mat, train bool) {
	if !train {
		dev.BatchNormEval(y, x, &l.State)
		return
	}
	l.x = x
	if l.fused != nil {
		l.fused.forward(y, x)
		return
	}
	dev.BatchNorm(y, x, &l.State)
}

// Backward implements Layer.
func (l *BatchNorm) Backward(dev compute.Device, dx, dy compute.Mat, rule Rule) {
	if l.fused != nil && l.fused.back {
		return // the layer does it
	}
	dev.BatchNormGrad(dx, l.Gamma.Grad, l.Beta.Grad, dy, l.x, &l.State)
	l.Gamma.step(dev, rule)
	l.Beta.step(dev, rule)
}

// InPlace implements Layer.
func (l *BatchNorm) InPlace() bool { return true }

// Params implements Layer.
func (l *BatchNorm) Params() []*Param { return []*Param{&l.Gamma, &l.Beta} }

// Buffers implements Layer.
func (l *BatchNorm) Buffers() []Buffer {
	return []Buffer{{l.name + ".mean", l.State.RunMean}, {l.name + ".var", l.State.RunVar}}
}
