package model

import (
	"errors"
	"fmt"

	"betalasso/compute"
	"betalasso/nn"
)

// part is a layer of a network of a given size.
type part struct {
	kind     string // as Node.Layer
	name     string
	group    nn.Group
	win      compute.Window // of what has one
	in, out  int
	span     int // of a norm
	bias     bool
	relu     bool
	body     []part
	shortcut []part
	shape    shape // of the output
}

// shape is that of what goes from layer to layer: channels of an image. After a
// fully connected layer it has no positions: each number is a unit.
type shape struct {
	c, h, w int
	units   bool
}

func (s shape) size() int { return s.c * s.h * s.w }

func (s shape) String() string { return fmt.Sprintf("%dx%dx%d", s.c, s.h, s.w) }

// weighty reports whether p has weights.
func (p part) weighty() bool {
	return p.kind == "conv" || p.kind == "local" || p.kind == "spread" || p.kind == "fc"
}

// params is the number of weights of p.
func (p part) params() int {
	switch p.kind {
	case "conv":
		return p.win.K * p.win.Patch()
	case "local":
		return p.win.Out() * p.win.Patch()
	case "spread", "fc":
		return p.in * p.out
	}
	return 0
}

// fanIn is the number of inputs of one unit.
func (p part) fanIn() int {
	if p.kind == "conv" || p.kind == "local" {
		return p.win.Patch()
	}
	return p.in
}

// layout lays out the network at size s: every layer, input to output, those
// inside a residual in it.
func layout(name string, s Size) ([]part, error) {
	n, err := Lookup(name, s.Network)
	if err != nil {
		return nil, err
	}
	if s.Channels < 1 || s.Side < 1 || s.Classes < 1 || s.Channels > maxSide || s.Side > maxSide || s.Classes > maxClasses {
		return nil, fmt.Errorf("a network for images of %dx%dx%d and %d classes cannot be made", s.Channels, s.Side, s.Side, s.Classes)
	}
	if err := s.fits(n); err != nil {
		return nil, err
	}
	parts, err := s.parts(n.Layers, shape{s.Channels, s.Side, s.Side, false})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name, err)
	}
	if len(parts) == 0 || !parts[0].weighty() {
		return nil, fmt.Errorf("%s: the first layer must have weights: conv, local, spread or fc", n.Name)
	}
	if last := parts[len(parts)-1]; last.kind != "fc" || last.out != s.Classes {
		return nil, fmt.Errorf("%s: the last layer must be an fc whose out is classes", n.Name)
	}
	total, drops := 0.0, 0
	walk(parts, func(p part) {
		switch p.kind {
		case "conv":
			total += float64(p.win.K) * float64(p.win.Patch())
		case "local":
			total += float64(p.win.Out()) * float64(p.win.Patch())
		case "spread", "fc":
			total += float64(p.in) * float64(p.out)
		case "dropout":
			drops++
		}
	})
	if total > 1<<53 {
		return nil, fmt.Errorf("%s: %.2g weights are more than can be counted", n.Name, total)
	}
	if s.Dropout > 0 && drops == 0 {
		return nil, fmt.Errorf("dropout: %s has no dropout layers", n.Name)
	}
	return parts, nil
}

// fits finds sizes that n needs and s lacks, or the reverse.
func (s Size) fits(n *Network) error {
	type given struct {
		name, article string
		got, most     int
	}
	var useless error
	for _, k := range []given{{"alpha", "an", s.Alpha, maxAlpha}, {"width", "a", s.Width, maxWidth}, {"kernel", "a", s.Kernel, maxKernel}} {
		switch uses := n.Uses(k.name); {
		case uses && (k.got < 1 || k.got > k.most):
			return fmt.Errorf("%s needs %s %s of 1 to %d, not %d", n.Name, k.article, k.name, k.most, k.got)
		case !uses && k.got != 0:
			useless = fmt.Errorf("%s: %s has none; leave it out", k.name, n.Name)
		}
	}
	return useless
}

// walk calls f with every part of a tree, input to output.
func walk(list []part, f func(part)) {
	for _, p := range list {
		f(p)
		walk(p.body, f)
		walk(p.shortcut, f)
	}
}

