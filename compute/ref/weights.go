package ref

import "betalasso/compute"

// weights implement compute.Weights as a dense matrix.
type weights struct {
	kind     kind
	win      compute.Window
	w        compute.Mat
	velocity compute.Mat
	macs     float64
}

type kind int

const (
	dense kind = iota
	conv
	local
)

// Dense implements compute.Device.
func (d *Device) Dense(out, in int) compute.Weights {
	return &weights{kind: dense, w: d.Alloc(out, in)}
}

// Conv implements compute.Device.
func (d *Device) Conv(win compute.Window) compute.Weights {
	return &weights{kind: conv, win: win, w: d.Alloc(win.K, win.Patch())}
}

// Local implements compute.Device.
func (d *Device) Local(win compute.Window) compute.Weights {
	return &weights{kind: local, win: win, w: d.Alloc(win.Positions()*win.K, win.Patch())}
}

func (s *weights) Shape() (rows, cols int) { return s.w.Rows, s.w.Cols }

func (s *weights) Forward(y, x compute.Mat) {
	s.macs = 0
	if s.kind != dense {
		forward("Forward", y, x, s.w, s.win, s.kind == local)
		return
	}
	s.mul("Forward", y, x, s.w.T())
}

func (s *weights) GradInput(dx, dy compute.Mat) {
	if s.kind != dense {
		gradX("GradInput", dx, dy, s.w, s.win, s.kind == local)
		return
	}
	s.mul("GradInput", dx, dy, s.w)
}

// mul sets dst, which may be a transposed view, to a·b.
func (s *weights) mul(op string, dst, a, b compute.Mat) {
	want(op, dst, a.Rows, b.Cols, true)
	want(op, a, a.Rows, b.Rows, true)
	s.macs += float64(a.Rows) * float64(len(s.w.Data))
	for i := range dst.Rows {
		for j := range dst.Cols {
			var sum float64
			for k := range a.Cols {
				sum += at(a, i, k) * at(b, k, j)
			}
			dst.Set(i, j, float32(sum))
		}
	}
}

func (s *weights) Step(dy, x compute.Mat, u compute.Update) (nonzero int) {
	if u.Hold && u.Momentum != 0 {
		panic("ref: Step: Hold with momentum")
	}
	dw := compute.Mat{Rows: s.w.Rows, Cols: s.w.Cols, Data: make([]float32, len(s.w.Data))}
	if s.kind == dense {
		s.mul("Step", dw, dy.T(), x)
	} else {
		gradW("Step", dw, dy, x, s.win, s.kind == local)
	}
	if u.Momentum != 0 {
		s.Velocity()
	}
	return (*Device)(nil).Update(s.w, s.velocity, dw, u)
}

func (s *weights) Nonzero() (n int) {
	for _, v := range s.w.Data {
		if v != 0 {
			n++
		}
	}
	return n
}

func (s *weights) Read(dst []float32, row int)  { copy(dst, s.w.Row(row)) }
func (s *weights) Write(row int, src []float32) { copy(s.w.Row(row), src) }

func (s *weights) Velocity() compute.Mat {
	if s.velocity.Data == nil {
		s.velocity = (*Device)(nil).Alloc(s.w.Rows, s.w.Cols)
	}
	return s.velocity
}

func (s *weights) Stored() int   { return len(s.w.Data) }
func (s *weights) MACs() float64 { return s.macs }
