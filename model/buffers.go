package model

// Buffers is about how many float32 a network of at most s.Batch examples holds
// beside its parameters: the layers' outputs and gradients by them, the gradients
// of convolutions' and locally connected layers' weights, and what a device
// copies of its operands to multiply them.
func Buffers(name string, s Size) (outputs, copies float64, err error) {
	plan, err := layers(name, s)
	if err != nil {
		return 0, 0, err
	}
	widest := 0
	var left, right, spare int
	for i, l := range plan {
		outputs += float64(s.Batch * l.out)
		if i < len(plan)-1 {
			outputs += float64(s.Batch * l.out) // of its batch norm
			widest = max(widest, l.out)
		}
		switch l.kind {
		case conv:
			outputs += float64(l.params())
			left = max(left, l.params())
			spare = max(spare, gradientParts*l.params())
		case local:
			outputs += float64(l.params())
			spare = max(spare, s.Batch*(l.in+l.out))
		default:
			left = max(left, s.Batch*max(l.in, l.out))
			if s.Batch > wholeRows {
				right = max(right, l.params())
			}
			if l.out > wholeRows {
				right = max(right, s.Batch*l.in)
			}
		}
	}
	outputs += float64(2 * s.Batch * widest)
	return outputs, float64(left) + float64(right) + float64(spare), nil
}

// What decides how much compute/cpu copies: the rows beyond which a product's
// right side is packed as a whole, and the parts in which a convolution's weight
// gradient is summed.
const (
	wholeRows     = 512
	gradientParts = 16
)
