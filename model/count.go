package model

import (
	"fmt"

	"betalasso/nn"
)

// LayerCount is the number of weights of one layer.
type LayerCount struct {
	Name   string
	Params int
	FanIn  int  // inputs of one unit: the first weights are within ±1/√FanIn
	Conv   bool // its λ is that of convolutions
}

// Count is the number of weights of each layer of a network and of all
// together: without biases and batch norm, as in the paper's Tables 3 and 4.
func Count(name string, s Size) (list []LayerCount, total int, err error) {
	parts, err := layout(name, s)
	if err != nil {
		return nil, 0, err
	}
	walk(parts, func(p part) {
		if p.weighty() {
			list = append(list, LayerCount{p.name, p.params(), p.fanIn(), p.group == nn.Conv})
			total += p.params()
		}
	})
	return list, total, nil
}

// Row is one line of a network's listing.
type Row struct {
	Depth   int    // number of residuals around it
	Kind    string // as in its file
	Name    string
	Output  string  // shape: channels x height x width, or units
	Window  string  // "9x9, stride 2", or ""
	Weights int     // without biases and batch norm
	MACs    float64 // multiply-adds of one example, forward
	Vectors int     // biases, and γ and β of batch norm
	Group   string  // whose λ it has: conv, fc, or ""
}

// Rows list every layer, input to output.
func Rows(name string, s Size) ([]Row, error) {
	parts, err := layout(name, s)
	if err != nil {
		return nil, err
	}
	var list []Row
	var add func(parts []part, depth int)
	add = func(parts []part, depth int) {
		for _, p := range parts {
			r := Row{Depth: depth, Kind: p.kind, Name: p.name, Output: p.shape.String(), Weights: p.params(), MACs: p.macs()}
			if p.shape.units {
				r.Output = fmt.Sprint(p.out)
			}
			if p.win.Kernel > 0 {
				r.Window = fmt.Sprintf("%dx%d, stride %d", p.win.Kernel, p.win.Kernel, p.win.Stride)
			}
			if p.weighty() {
				r.Group = map[nn.Group]string{nn.Conv: "conv", nn.FC: "fc"}[p.group]
			}
			if p.bias {
				r.Vectors = p.out
			}
			if p.kind == "norm" {
				r.Vectors = 2 * p.out / p.span
			}
			if p.relu {
				r.Kind += ", relu"
			}
			list = append(list, r)
			add(p.body, depth+1)
			if len(p.shortcut) > 0 {
				list = append(list, Row{Depth: depth, Kind: "shortcut"})
				add(p.shortcut, depth+1)
			}
		}
	}
	add(parts, 0)
	return list, nil
}

// Nearest is s with the α or the width, whichever the network has, whose number
// of weights is nearest to params; s itself if the network has only one size.
func Nearest(name string, params int, s Size) (Size, error) {
	n, err := Lookup(name, s.Network)
	if err != nil {
		return s, err
	}
	scale := n.Scale()
	set := func(n int) Size {
		switch scale {
		case "width":
			s.Width, s.Alpha = n, 0
		case "alpha":
			s.Alpha, s.Width = n, 0
		}
		return s
	}
	count := func(n int) (int, error) {
		_, total, err := Count(name, set(n))
		return total, err
	}
	if scale == "" {
		_, err := count(0)
		return s, err
	}
	high := 1
	for {
		total, err := count(high)
		if err != nil {
			return s, err
		}
		if total >= params {
			break
		}
		high *= 2
	}
	low := max(1, high/2)
	for high-low > 1 {
		mid := (low + high) / 2
		if total, _ := count(mid); total < params {
			low = mid
		} else {
			high = mid
		}
	}
	below, _ := count(low)
	above, _ := count(high)
	if params-below <= above-params {
		return set(low), nil
	}
	return set(high), nil
}

// macs are the multiply-adds of p's weights for one example, forward. A
// convolution's weights are used at every position.
func (p part) macs() float64 {
	n := float64(p.params())
	if p.kind == "conv" {
		n *= float64(p.win.Positions())
	}
	return n
}

// MACs is the number of multiply-adds that a network's weights take for one
// example, forward.
func MACs(name string, s Size) (total float64, err error) {
	parts, err := layout(name, s)
	walk(parts, func(p part) { total += p.macs() })
	return total, err
}

// StepFLOPs is the arithmetic of a training step in the products, for one
// example: a multiplication and an addition for each use of a weight, three times
// over, except for the first layer's input gradient, which is not needed.
func StepFLOPs(name string, s Size) (total float64, err error) {
	parts, err := layout(name, s)
	if err != nil {
		return 0, err
	}
	walk(parts, func(p part) { total += 6 * p.macs() })
	return total - 2*parts[0].macs(), nil
}

// Weighs is an error where weights that are there are not those of the network, to be
// asked before memory is taken for one. length is the number of weights in the tensor
// of a name.
func Weighs(name string, s Size, length func(tensor string) int) error {
	list, _, err := Count(name, s)
	if err != nil {
		return err
	}
	for _, l := range list {
		if n := length(l.Name + ".weight"); n != l.Params {
			return fmt.Errorf("%s.weight has %d numbers, want %d: these weights are of a network of another size", l.Name, n, l.Params)
		}
	}
	return nil
}
