package plan

import (
	"slices"
	"strings"
	"testing"

	"betalasso/model"
	"betalasso/run"
)

func sizeOf(c run.Config) model.Size {
	return model.Size{Alpha: c.Alpha, Width: c.Width, Channels: 3, Side: 32, Classes: 10, Batch: 512}
}

func TestLambda(t *testing.T) {
	for _, c := range []struct {
		name                   string
		model                  string
		alpha, width           int
		beta, conv, fc, lr     float64
		steps                  int
		killed, dense, nothing string // layers
	}{
		{"the headline: sparse", "s-fc", 28, 0, 50, 1e-4, 2e-5, 0.1, 5280, "", "", "conv1 fc1"},
		{"the EE-411 report: fc1 stays dense", "s-fc", 28, 0, 50, 1e-5, 2e-6, 0.1, 8700, "", "fc1", "conv1"},
		{"β = 1 is not to be sparse", "s-fc", 28, 0, 1, 1e-5, 2e-6, 0.1, 8700, "", "", "conv1 fc1"},
		{"beyond 1/√3072/50", "s-fc", 4, 0, 50, 3.7e-4, 2e-5, 0.1, 1000, "conv1", "", ""},
		{"below it", "s-fc", 4, 0, 50, 3.6e-4, 2e-5, 0.1, 1000, "", "", "conv1"},
		{"a local layer has 243 inputs", "s-local", 4, 0, 50, 1.3e-3, 2e-5, 0.1, 1000, "conv1", "", ""},
		{"3-fc has one group", "3-fc", 0, 1024, 50, 0, 7e-4, 0.1, 1000, "fc1 fc2", "", ""},
		{"λ of one layer is 0", "s-fc", 4, 0, 50, 0, 2e-5, 0.1, 5000, "", "", "conv1"},
	} {
		cfg := run.Config{Model: c.model, Alpha: c.alpha, Width: c.width, Optimizer: "beta-lasso", Beta: c.beta, LambdaConv: c.conv, LambdaFC: c.fc, LR: c.lr}
		got, err := Lambda(cfg, sizeOf(cfg), c.steps)
		if err != nil {
			t.Fatal(err)
		}
		said := strings.Join(got, "\n")
		for _, l := range strings.Fields(c.killed) {
			if !strings.Contains(said, "cuts every weight of "+l) {
				t.Errorf("%s: got %q, want %s cut to nothing", c.name, said, l)
			}
		}
		for _, l := range strings.Fields(c.dense) {
			if !strings.Contains(said, l+" stays dense") {
				t.Errorf("%s: got %q, want %s dense", c.name, said, l)
			}
		}
		for _, l := range strings.Fields(c.nothing) {
			if strings.Contains(said, l+" ") {
				t.Errorf("%s: got %q, want no word of %s", c.name, said, l)
			}
		}
	}
	sgd := run.Config{Model: "s-fc", Alpha: 4, Optimizer: "sgd"}
	if got, err := Lambda(sgd, sizeOf(sgd), 100); got != nil || err != nil {
		t.Errorf("SGD: got %q, %v", got, err)
	}
	cut := run.Config{Model: "s-fc", Alpha: 4, Optimizer: "beta-lasso", Beta: 50, LambdaConv: 1, LR: 0.1}
	for sum, want := range map[string]bool{"": true, "0123456789abcdef": false} { // nothing is known of another run's weights
		cut.FromSum = sum
		if got, err := Lambda(cut, sizeOf(cut), 100); (got != nil) != want || err != nil {
			t.Errorf("from %q: got %q, %v", sum, got, err)
		}
	}
}

func TestSize(t *testing.T) {
	c := run.Config{Model: "s-fc", Alpha: 1}
	text, err := Size(c, sizeOf(c), 60_000)
	if err != nil || !strings.Contains(text, "the smallest") || !strings.Contains(text, "792816 weights") {
		t.Errorf("60k: got %q, %v", text, err)
	}
	if text, err := Size(c, sizeOf(c), 800_000); text != "" || err != nil {
		t.Errorf("800k: got %q, %v", text, err)
	}
}

// TestMomentumKeepsWeightsDense wants it said once, and only where it holds.
func TestMomentumKeepsWeightsDense(t *testing.T) {
	c := run.Default()
	c.Alpha, c.Optimizer, c.Beta, c.LambdaConv, c.LambdaFC = 8, "beta-lasso", 50, 1e-4, 1e-4
	for _, momentum := range []float64{0, 0.9} {
		c.Momentum = momentum
		list, err := Lambda(c, sizeOf(c), 8000)
		if err != nil {
			t.Fatal(err)
		}
		said := slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, "momentum: ") })
		if said != (momentum > 0) {
			t.Errorf("momentum %v: got %q", momentum, list)
		}
	}
}
