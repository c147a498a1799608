package plan

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/compute"
	"betalasso/compute/cpu"
	"betalasso/data"
	"betalasso/run"
	"betalasso/sweep"
	"betalasso/train"
)

// folder has CIFAR-10's files with 1500 images to train with and 300 to test.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"} {
		var rows []byte
		for i := range 300 {
			rows = append(append(rows, byte(i%10)), bytes.Repeat([]byte{byte(i)}, 3*32*32)...)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".bin"), rows, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// little is a network that trains in a moment.
func little() run.Config {
	c := run.Default()
	c.Model, c.Width, c.Alpha, c.Data, c.Batch, c.Val, c.Epochs = "3-fc", 16, 0, "digits", 32, 100, 3
	return c
}

func bench(t *testing.T) Bench {
	t.Helper()
	return Bench{Threads: 1, Dir: t.TempDir(), Device: func(c run.Config) (compute.Device, error) {
		return cpu.New(cpu.Options{Threads: max(1, c.Threads)})
	}}
}

// A plan is for the images that there are.
func TestExamplesOfOwnData(t *testing.T) {
	c := little()
	c.Data, c.DataDir, c.Val, c.Batch = "cifar10", folder(t), 200, 64
	if got := Examples(c); got != 1280 { // 20 batches of the 1300 left
		t.Errorf("got %d examples, want 1280", got)
	}
	if got := Steps(c); got != 60 {
		t.Errorf("got %d steps, want 60", got)
	}
	if c.Train = 100; Examples(c) != 64 {
		t.Errorf("of 100: got %d, want 64", Examples(c))
	}
	if c.Train, c.Batch = 0, 5000; Examples(c) != 1300 {
		t.Errorf("fewer than a batch: got %d, want 1300", Examples(c))
	}
	if c.Val = 1500; Examples(c) != 0 || Steps(c) != 0 {
		t.Errorf("none: got %d", Examples(c))
	}
	own := c
	c.DataDir = filepath.Join(t.TempDir(), "none")
	if c.Val = 0; SourceOf(c).Images() != (Images{50000, 10000}) {
		t.Errorf("no folder: got %v, want the publisher's", SourceOf(c).Images())
	}
	r := Rates{{config: c, macs: 1, probe: Probe{Example: 1e-3}}}
	all, _ := r.Seconds(c)
	if few, _ := r.Seconds(own); few > all/20 || few <= 0 {
		t.Errorf("got %g seconds for 1500 images and %g for 50000", few, all)
	}
}

// What an epoch and a run take beside their steps counts, which is most of a
// short run.
func TestSecondsOfShortRuns(t *testing.T) {
	c := little()
	c.Train, c.Val = 64, 0
	r := Rates{{config: c, macs: exampleMACs(c), probe: Probe{Epoch: 0.5, Run: 2}}}
	if got, dense := r.Seconds(c); got != 3.5 || dense != 3.5 {
		t.Errorf("3 epochs of 0.5 s and 2 s beside: got %g and %g, want 3.5", got, dense)
	}
	other := c
	other.Model = "s-conv"
	if got, _ := r.Seconds(other); got != 0 {
		t.Errorf("a network that was not measured: got %g, want 0", got)
	}
}

// Time grows by the slope that was measured, from what was measured.
func TestSecondsOfALargerNetwork(t *testing.T) {
	c := little()
	c.Train, c.Val, c.Epochs = 64, 0, 1
	large := c
	large.Width = 10 * c.Width
	r := Rates{{config: c, macs: exampleMACs(c), probe: Probe{Example: 1}, slope: 0.5 / exampleMACs(c)}}
	small, _ := r.Seconds(c)
	got, _ := r.Seconds(large)
	if want := small * (1 + 0.5*(exampleMACs(large)/exampleMACs(c)-1)); math.Abs(got-want) > 1e-9*want {
		t.Errorf("got %g seconds, want %g", got, want)
	}
}

// A slope is between that of a line through both sizes and what can be.
func TestSlopes(t *testing.T) {
	at := func(macs, seconds float64) rate {
		return rate{macs: macs, probe: Probe{Example: seconds}, slope: seconds / macs}
	}
	for _, c := range []struct {
		m, other rate
		want     float64
	}{
		{at(10, 20), at(5, 15), 1},
		{at(5, 15), at(10, 20), 1},
		{at(10, 20), at(5, 5), 2},     // more than in proportion
		{at(10, 20), at(5, 25), 0.25}, // the smaller one was disturbed
		{at(10, 20), at(10, 30), 2},   // one size, for which a line says nothing
		{at(10, 20), at(10, 20), 2},
	} {
		if got := c.m.beside(c.other).slope; got != c.want {
			t.Errorf("%v beside %v: got %g, want %g", c.m, c.other, got, c.want)
		}
	}
}

