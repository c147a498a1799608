package cpu

import (
	"sync"
	"sync/atomic"
)

// worker is one thread's own memory.
type worker struct {
	tile  []float32 // for tiles that stick out of the destination
	a, b  []float32 // packed panels
	block []float32 // of a product that is not stored as it comes
	wide  []float32 // what is about to become pairs
	extra []float32
	row   []float32 // of one unit, before it goes to memory
	dz    []float32 // of one unit: a gradient that was owed
	none  []float32 // zeros
	vals  []float32 // of a sparse unit's weights
	at    []int     // where lists go on

	places []int32 // of gradients that are large

	outputs []float32 // of a block of units, or gradients of those
	deltas  []float32 // of a block of units
	numbers []float32
	centred []float32
	loud    loud
	marks   []uint64
	sums    []float64
	lanes   lanes   // of one unit's batch norm
	unit    factors // and its factors

	runs []run // of a tile of a convolution
}

// grow is s with room for n numbers, whose contents do not matter.
func grow[T float32 | float64](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = huge(make([]T, n))
	}
	return (*s)[:n]
}

// zeros are n zeros that nobody may write to.
func (w *worker) zeros(n int) []float32 { return grow(&w.none, n) }

// job is an operation split into numbered tasks, which may run in any order, at
// the same time, on any thread. Jobs are fields of the device, not closures, so
// that an operation allocates nothing.
type job interface {
	do(task int, w *worker)
}

// alone is the number of multiply-adds below which it does not pay to wake
// another thread: about ten microseconds.
const alone = 1 << 18

// pass is the number of multiply-adds that an element of a pass counts as.
const pass = 16

// pool runs jobs on a fixed number of threads.
type pool struct {
	workers []worker
	wake    []chan struct{}
	job     job
	tasks   int64
	next    atomic.Int64
	done    sync.WaitGroup

	tracing bool // jobs are run by trace, which keeps them in traced
	traced  []Job
}

func newPool(threads int) *pool {
	p := &pool{workers: make([]worker, threads), wake: make([]chan struct{}, threads)}
	for i := 1; i < threads; i++ {
		p.wake[i] = make(chan struct{}, 1)
		go func() {
			for range p.wake[i] {
				p.drain(&p.workers[i])
				p.done.Done()
			}
		}()
	}
	return p
}

// run does all tasks of a job, which takes about macs multiply-adds.
func (p *pool) run(tasks, macs int, j job) {
	together := len(p.workers) == 1 || tasks == 1 || macs < alone
	if p.tracing {
		p.trace(tasks, together, j)
		return
	}
	if together {
		for i := range tasks {
			j.do(i, &p.workers[0])
		}
		return
	}
	p.job, p.tasks = j, int64(tasks)
	p.next.Store(0)
	for i := 1; i < min(len(p.workers), tasks); i++ {
		p.done.Add(1)
		p.wake[i] <- struct{}{}
	}
	p.drain(&p.workers[0])
	p.done.Wait()
	p.job = nil
}

func (p *pool) drain(w *worker) {
	for {
		i := p.next.Add(1) - 1
		if i >= p.tasks {
			return
		}
		p.job.do(int(i), w)
	}
}

// close ends the threads.
func (p *pool) close() {
	for _, c := range p.wake[1:] {
		close(c)
	}
}
