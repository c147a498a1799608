package computetest

import (
	"fmt"
	"math"
	"testing"

	"betalasso/compute"
)

// layerOps are the three operations of a layer of weights, each a sum of
// products: the shapes of dst, a and b, and the number of terms of a sum.
func layerOps(name string, make func(compute.Device) compute.Weights, x, y, w [2]int, terms [3]int) []windowOp {
	return []windowOp{
		{name + ".Forward", y, x, w, terms[0], func(d compute.Device, dst, a, b compute.Mat) { filled(make(d), b).Forward(dst, a) }},
		{name + ".GradInput", x, y, w, terms[1], func(d compute.Device, dst, a, b compute.Mat) { filled(make(d), b).GradInput(dst, a) }},
		{name + ".Step", w, y, x, terms[2], func(d compute.Device, dst, a, b compute.Mat) {
			// From zeros, a step with η = 1 gives the gradient, but for its sign.
			s := make(d)
			s.Step(a, b, compute.Update{LR: 1})
			for i := range dst.Rows {
				s.Read(dst.Row(i), i)
			}
			for i := range dst.Data {
				dst.Data[i] = -dst.Data[i]
			}
		}},
	}
}

// filled is s with the values of m.
func filled(s compute.Weights, m compute.Mat) compute.Weights {
	for i := range m.Rows {
		s.Write(i, m.Row(i))
	}
	return s
}

// windowOps are those of a convolution and of a locally connected layer.
func windowOps(n int, win compute.Window) []windowOp {
	positions, k := win.Positions(), win.K
	x, y := [2]int{n, win.In()}, [2]int{n, win.Out()}
	return append(
		layerOps("Conv", func(d compute.Device) compute.Weights { return d.Conv(win) }, x, y, [2]int{k, win.Patch()},
			[3]int{win.Patch(), k * win.Kernel * win.Kernel, n * positions}),
		layerOps("Local", func(d compute.Device) compute.Weights { return d.Local(win) }, x, y, [2]int{positions * k, win.Patch()},
			[3]int{win.Patch(), k * win.Kernel * win.Kernel, n})...)
}

// denseOps are those of a fully connected layer.
func denseOps(n, in, out int) []windowOp {
	return layerOps("Dense", func(d compute.Device) compute.Weights { return d.Dense(out, in) }, [2]int{n, in}, [2]int{n, out}, [2]int{out, in}, [3]int{in, out, n})
}

// dense tests the operations of fully connected layers with every layout of the
// batch's matrices.
func (s *suite) dense(t *testing.T) {
	for _, z := range [][3]int{{1, 1, 1}, {2, 3, 5}, {7, 17, 9}, {16, 33, 50}, {31, 8, 48}, {33, 100, 97}, {48, 13, 131}, {65, 520, 24}, {512, 70, 130}, {530, 48, 33}} {
		n, in, out := z[0], z[1], z[2]
		for i, op := range denseOps(n, in, out) {
			s.layouts(t, fmt.Sprintf("%s, %d of %d → %d", op.name, n, in, out), op, i == 2, uint64(i))
		}
	}
}

type windowOp struct {
	name      string
	dst, a, b [2]int
	terms     int
	run       product
}

