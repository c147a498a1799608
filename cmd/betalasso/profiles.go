package main

import (
	"maps"
	"slices"

	"betalasso/model"
	"betalasso/paper"
	"betalasso/plan"
	"betalasso/run"
)

// A profile is one scale at which to reproduce the paper's Table 2. All that a
// profile decides stands in this file.
type profile struct {
	data     []string
	epochs   int
	fewer    map[string]int // epochs of the networks that get another number
	seeds    map[string]int // of the cases, by name, that get more than one
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
	lambda func(data string) paper.Lambda
}

var profiles = map[string]profile{
	// Ten minutes on two cores, the download included, and β-lasso's filters turn
	// local in them: small batches, because λ takes a little off a weight at every
	// step, whatever its batch; what the sparse steps save pays for three seeds.
	"quick": {
		data:   []string{"cifar10"},
		epochs: 15, batch: 128, lr: 0.1, augment: "flip-crop",
		fewer:  map[string]int{"s-conv": 5, "s-local": 5, "3-fc": 5},
		seeds:  map[string]int{"s-fc": 3, "s-fc-beta50": 3},
		alpha:  map[string]int{"s-fc": 2},
		params: 1_600_000,
		lambda: func(string) paper.Lambda { return paper.Lambda{Conv: 1.5e-4, FC: 2e-5} },
	},

	// The EE-411 report: a tenth of the paper's size, no augmentation.
	"report": {
		data:   []string{"cifar10", "cifar100", "svhn"},
		epochs: 100, batch: 512, lr: 0.1, augment: "none",
		alpha:  map[string]int{"s-conv": 64, "s-local": 64, "s-fc": 28},
		params: 25_600_000,
		lambda: paper.LambdaOf,
	},

	// The paper's Table 2; --epochs 4000 is its full length.
	"paper": {
		data:   []string{"cifar10", "cifar100", "svhn"},
		epochs: 400, batch: 512, lr: 0.1, augment: "fast-autoaugment",
		alpha:  map[string]int{"s-conv": 150, "s-local": 150, "s-fc": 150},
		params: 256_240_000, // S-FC's at α = 150
		lambda: paper.LambdaOf,
	},
}

// profileNames are the profiles from small to large.
var profileNames = slices.SortedFunc(maps.Keys(profiles), func(a, b string) int {
	return profiles[a].params - profiles[b].params
})

// config is the Config of a case on a data set.
func (p profile) config(c paper.Case, data string, seed uint64) (run.Config, error) {
	r := run.Default()
	r.Model, r.Data, r.Optimizer, r.Beta = c.Model, data, c.Optimizer, c.Beta
	r.Epochs, r.Batch, r.LR, r.Momentum, r.Augment, r.Seed = p.epochs, p.batch, p.lr, p.momentum, p.augment, seed
	if n := p.fewer[c.Model]; n > 0 {
		r.Epochs = n
	}
	if c.Optimizer == "beta-lasso" {
		l := p.lambda(data)
		r.LambdaConv, r.LambdaFC = l.Conv, l.FC
		r.Momentum = 0 // the paper used none here
	}
	if a := p.alpha[c.Model]; a > 0 {
		r.Alpha = a
		return r, nil
	}
	near, err := model.Nearest(c.Model, p.params, plan.SizeOf(r))
	r.Alpha, r.Width = near.Alpha, near.Width
	return r, err
}
