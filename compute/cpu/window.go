package cpu

import (
	"time"

	"betalasso/compute"
)

// windowWeights are the weights of a convolution or a locally connected layer: dense,
// with a gradient beside them.
type windowWeights struct {
	d         *Device
	win       compute.Window
	local     bool
	w, dw     compute.Mat
	v         compute.Mat
	multiples float64 // multiply-adds of one product and example
	macs      float64
}

// Conv implements compute.Device.
func (d *Device) Conv(win compute.Window) compute.Weights {
	return &windowWeights{d: d, win: win, w: d.Alloc(win.K, win.Patch()), multiples: float64(win.Out() * win.Patch())}
}

// Local implements compute.Device.
func (d *Device) Local(win compute.Window) compute.Weights {
	return &windowWeights{d: d, win: win, local: true, w: d.Alloc(win.Positions()*win.K, win.Patch()), multiples: float64(win.Out() * win.Patch())}
}

func (s *windowWeights) check(op string, y, x compute.Mat) {
	check(op, x.Cols == s.win.In() && y.Cols == s.win.Out() && x.Rows == y.Rows, y, x, s.w)
}

// Shape implements compute.Weights.
func (s *windowWeights) Shape() (rows, cols int) { return s.w.Rows, s.w.Cols }

// Forward implements compute.Weights.
func (s *windowWeights) Forward(y, x compute.Mat) {
	defer s.d.took(Forward, time.Now())
	s.check("Forward", y, x)
	s.macs = s.multiples * float64(x.Rows)
	if s.local {
		s.d.localForward(y, x, s.w, s.win)
	} else {
		s.d.convolve(y, x, s.w.Data, s.win, false)
	}
}

// GradInput implements compute.Weights.
func (s *windowWeights) GradInput(dx, dy compute.Mat) {
	defer s.d.took(GradInput, time.Now())
	s.check("GradInput", dy, dx)
	s.macs += s.multiples * float64(dy.Rows)
	if s.local {
		s.d.localGradX(dx, dy, s.w, s.win)
	} else {
		s.d.convolve(dx, dy, s.w.Data, s.win, true)
	}
}

// Step implements compute.Weights.
func (s *windowWeights) Step(dy, x compute.Mat, u compute.Update) (nonzero int) {
	defer s.d.took(GradStep, time.Now())
	s.check("Step", dy, x)
	check("Step", !(u.Hold && u.Momentum != 0), s.w)
	s.macs += s.multiples * float64(dy.Rows)
	if s.dw.Data == nil {
		s.dw = s.d.Alloc(s.w.Rows, s.w.Cols)
	}
	if s.local {
		s.d.localGradW(s.dw, dy, x, s.win)
	} else {
		s.d.convGradW(s.dw, dy, x, s.win)
	}
	if u.Momentum != 0 {
		s.Velocity()
	}
	return s.d.Update(s.w, s.v, s.dw, u)
}

// Nonzero implements compute.Weights.
func (s *windowWeights) Nonzero() int { return s.d.nonzero(s.w.Data) }

// Read implements compute.Weights.
func (s *windowWeights) Read(dst []float32, row int) {
	checkRow("Read", s, row, len(dst))
	copy(dst, s.w.Row(row))
}

// Write implements compute.Weights.
func (s *windowWeights) Write(row int, src []float32) {
	checkRow("Write", s, row, len(src))
	copy(s.w.Row(row), src)
}

// Velocity implements compute.Weights.
func (s *windowWeights) Velocity() compute.Mat {
	if s.v.Data == nil {
		s.v = s.d.Alloc(s.w.Rows, s.w.Cols)
	}
	return s.v
}

// Stored implements compute.Weights.
func (s *windowWeights) Stored() int { return len(s.w.Data) }

// MACs implements compute.Weights.
func (s *windowWeights) MACs() float64 { return s.macs }
