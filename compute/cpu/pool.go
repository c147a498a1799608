package cpu

import (
	"sync"
	"sync/atomic"
)

// worker is one thread's own memory.
type worker struct {
	tile  []float32 // for tiles that stick out of the destination
	b     []float32 // packed panels
	extra []float32
}

// grow is s with room for n numbers, whose contents do not matter.
func grow(s *[]float32, n int) []float32 {
	if cap(*s) < n {
		*s = make([]float32, n)
	}
	return (*s)[:n]
}

// pool runs numbered tasks on a fixed number of threads.
type pool struct {
	workers []worker
	wake    []chan struct{}
	task    func(i int, w *worker)
	count   int64
	next    atomic.Int64
	done    sync.WaitGroup
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

// run runs task(0) to task(n−1). Which thread runs which is left to chance, so
// tasks must not depend on it.
func (p *pool) run(n int, task func(i int, w *worker)) {
	p.task, p.count = task, int64(n)
	p.next.Store(0)
	for i := 1; i < min(len(p.workers), n); i++ {
		p.done.Add(1)
		p.wake[i] <- struct{}{}
	}
	p.drain(&p.workers[0])
	p.done.Wait()
	p.task = nil
}

func (p *pool) drain(w *worker) {
	for {
		i := p.next.Add(1) - 1
		if i >= p.count {
			return
		}
		p.task(int(i), w)
	}
}

// close ends the threads.
func (p *pool) close() {
	for _, c := range p.wake[1:] {
		close(c)
	}
}
