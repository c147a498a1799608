package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/plan"
	"betalasso/run"
)

// The estimate of a training's memory is near to what trainings take. How much
// garbage there is when a training holds most is a matter of timing.
func TestMemoryNeed(t *testing.T) {
	for _, flags := range []string{
		"--model=3-fc --width=64 --data=digits --train=600",
		"--model=s-conv --alpha=16 --data=digits --train=600",
		"--model=s-fc --alpha=2 --data=digits --train=600 --momentum=0.9 --val=0",
		"--model=d-local --alpha=1 --data=digits --train=600 --batch=100",
	} {
		out := filepath.Join(t.TempDir(), "run")
		want(t, 0, append([]string{"train", "--epochs=1", "--threads=1", "--out", out}, strings.Fields(flags)...)...)
		d, err := run.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.Result()
		if err != nil {
			t.Fatal(err)
		}
		need, peak := plan.Memory(d.Config()), float64(r.PeakRSS)
		if peak > 0 && (need < peak/1.5 || need > 1.5*peak) {
			t.Errorf("%s: got %s, want about %s", flags, plan.Bytes(need), plan.Bytes(peak))
		}
	}
}

// A plan's time and memory are for the images that there are.
func TestPlanOfOwnData(t *testing.T) {
	t.Parallel()
	read := func(more string) (sum plan.Total) {
		t.Helper()
		stdout, _ := want(t, 0, "sweep", "plan", study(t, 1, more), "--json")
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if sum := read(""); sum.Memory < 10e6 || sum.Memory > 100e6 { // CIFAR-10 alone is 184 MB
		t.Errorf("got %s", plan.Bytes(sum.Memory))
	}
}
