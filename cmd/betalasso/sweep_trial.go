package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"betalasso/data"
	"betalasso/model"
	"betalasso/run"
	"betalasso/train"
)

// trialSteps are the steps of a trial. The first is not timed: it makes what
// the others use again.
const trialSteps = 3

// trial trains c for a few steps, evaluates, and writes a checkpoint in a new
// folder below dir, then reads it back; the folder is removed. It gives the
// time that a training example takes, in seconds; 0 where set has too few
// images for two steps. A stop by the user is train.ErrStopped.
func (s *session) trial(c run.Config, dir string, set *data.Set, threads int) (perExample float64, err error) {
	small, err := sample(set, trialSteps*c.Batch)
	if err != nil {
		return 0, err
	}
	c.Train, c.Val, c.Epochs, c.Threads = 0, len(set.Classes), 1, 0
	c.LR = 1e-3 // whether a point diverges is for the study to find out
	batch := min(c.Batch, small.Train.Len()-c.Val)
	path, err := os.MkdirTemp(dir, ".check-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(path)
	threaded := c
	threaded.Threads = threads
	dev, err := newDevice(threaded)
	if err != nil {
		return 0, err
	}
	d, err := run.Create(path, c)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	var first, last time.Time
	steps := 0
	result, err := train.Run(train.Options{
		Dir: d, Config: c, Device: dev, Set: small, Threads: max(1, threads), Stop: s.ctx.Done(),
		Progress: func(p train.Progress) {
			if p.Phase != "train" || p.Event != nil {
				return
			}
			if last = time.Now(); steps == 0 {
				first = last
			}
			steps++
		},
	})
	if err != nil {
		return 0, err
	}
	_, saved, err := d.LoadCheckpoint()
	if err != nil {
		return 0, fmt.Errorf("a checkpoint was written and cannot be read back: %w", err)
	}
	var network []run.Tensor
	for _, t := range saved {
		if !strings.HasPrefix(t.Name, "velocity/") {
			network = append(network, t)
		}
	}
	if got := run.Checksum(network); got != result.WeightsSum {
		return 0, fmt.Errorf("a checkpoint was written and reads back otherwise: SHA-256 %s, want %s", got, result.WeightsSum)
	}
	if steps < 2 {
		return 0, nil
	}
	return last.Sub(first).Seconds() / float64((steps-1)*batch), nil
}

// sample is set with n training images, some to validate by, and some to test on.
func sample(set *data.Set, n int) (*data.Set, error) {
	classes := len(set.Classes)
	small := *set
	var err error
	if small.Train, err = data.Limit(set.Train, classes, min(set.Train.Len(), n+classes), 1); err != nil {
		return nil, err
	}
	small.Test, err = data.Limit(set.Test, classes, min(set.Test.Len(), classes), 1)
	return &small, err
}

// rates are measured speeds of training.
type rates []rate

// rate is the speed at one config's shape.
type rate struct {
	config run.Config
	work   float64 // model.Work
	speed  float64 // multiplications a second
}

// A trial for a measurement is kept to so many multiplications, about half a
// second of one core.
const measurable = 1e10

// measure times the configs' networks, one or two of each kind: the smallest,
// and the largest that takes no longer than a moment. Larger ones are taken to
// train at its speed.
func (s *session) measure(list []run.Config, dir string, threads int) (rates, error) {
	var r rates
	type ends struct{ small, large run.Config }
	kinds := map[run.Config]*ends{}
	var order []run.Config
	for _, c := range list {
		k := kindOf(c)
		e := kinds[k]
		if e == nil {
			e = &ends{c, c}
			kinds[k] = e
			order = append(order, k)
		}
		if workOf(c) < workOf(e.small) {
			e.small = c
		}
		if trialWork(c) < measurable && (workOf(c) > workOf(e.large) || trialWork(e.large) > measurable) {
			e.large = c
		}
	}
	for _, k := range order {
		e := kinds[k]
		chosen := []run.Config{reduced(e.small)}
		if workOf(e.large) > 4*workOf(e.small) && trialWork(e.large) < measurable {
			chosen = append(chosen, e.large)
		}
		for _, c := range chosen {
			t, err := s.trial(c, dir, noise(c, (trialSteps+1)*c.Batch+2*sizeOf(c).Classes), threads)
			if err != nil {
				return nil, err
			}
			r = append(r, rate{c, workOf(c), workOf(c) / t})
		}
	}
	return r, nil
}

// kindOf is what configs whose speeds are alike have in common.
func kindOf(c run.Config) run.Config {
	return run.Config{Model: c.Model, Augment: c.Augment, Optimizer: c.Optimizer, Precision: c.Precision, Batch: c.Batch}
}

// trialWork is the number of multiplications of a trial of c.
func trialWork(c run.Config) float64 { return 3 * workOf(c) * trialSteps * float64(c.Batch) }

// reduced is c with as many weights, and so small a batch, that a trial of it
// takes no longer than a moment.
func reduced(c run.Config) run.Config {
	for c.Batch > 64 && trialWork(c) > measurable {
		c.Batch /= 2
	}
	for params := 1 << 30; params > 1<<10 && trialWork(c) > measurable; params /= 2 {
		near, err := model.Nearest(c.Model, params, sizeOf(c))
		if err != nil {
			break
		}
		if workOf(with(c, near)) < workOf(c) {
			c = with(c, near)
		}
	}
	return c
}

func with(c run.Config, s model.Size) run.Config {
	c.Alpha, c.Width = s.Alpha, s.Width
	return c
}

// workOf is model.Work of c.
func workOf(c run.Config) float64 {
	w, err := model.Work(c.Model, sizeOf(c))
	if err != nil {
		return 0
	}
	return w
}

// seconds is how long training c takes: each example forward, backward and in
// the update, and the forward passes of validation and test.
func (r rates) seconds(c run.Config) float64 {
	var best rate
	found := false
	for _, m := range r {
		k := kindOf(m.config)
		k.Batch = c.Batch // a trial's may be smaller
		if k != kindOf(c) {
			continue
		}
		if !found || distance(m.work, workOf(c)) < distance(best.work, workOf(c)) {
			best, found = m, true
		}
	}
	if !found {
		return 0
	}
	examples := float64(c.Epochs)*(float64(trainingSize(c))+float64(c.Val)/3) + 2*float64(sourceOf(c).images().test)/3
	return examples * workOf(c) / best.speed
}

// distance is how many times one is the other.
func distance(a, b float64) float64 { return max(a/b, b/a) }
