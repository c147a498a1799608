// Package explain says what a trained network looks at: which pixels its
// non-zero weights use, which of its first-layer filters what follows reads most,
// which classes these speak for, and on how many inputs each class depends.
//
// It reads weights alone. It follows networks of one layer that sees the image
// and of fully connected layers behind it, as all shallow ones of the paper are.
package explain

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"betalasso/nn"
)

// Explanation is what the weights of a network say.
type Explanation struct {
	Channels, Side int
	Heat           []float64 // of each pixel, row by row: first-layer weights that meet it and are not 0
	Filters        []Filter  // all first-layer units, the most used first
	Inputs         []int     // of each class: inputs, of Channels·Side², from which a path of non-zeros leads to it
	Pixels         []int     // of each class: pixels of which some channel is such an input
}

// Filter is a unit of the first layer: a row of its weights.
type Filter struct {
	Unit    int
	Nonzero int
	Use     float64   // Σ |w| of the next layer's weights that read it, times its batch norm's scale: its share of all units'
	Classes []float64 // of each class: the sum over all paths from it, each the product of its weights and scales
}

// Of reads the network for images of so many channels and that side. The error
// says why a network cannot be followed.
//
// Along a path ReLU counts as open: what a filter says for a class is what its
// output would add to the logit if all units between were above zero.
func Of(net *nn.Net, channels, side int) (*Explanation, error) {
	steps, err := follow(net.Layers)
	if err != nil {
		return nil, err
	}
	first, rest := steps[0], steps[1:]
	last := rest[len(rest)-1].linear
	classes, _ := last.W.Shape()
	// Back from the logits: of each unit what it adds to each class, and the
	// classes, a bit each, that a path leads to.
	width := (classes + 63) / 64
	adds, bits := make([][]float64, classes), make([][]uint64, classes)
	for c := range classes {
		adds[c], bits[c] = make([]float64, classes), make([]uint64, width)
		adds[c][c], bits[c][c/64] = 1, 1<<(c%64)
	}
	var use []float64
	for _, s := range slices.Backward(rest) {
		rows, cols := s.linear.W.Shape()
		before := make([][]float64, cols)
		beforeBits := make([][]uint64, cols)
		numbers, words := make([]float64, cols*classes), make([]uint64, cols*width)
		for i := range cols {
			before[i], beforeBits[i] = numbers[i*classes:(i+1)*classes], words[i*width:(i+1)*width]
		}
		use = make([]float64, cols)
		row := make([]float32, cols)
		for h := range rows {
			s.linear.W.Read(row, h)
			scale := s.scale(h)
			for i, v := range row {
				if v == 0 {
					continue
				}
				use[i] += math.Abs(float64(v))
				for c, a := range adds[h] {
					before[i][c] += a * scale * float64(v)
				}
				for k, b := range bits[h] {
					beforeBits[i][k] |= b
				}
			}
		}
		adds, bits = before, beforeBits
	}
	e := &Explanation{Channels: channels, Side: side, Heat: make([]float64, side*side), Inputs: make([]int, classes), Pixels: make([]int, classes)}
	seen := make([][]uint64, channels*side*side)
	for i := range seen {
		seen[i] = make([]uint64, width)
	}
	rows, cols := first.linear.W.Shape()
	row := make([]float32, cols)
	total := 0.0
	for u := range rows {
		first.linear.W.Read(row, u)
		f := Filter{Unit: u, Classes: make([]float64, classes)}
		for _, v := range row {
			if v != 0 {
				f.Nonzero++
			}
		}
		first.outputs(u, func(column, position int) {
			scale := first.scale(column)
			f.Use += math.Abs(scale) * use[column]
			for c, a := range adds[column] {
				f.Classes[c] += scale * a
			}
			first.meets(row, position, func(input int) {
				e.Heat[input%(side*side)]++
				for k, b := range bits[column] {
					seen[input][k] |= b
				}
			})
		})
		total += f.Use
		e.Filters = append(e.Filters, f)
	}
	for i := range e.Filters {
		if total > 0 {
			e.Filters[i].Use /= total
		}
	}
	slices.SortStableFunc(e.Filters, func(a, b Filter) int { return cmp.Compare(b.Use, a.Use) })
	for c := range classes {
		for p := range side * side {
			lit := false
			for k := range channels {
				if seen[k*side*side+p][c/64]>>(c%64)&1 != 0 {
					e.Inputs[c]++
					lit = true
				}
			}
			if lit {
				e.Pixels[c]++
			}
		}
	}
	return e, nil
}

