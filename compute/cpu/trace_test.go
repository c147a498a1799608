package cpu

import (
	"testing"
	"time"
)

// A job is dealt out as the threads would take its tasks.
func TestJobOn(t *testing.T) {
	j := Job{Tasks: []time.Duration{4, 1, 1, 1, 5}}
	for _, c := range []struct {
		threads int
		want    time.Duration
	}{{1, 12}, {2, 8}, {3, 6}, {4, 6}, {5, 5}, {64, 5}} {
		if got := j.On(c.threads); got != c.want {
			t.Errorf("on %d threads: got %d, want %d", c.threads, got, c.want)
		}
	}
}

// Trace sees every task of every job, cut as for the device's threads, and the
// numbers are those of a step that nobody traces.
func TestTrace(t *testing.T) {
	d, plain := device(t, 64, "", false), device(t, 1, "", false)
	traced, untraced := ops(d), ops(plain)
	for i, o := range traced {
		jobs := d.Trace(func() { o.run() })
		if len(jobs) == 0 {
			t.Errorf("%s: no job was seen", o.name)
		}
		for _, j := range jobs {
			if j.Name == "" || len(j.Tasks) == 0 {
				t.Errorf("%s: got the job %+v", o.name, j)
			}
			if j.Name == "product" && o.name == "Mul 530x101x270" && len(j.Tasks) < 3 {
				t.Errorf("%s: got %d tasks for 64 threads", o.name, len(j.Tasks))
			}
		}
		untraced[i].run()
		for k, m := range o.out {
			sameBits(t, o.name, m, untraced[i].out[k])
		}
	}
	if d.Start() <= 0 {
		t.Error("starting a job on 64 threads takes no time")
	}
}