// parts lays out layers whose input has the shape at.
func (s Size) parts(list []Node, at shape) ([]part, error) {
	var parts []part
	for i, l := range list {
		p, err := s.part(l, at)
		if err != nil {
			where := l.Name
			if where == "" {
				where = fmt.Sprintf("layer %d, %s", i+1, l.Layer)
			}
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		parts = append(parts, p)
		at = p.shape
	}
	return parts, nil
}

func (s Size) part(l Node, at shape) (p part, err error) {
	p = part{kind: l.Layer, name: l.Name, in: at.size(), shape: at, bias: l.Bias, relu: l.ReLU, group: nn.FC}
	switch l.Layer {
	case "conv", "local", "spread":
		p.group = nn.Conv
		if at.units && l.Layer != "spread" {
			return p, errors.New("it needs an image, and behind a fully connected layer there is none")
		}
		p.win, err = s.window(l, at)
		p.shape = shape{p.win.K, p.win.OutH(), p.win.OutW(), l.Layer == "spread"}
	case "fc":
		out := s.number(l.Out)
		if out < 1 || out > maxWidth {
			err = fmt.Errorf("out: must come to 1 to %d, not %d", maxWidth, out)
		}
		p.shape = shape{out, 1, 1, true}
	case "norm":
		if p.span = at.h * at.w; at.units {
			p.span = 1
		}
	case "average-pool":
		if at.units {
			return p, errors.New("it needs an image, and behind a fully connected layer there is none")
		}
		k := s.number(l.Kernel)
		if k == 0 {
			k = at.h
		}
		stride := l.Stride
		if stride == 0 {
			stride = k
		}
		p.win = compute.Window{C: at.c, H: at.h, W: at.w, K: at.c, Kernel: k, Stride: stride}
		err = sensible(p.win)
		p.shape = shape{at.c, p.win.OutH(), p.win.OutW(), false}
	case "residual":
		if p.body, err = s.parts(l.Body, at); err != nil {
			return p, err
		}
		other := at
		if len(l.Shortcut) > 0 {
			if p.shortcut, err = s.parts(l.Shortcut, at); err != nil {
				return p, err
			}
			other = p.shortcut[len(p.shortcut)-1].shape
		}
		p.shape = p.body[len(p.body)-1].shape
		images := !p.shape.units && !other.units
		if p.shape.size() != other.size() || images && p.shape != other {
			err = fmt.Errorf("its body gives %v, and its shortcut %v: they cannot be added", p.shape, other)
		}
	}
	switch l.Group {
	case "conv":
		p.group = nn.Conv
	case "fc":
		p.group = nn.FC
	}
	p.out = p.shape.size()
	return p, err
}

// window is that of a convolution or what corresponds to one.
func (s Size) window(l Node, at shape) (compute.Window, error) {
	w := compute.Window{C: at.c, H: at.h, W: at.w, K: s.number(l.Out), Kernel: s.number(l.Kernel), Stride: max(l.Stride, 1)}
	if w.Pad = w.Kernel / 2; l.Pad != nil {
		w.Pad = *l.Pad
	}
	if w.K < 1 || w.K > maxWidth {
		return compute.Window{C: 1, H: 1, W: 1, K: 1, Kernel: 1, Stride: 1}, fmt.Errorf("out: must come to 1 to %d, not %d", maxWidth, w.K)
	}
	if err := sensible(w); err != nil {
		return compute.Window{C: 1, H: 1, W: 1, K: 1, Kernel: 1, Stride: 1}, err
	}
	return w, nil
}

// sensible finds what is wrong with a window.
func sensible(w compute.Window) error {
	switch {
	case w.Kernel < 1 || w.Kernel > maxSide:
		return fmt.Errorf("kernel: must come to 1 to %d, not %d", maxSide, w.Kernel)
	case w.Stride < 1 || w.Stride > maxSide:
		return fmt.Errorf("stride: must be 1 to %d, not %d", maxSide, w.Stride)
	case w.Pad < 0 || w.Pad >= w.Kernel:
		return fmt.Errorf("pad: must be from 0 to below the kernel's %d, not %d", w.Kernel, w.Pad)
	case w.H+2*w.Pad < w.Kernel || w.W+2*w.Pad < w.Kernel:
		return fmt.Errorf("kernel: %d is more than the image of %dx%d has", w.Kernel, w.H, w.W)
	}
	return nil
}
