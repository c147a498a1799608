package nn

import (
	"fmt"

	"betalasso/compute"
)

// chain is layers that run one after the other, with the memory of their outputs.
type chain struct {
	layers  []Layer
	outputs []compute.Mat // [batch, out] of each layer; a dropout's is that of the layer before it
	shared  *scratch
}

// newChain connects layers for up to batch rows. trans says whether the input is
// a transposed view.
func newChain(dev compute.Device, batch int, layers []Layer, trans bool, shared *scratch) chain {
	c := chain{layers: layers, outputs: make([]compute.Mat, len(layers)), shared: shared}
	for i, l := range layers {
		in, out := l.Features()
		if i > 0 {
			if _, before := layers[i-1].Features(); before != in {
				panic(fmt.Sprintf("nn: layer %d takes %d columns, layer %d gives %d", i, in, i-1, before))
			}
			trans = c.outputs[i-1].Trans
			shared.widen(in)
		}
		if r, ok := l.(*Residual); ok {
			r.prepare(dev, batch, trans, shared)
		}
		if _, ok := l.(*Dropout); ok && i > 0 {
			c.outputs[i] = c.outputs[i-1]
		} else if unitMajor(l, trans) {
			c.outputs[i] = dev.Alloc(out, batch).T()
		} else {
			c.outputs[i] = dev.Alloc(batch, out)
		}
	}
	if n := len(layers); n > 0 {
		_, out := layers[n-1].Features()
		shared.widen(out)
	}
	return c
}

// unitMajor reports whether l's output is stored unit by unit, the batch
// innermost. After layers of weights it is.
func unitMajor(l Layer, before bool) bool {
	switch l := l.(type) {
	case *Linear:
		return true
	case *Residual:
		return l.body.outputs[len(l.Body)-1].Trans
	}
	return before
}

// forward is the output for x, in memory of the chain; x itself if the chain is
// empty.
func (c *chain) forward(dev compute.Device, x compute.Mat, train bool) compute.Mat {
	for i, l := range c.layers {
		y := c.outputs[i].Top(x.Rows)
		l.Forward(dev, y, x, train)
		x = y
	}
	return x
}

// backward computes the gradient of the input from dy, that of the output, which
// it does not change, and sets dx to it, unless dx is the zero Mat.
func (c *chain) backward(dev compute.Device, dx, dy compute.Mat, rule Rule) {
	own, turn := false, 0 // whether dy is of shared, and which is free
	for i := len(c.layers) - 1; i >= 0; i-- {
		l := c.layers[i]
		var to compute.Mat
		switch in, _ := l.Features(); {
		case i == 0 && (dx.Data != nil || !l.InPlace()):
			to = dx
		case own && l.InPlace():
			to = dy
		default:
			to = compute.Mat{Rows: dy.Rows, Cols: in, Data: c.shared.back[turn].Data[:dy.Rows*in]}
			if to.Trans = dy.Trans; i > 0 {
				to.Trans = c.outputs[i-1].Trans
			}
			own, turn = true, 1-turn
		}
		l.Backward(dev, to, dy, rule)
		dy = to
	}
}

// scratch is the memory of the backward pass. All layers at one depth of the tree
// share it, because they run one at a time; the layers that contain them have
// their own.
type scratch struct {
	widest int
	back   [2]compute.Mat // the gradients of a layer's output and input alternate between these
	beside compute.Mat    // the gradient of a residual's input, through its shortcut
	inner  *scratch
}

// widen notes the number of columns that need room.
func (s *scratch) widen(cols int) { s.widest = max(s.widest, cols) }

// below is the scratch of what is inside the layers of this depth.
func (s *scratch) below() *scratch {
	if s.inner == nil {
		s.inner = &scratch{}
	}
	return s.inner
}

// side is a matrix of the shape and layout of m.
func (s *scratch) side(m compute.Mat) compute.Mat {
	m.Data = s.beside.Data[:len(m.Data)]
	return m
}

// alloc makes the memory, at this depth and below.
func (s *scratch) alloc(dev compute.Device, batch int) {
	for i := range s.back {
		s.back[i] = dev.Alloc(batch, s.widest)
	}
	if s.inner != nil {
		s.beside = dev.Alloc(batch, s.widest)
		s.inner.alloc(dev, batch)
	}
}
