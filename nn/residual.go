package nn

import (
	"fmt"
	"slices"

	"betalasso/compute"
)

// Residual is a layer that contains layers. It adds the outputs of its body and
// of its shortcut:
//
//	y = Body(x) + Shortcut(x)
//
// An empty Shortcut is the input itself. NewNet allocates the memory.
type Residual struct {
	Body, Shortcut []Layer

	body, shortcut chain
	shared         *scratch
}

// Features implements Layer.
func (l *Residual) Features() (in, out int) {
	in, _ = l.Body[0].Features()
	_, out = l.Body[len(l.Body)-1].Features()
	return in, out
}

// prepare allocates the memory of l and of the layers inside it, for inputs of up
// to batch rows, stored unit by unit if trans. What the backward pass needs is
// noted in shared, by depth.
func (l *Residual) prepare(dev compute.Device, batch int, trans bool, shared *scratch) {
	in, out := l.Features()
	shared.widen(max(in, out))
	l.shared = shared
	l.body = newChain(dev, batch, l.Body, trans, shared.below())
	l.shortcut = newChain(dev, batch, l.Shortcut, trans, shared.below())
	fuse(l.Body, false)
	fuse(l.Shortcut, false)
	if len(l.Shortcut) == 0 && in != out {
		panic(fmt.Sprintf("nn: a residual's body makes %d columns of %d, and nothing is in the shortcut", out, in))
	}
	if from, to := l.Shortcut, l.Body; len(from) > 0 {
		a, _ := from[0].Features()
		_, b := from[len(from)-1].Features()
		if c, d := l.Features(); a != c || b != d {
			panic(fmt.Sprintf("nn: a residual's shortcut makes %d columns of %d, its body of %d layers %d of %d", b, a, len(to), d, c))
		}
	}
}

// Forward implements Layer.
func (l *Residual) Forward(dev compute.Device, y, x compute.Mat, train bool) {
	dev.Add(y, l.body.forward(dev, x, train), l.shortcut.forward(dev, x, train))
}

// Backward implements Layer.
func (l *Residual) Backward(dev compute.Device, dx, dy compute.Mat, rule Rule) {
	l.body.backward(dev, dx, dy, rule)
	if len(l.Shortcut) == 0 {
		if dx.Data != nil {
			dev.Add(dx, dx, dy)
		}
		return
	}
	var other compute.Mat
	if dx.Data != nil {
		other = l.shared.side(dx)
	}
	l.shortcut.backward(dev, other, dy, rule)
	if dx.Data != nil {
		dev.Add(dx, dx, other)
	}
}

// InPlace implements Layer.
func (l *Residual) InPlace() bool { return false }

// Params implements Layer.
func (l *Residual) Params() (list []*Param) {
	for _, inner := range slices.Concat(l.Body, l.Shortcut) {
		list = append(list, inner.Params()...)
	}
	return list
}

// Buffers implements Layer.
func (l *Residual) Buffers() (list []Buffer) {
	for _, inner := range slices.Concat(l.Body, l.Shortcut) {
		list = append(list, inner.Buffers()...)
	}
	return list
}

// Walk calls f with each layer of a tree, input to output: a residual itself,
// then its body, then its shortcut.
func Walk(layers []Layer, f func(Layer)) {
	for _, l := range layers {
		f(l)
		if r, ok := l.(*Residual); ok {
			Walk(r.Body, f)
			Walk(r.Shortcut, f)
		}
	}
}
