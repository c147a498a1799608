package main

import (
	"maps"
	"slices"

	"betalasso/model"
	"betalasso/run"
)

// A profile is one scale at which to reproduce the paper's Table 2. All that a
// profile decides stands in this file.
type profile struct {
	data     []string
	epochs   int
	batch    int
	lr       float64
	momentum float64
	augment  string

	// α by network; the others, and 3-fc, get the size whose number of
	// weights comes nearest to params.
	alpha  map[string]int
	params int

	// λ by data set: of the layer in the place of the convolution, and of the
	// fully connected layers. A weight shrinks by ηλ a step, so fewer steps
	// want a larger λ.
	lambda map[string]lambda
}

type lambda struct{ conv, fc float64 }

// The paper names its grid for λ and not what it chose. These pairs are the
// likeliest, from the slopes of its Figure 3.
var paperLambdas = map[string]lambda{
	"cifar10":  {1e-5, 2e-6},
	"cifar100": {2e-5, 1e-6},
	"svhn":     {2e-6, 1e-6},
	"digits":   {1e-5, 2e-6},
}

var profiles = map[string]profile{
	// Ten minutes on two cores, the download included.
	"quick": {
		data:   []string{"cifar10"},
		epochs: 10, batch: 512, lr: 0.1, augment: "flip-crop",
		params: 800_000,
		lambda: map[string]lambda{
			"cifar10":  {1e-4, 2e-5},
			"cifar100": {1e-4, 2e-5},
			"svhn":     {1e-4, 2e-5},
			"digits":   {1e-4, 2e-5},
		},
	},

	// The EE-411 report: a tenth of the paper's size, no augmentation.
	"report": {
		data:   []string{"cifar10", "cifar100", "svhn"},
		epochs: 100, batch: 512, lr: 0.1, augment: "none",
		alpha:  map[string]int{"s-conv": 64, "s-local": 64, "s-fc": 28},
		params: 25_600_000,
		lambda: paperLambdas,
	},

	// The paper's Table 2; --epochs 4000 is its full length.
	"paper": {
		data:   []string{"cifar10", "cifar100", "svhn"},
		epochs: 400, batch: 512, lr: 0.1, augment: "fast-autoaugment",
		alpha:  map[string]int{"s-conv": 150, "s-local": 150, "s-fc": 150},
		params: 256_240_000, // S-FC's at α = 150
		lambda: paperLambdas,
	},
}

// profileNames are the profiles from small to large.
var profileNames = slices.SortedFunc(maps.Keys(profiles), func(a, b string) int {
	return profiles[a].params - profiles[b].params
})

// A study case is one row of the table.
type studyCase struct {
	name      string // in a run's directory
	title     string
	model     string
	optimizer string
	beta      float64
}

// cases are the rows of Table 2 that the EE-411 report has.
var cases = []studyCase{
	{"s-conv", "S-CONV, SGD", "s-conv", "sgd", 0},
	{"s-local", "S-LOCAL, SGD", "s-local", "sgd", 0},
	{"3-fc", "3-FC, SGD", "3-fc", "sgd", 0},
	{"s-fc", "S-FC, SGD", "s-fc", "sgd", 0},
	{"s-fc-beta0", "S-FC, β-lasso, β = 0", "s-fc", "beta-lasso", 0},
	{"s-fc-beta1", "S-FC, β-lasso, β = 1", "s-fc", "beta-lasso", 1},
	{"s-fc-beta50", "S-FC, β-lasso, β = 50", "s-fc", "beta-lasso", 50},
}

// config is the Config of a case on a data set.
func (p profile) config(c studyCase, data string, seed uint64) (run.Config, error) {
	r := run.Default()
	r.Model, r.Data, r.Optimizer, r.Beta = c.model, data, c.optimizer, c.beta
	r.Epochs, r.Batch, r.LR, r.Momentum, r.Augment, r.Seed = p.epochs, p.batch, p.lr, p.momentum, p.augment, seed
	if c.optimizer == "beta-lasso" {
		r.LambdaConv, r.LambdaFC = p.lambda[data].conv, p.lambda[data].fc
		r.Momentum = 0 // the paper used none here
	}
	if a := p.alpha[c.model]; a > 0 {
		r.Alpha = a
		return r, nil
	}
	near, err := model.Nearest(c.model, p.params, sizeOf(r))
	r.Alpha, r.Width = near.Alpha, near.Width
	return r, err
}

// paperLambda is the paper's likeliest λ for a data set.
func paperLambda(data string) (conv, fc float64) {
	l := paperLambdas[data]
	return l.conv, l.fc
}
