package train

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"betalasso/augment"
	"betalasso/data"
)

// A training step allocates nothing once every buffer has its size: not the
// batch with its augmentation, nor the step, nor the progress told of it.
func TestNoAllocationInAStep(t *testing.T) {
	for _, threads := range []int{1, 2} {
		for _, name := range []string{"s-fc", "s-conv", "s-local", "3-fc"} {
			t.Run(fmt.Sprintf("%s on %d", name, threads), func(t *testing.T) {
				c := smallConfig()
				c.Model, c.Augment, c.Data = name, "fast-autoaugment", "cifar10"
				if name == "3-fc" {
					c.Alpha, c.Width = 0, 20
				}
				o := start(t, c, threads)
				defer o.Dir.Close()
				told := 0
				o.Progress = func(Progress) { told++ }
				tr, err := newTrainer(o)
				if err != nil {
					t.Fatal(err)
				}
				defer tr.loader.close()
				const warm, steps = 10, 50
				size := tr.batchSize()
				var order []int32
				for epoch := 0; len(order) < (warm+steps)*size; epoch++ {
					order = append(order, data.Order(tr.train.Len(), c.Seed, epoch)[:tr.steps()*size]...)
				}
				ctx, cancel := context.WithCancel(t.Context())
				stream := tr.loader.batches(ctx, tr.train, order[:(warm+steps)*size], size, 0, func(dst []float32, pix []uint8, i int, sc *augment.Scratch) {
					tr.pipe.Apply(dst, pix, augment.Seed(c.Seed, 0, i), sc)
				})
				defer tr.loader.drain(stream, cancel)
				var before, after runtime.MemStats
				began, step := time.Now(), 0
				for b := range stream {
					b.ready.Wait()
					if step == warm {
						runtime.ReadMemStats(&before)
					}
					tr.step(b, step)
					tr.loader.free <- b
					tr.state.Seen += size
					tr.tell("train", time.Since(began).Seconds(), nil)
					step++
				}
				runtime.ReadMemStats(&after)
				if told != warm+steps {
					t.Fatalf("told %d times, want %d", told, warm+steps)
				}
				// The runtime itself may allocate now and then, never once a step.
				if n := after.Mallocs - before.Mallocs; n >= steps/2 {
					t.Errorf("%d allocations in %d steps", n, steps)
				}
			})
		}
	}
}
