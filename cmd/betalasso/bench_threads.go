package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"betalasso/compute/cpu"
	"betalasso/run"
	"betalasso/train"
)

// reckoning is the parts of a modelled step, on more threads than there are
// cores, in milliseconds.
type reckoning struct {
	SerialMS float64 `json:"serial_ms"` // outside of jobs, and in jobs of one task
	StartMS  float64 `json:"start_ms"`  // to begin and end jobs
	IdleMS   float64 `json:"idle_ms"`   // the mean thread's, while others finish a job
	FeedMS   float64 `json:"feed_ms"`   // to make a batch, on all threads
	Jobs     int     `json:"jobs"`      // that run on several threads
	FewTasks int     `json:"few_tasks"` // jobs of fewer tasks than threads

	Kinds []jobKind `json:"kinds"` // by their time, longest first
}

// jobKind are the jobs of one kind in a step.
type jobKind struct {
	Name     string  `json:"name"`
	Jobs     int     `json:"jobs"`
	Tasks    int     `json:"tasks"`
	TotalMS  float64 `json:"total_ms"` // of all tasks
	LargeMS  float64 `json:"large_ms"` // the largest task
	ThreadMS float64 `json:"thread_ms"`
}

// reckon models steps on dev's number of threads, from each task's median time.
func (b *benchCommand) reckon(dev *cpu.Device, bench *train.Bench, batch int) (r benchResult, err error) {
	n := threads(run.Config{Threads: b.Threads[0]})
	start := dev.Start()
	var steps [][]cpu.Job
	var between []float64 // seconds of each step outside of jobs
	for i := range warmSteps + b.Steps {
		var t train.Timing
		jobs := dev.Trace(func() { t, err = bench.Step() })
		if err != nil {
			return r, err
		}
		if i >= warmSteps {
			steps = append(steps, jobs)
			between = append(between, t.Forward+t.Backward-taskTime(jobs).Seconds())
		}
	}
	outside := time.Duration(quantile(between, 0.5) * float64(time.Second))
	r = onThreads(medians(steps), n, outside, start, bench.Loading()*float64(batch))
	r.Threads, r.Batch, r.ExamplesPerSecond, r.Device = n, batch, 1e3*float64(batch)/r.StepMS, dev.Name()
	return r, nil
}

// taskTime is the time of all tasks of jobs.
func taskTime(jobs []cpu.Job) (sum time.Duration) {
	for _, j := range jobs {
		for _, t := range j.Tasks {
			sum += t
		}
	}
	return sum
}

// medians are the jobs of a step, which are the same in all steps, with each
// task's median time.
func medians(steps [][]cpu.Job) []cpu.Job {
	jobs := steps[0]
	for i, j := range jobs {
		for k := range j.Tasks {
			var times []time.Duration
			for _, s := range steps {
				if i < len(s) && k < len(s[i].Tasks) {
					times = append(times, s[i].Tasks[k])
				}
			}
			slices.Sort(times)
			j.Tasks[k] = times[len(times)/2]
		}
	}
	return jobs
}

// onThreads is a step of jobs on n threads: they, what is outside of them, the
// start of each on all threads, and each thread's share of the seconds that making
// a batch takes, feed.
func onThreads(jobs []cpu.Job, n int, outside, start time.Duration, feed float64) benchResult {
	q := &reckoning{FeedMS: 1e3 * feed / float64(n)}
	ms := func(d time.Duration) float64 { return 1e3 * d.Seconds() }
	serial, step := outside, time.Duration(0)
	kinds := map[string]*jobKind{}
	for _, j := range jobs {
		sum := taskTime([]cpu.Job{j})
		if len(j.Tasks) == 1 && n > 1 {
			serial += sum
			continue
		}
		on := j.On(n)
		step += on
		q.IdleMS += ms(on) - ms(sum)/float64(n)
		q.Jobs++
		if len(j.Tasks) < n {
			q.FewTasks++
		}
		k := kinds[j.Name]
		if k == nil {
			k = &jobKind{Name: j.Name}
			kinds[j.Name] = k
		}
		k.Jobs++
		k.Tasks += len(j.Tasks)
		k.TotalMS += ms(sum)
		k.ThreadMS += ms(on)
		k.LargeMS = max(k.LargeMS, ms(slices.Max(j.Tasks)))
	}
	for _, k := range kinds {
		q.Kinds = append(q.Kinds, *k)
	}
	slices.SortFunc(q.Kinds, func(a, b jobKind) int { return cmp.Compare(b.ThreadMS, a.ThreadMS) })
	q.SerialMS = ms(serial)
	if n > 1 {
		q.StartMS = ms(start) * float64(q.Jobs)
	}
	return benchResult{StepMS: ms(step) + q.SerialMS + q.StartMS + q.FeedMS, Reckoned: q}
}

// scaling measures networks on several numbers of threads.
func (b *benchCommand) scaling(out io.Writer) error {
	sizes := benchSizes
	if b.Model != "" {
		sizes = slices.Clone(sizes[:1])
		sizes[0].model, sizes[0].alpha, sizes[0].width = b.Model, b.Alpha, b.Width
	} else if b.Alpha != 0 || b.Width != 0 || b.Kernel != 0 {
		return usageError{errOneNetwork}
	}
	var list []benchResult
	for _, s := range sizes {
		first := len(list)
		for _, n := range b.Threads {
			r, err := b.child(s.model, s.alpha, s.width, n)
			if err != nil {
				return err
			}
			base := r
			if len(list) > first {
				base = list[first]
			}
			r.Speedup = base.StepMS / r.StepMS
			r.Efficiency = r.Speedup * float64(base.Threads) / float64(n)
			list = append(list, r)
		}
	}
	if b.JSON {
		e := json.NewEncoder(out)
		for _, r := range list {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	return printScaling(out, list, b.Steps)
}

// printScaling prints them as a table.
func printScaling(out io.Writer, list []benchResult, steps int) error {
	fmt.Fprintf(out, "batches of %d, %s, %s; medians of %d steps, milliseconds\n", list[0].Batch, list[0].Augment, list[0].Precision, steps)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "NETWORK\tSIZE\tTHREADS\tSTEP\tSPEEDUP\tEFFICIENCY\tIMAGES/S\tSERIAL\tSTARTS\tIDLE\tDATA\t")
	reckoned := false
	for _, r := range list {
		parts := fmt.Sprintf("\t\t\t%.1f", r.DataMS)
		how := ""
		if q := r.Reckoned; q != nil {
			parts = fmt.Sprintf("%.2f\t%.2f\t%.2f\t%.2f", q.SerialMS, q.StartMS, q.IdleMS, q.FeedMS)
			how, reckoned = "*", true
		}
		fmt.Fprintf(w, "%s\t%d\t%d%s\t%.1f\t%.2f\t%.0f %%\t%.0f\t%s\t\n", r.Model, cmp.Or(r.Alpha, r.Width), r.Threads, how, r.StepMS, r.Speedup, 100*r.Efficiency, r.ExamplesPerSecond, parts)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if reckoned {
		fmt.Fprintln(out, "* modelled from tasks that ran one by one, without the memory bandwidth that many threads share and their lower clock")
	}
	return nil
}
