package train

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/compute/cpu"
	"betalasso/data"
	"betalasso/run"
)

// images are n small pictures of 3 classes: noise, with a brighter channel that
// gives the class away.
func images(n int, seed uint64) data.Images {
	const size = 3 * 8 * 8
	r := rand.New(rand.NewPCG(seed, 0))
	im := data.Images{Pix: make([]uint8, n*size), Labels: make([]uint16, n), ImageSize: size}
	for i := range n {
		im.Labels[i] = uint16(i % 3)
		for j := range size {
			v := r.IntN(180)
			if j/64 == i%3 {
				v += 60
			}
			im.Pix[i*size+j] = uint8(v)
		}
	}
	return im
}

func smallSet() *data.Set {
	return &data.Set{
		Name: "digits", Classes: []string{"red", "green", "blue"}, Channels: 3, Side: 8, Policy: "cifar",
		Train: images(150, 1), Test: images(60, 2),
	}
}

func smallConfig() run.Config {
	c := run.Default()
	c.Model, c.Alpha, c.Data = "s-fc", 2, "digits"
	c.Optimizer, c.Beta, c.LambdaConv, c.LambdaFC = "beta-lasso", 50, 1e-4, 1e-5
	c.Augment, c.Val, c.Batch, c.Epochs, c.Seed = "flip-crop", 30, 32, 4, 3
	c.Momentum, c.Dropout, c.Precision = 0.5, 0.1, "fp32"
	return c
}

func sgd(c *run.Config) {
	c.Optimizer, c.Beta, c.LambdaConv, c.LambdaFC = "sgd", 0, 0, 0
}

