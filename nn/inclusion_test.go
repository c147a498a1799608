package nn

import (
	"testing"

	"betalasso/compute"
	"betalasso/compute/ref"
)

var inclusionWindows = []compute.Window{
	{C: 3, H: 8, W: 8, K: 4, Kernel: 9, Stride: 2, Pad: 4},
	{C: 2, H: 5, W: 7, K: 3, Kernel: 3, Stride: 1, Pad: 1},
	{C: 2, H: 6, W: 5, K: 3, Kernel: 3, Stride: 2, Pad: 1},
}

// pass runs a layer forward and back and gives y, dx and dW.
func pass(l *Linear, x, dy compute.Mat) (y, dx, dw compute.Mat) {
	dev := ref.New()
	in, out := l.Features()
	y, dx = dev.Alloc(x.Rows, out), dev.Alloc(x.Rows, in)
	l.Forward(dev, y, x, true)
	rows, cols := l.W.Shape()
	dw = compute.Mat{Rows: rows, Cols: cols, Data: gradients(l.Params(), func(r Rule) { l.Backward(dev, dx, dy, r) })[0]}
	return y, dx, dw
}

// TestSharedLocalIsConv: a convolution is a locally connected layer whose
// positions have the same weights; its gradient is the sum of theirs.
func TestSharedLocalIsConv(t *testing.T) {
	dev := ref.New()
	for _, win := range inclusionWindows {
		conv, local := NewConv2D(dev, "conv", Conv, win, 1), NewLocal(dev, "local", Conv, win, 2)
		shared, all := conv.W.Values(), []float32(nil)
		for range win.Positions() {
			all = append(all, shared...)
		}
		put(&local.W, all)
		x, dy := random(dev, 3, win.In(), 1), random(dev, 3, win.Out(), 2)
		y, dx, dw := pass(local, x, dy)
		wantY, wantX, wantW := pass(conv, x, dy)
		equal(t, "y", y, wantY, 1e-6)
		equal(t, "dx", dx, wantX, 1e-6)
		sum := dev.Alloc(win.K, win.Patch())
		for row := range dw.Rows {
			for i, g := range dw.Row(row) {
				sum.Row(row % win.K)[i] += g
			}
		}
		equal(t, "dW, summed over positions", sum, wantW, 1e-5)
	}
}

// spread calls f for every weight of a locally connected layer with its place
// in the matrix of the fully connected layer that does the same.
func spread(win compute.Window, f func(row, tap, out, in int)) {
	for p := range win.OutH() {
		for q := range win.OutW() {
			for k := range win.K {
				for c := range win.C {
					for u := range win.Kernel {
						for v := range win.Kernel {
							h, w := p*win.Stride+u-win.Pad, q*win.Stride+v-win.Pad
							if h < 0 || h >= win.H || w < 0 || w >= win.W {
								continue
							}
							f((p*win.OutW()+q)*win.K+k, (c*win.Kernel+u)*win.Kernel+v,
								(k*win.OutH()+p)*win.OutW()+q, (c*win.H+h)*win.W+w)
						}
					}
				}
			}
		}
	}
}

// TestSpreadLocalIsDense: a locally connected layer is a fully connected one
// with zeros outside the windows, and its gradient is that one's inside them.
func TestSpreadLocalIsDense(t *testing.T) {
	dev := ref.New()
	for _, win := range inclusionWindows {
		local, dense := NewLocal(dev, "local", Conv, win, 1), NewDense(dev, "dense", Conv, win.In(), win.Out(), false, 2)
		full, patch := make([]float32, win.Out()*win.In()), local.W.Values()
		spread(win, func(row, tap, out, in int) { full[out*win.In()+in] = patch[row*win.Patch()+tap] })
		put(&dense.W, full)
		x, dy := random(dev, 3, win.In(), 1), random(dev, 3, win.Out(), 2)
		y, dx, dw := pass(dense, x, dy)
		wantY, wantX, wantW := pass(local, x, dy)
		equal(t, "y", y, wantY, 1e-6)
		equal(t, "dx", dx, wantX, 1e-6)
		got := dev.Alloc(wantW.Rows, wantW.Cols)
		spread(win, func(row, tap, out, in int) { got.Row(row)[tap] = dw.Row(out)[in] })
		outside := dev.Alloc(wantW.Rows, wantW.Cols)
		spread(win, func(row, tap, _, _ int) { outside.Row(row)[tap] = 1 })
		for i, in := range outside.Data { // weights that meet only zeros have no gradient
			if in == 0 && wantW.Data[i] != 0 {
				t.Errorf("the gradient of a weight outside the image is %v", wantW.Data[i])
			}
		}
		equal(t, "dW", got, wantW, 1e-6)
	}
}
