package main

import (
	"encoding/json"
	"strings"
	"testing"
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
