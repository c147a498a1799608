package nn

import "betalasso/compute"

// ReLU is max(0, x), for use without a batch norm.
type ReLU struct {
	Columns int
	y       compute.Mat
}

// Features implements Layer.
func (l *ReLU) Features() (in, out int) { return l.Columns, l.Columns }

// Forward implements Layer.
func (l *ReLU) Forward(dev compute.Device, y, x compute.Mat, _ bool) {
	l.y = y
	dev.ReLU(y, x)
}

// Backward implements Layer.
func (l *ReLU) Backward(dev compute.Device, dx, dy compute.Mat, _ Rule) { dev.ReLUGrad(dx, dy, l.y) }

// InPlace implements Layer.
func (l *ReLU) InPlace() bool { return true }

// Params implements Layer.
func (l *ReLU) Params() []*Param { return nil }

// Buffers implements Layer.
func (l *ReLU) Buffers() []Buffer { return nil }
