package cpu

import (
	"runtime/debug"
	"time"

	"betalasso/compute"
)

// full are the weights of a fully connected layer. They are in one of two forms:
// dense, or sparse once few of them are left. The form follows from counts alone
// and changes no number: both take every sum in the same order.
type full struct {
	d          *Device
	rows, cols int
	w          []float32 // the dense form; nil in the other
	s          *sparse   // the sparse form; nil in the other
	v          compute.Mat
	filling    *filling // rows that were written and are in neither form yet
	step       gradientStep
	macs       float64
}

// Dense implements compute.Device.
func (d *Device) Dense(out, in int) compute.Weights {
	return &full{d: d, rows: out, cols: in, filling: &filling{}}
}

// filling are the non-zeros of rows that are being written, from the first on:
// weights that turn out to be sparse are never held in full.
type filling struct {
	rows    int // that have been written
	nonzero int
	cols    [][]int32
	vals    [][]float32
}

func (f *full) Shape() (rows, cols int) { return f.rows, f.cols }

// Write implements compute.Weights.
func (f *full) Write(row int, src []float32) {
	checkRow("Write", f, row, len(src))
	if p := f.filling; p != nil && p.rows == row {
		var cols []int32
		var vals []float32
		for i, v := range src {
			if v != 0 {
				cols, vals = append(cols, int32(i)), append(vals, v)
			}
		}
		p.rows++
		p.nonzero += len(cols)
		p.cols, p.vals = append(p.cols, cols), append(p.vals, vals)
		if f.d.sparseWorth(p.nonzero, p.rows*f.cols) {
			return
		}
		f.thicken()
		return
	}
	f.thicken()
	copy(f.w[row*f.cols:], src)
}

// Read implements compute.Weights.
func (f *full) Read(dst []float32, row int) {
	checkRow("Read", f, row, len(dst))
	f.settle()
	if f.s != nil {
		f.s.read(dst, row)
		return
	}
	copy(dst, f.w[row*f.cols:])
}

func checkRow(op string, w compute.Weights, row, n int) {
	if rows, cols := w.Shape(); row < 0 || row >= rows || n != cols {
		check(op, false, compute.Mat{Rows: rows, Cols: cols}, compute.Mat{Rows: row, Cols: n})
	}
}

// settle chooses the form of rows that have been written.
func (f *full) settle() {
	p := f.filling
	if p == nil {
		return
	}
	if len(f.filling.cols) < f.rows || !f.d.sparseWorth(p.nonzero, f.rows*f.cols) || !f.large() {
		f.thicken()
		return
	}
	f.filling = nil
	f.s = newSparse(f.d, f.rows, f.cols, func(row int) ([]int32, []float32) { return p.cols[row], p.vals[row] })
}

// thicken changes to the dense form.
func (f *full) thicken() {
	if f.w != nil {
		return
	}
	f.w = f.d.Alloc(f.rows, f.cols).Data
	if p := f.filling; p != nil {
		for row, cols := range p.cols {
			for k, c := range cols {
				f.w[row*f.cols+int(c)] = p.vals[row][k]
			}
		}
		f.filling = nil
	}
	if f.s != nil {
		for row := range f.rows {
			f.s.read(f.w[row*f.cols:(row+1)*f.cols], row)
		}
		f.s = nil
	}
}

// thin changes to the sparse form.
func (f *full) thin() {
	var cols []int32
	var vals []float32
	f.s = newSparse(f.d, f.rows, f.cols, func(row int) ([]int32, []float32) {
		cols, vals = cols[:0], vals[:0]
		for i, v := range f.w[row*f.cols : (row+1)*f.cols] {
			if v != 0 {
				cols, vals = append(cols, int32(i)), append(vals, v)
			}
		}
		return cols, vals
	})
	f.w, f.step.w = nil, nil
	giveBack(f.rows * f.cols)
}