func (s *suite) windows(t *testing.T) {
	for _, c := range []struct {
		n   int
		win compute.Window
	}{
		{1, compute.Window{C: 1, H: 1, W: 1, K: 1, Kernel: 1, Stride: 1}},
		{0, compute.Window{C: 2, H: 4, W: 4, K: 3, Kernel: 3, Stride: 1, Pad: 1}},
		// S-: 9x9, stride 2, padding 4
		{2, compute.Window{C: 3, H: 32, W: 32, K: 3, Kernel: 9, Stride: 2, Pad: 4}},
		{5, compute.Window{C: 3, H: 8, W: 8, K: 6, Kernel: 9, Stride: 2, Pad: 4}},
		{7, compute.Window{C: 1, H: 13, W: 6, K: 5, Kernel: 9, Stride: 2, Pad: 4}},
		{1, compute.Window{C: 2, H: 3, W: 11, K: 17, Kernel: 9, Stride: 2, Pad: 4}},
		// D-: 3x3, strides 1 and 2, padding 1
		{3, compute.Window{C: 2, H: 8, W: 8, K: 16, Kernel: 3, Stride: 2, Pad: 1}},
		{2, compute.Window{C: 4, H: 9, W: 7, K: 7, Kernel: 3, Stride: 1, Pad: 1}},
		{6, compute.Window{C: 5, H: 5, W: 10, K: 15, Kernel: 3, Stride: 2, Pad: 1}},
		{9, compute.Window{C: 17, H: 2, W: 2, K: 33, Kernel: 3, Stride: 2, Pad: 1}},
		{2, compute.Window{C: 3, H: 17, W: 17, K: 1, Kernel: 3, Stride: 1, Pad: 1}},
		{17, compute.Window{C: 16, H: 4, W: 4, K: 16, Kernel: 3, Stride: 1, Pad: 1}},
		// others
		{16, compute.Window{C: 2, H: 5, W: 4, K: 31, Kernel: 1, Stride: 1}},
		{3, compute.Window{C: 2, H: 10, W: 9, K: 6, Kernel: 5, Stride: 3}},
		{4, compute.Window{C: 3, H: 7, W: 8, K: 5, Kernel: 2, Stride: 2}},
		{2, compute.Window{C: 1, H: 6, W: 7, K: 2, Kernel: 4, Stride: 3, Pad: 2}},
		{33, compute.Window{C: 1, H: 3, W: 3, K: 8, Kernel: 3, Stride: 1}},
		// more images than a tile is wide; windows larger than the image; channels in blocks
		{97, compute.Window{C: 5, H: 4, W: 6, K: 16, Kernel: 3, Stride: 1, Pad: 1}},
		{48, compute.Window{C: 9, H: 15, W: 15, K: 8, Kernel: 15, Stride: 1}},
		{50, compute.Window{C: 3, H: 5, W: 4, K: 10, Kernel: 11, Stride: 1, Pad: 5}},
		{1, compute.Window{C: 9, H: 15, W: 14, K: 2, Kernel: 15, Stride: 1, Pad: 7}},
		{1, compute.Window{C: 3, H: 16, W: 9, K: 9, Kernel: 15, Stride: 2, Pad: 7}},
		{2, compute.Window{C: 2, H: 5, W: 5, K: 3, Kernel: 1, Stride: 2}},
	} {
		for i, op := range windowOps(c.n, c.win) {
			s.layouts(t, fmt.Sprintf("%s, %d of %+v", op.name, c.n, c.win), op, i%3 == 2, uint64(i))
		}
	}
}

// layouts tests an operation of a layer of weights with every layout of the batch's
// matrices; step says that both operands are of the batch.
func (s *suite) layouts(t *testing.T, what string, op windowOp, step bool, seed uint64) {
	t.Helper()
	for layout := range 4 {
		a, b := random(op.a[0], op.a[1], 0, seed), random(op.b[0], op.b[1], 0, seed+100)
		to := zeros(op.dst[0], op.dst[1])
		a = view(a, layout&1 != 0)
		if step {
			b = view(b, layout&2 != 0)
		} else {
			to = view(to, layout&2 != 0)
		}
		s.checkInto(t, fmt.Sprintf("%s, layout %02b", what, layout), op.run, to, op.terms, a, b)
	}
}

// windowsNotFinite puts a NaN or Inf where windows lie wholly within the image,
// so that zeros around it are never a factor: ref leaves them out, and a device
// may as well multiply by them.
func (s *suite) windowsNotFinite(t *testing.T) {
	inf := float32(math.Inf(1))
	win := compute.Window{C: 2, H: 12, W: 12, K: 7, Kernel: 3, Stride: 2, Pad: 1}
	const n = 3
	inner := (n-1)*win.Out() + 3*win.Positions() + 2*win.OutW() + 3 // in y
	for _, special := range []float32{inf, -inf, float32(math.NaN())} {
		for i, op := range windowOps(n, win) {
			a, b := normal(random(op.a[0], op.a[1], 0, uint64(i))), normal(random(op.b[0], op.b[1], 0, uint64(i)+100))
			switch op.a[1] {
			case win.In():
				a.Data[win.In()+5*win.W+5] = special
			case win.Out():
				a.Data[inner] = special
			}
			what := fmt.Sprintf("%s with one %v, %d of %+v", op.name, special, n, win)
			s.check(t, what, op.run, op.dst[0], op.dst[1], op.terms, a, b)
		}
	}
}
