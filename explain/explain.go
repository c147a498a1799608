// Package explain says what a trained network looks at: which pixels its non-zero
// weights use, on which pixels each class depends and how strongly, which
// first-layer filters matter most, and for which classes they speak.
//
// It reads weights alone, of every network that package model builds: dense,
// locally connected and convolutional layers, batch norm, ReLU, average pooling,
// dropout and residual connections, of any depth.
//
// Everything follows from paths: chains of weights that are not zero, from an
// input to a logit. A path's value is the product of its weights and of the
// scales of the batch norms that it passes. ReLU counts as open, so the sum over
// paths is the logit's gradient with respect to the input where every unit is
// above zero.
package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"betalasso/compute"
	"betalasso/nn"
)

// Explanation is what the weights of a network show.
type Explanation struct {
	Channels, Side int
	Heat           []float64   // of each pixel, row by row: uses of first-layer weights that are not 0
	Filters        []Filter    // all first-layer units, the most used first
	Inputs         []int       // of each class: inputs, of Channels·Side², from which a path leads to it
	Pixels         []int       // of each class: pixels of which some channel is such an input
	Reach          [][]float64 // [classes][Side²]: the pixel's share of the paths to the class, by their magnitudes
}

// Filter is a unit of the first layer: a row of its weights.
type Filter struct {
	Unit    int
	Nonzero int
	Use     float64   // its share of all paths from first-layer units to logits, by their magnitudes
	Classes []float64 // of each class: the sum of the paths from it
}

// mostNumbers bounds the memory of a layer's paths: columns times classes.
const mostNumbers = 1 << 27

// Of explains a network for square images of the given channels and side. The
// error says which layer cannot be followed.
func Of(net *nn.Net, channels, side int) (*Explanation, error) {
	first, ok := net.Layers[0].(*nn.Linear)
	if !ok {
		return nil, fmt.Errorf("the first layer is a %T: only a network whose first layer has weights can be explained", net.Layers[0])
	}
	_, classes := net.Layers[len(net.Layers)-1].Features()
	if classes*classes > mostNumbers {
		return nil, tooLarge(classes, classes)
	}
	out := newPaths(classes, classes)
	for c := range classes {
		out.signed[c*classes+c], out.size[c*classes+c], out.bits[c*out.words+c/64] = 1, 1, 1<<(c%64)
	}
	from, err := out.back(net.Layers[1:])
	if err != nil {
		return nil, err
	}
	e := &Explanation{Channels: channels, Side: side, Heat: make([]float64, side*side), Inputs: make([]int, classes), Pixels: make([]int, classes)}
	e.filters(first, from)
	in, _ := first.Features()
	if in*classes > mostNumbers {
		return nil, tooLarge(in, classes)
	}
	pixels := newPaths(in, classes)
	connections(first, func(input, column int, w float64) {
		e.Heat[input%(side*side)]++
		pixels.add(input, from, column, w)
	})
	for c := range classes {
		reach, total := make([]float64, side*side), 0.0
		for p := range reach {
			lit := false
			for k := range channels {
				i := k*side*side + p
				reach[p] += pixels.size[i*classes+c]
				if pixels.bits[i*pixels.words+c/64]>>(c%64)&1 != 0 {
					e.Inputs[c]++
					lit = true
				}
			}
			total += reach[p]
			if lit {
				e.Pixels[c]++
			}
		}
		e.Reach = append(e.Reach, shares(reach, total))
	}
	return e, nil
}

// shares divides each number by the total, if that is not 0.
func shares(list []float64, total float64) []float64 {
	for i := range list {
		if total > 0 {
			list[i] /= total
		}
	}
	return list
}

// filters fills in the units of the first layer, by the paths from its outputs.
func (e *Explanation) filters(first *nn.Linear, from *paths) {
	rows, cols := first.W.Shape()
	e.Filters = make([]Filter, rows)
	row := make([]float32, cols)
	for u := range e.Filters {
		f := &e.Filters[u]
		f.Unit, f.Classes = u, make([]float64, from.classes)
		first.W.Read(row, u)
		for _, v := range row {
			if v != 0 {
				f.Nonzero++
			}
		}
	}
	total := 0.0
	_, columns := first.Features()
	for column := range columns {
		f := &e.Filters[unitOf(first, column)]
		for c := range from.classes {
			f.Classes[c] += from.signed[column*from.classes+c]
			f.Use += from.size[column*from.classes+c]
			total += from.size[column*from.classes+c]
		}
	}
	for u := range e.Filters {
		if total > 0 {
			e.Filters[u].Use /= total
		}
	}
	slices.SortStableFunc(e.Filters, func(a, b Filter) int { return cmp.Compare(b.Use, a.Use) })
}

// paths are, of each column of a layer's input or output, the paths from it to
// every class.
type paths struct {
	classes, words int
	signed         []float64 // [columns, classes]: the sum of what they are worth
	size           []float64 // [columns, classes]: the sum of their magnitudes
	bits           []uint64  // [columns, words]: a bit for each class that one leads to
}

func newPaths(columns, classes int) *paths {
	words := (classes + 63) / 64
	return &paths{classes, words, make([]float64, columns*classes), make([]float64, columns*classes), make([]uint64, columns*words)}
}

