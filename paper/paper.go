// Package paper holds what two texts say of their runs: "Towards Learning
// Convolutions from Scratch" (Neyshabur 2020, arXiv 2007.13657), and the EE-411
// report that trained its cases at a tenth of the size. Values that were read
// from a figure are marked so. It computes nothing.
package paper

// Case is a row of the paper's Table 2 that the EE-411 report has too.
type Case struct {
	Name      string // in file names
	Network   string
	Method    string
	Model     string // as a setting, like the next two
	Optimizer string
	Beta      float64
	Params    int // weights as the paper prints them, in millions; α = 150 has 138.31, 147.61 and 256.24

	paper  accuracies // after Epochs epochs
	report accuracies // after ReportEpochs epochs
}

// accuracies are test accuracies in percent.
type accuracies struct{ cifar10, cifar100, svhn float64 }

// Cases are the rows, in the order of the table.
var Cases = []Case{
	{"s-conv", "S-CONV", "SGD", "s-conv", "sgd", 0, 138_000_000, accuracies{87.05, 62.51, 93.38}, accuracies{64, 34, 87}},
	{"s-local", "S-LOCAL", "SGD", "s-local", "sgd", 0, 147_000_000, accuracies{85.86, 62.03, 93.98}, accuracies{64, 32, 87}},
	{"3-fc", "3-FC", "SGD", "3-fc", "sgd", 0, 256_000_000, accuracies{75.12, 50.75, 86.02}, accuracies{36, 12, 58}},
	{"s-fc", "S-FC", "SGD", "s-fc", "sgd", 0, 256_000_000, accuracies{78.63, 51.43, 91.80}, accuracies{58, 28, 80}},
	{"s-fc-beta0", "S-FC", "β-lasso, β = 0", "s-fc", "beta-lasso", 0, 256_000_000, accuracies{82.45, 55.58, 93.80}, accuracies{57, 28, 84}},
	{"s-fc-beta1", "S-FC", "β-lasso, β = 1", "s-fc", "beta-lasso", 1, 256_000_000, accuracies{82.52, 55.96, 93.66}, accuracies{59, 29, 82}},
	{"s-fc-beta50", "S-FC", "β-lasso, β = 50", "s-fc", "beta-lasso", Beta, 256_000_000, accuracies{85.19, 59.56, 94.07}, accuracies{55, 29, 81}},
}

// Title names the case in one line.
func (k Case) Title() string { return k.Network + ", " + k.Method }

// Accuracy is the paper's test accuracy of the case on a data set, in percent.
func (k Case) Accuracy(set string) (float64, bool) { return k.paper.of(set) }

// ReportAccuracy is that of the EE-411 report.
func (k Case) ReportAccuracy(set string) (float64, bool) { return k.report.of(set) }

func (a accuracies) of(set string) (float64, bool) {
	switch set {
	case "cifar10":
		return a.cifar10, true
	case "cifar100":
		return a.cifar100, true
	case "svhn":
		return a.svhn, true
	}
	return 0, false
}

// What the texts say of all their runs.
const (
	Beta          = 50.0 // of β-lasso
	Epochs        = 4000
	Batch         = 512 // of both texts
	Augment       = "fast-autoaugment"
	ReportEpochs  = 100
	ReportParams  = 25_600_000
	ReportAugment = "none"
)

// Lambda is λ of the layer that corresponds to the convolution, and of the
// fully connected layers.
type Lambda struct{ Conv, FC float64 }

// LambdaGrid are the values that both were chosen from (A.2).
var LambdaGrid = []float64{1e-6, 2e-6, 5e-6, 1e-5, 2e-5}

// LambdaOf is the likeliest choice for a data set: the paper names its grid and not
// what it chose. The values come from the slopes of its Figure 3. For a data set
// that is not in the paper it is that for CIFAR-10.
func LambdaOf(set string) Lambda {
	switch set {
	case "cifar100":
		return Lambda{2e-5, 1e-6}
	case "svhn":
		return Lambda{2e-6, 1e-6}
	}
	return Lambda{1e-5, 2e-6}
}

// DataSet is what the texts say of a data set.
type DataSet struct {
	Name  string // as a setting
	Title string
	Train int // examples that its publisher gives to train on; 0: it is not in the texts

	// Non-zeros that Figure 3 ends at, of S-FC's layers from input to output with
	// α = 230, at epoch 4096 (read from the figure); nil: it has none.
	Nonzero []float64

	Filters Filters // of S-FC with β-lasso: Figure 8 (read from the figure)
}

// Filters are medians over first-layer filters with at least 20 non-zeros.
type Filters struct {
	Nonzero, Height, Width float64 // non-zeros, and pixels of the box around them
	Radius                 float64 // root mean square distance from the centre, in pixels
}

// DataSets are the data sets in the paper's order.
var DataSets = []DataSet{
	{"cifar10", "CIFAR-10", 50_000, []float64{1.249e5, 4.106e6, 3.556e4}, Filters{33, 14, 23, 6.3}},
	{"cifar100", "CIFAR-100", 50_000, []float64{1.017e5, 2.864e7, 4.849e5}, Filters{27, 13, 17, 5.2}},
	{"svhn", "SVHN", 73_257, []float64{1.365e6, 1.320e7, 3.985e4}, Filters{43, 28, 29, 9.2}},
}

// The radius of the other filters, in pixels (read from Figures 7 and 9).
const (
	DenseRadius = 12.9 // of S-FC with SGD
	LocalLow    = 3.4  // of S-LOCAL, from
	LocalHigh   = 3.6  // to
)

// Describe is the data set of that name; one that is not in DataSets has its
// name alone.
func Describe(name string) DataSet {
	for _, d := range DataSets {
		if d.Name == name {
			return d
		}
	}
	return DataSet{Name: name, Title: name}
}
