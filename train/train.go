// Package train is the one training loop: batch, forward, loss, backward, step,
// record. It gets a Device, a data set and a run's directory, and writes
// everything else about the run into that directory.
//
// A run that is stopped (by Stop, by kill -9, by a power cut) and resumed ends
// with the weights, byte for byte, of a run that never stopped.
package train

import (
	"context"
	"errors"
	"fmt"
	"time"

	"betalasso/augment"
	"betalasso/compute"
	"betalasso/data"
	"betalasso/model"
	"betalasso/nn"
	"betalasso/optim"
	"betalasso/run"
)

// ErrStopped is what Run returns when Stop ended it: the run is saved, and Run
// with the same directory resumes it.
var ErrStopped = errors.New("stopped; the run is saved")

// DivergedError is a run that ended because its loss was no longer a number.
type DivergedError struct {
	Epoch, Step int // as in run.Event; Step counts from the start of the run
	LR          float64
	Cause       string // the likely one
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("the loss is not finite in epoch %d, step %d (learning rate %.3g): %s", e.Epoch, e.Step, e.LR, e.Cause)
}

// Options are what a run needs.
type Options struct {
	Dir      *run.Dir // locked by the caller
	Config   run.Config
	Device   compute.Device
	Set      *data.Set
	Whiten   *nn.Whitening   // with Config.Whiten: what Whiten makes; nil: Device makes it
	Threads  int             // goroutines that prepare batches; at least 1
	Progress func(Progress)  // called after every step and at the end of every epoch; may be nil
	Stop     <-chan struct{} // when closed, Run finishes the step, saves, and returns ErrStopped; may be nil
}

// Progress says where a run is.
type Progress struct {
	Phase             string // train, validate or test
	Epoch, Epochs     int
	Step, Steps       int     // within the epoch
	Loss, Acc         float64 // of the epoch so far
	ValAcc            float64 // of the last epoch
	Nonzero, Weights  int     // of the weight matrices together
	ExamplesPerSecond float64
	Remaining         time.Duration
	Event             *run.Event // set when an epoch has ended
}

// trainer is a run in progress.
type trainer struct {
	Options
	net       *nn.Net
	params    []*nn.Param
	lr        float64 // of this step
	hold      bool    // zero weights stay zero in this step
	rule      nn.Rule
	dense     float64 // multiply-adds of a step of one example, were all weights dense
	pipe      *augment.Pipeline
	mild      *augment.Pipeline // of the last epochs, with Config.AugmentUntil
	loader    *loader
	train     data.Images
	val       data.Images
	dlogits   compute.Mat
	state     run.State
	best      []run.Tensor // the network of the best epoch
	bestSaved bool
	started   time.Time // of this process's part of the run
	saved     time.Time
	saving    time.Duration // that the last save took
	lastEpoch float64       // seconds of the last epoch of this process
	supports  []*support    // with Config.Returns
}

// Run trains the network of o.Config in o.Dir, from the last checkpoint if
// there is one, and writes the result there.
func Run(o Options) (run.Result, error) {
	t, err := newTrainer(o)
	if err != nil {
		return run.Result{}, err
	}
	defer t.loader.close()
	if err := t.restore(); err != nil {
		return run.Result{}, err
	}
	t.follow()
	for t.state.Epoch < o.Config.Epochs {
		if err := t.epoch(); err != nil {
			return run.Result{}, err
		}
	}
	return t.finish()
}

func newTrainer(o Options) (*trainer, error) {
	c := o.Config
	t := &trainer{Options: o, started: time.Now(), saved: time.Now()}
	var err error
	t.net, err = newNet(o.Device, c, o.Set)
	if err != nil {
		return nil, err
	}
	t.train, t.val, err = Split(o.Set, c)
	if err != nil {
		return nil, err
	}
	mean, std := data.MeanStd(t.train, o.Set.Channels)
	t.pipe, err = augment.New(c.Augment, o.Set.Policy, o.Set.Channels, o.Set.Side, mean, std)
	if err != nil {
		return nil, err
	}
	if c.AugmentUntil > 0 {
		t.mild, err = augment.New("flip-crop", o.Set.Policy, o.Set.Channels, o.Set.Side, mean, std)
		if err != nil {
			return nil, err
		}
	}
	if t.net.Whiten = o.Whiten; t.net.Whiten == nil {
		if t.net.Whiten, err = Whiten(o, o.Device, c.Batch); err != nil {
			return nil, err
		}
	}
	t.params = t.net.Params()
	r := rule(c)
	t.rule = func(g nn.Group) compute.Update {
		u := r.Update(g, t.lr)
		u.Hold = t.hold
		return u
	}
	flops, err := model.StepFLOPs(c.Model, sizeOf(c, o.Set))
	if err != nil {
		return nil, err
	}
	t.dense = flops / 2
	t.dlogits = o.Device.Alloc(c.Batch, len(o.Set.Classes))
	t.loader = newLoader(o.Device, c.Batch, t.train.ImageSize, max(1, o.Threads))
	return t, nil
}