// add adds to column i the paths that go on from column j of next, by a weight w.
func (p *paths) add(i int, next *paths, j int, w float64) {
	n := p.classes
	signed, nextSigned := p.signed[i*n:][:n], next.signed[j*n:][:n]
	size, nextSize := p.size[i*n:][:n], next.size[j*n:][:n]
	magnitude := math.Abs(w)
	for c := range signed {
		signed[c] += w * nextSigned[c]
		size[c] += magnitude * nextSize[c]
	}
	for k := range p.words {
		p.bits[i*p.words+k] |= next.bits[j*p.words+k]
	}
}

// back follows the paths from a chain's output to its input.
func (p *paths) back(layers []nn.Layer) (*paths, error) {
	for _, l := range slices.Backward(layers) {
		in, _ := l.Features()
		if in*p.classes > mostNumbers {
			return nil, tooLarge(in, p.classes)
		}
		switch l.(type) {
		case *nn.ReLU, *nn.Dropout:
			continue
		}
		before := newPaths(in, p.classes)
		switch l := l.(type) {
		case *nn.Linear:
			connections(l, func(input, column int, w float64) { before.add(input, p, column, w) })
		case *nn.BatchNorm:
			st := &l.State
			for column := range in {
				u := column / st.Span
				w := float64(st.Gamma.Data[u]) / math.Sqrt(float64(st.RunVar.Data[u])+float64(st.Epsilon))
				if w != 0 {
					before.add(column, p, column, w)
				}
			}
		case *nn.AveragePool:
			w := 1 / float64(l.Win.Kernel*l.Win.Kernel)
			for tap := range l.Win.Patch() {
				channel := tap / (l.Win.Kernel * l.Win.Kernel)
				meetings(l.Win, tap, func(position, input int) { before.add(input, p, channel*l.Win.Positions()+position, w) })
			}
		case *nn.Residual:
			for _, branch := range [][]nn.Layer{l.Body, l.Shortcut} {
				b, err := p.back(branch)
				if err != nil {
					return nil, err
				}
				for i := range in {
					before.add(i, b, i, 1)
				}
			}
		default:
			return nil, fmt.Errorf("a layer of type %T cannot be explained: package explain does not know what its outputs depend on", l)
		}
		p = before
	}
	return p, nil
}

func tooLarge(columns, classes int) error {
	return fmt.Errorf("a layer of %d columns and %d classes are too many to follow: their product may be %d at most", columns, classes, mostNumbers)
}

// connections calls f with the input, the output column and the weight of each use
// of a weight that is not 0. Uses on the zeros around an image are none.
func connections(l *nn.Linear, f func(input, column int, w float64)) {
	rows, cols := l.W.Shape()
	row := make([]float32, cols)
	positions := positionsOf(l)
	for r := range rows {
		l.W.Read(row, r)
		for tap, v := range row {
			w := float64(v)
			switch {
			case v == 0:
			case l.Kind == nn.Dense:
				f(tap, r, w)
			case l.Kind == nn.Conv2D:
				meetings(l.Win, tap, func(position, input int) { f(input, r*positions+position, w) })
			default:
				position, k := r/l.Win.K, r%l.Win.K
				if input, ok := meets(l.Win, tap, position/l.Win.OutW(), position%l.Win.OutW()); ok {
					f(input, k*positions+position, w)
				}
			}
		}
	}
}

// meetings calls f for each position of the window at which a tap of it, of
// C·Kernel·Kernel, lies within the image.
func meetings(win compute.Window, tap int, f func(position, input int)) {
	c, u, v := tap/(win.Kernel*win.Kernel), tap/win.Kernel%win.Kernel-win.Pad, tap%win.Kernel-win.Pad
	outH, outW := win.OutH(), win.OutW()
	for p := range outH {
		y := p*win.Stride + u
		if y < 0 || y >= win.H {
			continue
		}
		for q := range outW {
			if x := q*win.Stride + v; x >= 0 && x < win.W {
				f(p*outW+q, (c*win.H+y)*win.W+x)
			}
		}
	}
}

// meets is the input that a tap meets with the window at row p, column q; false
// where that is none.
func meets(win compute.Window, tap, p, q int) (input int, ok bool) {
	c, y, x := tap/(win.Kernel*win.Kernel), p*win.Stride-win.Pad+tap/win.Kernel%win.Kernel, q*win.Stride-win.Pad+tap%win.Kernel
	return (c*win.H+y)*win.W + x, y >= 0 && y < win.H && x >= 0 && x < win.W
}

// unitOf is the row of the weights that makes an output column.
func unitOf(l *nn.Linear, column int) int {
	switch positions := positionsOf(l); l.Kind {
	case nn.Conv2D:
		return column / positions
	case nn.Local:
		return column%positions*l.Win.K + column/positions
	}
	return column
}

// positionsOf is how many positions l's window has; 1 where it has no window.
func positionsOf(l *nn.Linear) int {
	if l.Kind == nn.Dense {
		return 1
	}
	return l.Win.Positions()
}

// Image is the filter of a unit of the network's first layer as an image: of a
// convolution its window, else the whole image, zeros where it has no weights.
func Image(net *nn.Net, channels, side, unit int) (weights []float32, h, w int) {
	first := net.Layers[0].(*nn.Linear)
	_, cols := first.W.Shape()
	row := make([]float32, cols)
	first.W.Read(row, unit)
	switch win := first.Win; first.Kind {
	case nn.Conv2D:
		return row, win.Kernel, win.Kernel
	case nn.Local:
		whole := make([]float32, channels*side*side)
		position := unit / win.K
		for tap, v := range row {
			if i, ok := meets(win, tap, position/win.OutW(), position%win.OutW()); ok {
				whole[i] = v
			}
		}
		return whole, side, side
	}
	return row, side, side
}
