package nn

import "betalasso/compute"

// Dropout sets inputs to 0 with probability P in training and scales the rest
// by 1/(1−P).
type Dropout struct {
	P       float32
	Columns int
	seed    uint64 // of the step
}

// mix spreads seeds over all of uint64 (the finaliser of MurmurHash3). It is not
// that of compute.Keep, which steps through its own: seeds a step apart there
// would drop the same elements, shifted by one.
func mix(z uint64) uint64 {
	z = (z ^ z>>33) * 0xff51afd7ed558ccd
	z = (z ^ z>>33) * 0xc4ceb9fe1a85ec53
	return z ^ z>>33
}

// Features implements Layer.
func (l *Dropout) Features() (in, out int) { return l.Columns, l.Columns }

// Forward implements Layer. y may be x.
func (l *Dropout) Forward(dev compute.Device, y, x compute.Mat, train bool) {
	switch {
	case train:
		dev.Dropout(y, x, l.P, l.seed)
	case &y.Data[0] != &x.Data[0]:
		copy(y.Data, x.Data)
	}
}

// Backward implements Layer.
func (l *Dropout) Backward(dev compute.Device, dx, dy compute.Mat, _ Rule) {
	dev.Dropout(dx, dy, l.P, l.seed)
}

// InPlace implements Layer.
func (l *Dropout) InPlace() bool { return true }

// Params implements Layer.
func (l *Dropout) Params() []*Param { return nil }

// Buffers implements Layer.
func (l *Dropout) Buffers() []Buffer { return nil }
