// Package model has the paper's networks by name (Figure 1, Tables 3 and 4 of
// Neyshabur 2020, arXiv 2007.13657): S-CONV, S-LOCAL and S-FC with one layer
// that is a convolution, or corresponds to one, and two fully connected layers;
// 3-FC; and the deep D-CONV, D-LOCAL and D-FC.
package model

import (
	"fmt"
	"slices"
	"strings"

	"betalasso/compute"
	"betalasso/nn"
	"betalasso/spelling"
)

// Size is the size of a network and of what it sees.
type Size struct {
	Alpha    int // α, base channels; not for 3-fc
	Width    int // hidden units of 3-fc
	Channels int // of the images
	Side     int // of the images, which are square
	Classes  int
	Batch    int     // the most examples in a batch
	Dropout  float64 // probability, before each of the last two layers; 0: no dropout
}

// Sizes beyond these are mistakes; up to them no count of weights overflows.
const (
	maxAlpha = 1 << 14
	maxWidth = 1 << 24
	maxSide  = 1 << 8 // of an image, and for channels

	maxClasses = 1 << 16
)

// Names are the networks.
func Names() []string {
	return []string{"s-conv", "s-local", "s-fc", "3-fc", "d-conv", "d-local", "d-fc"}
}

// layer is one weight layer of a network: a window (convolutional, local or
// spread out to fully connected), or plainly fully connected where K is 0.
type layer struct {
	name string
	kind kind
	win  compute.Window
	in   int
	out  int
}

type kind int

const (
	conv kind = iota
	local
	spread // fully connected, of the convolution's input and output size
	dense
)

// params is the number of weights of l.
func (l layer) params() int {
	switch l.kind {
	case conv:
		return l.win.K * l.win.Patch()
	case local:
		return l.win.Out() * l.win.Patch()
	}
	return l.in * l.out
}

// layers describes a network, input to output.
func layers(name string, s Size) ([]layer, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("there is no network %q%s; use one of %s", name, spelling.Hint(name, Names()), strings.Join(Names(), ", "))
	}
	if s.Channels < 1 || s.Side < 1 || s.Classes < 1 || s.Channels > maxSide || s.Side > maxSide || s.Classes > maxClasses {
		return nil, fmt.Errorf("a network for images of %dx%dx%d and %d classes cannot be made", s.Channels, s.Side, s.Side, s.Classes)
	}
	in := s.Channels * s.Side * s.Side
	if name == "3-fc" {
		if s.Width < 1 || s.Width > maxWidth {
			return nil, fmt.Errorf("3-fc needs a width of 1 to %d, not %d", maxWidth, s.Width)
		}
		return []layer{
			{name: "fc1", kind: dense, in: in, out: s.Width},
			{name: "fc2", kind: dense, in: s.Width, out: s.Width},
			{name: "fc3", kind: dense, in: s.Width, out: s.Classes},
		}, nil
	}
	if s.Alpha < 1 || s.Alpha > maxAlpha {
		return nil, fmt.Errorf("%s needs an alpha of 1 to %d, not %d", name, maxAlpha, s.Alpha)
	}
	k := map[string]kind{"conv": conv, "local": local, "fc": spread}[name[2:]]
	var list []layer
	channels, side := s.Channels, s.Side
	window := func(out, size, stride int) {
		w := compute.Window{C: channels, H: side, W: side, K: out, Size: size, Stride: stride, Pad: size / 2}
		list = append(list, layer{name: fmt.Sprintf("conv%d", len(list)+1), kind: k, win: w, in: w.In(), out: w.Out()})
		channels, side = out, w.OutH()
	}
	hidden := 24 * s.Alpha
	if name[0] == 's' {
		window(s.Alpha, 9, 2)
	} else {
		for i, width := range []int{1, 2, 2, 4, 4, 8, 8, 16} {
			window(width*s.Alpha, 3, 1+i%2)
		}
		hidden = 64 * s.Alpha
	}
	return append(list,
		layer{name: "fc1", kind: dense, in: channels * side * side, out: hidden},
		layer{name: "fc2", kind: dense, in: hidden, out: s.Classes}), nil
}

// New is the named network with its first weights, which depend on the seed
// and the sizes and on nothing else. Each layer but the last is followed by
// batch norm and ReLU (Figure 1's caption). Where the paper does not say what
// the batch norm is of, it is
//
//   - of channels for convolutions, and for local layers too, so that a local
//     layer with shared weights is the convolution, batch norm and all;
//   - of units for every fully connected layer, so that S-FC, D-FC and 3-FC do
//     not know which pixels are neighbours.
func New(dev compute.Device, name string, s Size, seed uint64) (*nn.Net, error) {
	plan, err := layers(name, s)
	if err != nil {
		return nil, err
	}
	if s.Batch < 1 {
		return nil, fmt.Errorf("a network needs a batch of at least 1, not %d", s.Batch)
	}
	if !(s.Dropout >= 0 && s.Dropout < 1) {
		return nil, fmt.Errorf("dropout is a probability from 0 to below 1, not %v", s.Dropout)
	}
	var list []nn.Layer
	for i, l := range plan {
		if s.Dropout > 0 && i >= len(plan)-2 {
			list = append(list, &nn.Dropout{P: float32(s.Dropout), Columns: l.in})
		}
		last := i == len(plan)-1
		span := 1
		switch l.kind {
		case conv:
			list = append(list, nn.NewConv2D(dev, l.name, l.win, seed))
			span = l.win.Positions()
		case local:
			list = append(list, nn.NewLocal(dev, l.name, l.win, seed))
			span = l.win.Positions()
		case spread:
			list = append(list, nn.NewDense(dev, l.name, nn.Conv, l.in, l.out, false, seed))
		case dense:
			list = append(list, nn.NewDense(dev, l.name, nn.FC, l.in, l.out, last, seed))
		}
		if !last {
			list = append(list, nn.NewBatchNormReLU(dev, strings.NewReplacer("conv", "bn", "fc", "bnfc").Replace(l.name), l.out, span))
		}
	}
	return nn.NewNet(dev, s.Batch, list...), nil
}
