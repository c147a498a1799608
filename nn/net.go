package nn

import "betalasso/compute"

// Net runs layers one after the other and owns all memory that they need. Layers
// may contain layers.
type Net struct {
	Layers []Layer
	Whiten *Whitening // before the first layer; nil: nothing
	dev    compute.Device
	chain  chain
	drops  []*Dropout
}

// NewNet connects layers for batches of at most batch examples. The first must
// have weights: its input gradient is not computed.
func NewNet(dev compute.Device, batch int, layers ...Layer) *Net {
	var shared scratch
	n := &Net{Layers: layers, dev: dev, chain: newChain(dev, batch, layers, false, &shared)}
	shared.alloc(dev, batch)
	Walk(layers, func(l Layer) {
		if d, ok := l.(*Dropout); ok {
			n.drops = append(n.drops, d)
		}
	})
	fuse(layers, len(layers) > 2)
	return n
}

// SetSeed determines what the dropout layers drop in the next step. Seeds may be
// consecutive: no two layers or steps drop the same pattern, nor a shifted one.
func (n *Net) SetSeed(seed uint64) {
	for i, d := range n.drops {
		d.seed = mix(mix(seed) + uint64(i))
	}
}

// Forward is the network's output for x, [n, in]: the logits, [n, classes], in
// the layout of the last layer's output. They are valid until the next Forward.
// With train, x must not change before Backward.
func (n *Net) Forward(x compute.Mat, train bool) compute.Mat {
	if n.Whiten != nil {
		x = n.Whiten.forward(x)
	}
	return n.chain.forward(n.dev, x, train)
}

// Backward runs the backward pass from the gradient of the logits, after a
// Forward with train, and lets all parameters take a step by rule.
func (n *Net) Backward(dlogits compute.Mat, rule Rule) {
	n.chain.backward(n.dev, compute.Mat{}, dlogits, rule)
}

// MACs is the number of multiply-adds (MACs) that the layers of weights did since the
// last Forward began.
func (n *Net) MACs() (sum float64) {
	Walk(n.Layers, func(l Layer) {
		if w, ok := l.(*Linear); ok {
			sum += w.W.Weights.MACs()
		}
	})
	return sum
}

// Normed calls f with each layer of weights that is directly followed by a batch
// norm, and with that batch norm.
func (n *Net) Normed(f func(*Linear, *BatchNorm)) { eachNormed(n.Layers, f) }

func eachNormed(layers []Layer, f func(*Linear, *BatchNorm)) {
	for i, l := range layers {
		switch l := l.(type) {
		case *Linear:
			if i+1 < len(layers) {
				if norm, ok := layers[i+1].(*BatchNorm); ok {
					f(l, norm)
				}
			}
		case *Residual:
			eachNormed(l.Body, f)
			eachNormed(l.Shortcut, f)
		}
	}
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
