package nn

import "betalasso/compute"

// Whitening is a fixed product that a network's input goes through first: nothing
// trains its matrix.
type Whitening struct {
	Linear
	out compute.Mat
}

// WhiteningName is the name of a Whitening's matrix.
const WhiteningName = "whiten.weight"

// NewWhitening multiplies batches of at most batch rows by the symmetric matrix z,
// [features, features]. Its tensor is whiten.weight.
func NewWhitening(dev compute.Device, batch int, z compute.Mat) *Whitening {
	w := &Whitening{out: dev.Alloc(z.Rows, batch).T()}
	w.Kind, w.W = Dense, Param{Name: WhiteningName, Weights: dev.Dense(z.Rows, z.Cols)}
	for i := range z.Rows {
		w.W.Write(i, z.Row(i))
	}
	return w
}

func (w *Whitening) forward(x compute.Mat) compute.Mat {
	y := w.out.Top(x.Rows)
	w.W.Weights.Forward(y, x)
	return y
}
