package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

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
		need, peak := memoryNeed(d.Config()), float64(r.PeakRSS)
		if peak > 0 && (need < peak/1.5 || need > 1.5*peak) {
			t.Errorf("%s: got %s, want about %s", flags, bytesText(need), bytesText(peak))
		}
	}
}

// A plan's time and memory are for the images that there are.
func TestPlanOfOwnData(t *testing.T) {
	t.Parallel()
	read := func(more string) (sum total) {
		t.Helper()
		stdout, _ := want(t, 0, "sweep", "plan", study(t, 1, more), "--json")
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	if sum := read(""); sum.Memory < 10e6 || sum.Memory > 100e6 { // CIFAR-10 alone is 184 MB
		t.Errorf("got %s", bytesText(sum.Memory))
	}

	flags := tiny(t) // 1500 images to train with, 300 to test
	c := run.Default()
	c.Model, c.Width, c.Alpha, c.DataDir, c.Val, c.Batch = "3-fc", 16, 0, flags[4], 200, 64
	if got := trainingSize(c); got != 1280 { // 20 batches of the 1300 left
		t.Errorf("got %d examples, want 1280", got)
	}
	if c.Train = 100; trainingSize(c) != 64 {
		t.Errorf("of 100: got %d, want 64", trainingSize(c))
	}
	if c.Train, c.Batch = 0, 5000; trainingSize(c) != 1300 {
		t.Errorf("fewer than a batch: got %d, want 1300", trainingSize(c))
	}
	if c.Val = 1500; trainingSize(c) != 0 {
		t.Errorf("none: got %d", trainingSize(c))
	}
	c.DataDir = filepath.Join(t.TempDir(), "none")
	if c.Val = 0; sourceOf(c).images() != (images{50000, 10000}) {
		t.Errorf("no folder: got %v, want the publisher's", sourceOf(c).images())
	}
	here, own := rates{{c, 1, 1}}, c
	own.DataDir = flags[4]
	if all, few := here.seconds(c), here.seconds(own); few > all/20 || few <= 0 {
		t.Errorf("got %g seconds for 1500 images and %g for 50000", few, all)
	}
}
