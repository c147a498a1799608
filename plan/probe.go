package plan

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"betalasso/compute"
	"betalasso/data"
	"betalasso/model"
	"betalasso/run"
	"betalasso/train"
)

// Bench is where probes are made.
type Bench struct {
	Device  func(run.Config) (compute.Device, error) // what a Config asks for
	Threads int                                      // of a training; at least 1
	Dir     string                                   // probes are written in new folders below it, which are removed
	Stop    <-chan struct{}                          // when closed, a probe ends with train.ErrStopped; may be nil
}

// Probe is what a training of a few steps took, in seconds.
type Probe struct {
	Example float64 // of a training example's step, by a step that little else disturbed
	Epoch   float64 // of an epoch beside its steps
	Run     float64 // of the run beside its epochs
}

// Steps of a probe, over probeEpochs epochs. The first ones are not timed: they
// allocate what the others reuse. Nor is the end of the first epoch, where a
// checkpoint is written: a training spends a hundredth of its time on those.
const (
	leastSteps  = 3
	mostSteps   = 20
	probeEpochs = 3
	warmSteps   = 1
)

// A probe for a measurement is kept to about this many multiply-adds, a second
// of one core at most.
const measurable = 2e10

// Probe trains c for a few steps, evaluates, and writes a checkpoint in a new
// folder below b.Dir, then reads it back; the folder is removed. The images are
// set's, of which about ProbeImages are used. A stop is train.ErrStopped.
func (b Bench) Probe(c run.Config, set *data.Set) (t Probe, err error) {
	began := time.Now()
	small, err := Sample(set, ProbeImages(c))
	if err != nil {
		return t, err
	}
	c.Train, c.Val, c.Epochs, c.Threads = 0, len(set.Classes), probeEpochs, 0
	c.LR = 1e-3  // whether a trial diverges is for the study to find out
	c.Whiten = 0 // so few images have no covariance worth the time
	c.From, c.FromSum = "", ""
	batch := min(c.Batch, small.Train.Len()-c.Val)
	path, err := os.MkdirTemp(b.Dir, ".check-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(path)
	threaded := c
	threaded.Threads = b.Threads
	dev, err := b.Device(threaded)
	if err != nil {
		return t, err
	}
	d, err := run.Create(path, c)
	if err != nil {
		return t, err
	}
	defer d.Close()
	var steps []float64 // seconds of each that follows another in its epoch
	var last time.Time
	result, err := train.Run(train.Options{
		Dir: d, Config: c, Device: dev, Set: small, Threads: max(1, b.Threads), Stop: b.Stop,
		Progress: func(p train.Progress) {
			if p.Phase != "train" || p.Event != nil {
				return
			}
			now := time.Now()
			if p.Step > 1 {
				steps = append(steps, now.Sub(last).Seconds())
			} else if p.Epoch == probeEpochs {
				t.Epoch = now.Sub(last).Seconds()
			}
			last = now
		},
	})
	if err != nil {
		return t, err
	}
	if err := readBack(d, result); err != nil {
		return t, err
	}
	if len(steps) <= warmSteps {
		return Probe{}, nil
	}
	return probeOf(steps[warmSteps:], len(steps)+probeEpochs, batch, t.Epoch, time.Since(began).Seconds()), nil
}

// probeOf splits a measurement: the seconds of some of its steps, of batch
// examples each, of its last epoch's beginning with its first step, and of all
// of it.
func probeOf(timed []float64, steps, batch int, epoch, all float64) Probe {
	step := quick(timed)
	p := Probe{Example: step / float64(batch), Epoch: max(0, epoch-step)}
	p.Run = max(0, all-probeEpochs*p.Epoch-float64(steps)*step)
	return p
}

// readBack is an error if the checkpoint in d is not the one that result is of.
func readBack(d *run.Dir, result run.Result) error {
	_, saved, err := d.LoadCheckpoint()
	if err != nil {
		return fmt.Errorf("a checkpoint was written and cannot be read back: %w", err)
	}
	network := slices.DeleteFunc(slices.Clone(saved), func(t run.Tensor) bool { return strings.HasPrefix(t.Name, "velocity/") })
	if got := run.Checksum(network); got != result.WeightsSum {
		return fmt.Errorf("a checkpoint was written and reads back otherwise: SHA-256 %s, want %s", got, result.WeightsSum)
	}
	return nil
}

// quick is the lower quartile: other load on the machine, or its waking up, can
// only make a step slower.
func quick(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/4]
}

// ProbeImages is the number of training images that a probe of c takes: those of
// the steps of an epoch, more where a step is soon over.
func ProbeImages(c run.Config) int {
	n := measurable / (3 * probeEpochs * max(1, exampleMACs(c)) * float64(c.Batch))
	return int(min(max(n, leastSteps), mostSteps)) * c.Batch
}

// Sample is set with n training images, some to validate by, and some to test on.
func Sample(set *data.Set, n int) (*data.Set, error) {
	classes := len(set.Classes)
	small := *set
	var err error
	if small.Train, err = data.Limit(set.Train, classes, min(set.Train.Len(), n+classes), 1); err != nil {
		return nil, err
	}
	small.Test, err = data.Limit(set.Test, classes, min(set.Test.Len(), classes), 1)
	return &small, err
}

// probeMACs is the number of multiply-adds of the least probe of c.
func probeMACs(c run.Config) float64 {
	return 3 * exampleMACs(c) * leastSteps * probeEpochs * float64(c.Batch)
}

// Reduced is c with so few weights, and so small a batch, that a probe of it takes
// no longer than a moment.
func Reduced(c run.Config) run.Config { return reduced(c, measurable) }

// reduced is c with so few weights, and so small a batch, that a probe of it takes
// at most that many multiply-adds. The batch is kept as long as possible: fewer weights
// are multiplied at nearly the same speed, but each step of a small batch moves all
// of them.
func reduced(c run.Config, most float64) run.Config {
	c = fewer(c, most, 1<<20)
	for c.Batch > 64 && probeMACs(c) > most {
		c.Batch /= 2
	}
	return fewer(c, most, 1<<11)
}

// fewer is c with so few weights that a probe of it takes at most that many
// multiply-adds, but not with far fewer than least.
func fewer(c run.Config, most float64, least int) run.Config {
	for params := 1 << 30; params >= least && probeMACs(c) > most; params /= 2 {
		near, err := model.Nearest(c.Model, params, SizeOf(c))
		if err != nil {
			break
		}
		small := c
		small.Alpha, small.Width = near.Alpha, near.Width
		if exampleMACs(small) < exampleMACs(c) {
			c = small
		}
	}
	return c
}
