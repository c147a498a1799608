package paper

// Kernels are the test accuracies of ResNet18 in Figure 5, by the side of its kernels.
type Kernels struct {
	Sides      []float64
	Lasso, SGD []float64 // in per cent
}

var sides = []float64{3, 5, 7, 9, 11, 13, 15}

// Figure5 is Figure 5, by data set (read from the figure).
var Figure5 = map[string]Kernels{
	"cifar10":  {sides, []float64{95.82, 94.95, 94.46, 93.52, 93.28, 92.68, 92.30}, []float64{95.58, 94.32, 93.04, 92.56, 91.26, 90.95, 90.78}},
	"cifar100": {sides, []float64{78.63, 75.60, 75.25, 73.95, 73.32, 72.90, 72.51}, []float64{77.85, 74.79, 73.28, 71.14, 68.85, 69.48, 67.21}},
	"svhn":     {sides, []float64{97.08, 96.95, 96.89, 96.90, 96.74, 96.75, 96.72}, []float64{97.00, 96.87, 96.88, 96.67, 96.58, 96.53, 96.64}},
}
