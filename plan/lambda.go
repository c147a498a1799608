// Package plan estimates, before anything is trained, what settings will cost and
// whether their λ can work.
package plan

import (
	"fmt"
	"math"

	"betalasso/model"
	"betalasso/run"
)

// staysDense is the share of a layer's weights, set to zero by λ alone, below
// which the layer is said to stay dense; small is the share of the network's
// weights below which a layer gets no warning.
const (
	staysDense = 0.1
	small      = 0.01
)

// Lambda warns of layers that β-lasso will set to zero as a whole in the first
// step, of layers that it will leave dense after the given number of steps, and
// of momentum, which leaves all of them dense: a sentence each, with the setting
// first.
//
// Initial weights are uniform within ±b, b = 1/√fan-in. If βλ ≥ b the first step
// sets them all to zero. Over the schedule λ moves a weight by Σηλ = η·λ·steps/2,
// so without any gradient a share of (βλ + Σηλ)/b becomes zero: 27 % and 8 % of
// S-FC's first two layers with the EE-411 report's settings, which is what
// happened. It says nothing of a training that begins with another run's weights.
func Lambda(c run.Config, size model.Size, steps int) (warnings []string, err error) {
	if c.Optimizer != "beta-lasso" || c.Imported != "" || c.FromSum != "" {
		return nil, nil
	}
	layers, total, err := model.Count(c.Model, size)
	if err != nil {
		return nil, err
	}
	if c.Momentum > 0 && c.Beta > 0 && c.Sparse != "off" {
		warnings = append(warnings, "momentum: it moves weights that are zero, so they are kept dense, and steps get no cheaper")
	}
	for _, l := range layers {
		name, lambda := "lambda-fc", lambdaOf(c, l)
		if isConv(l) {
			name = "lambda-conv"
		}
		b := firstBound(l)
		cut := c.Beta * lambda
		moved := c.LR * lambda * float64(steps) / 2
		share := (cut + moved) / b
		switch {
		case lambda == 0 || c.Beta == 0:
		case cut >= b:
			warnings = append(warnings, fmt.Sprintf("%s: the first step cuts every weight of %s: βλ is %.2g, and they begin within ±%.2g. Noise brings some back, and little is learned; take λ well below %.1g",
				name, l.Name, cut, b, b/c.Beta))
		case c.Beta > 1 && share < staysDense && float64(l.Params) >= small*float64(total):
			warnings = append(warnings, fmt.Sprintf("%s: %s stays dense: in %d steps λ takes %.2g off a weight and cuts below %.2g, and they begin within ±%.2g, so about %.2g %% of them go. More epochs or a larger λ make it sparse",
				name, l.Name, steps, moved, cut, b, 100*share))
		}
	}
	return warnings, nil
}

// firstBound is b: a layer's first weights are within ±b.
func firstBound(l model.LayerCount) float64 { return 1 / math.Sqrt(float64(l.FanIn)) }

// lambdaOf is the λ of c for a layer.
func lambdaOf(c run.Config, l model.LayerCount) float64 {
	if isConv(l) {
		return c.LambdaConv
	}
	return c.LambdaFC
}

func isConv(l model.LayerCount) bool { return l.Conv }

// Size says that a network is far from the number of weights that was asked
// for, or "".
func Size(c run.Config, size model.Size, asked int) (string, error) {
	_, n, err := model.Count(c.Model, size)
	if err != nil || float64(n) > 0.75*float64(asked) && float64(n) < 1.33*float64(asked) {
		return "", err
	}
	which := c.SizeText()
	if which == "" {
		return fmt.Sprintf("params: %s has %d weights, and no size that can be chosen", c.Model, n), nil
	}
	least := ""
	if max(c.Alpha, c.Width) == 1 {
		least = ", the smallest,"
	}
	return fmt.Sprintf("params: %s with %s%s has %d weights, not about %d: sizes between are not to be had", c.Model, which, least, n, asked), nil
}
