package nn

import "betalasso/compute"

// AveragePool gives the mean of each window of each channel.
type AveragePool struct {
	Win compute.Window // K is C, and Pad 0
}

// Features implements Layer.
func (l *AveragePool) Features() (in, out int) { return l.Win.In(), l.Win.Out() }

// Forward implements Layer.
func (l *AveragePool) Forward(dev compute.Device, y, x compute.Mat, _ bool) {
	dev.AveragePool(y, x, l.Win)
}

// Backward implements Layer.
func (l *AveragePool) Backward(dev compute.Device, dx, dy compute.Mat, _ Rule) {
	if dx.Data != nil {
		dev.AveragePoolGrad(dx, dy, l.Win)
	}
}

// InPlace implements Layer.
func (l *AveragePool) InPlace() bool { return false }

// Params implements Layer.
func (l *AveragePool) Params() []*Param { return nil }

// Buffers implements Layer.
func (l *AveragePool) Buffers() []Buffer { return nil }