// start makes options for a run in a new directory.
func start(t *testing.T, c run.Config, threads int) Options {
	t.Helper()
	dev, err := cpu.New(cpu.Options{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := run.Create(filepath.Join(t.TempDir(), "run"), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return Options{Dir: dir, Config: c, Device: dev, Set: smallSet(), Threads: threads}
}

func mustRun(t *testing.T, o Options) run.Result {
	t.Helper()
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunLearnsAndRecords(t *testing.T) {
	c := smallConfig()
	c.Epochs = 8
	sgd(&c)
	o := start(t, c, 2)
	r := mustRun(t, o)
	if r.Last.TestAcc < 0.8 {
		t.Errorf("test accuracy after training: got %.2f, want at least 0.8", r.Last.TestAcc)
	}
	events, err := o.Dir.Events()
	if err != nil || len(events) != c.Epochs+1 {
		t.Fatalf("got %d events (%v), want the start and %d epochs", len(events), err, c.Epochs)
	}
	if e := events[c.Epochs]; e.Epoch != c.Epochs || e.Step != c.Epochs*3 || e.Nonzero["conv1"] == 0 || e.TrainLoss <= 0 {
		t.Errorf("the last event does not fit a run of %d epochs of 3 steps: %+v", c.Epochs, e)
	}
	if got, err := o.Dir.Result(); err != nil || got.WeightsSum != r.WeightsSum {
		t.Errorf("result.json: %v, weights %s; want %s", err, got.WeightsSum, r.WeightsSum)
	}
	if _, err := os.Stat(o.Dir.File(run.FiltersFile)); err != nil {
		t.Errorf("filters: %v", err)
	}
}

func TestThreadsChangeNothing(t *testing.T) {
	for _, m := range []string{"s-fc", "s-conv", "s-local", "3-fc", "d-conv"} {
		c := smallConfig()
		c.Model, c.Epochs = m, 2
		if m == "3-fc" {
			c.Width, c.Alpha = 20, 0
		}
		if m == "d-conv" {
			c.Alpha = 1
		}
		one, two := mustRun(t, start(t, c, 1)), mustRun(t, start(t, c, 2))
		if one.WeightsSum != two.WeightsSum {
			t.Errorf("%s: the weights of 1 thread and of 2 differ", m)
		}
	}
}

// TestStoppedAnywhere stops a run after every one of its steps in turn, goes on
// in a fresh trainer, and wants the weights and events of a run that never
// stopped.
func TestStoppedAnywhere(t *testing.T) {
	usual := mostKept
	defer func() { mostKept = usual }()
	for _, x := range []struct{ val, kept int }{{30, usual}, {0, usual}, {30, 0}} {
		t.Run(fmt.Sprintf("val %d, %d kept", x.val, x.kept), func(t *testing.T) {
			mostKept = x.kept
			c := smallConfig()
			c.Val = x.val
			want := mustRun(t, start(t, c, 1))
			o := start(t, c, 1)
			got, stops := stopped(t, o)
			if got.WeightsSum != want.WeightsSum || got.Best.TestAcc != want.Best.TestAcc || got.Last != want.Last {
				t.Errorf("stopped %d times: got %+v, want %+v", stops, got, want)
			}
			const steps = 4 * 3
			if stops < steps-1 {
				t.Errorf("stopped %d times, want at least %d", stops, steps-1)
			}
			events, err := o.Dir.Events()
			if err != nil || len(events) != c.Epochs+1 {
				t.Errorf("got %d events (%v), want %d", len(events), err, c.Epochs+1)
			}
			if wrong := run.Verify(o.Dir.Path()); wrong != nil {
				t.Error(wrong)
			}
		})
	}
}

// TestLastIsBest: without validation images no epoch's weights are kept as the best
// ones until the last.
func TestLastIsBest(t *testing.T) {
	c := smallConfig()
	c.Val = 0
	o := start(t, c, 1)
	stop := make(chan struct{})
	o.Stop = stop
	o.Progress = func(p Progress) {
		if p.Event != nil && p.Epoch == 2 {
			close(stop)
		}
	}
	if _, err := Run(o); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	if _, err := os.Stat(o.Dir.File(run.BestFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s after two epochs: %v, want none", run.BestFile, err)
	}
	o.Stop, o.Progress = nil, nil
	r := mustRun(t, o)
	if r.Best != r.Last {
		t.Errorf("the best epoch is %+v, the last %+v", r.Best, r.Last)
	}
	if wrong := run.Verify(o.Dir.Path()); wrong != nil {
		t.Error(wrong)
	}
}

func TestDivergenceSaysWhere(t *testing.T) {
	c := smallConfig()
	sgd(&c)
	c.LR, c.Momentum = 1e30, 0
	_, err := Run(start(t, c, 1))
	var d *DivergedError
	if !errors.As(err, &d) || d.Epoch != 1 || d.Step < 2 {
		t.Errorf("got %v, want a DivergedError in epoch 1", err)
	}
}

func TestWeightsOfAnotherSize(t *testing.T) {
	c := smallConfig()
	c.Epochs = 1
	o := start(t, c, 1)
	mustRun(t, o)
	o.Config.Alpha = 3
	if _, err := Run(o); err == nil {
		t.Error("a checkpoint of α = 2 was taken for α = 3")
	}
}

// A config may ask for a network of terabytes: the weights beside it say at once that
// it is not theirs.
func TestWeightsOfAVastNetwork(t *testing.T) {
	c := smallConfig()
	c.Epochs = 1
	o := start(t, c, 1)
	mustRun(t, o)
	_, weights, err := o.Dir.Weights(false)
	if err != nil {
		t.Fatal(err)
	}
	o.Config.Model, o.Config.Alpha = "d-fc", 16384
	if _, err := Evaluate(o, weights); err == nil || !strings.Contains(err.Error(), "another size") {
		t.Errorf("evaluation: got %v", err)
	}
	shape := run.DataSet{Channels: 3, Side: 32, Classes: o.Set.Classes, Mean: []float64{0, 0, 0}, Std: []float64{1, 1, 1}}
	if _, err := NewPredictor(o.Device, o.Config, shape, weights, nil, 1); err == nil || !strings.Contains(err.Error(), "another size") {
		t.Errorf("prediction: got %v", err)
	}
}
