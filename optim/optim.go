// Package optim has the paper's two optimisers, SGD and β-lasso, and the cosine
// schedule for both.
package optim

import (
	"math"

	"betalasso/compute"
	"betalasso/nn"
)

// Rule says what one step does to the parameters of a group when the learning
// rate is lr.
type Rule interface {
	Update(g nn.Group, lr float64) compute.Update
}

// SGD is stochastic gradient descent with heavy-ball momentum as in PyTorch
// (v ← μv + g, θ ← θ − ηv) and weight decay (g = ∇L + wd·θ). Biases and batch
// norm are not decayed.
type SGD struct {
	Momentum    float64
	WeightDecay float64
}

// Update implements Rule.
func (s SGD) Update(g nn.Group, lr float64) compute.Update {
	u := compute.Update{LR: float32(lr), Momentum: float32(s.Momentum)}
	if g != nn.None {
		u.WeightDecay = float32(s.WeightDecay)
	}
	return u
}

// BetaLasso is Algorithm 1 of Neyshabur (2020), arXiv 2007.13657, page 7:
//
//	θ ← θ − η(∇L + λ·sign θ)   // sign of θ before the step; sign 0 = 0
//	θ ← θ·[|θ| ≥ βλ]           // the threshold is βλ, not ηβλ
//
// λ is chosen for each group of layers (A.2); biases and batch norm have none, so
// that for them this is SGD. A weight at zero returns once a single step carries
// it to βλ or beyond.
//
// Momentum and WeightDecay are beyond the paper, which used neither with
// β-lasso: the momentum then averages ∇L + wd·θ + λ·sign θ as a whole.
type BetaLasso struct {
	SGD
	Beta       float64 // β, the threshold in units of λ; the paper uses 50
	LambdaConv float64 // λ of the layer that corresponds to the convolution
	LambdaFC   float64 // λ of the fully connected layers
}

// Update implements Rule.
func (b BetaLasso) Update(g nn.Group, lr float64) compute.Update {
	u := b.SGD.Update(g, lr)
	lambda := 0.0
	switch g {
	case nn.Conv:
		lambda = b.LambdaConv
	case nn.FC:
		lambda = b.LambdaFC
	}
	u.L1 = float32(lambda)
	u.Threshold = float32(b.Beta * lambda)
	return u
}

// Cosine is the learning rate of a step, from 0, of a run of the given number of steps:
// peak at the first, falling to 0 along half a cosine (A.2), without restarts.
func Cosine(peak float64, step, steps int) float64 {
	return peak * 0.5 * (1 + math.Cos(math.Pi*float64(step)/float64(steps)))
}

// At is rule at the learning rate lr, for nn.Net.Backward.
func At(rule Rule, lr float64) nn.Rule {
	return func(g nn.Group) compute.Update { return rule.Update(g, lr) }
}
