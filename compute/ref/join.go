package ref

import (
	"fmt"

	"betalasso/compute"
)

// Add implements compute.Device.
func (*Device) Add(dst, a, b compute.Mat) {
	want("Add a", a, dst.Rows, dst.Cols, true)
	want("Add b", b, dst.Rows, dst.Cols, true)
	for i := range dst.Rows {
		for j := range dst.Cols {
			dst.Set(i, j, a.At(i, j)+b.At(i, j))
		}
	}
}

// alike panics unless m has the shape and the layout of the other.
func alike(op string, m, other compute.Mat) {
	want(op, m, other.Rows, other.Cols, true)
	if m.Trans != other.Trans {
		panic(fmt.Sprintf("ref: %s: got %v and %v, want one layout", op, m, other))
	}
}

// ReLU implements compute.Device.
func (*Device) ReLU(y, x compute.Mat) {
	alike("ReLU", y, x)
	for i, v := range x.Data {
		if v <= 0 {
			v = 0
		}
		y.Data[i] = v
	}
}

// ReLUGrad implements compute.Device.
func (*Device) ReLUGrad(dx, dy, y compute.Mat) {
	alike("ReLUGrad dx", dx, y)
	alike("ReLUGrad dy", dy, y)
	for i, v := range y.Data {
		if v > 0 {
			dx.Data[i] = dy.Data[i]
		} else {
			dx.Data[i] = 0
		}
	}
}

// pooled calls f with the columns of each output and of each input in its window.
func pooled(win compute.Window, f func(out, in int)) {
	if win.K != win.C || win.Pad != 0 {
		panic(fmt.Sprintf("ref: no window to pool over: %+v", win))
	}
	for c := range win.C {
		for p := range win.OutH() {
			for q := range win.OutW() {
				for u := range win.Kernel {
					for v := range win.Kernel {
						f((c*win.OutH()+p)*win.OutW()+q, (c*win.H+p*win.Stride+u)*win.W+q*win.Stride+v)
					}
				}
			}
		}
	}
}

// AveragePool implements compute.Device.
func (*Device) AveragePool(y, x compute.Mat, win compute.Window) {
	want("AveragePool x", x, x.Rows, win.In(), true)
	want("AveragePool y", y, x.Rows, win.Out(), true)
	sums := make([]float64, win.Out())
	for n := range x.Rows {
		clear(sums)
		pooled(win, func(out, in int) { sums[out] += float64(x.At(n, in)) })
		for i, s := range sums {
			y.Set(n, i, float32(s/float64(win.Kernel*win.Kernel)))
		}
	}
}

// AveragePoolGrad implements compute.Device.
func (*Device) AveragePoolGrad(dx, dy compute.Mat, win compute.Window) {
	want("AveragePoolGrad dx", dx, dy.Rows, win.In(), true)
	want("AveragePoolGrad dy", dy, dy.Rows, win.Out(), true)
	sums := make([]float64, win.In())
	for n := range dy.Rows {
		clear(sums)
		pooled(win, func(out, in int) { sums[in] += float64(dy.At(n, out)) })
		for i, s := range sums {
			dx.Set(n, i, float32(s/float64(win.Kernel*win.Kernel)))
		}
	}
}