// giveBack lets the system have the memory of n numbers that nobody uses any more, if
// they are many. The collector would not come by itself: a sparse training allocates
// next to nothing.
func giveBack(n int) {
	if n >= manyNumbers {
		debug.FreeOSMemory()
	}
}

// manyNumbers are 16 MB.
const manyNumbers = 1 << 22

// A layer changes to the sparse form when at most a share of its weights is left, the
// device's thinBelow, and keeps it up to thickenAbove: by the measurements in bench a step
// then costs less than in the dense form. AMX's dense form costs so little that the
// sparse one begins later.
const (
	thinBelow         = 0.2
	thickenAbove      = 0.26
	thinBelowTiles    = 0.05
	thickenAboveTiles = 0.065
	// leaveBelow is the number of weights of a unit up to which computing its
	// outputs again in the backward pass costs less than storing and reading
	// them.
	leaveBelow = 24
	// sparseLeast is the size of the smallest layer that is worth it.
	sparseLeast = 1 << 16
)

func (f *full) large() bool { return f.rows*f.cols >= sparseLeast && f.rows >= 64 }

// sparseWorth reports whether nonzero of all weights are few enough for the
// sparse form.
func (d *Device) sparseWorth(nonzero, all int) bool {
	return !d.dense && float64(nonzero) <= d.thinBelow*float64(all)
}

// Nonzero implements compute.Weights.
func (f *full) Nonzero() int {
	f.settle()
	if f.s != nil {
		return f.s.nonzero()
	}
	return f.d.nonzero(f.w)
}

// Velocity implements compute.Weights.
func (f *full) Velocity() compute.Mat {
	if f.v.Data == nil {
		f.v = f.d.Alloc(f.rows, f.cols)
	}
	return f.v
}

// Stored implements compute.Weights.
func (f *full) Stored() int {
	f.settle()
	if f.s != nil {
		return len(f.s.val)
	}
	return f.rows * f.cols
}

// MACs implements compute.Weights.
func (f *full) MACs() float64 { return f.macs }

// Forward implements compute.Weights.
func (f *full) Forward(y, x compute.Mat) {
	defer f.d.took(Forward, time.Now())
	check("Forward", x.Cols == f.cols && y.Cols == f.rows && x.Rows == y.Rows, y, x, f.shape())
	f.settle()
	f.macs = 0
	if f.s != nil {
		f.s.forward(y, x)
		f.macs = float64(len(f.s.val)) * float64(x.Rows)
		return
	}
	f.macs = f.all(x.Rows)
	w := operand{data: f.w, ld: f.cols, lines: f.rows, k: f.cols, kMajor: true}
	if f.d.kernel.tiles() {
		t := into(y)
		t.trans = !t.trans
		f.d.product(t, w, leftSide(x))
		return
	}
	f.d.product(into(y), leftSide(x), w)
}

// ForwardNorm implements compute.NormWeights.
func (f *full) ForwardNorm(z, y, x compute.Mat, bn *compute.BatchNorm, next compute.Weights, back bool) {
	f.settle()
	if f.s == nil || !y.Trans || !z.Trans {
		f.Forward(y, x)
		f.d.BatchNorm(z, y, bn)
		return
	}
	defer f.d.took(Forward, time.Now())
	check("ForwardNorm", x.Cols == f.cols && y.Cols == f.rows && z.Cols == f.rows && x.Rows == y.Rows && z.Rows == y.Rows, z, y, x, f.shape())
	var lines *lines
	if n, ok := next.(*full); ok && n.d == f.d && n.cols == f.rows {
		if n.settle(); n.s != nil {
			lines = n.s.expect(z)
		}
	}
	f.s.forwardNorm(z, y, x, bn, lines, back)
	f.macs = float64(len(f.s.val)) * float64(x.Rows)
}

