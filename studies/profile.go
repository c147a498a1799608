// Package studies makes the paper's studies, as the text of study files, at the
// scale of a profile.
package studies

import (
	"maps"
	"slices"

	"betalasso/model"
	"betalasso/paper"
	"betalasso/plan"
	"betalasso/run"
)

// Profile is one scale at which to reproduce the paper's Table 2.
type Profile struct {
	Data     []string
	Epochs   int
	Fewer    map[string]int // epochs of the networks that get another number
	Seeds    map[string]int // of the cases, by name, that get more than one
	Batch    int
	LR       float64
	Momentum float64
	Augment  string

	// Alpha is α by network; the others, and 3-fc, get the size whose number of
	// weights comes nearest to Params.
	Alpha  map[string]int
	Params int

	// Lambda is λ by data set: of the layer in the place of the convolution, and of
	// the fully connected layers. A weight shrinks by ηλ a step, so fewer steps want a
	// larger λ.
	Lambda func(data string) paper.Lambda
}

// Profiles are the scales by name. All that they decide stands here.
var Profiles = map[string]Profile{
	// Ten minutes on two cores, the download included, and β-lasso's filters turn
	// local in them: small batches, because λ takes a little off a weight at every
	// step, whatever its batch; what the sparse steps save pays for three seeds.
	"quick": {
		Data:   []string{"cifar10"},
		Epochs: 15, Batch: 128, LR: 0.1, Augment: "flip-crop",
		Fewer:  map[string]int{"s-conv": 5, "s-local": 5, "3-fc": 5},
		Seeds:  map[string]int{"s-fc": 3, "s-fc-beta50": 3},
		Alpha:  map[string]int{"s-fc": 2},
		Params: 1_600_000,
		Lambda: func(string) paper.Lambda { return paper.Lambda{Conv: 1.5e-4, FC: 2e-5} },
	},

	// The EE-411 report: a tenth of the paper's size, no augmentation.
	"report": {
		Data:   []string{"cifar10", "cifar100", "svhn"},
		Epochs: 100, Batch: 512, LR: 0.1, Augment: "none",
		Alpha:  map[string]int{"s-conv": 64, "s-local": 64, "s-fc": 28},
		Params: 25_600_000,
		Lambda: paper.LambdaOf,
	},

	// The paper's Table 2; --epochs 4000 is its full length.
	"paper": {
		Data:   []string{"cifar10", "cifar100", "svhn"},
		Epochs: 400, Batch: 512, LR: 0.1, Augment: "fast-autoaugment",
		Alpha:  map[string]int{"s-conv": 150, "s-local": 150, "s-fc": 150},
		Params: 256_240_000, // S-FC's at α = 150
		Lambda: paper.LambdaOf,
	},
}

// Names are the profiles from small to large.
var Names = slices.SortedFunc(maps.Keys(Profiles), func(a, b string) int {
	return Profiles[a].Params - Profiles[b].Params
})

// Config is the Config of a case on a data set.
func (p Profile) Config(c paper.Case, data string, seed uint64) (run.Config, error) {
	r := run.Default()
	r.Model, r.Data, r.Optimizer, r.Beta = c.Model, data, c.Optimizer, c.Beta
	r.Epochs, r.Batch, r.LR, r.Momentum, r.Augment, r.Seed = p.Epochs, p.Batch, p.LR, p.Momentum, p.Augment, seed
	if n := p.Fewer[c.Model]; n > 0 {
		r.Epochs = n
	}
	if c.Optimizer == "beta-lasso" {
		l := p.Lambda(data)
		r.LambdaConv, r.LambdaFC = l.Conv, l.FC
		r.Momentum = 0 // the paper used none here
	}
	if a := p.Alpha[c.Model]; a > 0 {
		r.Alpha = a
		return r, nil
	}
	near, err := model.Nearest(c.Model, p.Params, plan.SizeOf(r))
	r.Alpha, r.Width = near.Alpha, near.Width
	return r, err
}
