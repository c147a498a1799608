package nn

import "betalasso/compute"

// fused is a fully connected layer and the batch norm after it, which run as one
// in training: the layer leaves its forward pass to the batch norm, and, if the
// layer is the first of the net and needs no input gradient, the batch norm
// leaves its backward pass to the layer.
type fused struct {
	w      compute.NormWeights
	next   compute.Weights // of the layer after both, or nil
	norm   *BatchNorm
	linear *Linear
	back   bool // the backward pass too, with what the next layer leaves to be computed of its input gradient
}

// fuse joins layers where it can. first says that these are the first layers of a
// net that has more than two.
func fuse(layers []Layer, first bool) {
	for i := 0; i+1 < len(layers); i++ {
		l, ok := layers[i].(*Linear)
		if !ok || l.Kind != Dense || l.HasBias() {
			continue
		}
		norm, ok := layers[i+1].(*BatchNorm)
		w, can := l.W.Weights.(compute.NormWeights)
		if !ok || !can || norm.State.Span != 1 {
			continue
		}
		f := &fused{w: w, norm: norm, linear: l, back: first && i == 0}
		if i+2 < len(layers) {
			if next, ok := layers[i+2].(*Linear); ok {
				f.next = next.W.Weights
				if f.back {
					next.before = f.w
				}
			}
		}
		l.fused, norm.fused = f, f
	}
}

// forward is the layer's forward pass and the batch norm's.
func (f *fused) forward(z, y compute.Mat) {
	f.w.ForwardNorm(z, y, f.linear.x, &f.norm.State, f.next, f.back)
}

// backward is the batch norm's backward pass and the layer's.
func (f *fused) backward(dev compute.Device, dz compute.Mat, rule Rule) {
	n, l := f.norm, f.linear
	l.W.Nonzero = f.w.StepNorm(n.Gamma.Grad, n.Beta.Grad, dz, n.x, l.x, &n.State, rule(l.W.Group))
	n.Gamma.step(dev, rule)
	n.Beta.step(dev, rule)
}
