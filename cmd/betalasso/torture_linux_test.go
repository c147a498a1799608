package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"betalasso/run"
)

var tortureFor = flag.Duration("torture", 3*time.Second, "how long TestTorture goes on")

// tortured is one kind of training.
type tortured struct {
	flags []string
	form  string            // what becomes of a layer's weights: "", sparse, or dense again after that
	whole map[string][]byte // what is the same anyhow of the run that nobody disturbed
	took  time.Duration     // that run
}

// tortures are all networks with all optimisers, and trainings whose weights turn
// sparse: a first cut at βλ just below the first weights' bound, 1/√fan-in, leaves a
// tenth of them, and one above it leaves none, after which so many return that the
// layer is dense again.
func tortures(data string) (kinds []*tortured) {
	add := func(form, more string) {
		all := []string{"train", "--data=cifar10", "--data-dir", data, "--val=50", "--train=200", "--batch=40", "--epochs=3", "--augment=flip-crop"}
		kinds = append(kinds, &tortured{flags: append(all, strings.Fields(more)...), form: form})
	}
	for _, network := range []string{"3-fc --width=16", "s-fc --alpha=1", "s-conv --alpha=1", "s-local --alpha=1", "d-fc --alpha=1", "d-conv --alpha=1", "d-local --alpha=1"} {
		for _, optimizer := range []string{"sgd --lr=0.02", "sgd --momentum=0.9 --lr=0.005", "beta-lasso --lr=0.01 --lambda-conv=1e-5 --lambda-fc=1e-5", "beta-lasso --momentum=0.9 --lr=0.002 --lambda-conv=1e-5 --lambda-fc=1e-5"} {
			add("", "--model="+network+" --optimizer="+optimizer)
		}
	}
	for _, c := range []struct{ form, flags string }{
		{"sparse", "3-fc --width=64 --lambda-fc=3.2e-4"},
		{"sparse", "s-fc --alpha=1 --lambda-conv=3.2e-4 --lambda-fc=1e-5"},
		{"sparse", "s-conv --alpha=4 --lambda-conv=1e-4 --lambda-fc=5.8e-4"},
		{"sparse", "s-local --alpha=4 --lambda-conv=1e-4 --lambda-fc=5.8e-4"},
		{"sparse", "d-fc --alpha=1 --lambda-conv=3.2e-4 --lambda-fc=1e-5"},
		{"sparse", "d-conv --alpha=4 --lambda-conv=1e-5 --lambda-fc=1.16e-3"},
		{"sparse", "d-local --alpha=4 --lambda-conv=1e-5 --lambda-fc=1.16e-3"},
		{"dense again", "3-fc --width=64 --lambda-fc=4e-4"},
		{"dense again", "s-fc --alpha=1 --lambda-conv=4e-4 --lambda-fc=1e-5"},
	} {
		for _, more := range []string{"", "--regrowth=3", "--precision=bf16"} {
			add(c.form, "--optimizer=beta-lasso --lr=0.01 --model="+c.flags+" "+more)
		}
	}
	return kinds
}

// TestTorture kills, stops and fails trainings of all networks and optimisers at
// random, and damages their files between two attempts and after the last one.
// Each one ends with the weights of a run that nobody disturbed, or with an error
// that names the file.
//
//	go test ./cmd/betalasso -run Torture -torture 10m -timeout 0 -v
func TestTorture(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	kinds := tortures(tinyData(t, 60))
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	counts := map[string]int{}
	for began, i := time.Now(), 0; time.Since(began) < *tortureFor; i++ {
		k := kinds[i%len(kinds)]
		k.torture(t, r, counts)
		t.Logf("%q: ended as the run that nobody disturbed; until now %v", k.flags[8:], counts)
		if t.Failed() {
			return
		}
	}
	if counts["kill"]+counts["fault"] == 0 || counts["damage of a finished run"] == 0 {
		t.Error("nothing was disturbed")
	}
}

// torture trains one run to its end, however often it is disturbed.
func (k *tortured) torture(t *testing.T, r *rand.Rand, counts map[string]int) {
	t.Helper()
	folder, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	if k.whole == nil {
		k.undisturbed(t, filepath.Join(folder, "whole"))
	}
	dir := filepath.Join(folder, "run")
	begun := func() bool {
		_, err := os.Stat(filepath.Join(dir, run.ConfigFile))
		return err == nil
	}
	for attempt := 0; ; attempt++ {
		args := append(k.flags, "--out", dir, "--threads=1")
		if begun() {
			args = []string{"resume", dir, "--threads", []string{"1", "2"}[r.IntN(2)]}
		}
		d := draw(r, k.took)
		if attempt == 8 {
			d = disturbance{}
		}
		status, out := d.run(t, args)
		if status == 0 {
			break
		}
		if d.kind == "" {
			t.Fatalf("%q: got %d, %s", args, status, out)
		}
		t.Logf("attempt %d: %v: got %d", attempt, d, status)
		counts[d.kind]++
		if begun() && r.IntN(2) == 0 { // of copies: the run itself goes on
			counts["damage, "+k.damaged(t, r, dir)]++
		}
	}
	k.equal(t, dir, "after kills and faults")
	for range 6 {
		k.damagedAfter(t, r, dir)
		counts["damage of a finished run"]++
	}
}

// undisturbed trains the run that the others are to be like.
func (k *tortured) undisturbed(t *testing.T, dir string) {
	t.Helper()
	start := time.Now()
	want(t, 0, append(k.flags, "--out", dir, "--threads=1")...)
	k.took = time.Since(start)
	k.whole = contents(t, dir)
	d, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	events, err := d.Events()
	if err != nil {
		t.Fatal(err)
	}
	sparse := func(e run.Event) bool { return e.Work < 0.99*e.DenseWork }
	first, last := events[1], events[len(events)-1]
	if sparse(first) != (k.form != "") || sparse(last) != (k.form == "sparse") {
		t.Fatalf("%q: the first epoch did %g of the dense work, the last one %g; want weights that are %q", k.flags, first.Work/first.DenseWork, last.Work/last.DenseWork, k.form)
	}
}

// contents is what is the same, byte for byte, of a finished run however often it
// was interrupted: its weights, and its result without times and machine.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, name := range []string{run.WeightsFile, run.BestFile, run.FiltersFile} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		all[name] = text
	}
	res, err := run.ReadResult(dir)
	if err != nil {
		t.Fatal(err)
	}
	res.WallSeconds, res.PeakRSS, res.Machine, res.Files.Result = 0, 0, run.Machine{}, ""
	if all[run.ResultFile], err = json.Marshal(res); err != nil {
		t.Fatal(err)
	}
	return all
}

// equal wants the run in dir to be the one that nobody disturbed.
func (k *tortured) equal(t *testing.T, dir, what string) {
	t.Helper()
	for name, got := range contents(t, dir) {
		if !bytes.Equal(got, k.whole[name]) {
			t.Errorf("%s: %s is not that of a run that nobody disturbed (%q)", what, name, k.flags)
		}
	}
}