// A network of which a moment times a part gets a slope from two sizes of it, no
// larger than in proportion.
func TestMomentOfALargeNetwork(t *testing.T) {
	c := run.Default()
	c.Model, c.Alpha, c.Data, c.Batch = "s-local", 150, "cifar10", 64
	m, err := bench(t).moment(c)
	if err != nil {
		t.Fatal(err)
	}
	if m.config == c || m.macs != exampleMACs(m.config) || m.macs >= exampleMACs(c) {
		t.Errorf("timed %+v, want a smaller one", m.config)
	}
	if whole := m.probe.Example / m.macs; m.slope <= 0 || m.slope > whole {
		t.Errorf("got a slope of %g, want more than 0 and at most %g", m.slope, whole)
	}
}

// Steps get cheaper where λ leaves few weights, and only there.
func TestSparseStepsAreCheaper(t *testing.T) {
	lasso := run.Default()
	lasso.Model, lasso.Alpha, lasso.Width, lasso.Data = "s-fc", 4, 0, "cifar10"
	lasso.DataDir = filepath.Join(t.TempDir(), "none")
	lasso.Optimizer, lasso.Beta, lasso.LambdaConv, lasso.LambdaFC = "beta-lasso", 50, 1e-4, 2e-5
	lasso.Epochs, lasso.Batch = 60, 512
	got := stepShare(lasso)
	if got < 0.5 || got > 0.8 { // 0.61 was measured: bench/2026-11-25-sparse
		t.Errorf("S-FC, α = 4, 60 epochs: got %.2f of the dense time, want about 0.61", got)
	}
	for name, change := range map[string]func(*run.Config){
		"SGD":               func(c *run.Config) { c.Optimizer = "sgd" },
		"dense asked for":   func(c *run.Config) { c.Sparse = "off" },
		"momentum":          func(c *run.Config) { c.Momentum = 0.9 },
		"a convolution":     func(c *run.Config) { c.Model = "s-conv" },
		"a λ far too small": func(c *run.Config) { c.LambdaConv, c.LambdaFC = 1e-7, 1e-7 },
	} {
		c := lasso
		if change(&c); stepShare(c) != 1 {
			t.Errorf("%s: got %g, want 1", name, stepShare(c))
		}
	}
	r := Rates{{config: lasso, macs: exampleMACs(lasso), probe: Probe{Example: 1e-4}}}
	if s, dense := r.Seconds(lasso); s >= dense {
		t.Errorf("got %g s, and %g s dense", s, dense)
	}
	if text := r.Time(lasso); !strings.Contains(text, "if nothing turns sparse") {
		t.Errorf("got %q, want both times", text)
	}
	lasso.Optimizer = "sgd"
	r[0].config = lasso
	if text := r.Time(lasso); strings.Contains(text, "sparse") {
		t.Errorf("SGD: got %q, want one time", text)
	}
}

// What does not fit is said with what it takes, and only where it does not.
func TestFits(t *testing.T) {
	c := little()
	need := Memory(c)
	if _, err := Fits(c, Room{need - 1, "the limit"}); err == nil || !strings.Contains(err.Error(), "the limit") {
		t.Errorf("a byte too little: got %v", err)
	}
	if note, err := Fits(c, Room{need + 1, "the limit"}); err != nil || !strings.Contains(note, "the limit") {
		t.Errorf("a byte more: got %q, %v", note, err)
	}
	if note, err := Fits(c, Room{}); err != nil || note != "" {
		t.Errorf("unknown: got %q, %v", note, err)
	}
}