// newNet is the network of c for the images of set, with its first weights.
func newNet(dev compute.Device, c run.Config, set *data.Set) (*nn.Net, error) {
	return model.New(dev, c.Model, sizeOf(c, set), c.Seed)
}

func sizeOf(c run.Config, set *data.Set) model.Size {
	return model.Size{
		Alpha: c.Alpha, Width: c.Width, Kernel: c.Kernel, Network: c.Network,
		Channels: set.Channels, Side: set.Side, Classes: len(set.Classes),
		Batch: c.Batch, Dropout: c.Dropout,
	}
}

// Split is the training and the validation part of set that c asks for.
func Split(set *data.Set, c run.Config) (train, val data.Images, err error) {
	if n := set.Val.Len(); n > 0 {
		if c.Val != n {
			return train, val, run.Problems{fmt.Sprintf("val: the images come with %d to validate, so it is %d, not %d", n, n, c.Val)}
		}
		train, val = set.Train, set.Val
	} else {
		train, val, err = data.Split(set.Train, len(set.Classes), c.Val, c.Seed)
	}
	if err != nil {
		return train, val, run.Problems{"val: " + err.Error()}
	}
	if c.Train > 0 {
		train, err = data.Limit(train, len(set.Classes), min(c.Train, train.Len()), c.Seed)
	}
	if err == nil && train.Len() == 0 {
		err = run.Problems{fmt.Sprintf("val: %d of %d training examples held out leave none to train on", c.Val, set.Train.Len())}
	}
	if err == nil && train.Len() == 1 {
		err = run.Problems{"train: of one example batch norm has no deviation; take 2 or more"}
	}
	return train, val, err
}

// rule is the optimiser that c names.
func rule(c run.Config) optim.Rule {
	sgd := optim.SGD{Momentum: c.Momentum, WeightDecay: c.WeightDecay}
	if c.Optimizer == "sgd" {
		return sgd
	}
	return optim.BetaLasso{SGD: sgd, Beta: c.Beta, LambdaConv: c.LambdaConv, LambdaFC: c.LambdaFC}
}

// batchSize is the size of a training step: that of the config, or the whole
// training set where that is smaller.
func (t *trainer) batchSize() int { return min(t.Config.Batch, t.train.Len()) }

// steps is the number of steps of an epoch. Every step has a full batch: the
// examples left over at the end of an epoch are dropped until another shuffle.
func (t *trainer) steps() int { return t.train.Len() / t.batchSize() }

// epoch trains the rest of the current epoch, validates, and records.
func (t *trainer) epoch() error {
	c, s := t.Config, &t.state
	size, steps := t.batchSize(), t.steps()
	began := time.Now()
	order := data.Order(t.train.Len(), c.Seed, s.Epoch)[:steps*size]
	epoch, pipe := s.Epoch, t.pipe
	if t.mild != nil && float64(epoch) >= c.AugmentUntil*float64(c.Epochs) {
		pipe = t.mild
	}
	ctx, cancel := context.WithCancel(context.Background())
	stream := t.loader.batches(ctx, t.train, order, size, s.Step, func(dst []float32, pix []uint8, i int, sc *augment.Scratch) {
		pipe.Apply(dst, pix, augment.Seed(c.Seed, epoch, i), sc)
	})
	defer t.loader.drain(stream, cancel)
	for b := range stream {
		b.ready.Wait()
		step := s.Epoch*steps + s.Step
		t.lr = optim.Cosine(c.LR, step, c.Epochs*steps)
		loss, correct := t.step(b, step)
		t.loader.free <- b
		if !finite(loss) {
			return t.diverged(step)
		}
		s.Step++
		s.LossSum += loss
		s.Correct += correct
		s.Seen += size
		t.tell("train", s.Seconds+time.Since(began).Seconds(), nil)
		if s.Step < steps && (t.stopping() || time.Since(t.saved) > 5*time.Minute) {
			s.Seconds += time.Since(began).Seconds()
			began = time.Now()
			if err := t.save(); err != nil {
				return err
			}
			if t.stopping() {
				return ErrStopped
			}
		}
	}
	return t.endEpoch(began)
}

// step trains on one batch and returns the sum of its losses and the number of
// right answers.
func (t *trainer) step(b *batch, step int) (loss float64, correct int) {
	loss, correct = t.forward(b, step)
	if !finite(loss) {
		return loss, correct
	}
	t.backward(b, step)
	return loss, correct
}

// forward sets the top of dlogits to the gradient of the logits.
func (t *trainer) forward(b *batch, step int) (loss float64, correct int) {
	t.net.SetSeed(t.Config.Seed*0x9e3779b97f4a7c15 + uint64(step))
	logits := t.net.Forward(b.x, true)
	return t.Device.CrossEntropy(t.dlogits.Top(b.x.Rows), logits, b.labels)
}

