package computetest

import (
	"fmt"
	"math"
	"testing"

	"betalasso/compute"
)

// joins wants Add, ReLU and ReLUGrad to the bit, in every layout, in place too,
// and with what is not finite.
func (s *suite) joins(t *testing.T) {
	for i, shape := range [][2]int{{1, 1}, {3, 5}, {17, 63}, {64, 16}, {5, 8191}, {130, 257}} {
		a, b := random(shape[0], shape[1], 0, uint64(i)), random(shape[0], shape[1], 0, uint64(i)+9)
		for k, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0} {
			a.Data[(k*7)%len(a.Data)] = float32(v)
		}
		for layout := range 8 {
			what := fmt.Sprintf("%v, layouts %03b", shape, layout)
			x, y := view(a, layout&1 != 0), view(b, layout&2 != 0)
			want := view(zeros(shape[0], shape[1]), layout&4 != 0)
			got := like(want)
			s.ref.Add(want, x, y)
			s.dev.Add(got.Mat, x, y)
			got.intact(t, what)
			exactly(t, "Add, "+what, got.Mat, want)
		}
		for _, trans := range []bool{false, true} {
			what := fmt.Sprintf("%v, transposed %v", shape, trans)
			x, dy := view(a, trans), view(b, trans)
			want, y, dx := zerosLike(x), like(x), like(x)
			s.ref.ReLU(want, x)
			s.dev.ReLU(y.Mat, x)
			y.intact(t, what)
			exactly(t, "ReLU, "+what, y.Mat, want)
			wantX := zerosLike(x)
			s.ref.ReLUGrad(wantX, dy, want)
			s.dev.ReLUGrad(dx.Mat, dy, want)
			dx.intact(t, what)
			exactly(t, "ReLUGrad, "+what, dx.Mat, wantX)

			same := clone(x)
			s.dev.Add(same, same, dy)
			sum := zerosLike(x)
			s.ref.Add(sum, x, dy)
			exactly(t, "Add in place, "+what, same, sum)
			same = clone(x)
			s.dev.ReLU(same, same)
			exactly(t, "ReLU in place, "+what, same, want)
			same = clone(dy)
			s.dev.ReLUGrad(same, same, want)
			exactly(t, "ReLUGrad in place, "+what, same, wantX)
		}
	}
}

// averagePool allows 4ε of the magnitudes for each number in a window.
func (s *suite) averagePool(t *testing.T) {
	for i, win := range []compute.Window{
		{C: 1, H: 1, W: 1, K: 1, Kernel: 1, Stride: 1},
		{C: 3, H: 4, W: 4, K: 3, Kernel: 4, Stride: 4},
		{C: 2, H: 6, W: 5, K: 2, Kernel: 2, Stride: 2},
		{C: 5, H: 7, W: 9, K: 5, Kernel: 3, Stride: 1},
		{C: 2, H: 7, W: 7, K: 2, Kernel: 2, Stride: 3},
	} {
		for _, trans := range []bool{false, true} {
			what := fmt.Sprintf("%+v, transposed %v", win, trans)
			x, dy := view(random(7, win.In(), 1, uint64(i)), trans), view(random(7, win.Out(), 0, uint64(i)+9), trans)
			y, dx := like(dy), like(x)
			want, size, wantX, sizeX := zerosLike(dy), zerosLike(dy), zerosLike(x), zerosLike(x)
			s.ref.AveragePool(want, x, win)
			s.ref.AveragePool(size, absolute(x), win)
			s.ref.AveragePoolGrad(wantX, dy, win)
			s.ref.AveragePoolGrad(sizeX, absolute(dy), win)
			s.dev.AveragePool(y.Mat, x, win)
			s.dev.AveragePoolGrad(dx.Mat, dy, win)
			y.intact(t, what)
			dx.intact(t, what)
			bound := 4 * ε * float64(win.Kernel*win.Kernel)
			near(t, "AveragePool, "+what, y.Mat, want, func(i int) float64 { return bound * float64(size.Data[i]) })
			near(t, "AveragePoolGrad, "+what, dx.Mat, wantX, func(i int) float64 { return bound * float64(sizeX.Data[i]) })
		}
	}
}