// StepNorm implements compute.NormWeights.
func (f *full) StepNorm(dgamma, dbeta, dz, y, x compute.Mat, bn *compute.BatchNorm, u compute.Update) (nonzero int) {
	f.settle()
	if f.s == nil || !dz.Trans || !y.Trans || !stays(u) || f.s.search.bursting && !u.Hold {
		if f.s != nil {
			f.s.settleLeft(y, dz)
		}
		f.d.BatchNormGrad(dz, dgamma, dbeta, dz, y, bn)
		return f.Step(dz, x, u)
	}
	check("StepNorm", x.Cols == f.cols && dz.Cols == f.rows && x.Rows == dz.Rows, dz, x, f.shape())
	nonzero, macs := f.s.stepNorm(dgamma, dbeta, dz, y, x, bn, u)
	return f.stepped(nonzero, macs)
}

// GradInputFor implements compute.NormWeights.
func (f *full) GradInputFor(before compute.Weights, dx, dy compute.Mat) {
	b, ok := before.(*full)
	if f.settle(); !ok || b.d != f.d || b.s == nil || f.s == nil || b.rows != f.cols || !dx.Trans {
		f.GradInput(dx, dy)
		return
	}
	defer f.d.took(GradInput, time.Now())
	check("GradInputFor", dx.Cols == f.cols && dy.Cols == f.rows && dx.Rows == dy.Rows, dx, dy, f.shape())
	f.s.owe(&b.s.owed, dy)
	f.macs += float64(len(f.s.val)) * float64(dy.Rows)
}

// stays reports whether weights that are 0 mostly stay so in a step: momentum
// moves them, and without a threshold none stays 0.
func stays(u compute.Update) bool { return u.Momentum == 0 && u.Threshold > 0 }

// stepped ends a step of the sparse form.
func (f *full) stepped(nonzero int, macs float64) int {
	f.macs += macs
	if float64(nonzero) > f.d.thickenAbove*float64(f.rows*f.cols) {
		f.thicken()
	}
	return nonzero
}

// GradInput implements compute.Weights.
func (f *full) GradInput(dx, dy compute.Mat) {
	defer f.d.took(GradInput, time.Now())
	check("GradInput", dx.Cols == f.cols && dy.Cols == f.rows && dx.Rows == dy.Rows, dx, dy, f.shape())
	f.settle()
	if f.s != nil {
		f.s.gradInput(dx, dy)
		f.macs += float64(len(f.s.val)) * float64(dy.Rows)
		return
	}
	f.macs += f.all(dy.Rows)
	f.d.product(into(dx), leftSide(dy), operand{data: f.w, ld: f.cols, lines: f.cols, k: f.rows})
}

// Step implements compute.Weights.
func (f *full) Step(dy, x compute.Mat, u compute.Update) (nonzero int) {
	check("Step", x.Cols == f.cols && dy.Cols == f.rows && x.Rows == dy.Rows && !(u.Hold && u.Momentum != 0), dy, x, f.shape())
	f.settle()
	if f.s != nil && !stays(u) {
		f.s.restore(x)
		f.thicken()
	}
	if f.s != nil {
		return f.stepped(f.s.step(dy, x, u)) // its parts tell their time
	}
	defer f.d.took(GradStep, time.Now())
	s := &f.step
	s.d, s.w, s.cols, s.u = f.d, f.w, f.cols, u
	if u.Momentum != 0 {
		s.v = f.Velocity().Data
	}
	s.nonzero.Store(0)
	f.macs += f.all(x.Rows)
	f.d.gradient(s, dy, x)
	nonzero = int(s.nonzero.Load())
	if stays(u) && f.large() && f.d.sparseWorth(nonzero, f.rows*f.cols) {
		f.thin()
	}
	return nonzero
}

// into is where a product is stored.
func into(m compute.Mat) target {
	if m.Trans {
		return target{c: m.Data, ld: m.Rows, trans: true}
	}
	return target{c: m.Data, ld: m.Cols}
}

// all is the number of multiply-adds of one product of all weights.
func (f *full) all(n int) float64 { return float64(f.rows) * float64(f.cols) * float64(n) }

// shape is what errors show of the weights.
func (f *full) shape() compute.Mat { return compute.Mat{Rows: f.rows, Cols: f.cols} }
