package model

// Buffers is about how many float32 a network of at most s.Batch examples holds
// beside its parameters: the layers' outputs and their gradients, the gradients
// of convolutions' and locally connected layers' weights, and what a device
// copies of its operands to multiply them.
func Buffers(name string, s Size) (outputs, copies float64, err error) {
	parts, err := layout(name, s)
	if err != nil {
		return 0, 0, err
	}
	var left, right, spare int
	walk(parts, func(p part) {
		if p.kind != "dropout" { // whose output is that of the layer before it
			outputs += float64(s.Batch * p.out)
		}
		switch p.kind {
		case "conv":
			outputs += float64(p.params())
			left = max(left, p.params())
			spare = max(spare, p.params(), min(gradientParts*p.params(), gradientRoom))
		case "local":
			outputs += float64(p.params())
			spare = max(spare, s.Batch*(p.in+p.out))
		case "spread", "fc":
			left = max(left, s.Batch*max(p.in, p.out))
			if s.Batch > wholeRows {
				right = max(right, p.params())
			}
			if p.out > wholeRows {
				right = max(right, s.Batch*p.in)
			}
		}
	})
	outputs += float64(s.Batch) * goingBack(parts, false)
	return outputs, float64(left) + float64(right) + float64(spare), nil
}

// goingBack is the number of values per example that the gradients of layers
// take, including those of the layers inside them.
func goingBack(parts []part, inner bool) float64 {
	widest, below, buffers := 0, 0.0, 2
	for i, p := range parts {
		if i > 0 || inner {
			widest = max(widest, p.in)
		}
		if p.kind == "residual" {
			widest, buffers = max(widest, p.out), 3
			below = max(below, goingBack(p.body, true), goingBack(p.shortcut, true))
		}
	}
	return float64(buffers*widest) + below
}

// These decide how much compute/cpu copies: the number of rows beyond which a
// product's right side is packed as a whole, and the most parts in which a
// convolution's weight gradient is summed, with the most numbers that they take
// together.
const (
	wholeRows     = 512
	gradientParts = 16
	gradientRoom  = 1 << 24
)