func TestProbe(t *testing.T) {
	b, c := bench(t), little()
	set := data.Digits(600, 100, 1)
	got, err := b.Probe(c, set)
	if err != nil {
		t.Fatal(err)
	}
	if got.Example <= 0 || got.Epoch < 0 || got.Run < 0 { // how long an epoch and a run take beside their steps drowns in a busy machine's noise
		t.Errorf("got %+v, want a step's time, and none below 0", got)
	}
	if left, _ := os.ReadDir(b.Dir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	stop := make(chan struct{})
	close(stop)
	if b.Stop = stop; true {
		if _, err := b.Probe(c, set); !errors.Is(err, train.ErrStopped) {
			t.Errorf("stopped: got %v", err)
		}
	}
	b = bench(t)
	b.Dir = filepath.Join(b.Dir, "none")
	if _, err := b.Probe(c, set); err == nil {
		t.Error("a folder that is not there: got no error")
	}
}

// A probe's time is shared out: what steps take, what an epoch takes beside them,
// and the rest. What a slow step hides counts as nothing.
func TestProbeIsTakenApart(t *testing.T) {
	if got, want := probeOf([]float64{0.5, 0.25, 0.25, 4}, 8, 50, 1.25, 12), (Probe{Example: 0.005, Epoch: 1, Run: 7}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := probeOf([]float64{2, 2}, 4, 50, 1, 7), (Probe{Example: 0.04}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestReducedIsAMoment(t *testing.T) {
	c := run.Default()
	c.Model, c.Alpha, c.Data = "s-fc", 150, "cifar10"
	if got := probeMACs(Reduced(c)); got > measurable {
		t.Errorf("got a probe of %g multiplications, want at most %g", got, measurable)
	}
	if got := Reduced(c).Batch; got != c.Batch {
		t.Errorf("got a batch of %d; steps of %d are to be timed", got, c.Batch)
	}
	if c = little(); Reduced(c) != c {
		t.Errorf("a small one: got %+v", Reduced(c))
	}
}

// check is one of two trials in a folder that is not there yet.
func check(t *testing.T) (Check, []sweep.Trial) {
	t.Helper()
	one, two := little(), little()
	two.LR = 0.01
	k := Check{
		Bench: bench(t), Out: filepath.Join(t.TempDir(), "sweeps", "mine"), Processes: 1,
		Load: func(run.Config) (*data.Set, error) { return data.Digits(2000, 200, 1), nil },
	}
	return k, []sweep.Trial{{ID: one.ID(), Config: one}, {ID: two.ID(), Index: 1, Config: two}}
}

func TestCheck(t *testing.T) {
	k, trials := check(t)
	sum, err := k.Run(trials)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Trials != 2 || sum.Seconds <= 0 || sum.Disk <= 0 || sum.Memory <= 0 {
		t.Errorf("got %+v", sum)
	}
	one, _ := sum.Rates.Seconds(trials[0].Config)
	two, _ := sum.Rates.Seconds(trials[1].Config)
	if one <= 0 || one+two != sum.CPUSeconds {
		t.Errorf("the rates give %g and %g s, the total is %g", one, two, sum.CPUSeconds)
	}
	if _, err := os.Stat(filepath.Dir(k.Out)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it left %s", filepath.Dir(k.Out))
	}
}

// All that is wrong is said at once.
func TestCheckSaysAllThatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Check, []sweep.Trial)
		want   []string
	}{
		"memory": {func(k *Check, p []sweep.Trial) { k.Room = Room{1e6, "the limit"} }, []string{"trial 0", "the limit"}},
		"data and memory": {func(k *Check, p []sweep.Trial) {
			k.Room = Room{1e6, "the limit"}
			k.Load = func(run.Config) (*data.Set, error) { return nil, errors.New("no such folder") }
		}, []string{"the limit", "digits: no such folder"}},
		"what follows": {func(k *Check, p []sweep.Trial) {
			then := p[1].Config
			then.Val = 5000
			p[1].Then = &then
		}, []string{"then, after trial 1 (): val"}},
		"memory of what follows": {func(k *Check, p []sweep.Trial) {
			then := p[1].Config
			then.Width = 3000
			p[1].Then = &then
			k.Room = Room{2 * Memory(p[1].Config), "the limit"}
		}, []string{"then, after trial 1 ()", "the limit"}},
		"validation images": {func(k *Check, p []sweep.Trial) { p[0].Config.Val = 5000 }, []string{"val"}},
		"too many at a time": {func(k *Check, p []sweep.Trial) {
			k.Processes = 2
			k.Room = Room{1.5 * Memory(p[0].Config), "the limit"}
		}, []string{"fewer --processes"}},
		"a folder that is a file": {func(k *Check, p []sweep.Trial) {
			k.Out = filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(k.Out, nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}, []string{"file"}},
	} {
		k, trials := check(t)
		c.change(&k, trials)
		_, err := k.Run(trials)
		var p Problem
		if !errors.As(err, &p) {
			t.Errorf("%s: got %v, want a Problem", name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %q, want %q in it", name, err, want)
			}
		}
	}
	k, trials := check(t)
	k.Stopped = func() bool { return true }
	if _, err := k.Run(trials); !errors.Is(err, train.ErrStopped) {
		t.Errorf("stopped: got %v", err)
	}
}
