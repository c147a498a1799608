package paper

// Figure3 is the paper's Figure 3, read from it: the non-zero weights of S-FC's
// three layers, input to output, by epoch. The network has α = 230. Curves begin
// at about half of a layer's weights, for a reason that the paper does not give;
// between these epochs those of the first two layers on CIFAR-10 and CIFAR-100 have
// bursts of up to ten times as many.
var Figure3 = struct {
	Epochs []float64
	Sizes  func(classes int) [3]float64 // of the layers
	Layers map[string][3][]float64      // by data set
}{
	Epochs: []float64{0, 100, 200, 300, 500, 800, 1000, 1500, 2000, 2500, 3000, 3500, 4096},
	Sizes: func(classes int) [3]float64 {
		return [3]float64{3072 * 256 * 230, 256 * 230 * 5750, 5750 * float64(classes)}
	},
	Layers: map[string][3][]float64{
		"cifar10": {
			{8.65e7, 4.76e7, 8.26e6, 1.44e6, 1.1e6, 5.9e5, 3.2e5, 2.8e5, 1.9e5, 1.4e5, 1.27e5, 1.25e5, 1.249e5},
			{1.61e8, 6.3e7, 1.4e7, 8.8e6, 1.1e7, 1.1e7, 1.05e7, 1.1e7, 9.2e6, 6.4e6, 4.6e6, 4.1e6, 4.106e6},
			{2.83e4, 2.96e4, 3.0e4, 3.0e4, 3.05e4, 3.2e4, 3.2e4, 3.4e4, 3.6e4, 3.6e4, 3.57e4, 3.56e4, 3.556e4},
		},
		"cifar100": {
			{8.25e7, 6.69e6, 3.4e5, 2.9e5, 2.2e5, 1.8e5, 1.6e5, 1.4e5, 1.2e5, 1.06e5, 1.03e5, 1.02e5, 1.017e5},
			{1.65e8, 9.8e7, 6.1e7, 5.7e7, 5.7e7, 7.4e7, 7.8e7, 6.6e7, 4.9e7, 3.7e7, 3.0e7, 2.9e7, 2.864e7},
			{2.86e5, 2.97e5, 3.1e5, 3.2e5, 3.3e5, 3.5e5, 3.7e5, 4.4e5, 4.75e5, 4.87e5, 4.85e5, 4.85e5, 4.849e5},
		},
		"svhn": {
			{8.95e7, 7.5e7, 5.95e7, 4.6e7, 2.7e7, 1.9e7, 1.5e7, 1.2e7, 6.8e6, 5.3e6, 5.0e6, 1.4e6, 1.365e6},
			{1.65e8, 9.5e7, 6.0e7, 5.3e7, 5.3e7, 4.6e7, 4.7e7, 4.6e7, 3.1e7, 2.6e7, 2.1e7, 1.4e7, 1.320e7},
			{2.85e4, 2.95e4, 3.0e4, 3.0e4, 3.1e4, 3.2e4, 3.3e4, 3.6e4, 3.9e4, 4.1e4, 4.1e4, 4.0e4, 3.985e4},
		},
	},
}
