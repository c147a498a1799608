package report

import "math"

// A tableCase is one row of the paper's Table 2 that the EE-411 report has too.
type tableCase struct {
	name      string // in file names
	network   string
	method    string
	model     string
	optimizer string
	beta      float64
	color     string // of its curves; the palette is Okabe and Ito's, for all kinds of colour vision

	paper       map[string]float64 // test accuracy in percent by data set, after 4000 epochs
	report      map[string]float64 // the same in the EE-411 report, after 100 epochs
	paperParams int                // weights in the paper
}

// title names the case in one line.
func (k tableCase) title() string { return k.network + ", " + k.method }

func bySet(cifar10, cifar100, svhn float64) map[string]float64 {
	return map[string]float64{"cifar10": cifar10, "cifar100": cifar100, "svhn": svhn}
}

// cases are the rows, in the tables' order.
var cases = []tableCase{
	{"s-conv", "S-CONV", "SGD", "s-conv", "sgd", 0, "#0072B2",
		bySet(87.05, 62.51, 93.38), bySet(64, 34, 87), 138_310_000},
	{"s-local", "S-LOCAL", "SGD", "s-local", "sgd", 0, "#56B4E9",
		bySet(85.86, 62.03, 93.98), bySet(64, 32, 87), 147_610_000},
	{"3-fc", "3-FC", "SGD", "3-fc", "sgd", 0, "#8C8C8C",
		bySet(75.12, 50.75, 86.02), bySet(36, 12, 58), 256_240_000},
	{"s-fc", "S-FC", "SGD", "s-fc", "sgd", 0, "#E69F00",
		bySet(78.63, 51.43, 91.80), bySet(58, 28, 80), 256_240_000},
	{"s-fc-beta0", "S-FC", "β-lasso, β = 0", "s-fc", "beta-lasso", 0, "#CC79A7",
		bySet(82.45, 55.58, 93.80), bySet(57, 28, 84), 256_240_000},
	{"s-fc-beta1", "S-FC", "β-lasso, β = 1", "s-fc", "beta-lasso", 1, "#009E73",
		bySet(82.52, 55.96, 93.66), bySet(59, 29, 82), 256_240_000},
	{"s-fc-beta50", "S-FC", "β-lasso, β = 50", "s-fc", "beta-lasso", 50, "#D55E00",
		bySet(85.19, 59.56, 94.07), bySet(55, 29, 81), 256_240_000},
}

// What both texts say of their runs.
const (
	paperEpochs   = 4000
	reportEpochs  = 100
	reportParams  = 25_600_000
	paperAugment  = "fast-autoaugment"
	reportAugment = "none"
	maxLambda     = 2e-5 // the end of the grid for λ, in both
)

// dataSet is what the report knows of a data set.
type dataSet struct {
	name  string
	title string
	train int // examples that its publisher gives to train on

	// Non-zeros that the paper's Figure 3 ends at, by layer (read from the
	// figure, S-FC with α = 230 at epoch 4096); nil: it has none.
	paperNonzero []float64
	// Medians of the paper's Figure 8 (read from the figure): S-FC, β-lasso.
	nonzero, height, width, radius float64
}

// dataSets are the data sets in the paper's order.
var dataSets = []dataSet{
	{"cifar10", "CIFAR-10", 50_000, []float64{1.249e5, 4.106e6, 3.556e4}, 33, 14, 23, 6.3},
	{"cifar100", "CIFAR-100", 50_000, []float64{1.017e5, 2.864e7, 4.849e5}, 27, 13, 17, 5.2},
	{"svhn", "SVHN", 73_257, []float64{1.365e6, 1.320e7, 3.985e4}, 43, 28, 29, 9.2},
	{"digits", "digits (generated)", 0, nil, 0, 0, 0, 0},
}

// The radius of the paper's other filters, in pixels (read from its Figures 7
// and 9).
const (
	paperDenseRadius = "12.9"
	paperLocalRadius = "3.4 to 3.6"
)

// describe is the data set of that name.
func describe(name string) dataSet {
	for _, d := range dataSets {
		if d.name == name {
			return d
		}
	}
	return dataSet{name: name, title: name}
}

// published is a percentage of a table, NaN where it has none.
func published(table map[string]float64, set string) float64 {
	if v, ok := table[set]; ok {
		return v
	}
	return math.NaN()
}