// step is a layer of weights and what scales its outputs.
type step struct {
	linear *nn.Linear
	norm   *nn.BatchNorm // nil: nothing does
}

// follow takes a network apart.
func follow(layers []nn.Layer) ([]step, error) {
	var steps []step
	for _, l := range layers {
		switch l := l.(type) {
		case *nn.Linear:
			if len(steps) > 0 && l.Kind != nn.Dense {
				return nil, fmt.Errorf("%s is no fully connected layer: only networks with one layer that sees the image and fully connected ones behind it can be explained, as s-conv, s-local, s-fc and 3-fc", l.W.Name)
			}
			steps = append(steps, step{linear: l})
		case *nn.BatchNorm:
			steps[len(steps)-1].norm = l
		case *nn.Dropout, *nn.ReLU:
		default:
			return nil, fmt.Errorf("a layer of type %T cannot be followed: only networks with one layer that sees the image and fully connected ones behind it can be explained, as s-conv, s-local, s-fc and 3-fc", l)
		}
	}
	if len(steps) < 2 {
		return nil, fmt.Errorf("a network of one layer of weights has no filters that others read")
	}
	return steps, nil
}

// scale is the factor of batch norm at a column of the step's output.
func (s step) scale(column int) float64 {
	if s.norm == nil {
		return 1
	}
	st := &s.norm.State
	u := column / st.Span
	return float64(st.Gamma.Data[u]) / math.Sqrt(float64(st.RunVar.Data[u])+float64(st.Epsilon))
}

// outputs calls f with each column of the output that row u of the first layer's
// weights makes, and its position.
func (s step) outputs(u int, f func(column, position int)) {
	l := s.linear
	switch l.Kind {
	case nn.Conv2D:
		for p := range l.Win.Positions() {
			f(u*l.Win.Positions()+p, p)
		}
	case nn.Local:
		p := u / l.Win.K
		f(u%l.Win.K*l.Win.Positions()+p, p)
	default:
		f(u, 0)
	}
}

// meets calls f with each input that a weight of row that is not 0 meets.
func (s step) meets(row []float32, position int, f func(input int)) {
	if s.linear.Kind == nn.Dense {
		for i, v := range row {
			if v != 0 {
				f(i)
			}
		}
		return
	}
	w := s.linear.Win
	top, left := position/w.OutW()*w.Stride-w.Pad, position%w.OutW()*w.Stride-w.Pad
	for i, v := range row {
		c, y, x := i/(w.Kernel*w.Kernel), top+i/w.Kernel%w.Kernel, left+i%w.Kernel
		if v != 0 && y >= 0 && y < w.H && x >= 0 && x < w.W {
			f((c*w.H+y)*w.W + x)
		}
	}
}

// Image is the filter of a unit of the network's first layer as an image: of a
// convolution its window, else the whole image, zeros where it has no weights.
func Image(net *nn.Net, channels, side, unit int) (weights []float32, h, w int) {
	first := step{linear: net.Layers[0].(*nn.Linear)}
	_, cols := first.linear.W.Shape()
	row := make([]float32, cols)
	first.linear.W.Read(row, unit)
	switch win := first.linear.Win; first.linear.Kind {
	case nn.Conv2D:
		return row, win.Kernel, win.Kernel
	case nn.Local:
		whole := make([]float32, channels*side*side)
		top, left := unit/win.K/win.OutW()*win.Stride-win.Pad, unit/win.K%win.OutW()*win.Stride-win.Pad
		for i, v := range row {
			c, y, x := i/(win.Kernel*win.Kernel), top+i/win.Kernel%win.Kernel, left+i%win.Kernel
			if y >= 0 && y < side && x >= 0 && x < side {
				whole[(c*side+y)*side+x] = v
			}
		}
		return whole, side, side
	}
	return row, side, side
}
