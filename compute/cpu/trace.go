package cpu

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Job is an operation as Trace saw it: what each of its tasks took.
type Job struct {
	Name  string
	Tasks []time.Duration
}

// Trace runs the tasks of all jobs that f begins one after the other, on one
// thread, and returns the time of each. They are split as for d's number of
// threads, which may be more than the machine has: so a step's time on many
// threads can be modelled. No number that d computes depends on it.
func (d *Device) Trace(f func()) []Job {
	p := d.pool
	p.tracing = true
	p.traced = p.traced[:0]
	f()
	p.tracing = false
	return slices.Clone(p.traced)
}

// trace runs a job for Trace.
func (p *pool) trace(tasks int, together bool, j job) {
	name := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", j), "*cpu."), "Job")
	t := Job{Name: name}
	began := time.Now()
	for i := range tasks {
		j.do(i, &p.workers[0])
		if now := time.Now(); !together || i == tasks-1 {
			t.Tasks = append(t.Tasks, now.Sub(began))
			began = now
		}
	}
	p.traced = append(p.traced, t)
}

// On is the time of the job on the given number of threads, each of which takes the next task
// when it is done with one, and the start of the job costs nothing.
func (j Job) On(threads int) time.Duration {
	free := make([]time.Duration, threads) // when each thread is
	for _, t := range j.Tasks {
		first := 0
		for i, at := range free {
			if at < free[first] {
				first = i
			}
		}
		free[first] += t
	}
	return slices.Max(free)
}

// Start is what it takes to start a job on all threads and to wait for its end,
// beside its tasks: the mean of many.
func (d *Device) Start() time.Duration {
	const rounds = 2000
	var j nothing
	began := time.Now()
	for i := range 2 * rounds {
		if i == rounds {
			began = time.Now()
		}
		d.pool.run(d.threads, alone, j)
	}
	return time.Since(began) / rounds
}

// nothing is a job with nothing to do.
type nothing struct{}

func (nothing) do(int, *worker) {}
