package train

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"betalasso/augment"
	"betalasso/compute"
	"betalasso/data"
)

const (
	ahead   = 3  // batches made, or being made, beside the one in use
	perTask = 32 // examples that a worker takes at a time
)

// loader makes batches ahead of the step that uses them, on goroutines of its
// own. What a batch holds depends on its examples' numbers alone.
type loader struct {
	tasks chan task
	free  chan *batch
	spent atomic.Int64 // nanoseconds, of all workers together
	made  atomic.Int64 // examples made in that time
}

// batch is some examples, one in each row of x.
type batch struct {
	x      compute.Mat // [n, columns]
	labels []uint16    // [n]
	room   compute.Mat // what x is the top of
	ready  sync.WaitGroup
}

// task is rows from..to of a batch: examples idx of im, laid out by fill.
type task struct {
	b        *batch
	from, to int
	idx      []int32
	im       data.Images
	fill     fill
}

// fill lays image pix, example i of its set, into dst.
type fill func(dst []float32, pix []uint8, i int, s *augment.Scratch)

// newLoader starts a loader of batches of at most size rows. close ends it.
func newLoader(dev compute.Device, size, columns, workers int) *loader {
	l := &loader{tasks: make(chan task, 64), free: make(chan *batch, ahead+1)}
	for range ahead + 1 {
		l.free <- &batch{room: dev.Alloc(size, columns), labels: make([]uint16, size)}
	}
	for range workers {
		go l.work()
	}
	return l
}

func (l *loader) work() {
	var s augment.Scratch
	for t := range l.tasks {
		began := time.Now()
		for r := t.from; r < t.to; r++ {
			i := int(t.idx[r])
			t.fill(t.b.x.Row(r), t.im.Image(i), i, &s)
			t.b.labels[r] = t.im.Labels[i]
		}
		l.spent.Add(int64(time.Since(began)))
		l.made.Add(int64(t.to - t.from))
		t.b.ready.Done()
	}
}

// batches sends the examples of im that idx names, in that order and size at a
// time, beginning with batch number first. Wait for a batch's ready before its
// use, and give it back to free after. The channel closes at the end, or soon
// after ctx is done.
func (l *loader) batches(ctx context.Context, im data.Images, idx []int32, size, first int, fill fill) <-chan *batch {
	out := make(chan *batch, ahead+1)
	go func() {
		defer close(out)
		for at := first * size; at < len(idx); at += size {
			var b *batch
			select {
			case b = <-l.free:
			case <-ctx.Done():
				return
			}
			n := min(size, len(idx)-at)
			b.x, b.labels = b.room.Top(n), b.labels[:n]
			b.ready.Add((n + perTask - 1) / perTask)
			for from := 0; from < n; from += perTask {
				l.tasks <- task{b, from, min(from+perTask, n), idx[at : at+n], im, fill}
			}
			out <- b // never blocks: it has room for every batch there is
		}
	}()
	return out
}

// drain ends a stream early, or does nothing if it has ended.
func (l *loader) drain(stream <-chan *batch, cancel context.CancelFunc) {
	cancel()
	for b := range stream {
		b.ready.Wait()
		l.free <- b
	}
}

// close ends the workers. No stream may be open.
func (l *loader) close() { close(l.tasks) }
