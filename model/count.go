package model

// LayerCount is the number of weights of one layer.
type LayerCount struct {
	Name   string
	Params int
	FanIn  int // inputs of one unit: the first weights are within ±1/√FanIn
}

// Count is the number of weights of each layer of a network and of all
// together: without biases and batch norm, as in the paper's Tables 3 and 4.
func Count(name string, s Size) (list []LayerCount, total int, err error) {
	plan, err := layers(name, s)
	if err != nil {
		return nil, 0, err
	}
	for _, l := range plan {
		fan := l.in
		if l.kind == conv || l.kind == local {
			fan = l.win.Patch()
		}
		list = append(list, LayerCount{l.name, l.params(), fan})
		total += l.params()
	}
	return list, total, nil
}

// Nearest is s with the α, or for 3-fc the width, that brings the network
// nearest to params weights; the smallest network where that is nearest.
func Nearest(name string, params int, s Size) (Size, error) {
	set := func(n int) Size {
		if name == "3-fc" {
			s.Width, s.Alpha = n, 0
		} else {
			s.Alpha, s.Width = n, 0
		}
		return s
	}
	count := func(n int) (int, error) {
		_, total, err := Count(name, set(n))
		return total, err
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

// Work is the number of multiplications that a network's weights take for one
// example, forward. A convolution's weights work at every position.
func Work(name string, s Size) (float64, error) {
	uses, err := uses(name, s)
	total := 0.0
	for _, n := range uses {
		total += n
	}
	return total, err
}

// StepFLOPs is the arithmetic of a training step in the products, for one
// example: a multiplication and an addition for each use of a weight, three times
// over, but for the first layer's input gradient, which nobody needs.
func StepFLOPs(name string, s Size) (float64, error) {
	uses, err := uses(name, s)
	total := 0.0
	for i, n := range uses {
		if total += 6 * n; i == 0 {
			total -= 2 * n
		}
	}
	return total, err
}

// uses are the multiplications of each layer for one example, forward.
func uses(name string, s Size) ([]float64, error) {
	plan, err := layers(name, s)
	if err != nil {
		return nil, err
	}
	var list []float64
	for _, l := range plan {
		n := float64(l.params())
		if l.kind == conv {
			n *= float64(l.win.Positions())
		}
		list = append(list, n)
	}
	return list, nil
}
