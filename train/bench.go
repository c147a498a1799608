package train

import (
	"context"
	"time"

	"betalasso/augment"
	"betalasso/data"
)

// Timing is where the time of some training steps went, in seconds, a value for
// each step. Data is the wait for the batch: what making it costs beyond that is
// in the other parts, whose cores it shares.
type Timing struct {
	Data, Forward, Backward []float64
}

// Bench takes training steps of o.Config's network, batches and augmentation
// included, and times all but the first few. It writes nothing and needs no Dir.
func Bench(o Options, first, steps int) (Timing, error) {
	var timing Timing
	t, err := newTrainer(o)
	if err != nil {
		return timing, err
	}
	defer t.feed.close()
	c := o.Config
	size := t.batchSize()
	var order []int32
	for epoch := 0; len(order) < (first+steps)*size; epoch++ {
		order = append(order, data.Order(t.train.Len(), c.Seed, epoch)[:t.steps()*size]...)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stream := t.feed.batches(ctx, t.train, order[:(first+steps)*size], size, 0, func(dst []float32, pix []uint8, i int, sc *augment.Scratch) {
		t.pipe.Apply(dst, pix, augment.Seed(c.Seed, 0, i), sc)
	})
	defer t.feed.drain(stream, cancel)
	t.lr = c.LR
	began := time.Now()
	step := 0
	lap := func(list *[]float64) {
		now := time.Now()
		if step >= first {
			*list = append(*list, now.Sub(began).Seconds())
		}
		began = now
	}
	for b := range stream {
		b.ready.Wait()
		lap(&timing.Data)
		if loss, _ := t.forward(b, step); !finite(loss) {
			return timing, t.diverged(step)
		}
		lap(&timing.Forward)
		t.backward(b, step)
		t.feed.free <- b
		lap(&timing.Backward)
		step++
	}
	return timing, nil
}
