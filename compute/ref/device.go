// Package ref is compute.Device in naive Go with float64 sums: the definition
// of every right answer, and fast enough only for tests.
package ref

import (
	"fmt"

	"betalasso/compute"
)

// Device implements compute.Device.
type Device struct{}

// New is the reference device.
func New() *Device { return &Device{} }

// Name implements compute.Device.
func (*Device) Name() string { return "reference" }

// Alloc implements compute.Device.
func (*Device) Alloc(rows, cols int) compute.Mat {
	return compute.Mat{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
}

// want panics unless m is rows x cols and, where it is written, no view.
func want(op string, m compute.Mat, rows, cols int, view bool) {
	if m.Rows != rows || m.Cols != cols || len(m.Data) != rows*cols || (m.Trans && !view) {
		panic(fmt.Sprintf("ref: %s: got a matrix %v of %d numbers, want [%d, %d]", op, m, len(m.Data), rows, cols))
	}
}

func at(m compute.Mat, i, j int) float64 { return float64(m.At(i, j)) }

// Mul implements compute.Device.
func (*Device) Mul(dst, a, b compute.Mat) {
	want("Mul dst", dst, a.Rows, b.Cols, false)
	want("Mul b", b, a.Cols, b.Cols, true)
	for i := range dst.Rows {
		for j := range dst.Cols {
			var sum float64
			for k := range a.Cols {
				sum += at(a, i, k) * at(b, k, j)
			}
			dst.Data[i*dst.Cols+j] = float32(sum)
		}
	}
}

// AddRow implements compute.Device.
func (*Device) AddRow(dst, b compute.Mat) {
	want("AddRow", b, 1, dst.Cols, false)
	for i := range dst.Rows {
		for j := range dst.Cols {
			dst.Set(i, j, dst.At(i, j)+b.Data[j])
		}
	}
}

// SumRows implements compute.Device.
func (*Device) SumRows(dst, a compute.Mat) {
	want("SumRows", dst, 1, a.Cols, false)
	for j := range a.Cols {
		var sum float64
		for i := range a.Rows {
			sum += at(a, i, j)
		}
		dst.Data[j] = float32(sum)
	}
}
