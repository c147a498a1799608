// Package model has the paper's networks by name (Figure 1, Tables 3 and 4 of
// Neyshabur 2020, arXiv 2007.13657), and those that a file describes. The
// paper's are such files too, in networks: S-CONV, S-LOCAL and S-FC with one layer
// that is a convolution, or corresponds to one, and two fully connected layers;
// 3-FC; the deep D-CONV, D-LOCAL and D-FC; and ResNet-18 (Figure 5).
//
// From a network's one description come its layers, its counts of weights and
// multiply-adds, and its estimate of memory.
package model

import (
	"fmt"

	"betalasso/compute"
	"betalasso/nn"
)

// Size is the size of a network and of what it sees.
type Size struct {
	Alpha    int // α, base channels; of networks that have them
	Width    int // hidden units of 3-fc
	Kernel   int // side of resnet18's windows
	Channels int // of the images
	Side     int // of the images, which are square
	Classes  int
	Batch    int     // the most examples in a batch
	Dropout  float64 // probability, in the network's dropout layers; 0: no dropout

	Network string // the text of the network's file; "": it is built in
}

// Sizes beyond these are mistakes; up to them no count of weights overflows.
const (
	maxAlpha   = 1 << 14
	maxWidth   = 1 << 24
	maxKernel  = 31
	maxSide    = 1 << 8 // of an image, and for channels
	maxClasses = 1 << 16
)

// Names are the networks that are built in.
func Names() []string {
	return []string{"s-conv", "s-local", "s-fc", "3-fc", "d-conv", "d-local", "d-fc", "resnet18"}
}

// New is the named network, or that of s.Network, with its first weights, which
// depend on the seed and the sizes alone. In the paper's networks each layer but
// the last is followed by batch norm and ReLU (Figure 1's caption). Where the
// paper does not say what the batch norm is of, it is
//
//   - of channels for convolutions, and for local layers too, so that a local
//     layer with shared weights is the convolution, batch norm and all;
//   - of units for every fully connected layer, so that S-FC, D-FC and 3-FC do
//     not know which pixels are neighbours.
func New(dev compute.Device, name string, s Size, seed uint64) (*nn.Net, error) {
	if !(s.Dropout >= 0 && s.Dropout < 1) {
		return nil, fmt.Errorf("dropout is a probability from 0 to below 1, not %v", s.Dropout)
	}
	parts, err := layout(name, s)
	if err != nil {
		return nil, err
	}
	if s.Batch < 1 {
		return nil, fmt.Errorf("a network needs a batch of at least 1, not %d", s.Batch)
	}
	return nn.NewNet(dev, s.Batch, s.build(dev, parts, seed)...), nil
}

// build makes the layers of parts.
func (s Size) build(dev compute.Device, parts []part, seed uint64) (list []nn.Layer) {
	for _, p := range parts {
		var l nn.Layer
		switch p.kind {
		case "conv":
			l = nn.NewConv2D(dev, p.name, p.group, p.win, seed)
		case "local":
			l = nn.NewLocal(dev, p.name, p.group, p.win, seed)
		case "spread", "fc":
			l = nn.NewDense(dev, p.name, p.group, p.in, p.out, p.bias, seed)
		case "norm":
			norm := nn.NewBatchNorm(dev, p.name, p.out, p.span)
			norm.State.ReLU = p.relu
			l = norm
		case "relu":
			l = &nn.ReLU{Columns: p.out}
		case "dropout":
			if s.Dropout == 0 {
				continue
			}
			l = &nn.Dropout{P: float32(s.Dropout), Columns: p.out}
		case "average-pool":
			l = &nn.AveragePool{Win: p.win}
		case "residual":
			l = &nn.Residual{Body: s.build(dev, p.body, seed), Shortcut: s.build(dev, p.shortcut, seed)}
		}
		list = append(list, l)
	}
	return list
}