// backward takes the step.
func (t *trainer) backward(b *batch, step int) {
	t.hold = t.Config.Regrowth > 0 && step%t.Config.Regrowth != 0
	t.net.Backward(t.dlogits.Top(b.x.Rows), t.rule)
	t.state.MACs += t.net.MACs()
	t.countReturns()
}

// endEpoch validates and records the epoch whose last steps began at began.
func (t *trainer) endEpoch(began time.Time) error {
	s, steps := &t.state, t.steps()
	s.Seconds += time.Since(began).Seconds()
	trained := s.Seconds
	began = time.Now()
	e := run.Event{
		Epoch: s.Epoch + 1, Step: (s.Epoch + 1) * steps, LR: t.lr,
		TrainLoss: s.LossSum / float64(s.Seen), TrainAcc: float64(s.Correct) / float64(s.Seen),
		Nonzero: t.counts(), ExamplesPerSecond: float64(s.Seen) / trained,
		StepMS: 1e3 * trained / float64(steps), MACs: s.MACs, DenseMACs: t.dense * float64(s.Seen),
	}
	e.Returns = t.returns()
	e.ValLoss, e.ValAcc = t.evaluate(t.val, nil)
	if !finite(e.ValLoss) {
		return t.diverged(e.Step - 1)
	}
	s.LastValAcc = e.ValAcc
	e.Seconds = trained + time.Since(began).Seconds()
	last := e.Epoch == t.Config.Epochs
	better := s.BestEpoch == 0 || e.ValAcc > s.BestValAcc
	if t.val.Len() == 0 { // the last epoch is the best one, and to copy a network takes time
		better = last
	}
	if better {
		s.BestEpoch, s.BestValAcc = e.Epoch, e.ValAcc
		if err := t.keepBest(); err != nil {
			return err
		}
	}
	s.Epoch, s.Step, s.LossSum, s.Correct, s.Seen, s.MACs, s.Returns = e.Epoch, 0, 0, 0, 0, 0, nil
	s.WallSeconds += e.Seconds
	t.lastEpoch = e.Seconds
	s.Seconds = 0
	if err := t.followFilters(e.Epoch); err != nil {
		return err
	}
	if err := t.Dir.AppendEvent(e); err != nil {
		return err
	}
	t.tell("train", 0, &e)
	if last || t.stopping() || time.Since(t.saved) > savingShare*t.saving {
		if err := t.save(); err != nil {
			return err
		}
	}
	if t.stopping() && !last {
		return ErrStopped
	}
	return nil
}

// savingShare is how many times what a checkpoint takes passes between two of them, at
// the ends of epochs: nothing else computes meanwhile, and a sparse network's epochs
// are short.
const savingShare = 100

// stopping reports whether Stop is closed.
func (t *trainer) stopping() bool {
	select {
	case <-t.Stop:
		return true
	default:
		return false
	}
}

// counts is the number of non-zero weights of each weight matrix.
func (t *trainer) counts() map[string]int {
	m := map[string]int{}
	for _, l := range t.layers() {
		m[l.Name] = l.Nonzero
	}
	return m
}

// tell reports progress; elapsed is what the epoch under way has taken so far,
// in seconds.
func (t *trainer) tell(phase string, elapsed float64, e *run.Event) {
	if t.Progress == nil {
		return
	}
	c, s, steps := t.Config, &t.state, t.steps()
	p := Progress{Phase: phase, Epoch: s.Epoch + 1, Epochs: c.Epochs, Step: s.Step, Steps: steps, ValAcc: s.LastValAcc, Event: e}
	if e != nil {
		p.Epoch, p.Step = e.Epoch, steps
		p.Loss, p.Acc, p.ExamplesPerSecond = e.TrainLoss, e.TrainAcc, e.ExamplesPerSecond
	} else if s.Seen > 0 {
		p.Loss, p.Acc = s.LossSum/float64(s.Seen), float64(s.Correct)/float64(s.Seen)
		p.ExamplesPerSecond = float64(s.Seen) / elapsed
	}
	for _, q := range t.params {
		if q.Group != nn.None {
			p.Weights += q.Len()
			p.Nonzero += q.Nonzero
		}
	}
	// Steps get cheaper as weights become zero, so the last epoch says more of those
	// to come than all of them do; the epoch under way says it once half is done.
	if done := (p.Epoch-1)*steps + p.Step; done > 0 {
		each := (s.WallSeconds + elapsed) / float64(done)
		switch {
		case e != nil:
			each = e.Seconds / float64(steps)
		case 2*s.Step >= steps:
			each = elapsed / float64(s.Step)
		case t.lastEpoch > 0:
			each = t.lastEpoch / float64(steps)
		}
		p.Remaining = time.Duration(each * float64(c.Epochs*steps-done) * float64(time.Second))
	}
	t.Progress(p)
}
