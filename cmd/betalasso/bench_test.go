package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestBench(t *testing.T) {
	t.Parallel()
	stdout, _ := want(t, 0, "bench", "--model=s-conv", "--alpha=2", "--batch=16", "--steps=2", "--threads=1", "--json")
	var keys map[string]any
	if err := json.Unmarshal([]byte(stdout), &keys); err != nil {
		t.Fatal(err, stdout)
	}
	for _, k := range strings.Fields("model alpha width precision threads params step_ms gflops peak_gflops examples_per_second peak_rss_bytes") {
		if _, ok := keys[k]; !ok {
			t.Errorf("no key %q in %s", k, stdout)
		}
	}
	var r benchResult
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Model != "s-conv" || r.Alpha != 2 || r.Params != 2*243+2*256*48+48*10 || r.Threads != 1 || r.StepMS <= 0 || r.PeakGFLOPS <= 0 || r.PeakRSS <= 0 {
		t.Errorf("got %+v", r)
	}
	// Two operations for each use of a weight: the filters at 256 positions, twice; the rest three times.
	flops := 16 * 2 * (2*256*2*243 + 3*(2*256*48+48*10))
	if got := r.GFLOPS * r.StepMS * 1e6; got < 0.99*float64(flops) || got > 1.01*float64(flops) {
		t.Errorf("the step's arithmetic is %g, want %d", got, flops)
	}
	parts := r.DataMS + r.ForwardMS + r.BackwardMS
	if parts > 1.5*r.StepMS || parts < 0.5*r.StepMS {
		t.Errorf("the parts take %g ms together, the step %g", parts, r.StepMS)
	}
	stdout, _ = want(t, 0, "bench", "--model=3-fc", "--width=8", "--batch=16", "--steps=1")
	if !strings.Contains(stdout, "IMAGES/S") || !strings.Contains(stdout, "3-fc") {
		t.Errorf("it printed %q", stdout)
	}
	for _, bad := range [][]string{{"--alpha=3"}, {"--model=s-fcc"}, {"--model=s-fc", "--width=3"}, {"--steps=0"}} {
		want(t, exitUsage, append([]string{"bench"}, bad...)...)
	}
}

// A step's scaling: measured as far as there are cores, modelled beyond.
func TestBenchThreads(t *testing.T) {
	t.Parallel()
	beyond := 4 * runtime.NumCPU()
	counts := fmt.Sprintf("--threads=1,%d", beyond)
	stdout, _ := want(t, 0, "bench", "--model=s-conv", "--alpha=8", "--batch=64", "--steps=3", counts, "--json")
	var list []benchResult
	for line := range strings.Lines(stdout) {
		var r benchResult
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err, line)
		}
		list = append(list, r)
	}
	if len(list) != 2 {
		t.Fatalf("got %d lines, want 2:\n%s", len(list), stdout)
	}
	one, many := list[0], list[1]
	if one.Threads != 1 || one.Speedup != 1 || one.Efficiency != 1 || one.Reckoned != nil {
		t.Errorf("1 thread: got %+v", one)
	}
	q := many.Reckoned
	if many.Threads != beyond || q == nil || q.Jobs < 5 || len(q.Kinds) == 0 || q.StartMS <= 0 || q.FeedMS <= 0 {
		t.Fatalf("%d threads: got %+v, %+v", beyond, many, q)
	}
	if got, want := many.Speedup, one.StepMS/many.StepMS; math.Abs(got-want) > 1e-9 || math.Abs(many.Efficiency-want/float64(beyond)) > 1e-9 {
		t.Errorf("got speedup %g and efficiency %g, want %g by step and that by %d", got, many.Efficiency, want, beyond)
	}
	parts := q.SerialMS + q.StartMS + q.FeedMS
	for _, k := range q.Kinds {
		parts += k.ThreadMS
	}
	if math.Abs(parts-many.StepMS) > 1e-6 {
		t.Errorf("the parts take %g ms, the step %g", parts, many.StepMS)
	}
	stdout, _ = want(t, 0, "bench", "--model=3-fc", "--width=64", "--batch=16", "--steps=1", counts)
	for _, w := range []string{"EFFICIENCY", "100 %", fmt.Sprintf(" %d* ", beyond), "modelled from tasks"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("no %q in:\n%s", w, stdout)
		}
	}
	for _, bad := range [][]string{{"--threads=0,2"}, {"--threads=1,-2"}, {"--threads=1,2", "--alpha=3"}, {"--threads=1,2", "--weights=x"}} {
		want(t, exitUsage, append([]string{"bench"}, bad...)...)
	}
}

// TestBenchTakesTheKernel compares threads of the network that was asked for.
func TestBenchTakesTheKernel(t *testing.T) {
	t.Parallel()
	stdout, _ := want(t, 0, "bench", "--model=resnet18", "--alpha=1", "--kernel=5", "--batch=8", "--steps=1", "--threads=1,2", "--json")
	for line := range strings.Lines(stdout) {
		var r benchResult
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Kernel != 5 {
			t.Errorf("got %s, %v, want a kernel of 5", line, err)
		}
	}
	for flag, hint := range map[string]string{"--kernel=5": "kernel", "--regrowth=4": "--weights", "--weights=here --model=s-fc": "--model", "--weights=here --regrowth=-1": "regrowth"} {
		if _, stderr := want(t, exitUsage, append([]string{"bench"}, strings.Fields(flag)...)...); !strings.Contains(stderr, hint) {
			t.Errorf("%s: got %q", flag, stderr)
		}
	}
	for _, flag := range []string{"--reckon", fmt.Sprintf("--threads=%d", 2*runtime.NumCPU())} {
		stdout, _ := want(t, 0, "bench", "--model=s-conv", "--alpha=2", "--batch=16", "--steps=1", flag)
		if !strings.Contains(stdout, "* modelled") || strings.Contains(stdout, "SHARE") {
			t.Errorf("%s: got %q, want it said that it is a model", flag, stdout)
		}
	}
}

// TestASignalEndsWhatSavesNothing wants a command that measures to end at the first
// signal, not to finish first.
func TestASignalEndsWhatSavesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	want(t, 0, append([]string{"train", "--epochs=1", "--out", dir}, tiny(t)...)...)
	c := command("bench", "--weights", dir, "--steps=100000000", "--threads=1")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	time.Sleep(2 * time.Second) // it is measuring by then; if not, it ends as well
	c.Process.Signal(os.Interrupt)
	select {
	case err := <-ended:
		if got := exitStatus(t, err); got != -1 && got != exitInterrupted {
			t.Errorf("got status %d, want that of an interruption", got)
		}
	case <-time.After(30 * time.Second):
		t.Error("it goes on")
		c.Process.Kill()
	}
}
