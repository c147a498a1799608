package nn

import (
	"fmt"

	"betalasso/compute"
)

// Net runs layers one after the other, and owns all memory that this takes.
type Net struct {
	Layers  []Layer
	dev     compute.Device
	outputs []compute.Mat  // [batch, out] of each layer; a dropout's is that of the layer before it
	back    [2]compute.Mat // the gradients by a layer's output and input take turns in these
	drops   []*Dropout
}

// NewNet connects layers for batches of at most batch examples. The first is
// to have weights: it is not asked for the gradient by its input.
func NewNet(dev compute.Device, batch int, layers ...Layer) *Net {
	n := &Net{Layers: layers, dev: dev, outputs: make([]compute.Mat, len(layers))}
	widest := 0
	for i, l := range layers {
		in, out := l.Size()
		if i > 0 {
			if _, before := layers[i-1].Size(); before != in {
				panic(fmt.Sprintf("nn: layer %d takes %d columns, layer %d gives %d", i, in, i-1, before))
			}
			widest = max(widest, in)
		}
		if d, ok := l.(*Dropout); ok && i > 0 {
			n.outputs[i] = n.outputs[i-1]
			n.drops = append(n.drops, d)
		} else if unitMajor(l, i > 0 && n.outputs[i-1].Trans) {
			n.outputs[i] = dev.Alloc(out, batch).T()
		} else {
			n.outputs[i] = dev.Alloc(batch, out)
		}
	}
	fuse(layers, true)
	for i := range n.back {
		n.back[i] = dev.Alloc(batch, widest)
	}
	return n
}

// unitMajor says whether l's output lies unit by unit in memory, the batch
// innermost. Behind fully connected layers it does.
func unitMajor(l Layer, before bool) bool {
	if linear, ok := l.(*Linear); ok {
		return linear.Kind == Dense
	}
	return before && l.InPlace()
}

// SetSeed sets what the dropout layers drop in the next step. Seeds may be
// neighbours: no two layers or steps drop alike, nor alike but shifted.
func (n *Net) SetSeed(seed uint64) {
	for i, d := range n.drops {
		d.seed = mix(mix(seed) + uint64(i))
	}
}

// Forward is the network's output for x, [n, in]: the logits, [n, classes], in
// the layout of the last layer's output,
// which stay as they are until the next Forward. With train, x must not change
// before Backward.
func (n *Net) Forward(x compute.Mat, train bool) compute.Mat {
	for i, l := range n.Layers {
		y := n.outputs[i].Top(x.Rows)
		l.Forward(n.dev, y, x, train)
		x = y
	}
	return x
}

// Backward goes back from the gradient of the logits, after a Forward with train,
// and takes a step with all parameters by rule.
func (n *Net) Backward(dlogits compute.Mat, rule Rule) {
	dy, turn := dlogits, 0
	for i := len(n.Layers) - 1; i >= 0; i-- {
		l := n.Layers[i]
		var dx compute.Mat
		switch in, _ := l.Size(); {
		case i == 0 && !l.InPlace(): // nobody needs the gradient by the images
		case l.InPlace():
			dx = dy
		default:
			dx = compute.Mat{Rows: dy.Rows, Cols: in, Data: n.back[turn].Data[:dy.Rows*in], Trans: n.outputs[i-1].Trans}
			turn = 1 - turn
		}
		l.Backward(n.dev, dx, dy, rule)
		dy = dx
	}
}

// Work is the number of multiply-adds (MACs) that the layers of weights did since the
// last Forward began.
func (n *Net) Work() (sum float64) {
	for _, l := range n.Layers {
		if w, ok := l.(*Linear); ok {
			sum += w.W.Weights.Work()
		}
	}
	return sum
}

// Params are all parameters, input to output.
func (n *Net) Params() []*Param {
	var list []*Param
	for _, l := range n.Layers {
		list = append(list, l.Params()...)
	}
	return list
}

// Buffers are all running averages, input to output.
func (n *Net) Buffers() []Buffer {
	var list []Buffer
	for _, l := range n.Layers {
		list = append(list, l.Buffers()...)
	}
	return list
}
