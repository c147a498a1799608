package optim

import (
	"math"
	"testing"

	"betalasso/compute"
	"betalasso/compute/cpu"
	"betalasso/compute/ref"
	"betalasso/nn"
)

// devices are what the rules are tried on: the definition and the fast one.
func devices(t *testing.T) []compute.Device {
	t.Helper()
	list := []compute.Device{ref.New()}
	for _, k := range cpu.Kernels(false) {
		d, err := cpu.New(cpu.Options{Threads: 1, Kernel: k})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

// one is a layer of a single weight, whose gradient is dy·x.
func one(dev compute.Device, w float64) compute.Weights {
	l := dev.Dense(1, 1)
	l.Write(0, []float32{float32(w)})
	return l
}

func value(l compute.Weights) float64 {
	var v [1]float32
	l.Read(v[:], 0)
	return float64(v[0])
}

func of(v float64) compute.Mat { return compute.Mat{Rows: 1, Cols: 1, Data: []float32{float32(v)}} }

// TestRules takes one or two steps on a single weight.
func TestRules(t *testing.T) {
	lasso := BetaLasso{Beta: 50, LambdaConv: 1e-2, LambdaFC: 2e-3} // cuts at 0.5 and 0.1
	mild := BetaLasso{Beta: 1, LambdaConv: 0.1, LambdaFC: 0.1}
	for _, c := range []struct {
		name     string
		rule     Rule
		group    nn.Group
		lr, w, g float64
		want     float64
	}{
		{"SGD goes against the gradient", SGD{}, nn.FC, 0.1, 1, 2, 0.8},
		{"SGD decays weights", SGD{WeightDecay: 0.5}, nn.FC, 0.1, 1, 0, 0.95},
		{"SGD does not decay biases and batch norm", SGD{WeightDecay: 0.5}, nn.None, 0.1, 1, 0, 1},
		{"a positive weight shrinks by ηλ", mild, nn.Conv, 0.5, 1, 0, 0.95},
		{"a negative weight shrinks by ηλ", mild, nn.Conv, 0.5, -1, 0, -0.95},
		{"sign is taken before the step", mild, nn.Conv, 1, 0.2, 0.5, -0.4},
		{"sign of zero is zero", mild, nn.Conv, 1, 0, 0.5, -0.5},
		{"a weight below βλ is cut", lasso, nn.Conv, 0.1, 0.4, 0, 0},
		{"a weight at or above βλ stays as it is", lasso, nn.Conv, 0.1, 0.75, 0, 0.749},
		{"the threshold ignores the learning rate", lasso, nn.Conv, 1e-9, 0.49, 0, 0},
		{"the fully connected layers have a λ of their own", lasso, nn.FC, 0.1, 0.4, 0, 0.3998},
		{"a large gradient revives zero", lasso, nn.Conv, 0.1, 0, 6, -0.6},
		{"a small gradient does not revive zero", lasso, nn.Conv, 0.1, 0, 4, 0},
		{"biases and batch norm are left alone", lasso, nn.None, 0.1, 0.01, 0.05, 0.005},
		{"β = 0 makes no zeros", BetaLasso{LambdaConv: 0.1}, nn.Conv, 0.1, 1e-6, 0, 1e-6 - 0.01},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, dev := range devices(t) {
				w := one(dev, c.w)
				nonzero := w.Step(of(c.g), of(1), At(c.rule, c.lr)(c.group))
				got := value(w)
				if math.Abs(got-c.want) > 1e-6*math.Max(1, math.Abs(c.want)) {
					t.Errorf("%s: got %g, want %g", dev.Name(), got, c.want)
				}
				if want := map[bool]int{true: 1}[got != 0]; nonzero != want {
					t.Errorf("%s: counted %d non-zeros, want %d", dev.Name(), nonzero, want)
				}
			}
		})
	}
}

func TestMomentumIsPyTorchs(t *testing.T) {
	for _, dev := range devices(t) {
		w := one(dev, 1)
		want := 1.0
		for _, v := range []float64{1, 1.5, 1.75} {
			w.Step(of(1), of(1), At(SGD{Momentum: 0.5}, 0.1)(nn.FC))
			want -= 0.1 * v
			if got := value(w); math.Abs(got-want) > 1e-6 {
				t.Errorf("%s: got %g, want %g", dev.Name(), got, want)
			}
		}
	}
}

func TestCosine(t *testing.T) {
	for _, c := range []struct {
		step int
		want float64
	}{{0, 0.1}, {25, 0.1 * (1 + math.Sqrt2/2) / 2}, {50, 0.05}, {100, 0}} {
		if got := Cosine(0.1, c.step, 100); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("step %d of 100: got %g, want %g", c.step, got, c.want)
		}
	}
}
