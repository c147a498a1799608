package export

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"betalasso/compute"
	"betalasso/compute/cpu"
	"betalasso/data"
	"betalasso/model"
	"betalasso/nn"
	"betalasso/run"
	"betalasso/train"
)

// tinyConfig is a run of a second or less.
func tinyConfig(name string) run.Config {
	c := run.Default()
	c.Model, c.Alpha, c.Data = name, 1, "digits"
	if name == "3-fc" {
		c.Alpha, c.Width = 0, 12
	}
	if text, ok := map[string]string{"traps": traps, "dotted": dotted, "branches": branches}[name]; ok {
		c.Alpha, c.Network = 0, text
	}
	if strings.HasPrefix(name, "s-") {
		c.Alpha = 2
	}
	if name == "resnet18" {
		c.Alpha, c.Kernel = 2, 5
	}
	c.Val, c.Batch, c.Epochs, c.Threads, c.Precision = 100, 50, 1, 1, "fp32"
	return c
}

// digits is a small set.
var digits = data.Digits(300, 100, 1)

func device(t testing.TB) compute.Device {
	t.Helper()
	dev, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

// trained is the directory of a finished run of c.
func trained(t *testing.T, c run.Config) *run.Dir {
	t.Helper()
	d, err := run.Create(filepath.Join(t.TempDir(), "runs", c.Model), c)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := train.Run(train.Options{Dir: d, Config: c, Device: device(t), Set: digits, Threads: 1}); err != nil {
		t.Fatal(err)
	}
	return d
}

// opened is the network of a run, for batches of all test images.
func opened(t *testing.T, d *run.Dir, best bool) *Network {
	t.Helper()
	c := d.Config()
	size := model.Size{Alpha: c.Alpha, Width: c.Width, Kernel: c.Kernel, Network: c.Network, Channels: 3, Side: 32, Classes: 10, Batch: 100}
	n, err := Open(d, device(t), size, best)
	if err != nil {
		t.Fatal(err)
	}
	images, _, err := train.Split(digits, c)
	if err != nil {
		t.Fatal(err)
	}
	n.Mean, n.Std = data.MeanStd(images, 3)
	n.Classes = digits.Classes
	return n
}

// made is a network of random weights that has seen the test images as one
// batch, so that no layer's outputs are all alike.
func made(t *testing.T, name string) *Network {
	t.Helper()
	c := tinyConfig(name)
	size := model.Size{Alpha: c.Alpha, Width: c.Width, Kernel: c.Kernel, Network: c.Network, Channels: 3, Side: 32, Classes: 10, Batch: 100}
	net, err := model.New(device(t), name, size, 1)
	if err != nil {
		t.Fatal(err)
	}
	n := &Network{Config: c, Size: size, Net: net, Epoch: 1, Steps: 4, Classes: digits.Classes}
	n.Mean, n.Std = data.MeanStd(digits.Train, 3)
	r := rand.New(rand.NewPCG(1, 2))
	nn.Walk(net.Layers, func(l nn.Layer) {
		if l, ok := l.(*nn.BatchNorm); ok {
			l.State.Momentum = 1
			for i := range l.Gamma.Value.Data {
				l.Gamma.Value.Data[i] = 0.5 + r.Float32()
				l.Beta.Value.Data[i] = r.Float32() - 0.5
			}
		}
	})
	net.Forward(input(t, n), true)
	return n
}

// pixels are the test images as numbers from 0 to 1, [100, 3·32·32].
func pixels() []float32 {
	list := make([]float32, len(digits.Test.Pix))
	for i, v := range digits.Test.Pix {
		list[i] = float32(v) / 255
	}
	return list
}

// input is the test images as n sees them, [100, 3·32·32].
func input(t *testing.T, n *Network) compute.Mat {
	t.Helper()
	x := device(t).Alloc(digits.Test.Len(), digits.Test.ImageSize)
	area := n.Size.Side * n.Size.Side
	for i, v := range pixels() {
		c := i / area % n.Size.Channels
		x.Data[i] = float32((float64(v) - n.Mean[c]) / n.Std[c])
	}
	return x
}

// logits is what n makes of the test images, [100, classes].
func logits(t *testing.T, n *Network) []float32 {
	t.Helper()
	y := n.Net.Forward(input(t, n), false)
	var list []float32
	for i := range y.Rows {
		for j := range y.Cols {
			list = append(list, y.At(i, j))
		}
	}
	return list
}

// near wants two networks' logits to differ by no more than 1e-4.
func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d logits, want %d", what, len(got), len(want))
	}
	worst, spread := 0.0, 0.0
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		worst = max(worst, d, -d)
		spread = max(spread, float64(want[i])-float64(want[0]))
		if d != d {
			t.Fatalf("%s: logit %d is NaN", what, i)
		}
	}
	if spread < 0.1 {
		t.Errorf("%s: the logits are all alike", what)
	}
	t.Logf("%s: %d logits, the largest difference %.2g", what, len(want), worst)
	if worst > 1e-4 {
		t.Errorf("%s: a logit is off by %g, want at most 1e-4", what, worst)
	}
}

func mustOpen(t *testing.T, dir string) *run.Dir {
	t.Helper()
	d, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestOpen: the last and the best weights are those of the run's files, with
// their epochs and steps.
func TestOpen(t *testing.T) {
	c := tinyConfig("s-conv")
	c.Epochs = 3
	d := trained(t, c)
	res, _ := d.Result()
	for _, best := range []bool{false, true} {
		n := opened(t, d, best)
		file, epoch := run.WeightsFile, 3
		if best {
			file, epoch = run.BestFile, res.Best.Epoch
		}
		if n.Epoch != epoch || n.Steps != 4*epoch {
			t.Errorf("%s: epoch %d after %d steps, want epoch %d after %d", file, n.Epoch, n.Steps, epoch, 4*epoch)
		}
		want, _, err := run.ReadTensors(d.File(file))
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Own(); got[0].Name != "conv1.weight" || !slices.Equal(got[0].Values(), want[0].Values()) {
			t.Errorf("%s: the first weights differ", file)
		}
	}
	if _, err := Open(d, device(t), model.Size{Alpha: 3, Channels: 3, Side: 32, Classes: 10, Batch: 1}, false); err == nil || !strings.Contains(err.Error(), "conv1.weight has 486 numbers, want 729") {
		t.Errorf("weights of α = 2 as those of α = 3: got %v", err)
	}
}
