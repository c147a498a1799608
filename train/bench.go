package train

import (
	"context"
	"math/rand/v2"
	"time"

	"betalasso/augment"
	"betalasso/compute"
	"betalasso/data"
	"betalasso/nn"
	"betalasso/optim"
)

// Bench takes training steps one by one, batches and augmentation included, and
// times them. It writes nothing.
type Bench struct {
	t      *trainer
	stream <-chan *batch
	cancel context.CancelFunc
	step   int
	images compute.Mat // for Infer
}

// Timing is where the time of a training step went, in seconds. Data is the wait
// for the batch: what making it costs beyond that is in the other parts, whose
// cores it shares.
type Timing struct {
	Data, Forward, Backward float64
	MACs                    float64 // multiply-adds of the products
}

// NewBench is a bench of at most steps steps of o.Config's network: with its
// first weights and the first learning rate or, where o.Dir is not nil, from the
// checkpoint there on. Close ends it.
func NewBench(o Options, steps int) (*Bench, error) {
	t, err := newTrainer(o)
	if err != nil {
		return nil, err
	}
	b := &Bench{t: t}
	if o.Dir != nil {
		state, saved, err := o.Dir.LoadCheckpoint()
		if err == nil {
			err = load(append(tensors(t.net), t.velocities()...), saved)
		}
		if err != nil {
			t.loader.close()
			return nil, err
		}
		t.state = state
	}
	c, size := o.Config, t.batchSize()
	var order []int32
	for epoch := t.state.Epoch; len(order) < steps*size; epoch++ {
		order = append(order, data.Order(t.train.Len(), c.Seed, epoch)[:t.steps()*size]...)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	b.stream = t.loader.batches(ctx, t.train, order[:steps*size], size, 0, func(dst []float32, pix []uint8, i int, sc *augment.Scratch) {
		t.pipe.Apply(dst, pix, augment.Seed(c.Seed, t.state.Epoch, i), sc)
	})
	b.step = t.state.Epoch*t.steps() + t.state.Step
	t.lr = optim.Cosine(c.LR, b.step, c.Epochs*t.steps())
	return b, nil
}

// Step takes the next step.
func (b *Bench) Step() (Timing, error) {
	var timing Timing
	began := time.Now()
	lap := func(to *float64) {
		now := time.Now()
		*to = now.Sub(began).Seconds()
		began = now
	}
	next := <-b.stream
	next.ready.Wait()
	lap(&timing.Data)
	if loss, _ := b.t.forward(next, b.step); !finite(loss) {
		return timing, b.t.diverged(b.step)
	}
	lap(&timing.Forward)
	b.t.backward(next, b.step)
	b.t.loader.free <- next
	lap(&timing.Backward)
	b.step++
	timing.MACs = b.t.net.MACs()
	return timing, nil
}

// Batch is the number of examples of a step: that of the config, or all there are.
func (b *Bench) Batch() int { return b.t.batchSize() }

// Infer gives the seconds that the network takes for the logits of a batch that
// is in memory, as in an evaluation.
func (b *Bench) Infer() float64 {
	if b.images.Data == nil {
		in, _ := b.t.net.Layers[0].Features()
		b.images = b.t.Device.Alloc(b.t.batchSize(), in)
		r := rand.New(rand.NewPCG(1, 1))
		for i := range b.images.Data {
			b.images.Data[i] = float32(r.NormFloat64())
		}
	}
	began := time.Now()
	b.t.net.Forward(b.images, false)
	return time.Since(began).Seconds()
}

// Loading is what an example has taken to make, augmentation and all, in seconds
// of one core: the mean so far.
func (b *Bench) Loading() float64 {
	return float64(b.t.loader.spent.Load()) / 1e9 / max(1, float64(b.t.loader.made.Load()))
}

// LR is the learning rate of the steps.
func (b *Bench) LR() float64 { return b.t.lr }

// Density is the part of each matrix of weights that is not zero, input to output.
func (b *Bench) Density() []float64 {
	var list []float64
	for _, p := range b.t.params {
		if p.Group != nn.None {
			list = append(list, float64(p.Nonzero)/float64(p.Len()))
		}
	}
	return list
}

// Close ends the bench.
func (b *Bench) Close() {
	b.t.loader.drain(b.stream, b.cancel)
	b.t.loader.close()
}
