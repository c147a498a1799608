package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"betalasso/compute/cpu"
	"betalasso/run"
)

var tortureFor = flag.Duration("torture", 3*time.Second, "how long TestTorture goes on")

// tortured is one kind of training.
type tortured struct {
	name  string // what the flags are of it alone
	flags []string
	form  string            // what becomes of a layer's weights: "", sparse, or dense again after that
	whole map[string][]byte // what is the same anyhow of the run that nobody disturbed
	took  time.Duration     // that run
	other string            // the directory of a run with another seed
	log   []string          // of what was done to the training under way
}

// everyLayer is a network with all kinds of layers.
const everyLayer = `name: every-layer
layers:
  - {layer: conv, name: conv1, out: alpha, kernel: 3}
  - {layer: norm, name: bn1, relu: true}
  - layer: residual
    body:
      - {layer: local, name: conv2, out: 2 alpha, kernel: kernel, stride: 2}
      - {layer: norm, name: bn2}
    shortcut:
      - {layer: conv, name: conv3, out: 2 alpha, kernel: 1, stride: 2}
  - {layer: relu}
  - {layer: average-pool, kernel: 2}
  - {layer: spread, name: conv4, out: alpha, kernel: 3}
  - {layer: norm, name: bn4, relu: true}
  - {layer: dropout}
  - {layer: fc, name: fc1, out: classes, bias: true}
`

// tortures are all networks with all optimisers, and trainings whose weights turn
// sparse: a first cut at βλ just below the first weights' bound, 1/√fan-in, leaves a
// tenth of them, and one above it leaves none, after which so many return that the
// layer is dense again. All of it as small as it can be: a training takes a fifth of
// a second of one core, half of which is the start of the program. A layer below
// 65,536 weights is never sparse.
func tortures(t *testing.T) (kinds []*tortured) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	network := file("every-layer.yaml", []byte(everyLayer))
	data := map[int]string{8: file("small.bin", greyRows(300, 8)), 16: file("middle.bin", greyRows(300, 16)), 32: file("large.bin", greyRows(300, 32))}
	add := func(form string, side int, more string) {
		all := []string{"train", "--channels=1", fmt.Sprint("--side=", side), "--data", data[side], "--val=50", "--train=160", "--batch=40", "--epochs=5", "--augment=flip-crop"}
		kinds = append(kinds, &tortured{name: strings.ReplaceAll(more, dir+"/", ""), flags: append(all, strings.Fields(more)...), form: form})
	}
	for _, network := range []string{"3-fc --width=16", "s-fc --alpha=1", "s-conv --alpha=1", "s-local --alpha=1", "d-fc --alpha=1", "d-conv --alpha=1", "d-local --alpha=1",
		"resnet18 --alpha=1", network + " --alpha=4 --dropout=0.2"} {
		for _, optimizer := range []string{"sgd --lr=0.02", "sgd --momentum=0.9 --lr=0.005", "beta-lasso --lr=0.01 --lambda-conv=1e-5 --lambda-fc=1e-5", "beta-lasso --momentum=0.9 --lr=0.002 --lambda-conv=1e-5 --lambda-fc=1e-5"} {
			add("", 8, "--model="+network+" --optimizer="+optimizer)
		}
	}
	for _, c := range []struct {
		form  string
		side  int
		flags string
	}{
		{"sparse", 16, "3-fc --width=256 --lambda-fc=1.1e-3"},
		{"sparse", 16, "s-fc --alpha=4 --lambda-conv=1.1e-3 --lambda-fc=1e-5"},
		{"sparse", 16, "s-conv --alpha=8 --lambda-conv=1e-4 --lambda-fc=7.8e-4"},
		{"sparse", 16, "s-local --alpha=8 --lambda-conv=1e-4 --lambda-fc=7.8e-4"},
		{"sparse", 16, "d-fc --alpha=1 --lambda-conv=1.1e-3 --lambda-fc=1e-5"},
		{"sparse", 16, "d-conv --alpha=8 --lambda-conv=1e-5 --lambda-fc=1.57e-3"},
		{"sparse", 16, "d-local --alpha=8 --lambda-conv=1e-5 --lambda-fc=1.57e-3"},
		{"dense again", 32, "3-fc --width=64 --lambda-fc=6.9e-4"},
		{"dense again", 16, "s-fc --alpha=4 --lambda-conv=1.4e-3 --lambda-fc=1e-5"},
	} {
		for _, more := range []string{"", "--regrowth=3", "--precision=fp32"} {
			add(c.form, c.side, "--optimizer=beta-lasso --lr=0.01 --model="+c.flags+" "+more)
		}
	}
	return kinds
}

// greyRows are n grey images of ten classes, a byte for the label before each.
func greyRows(n, side int) (rows []byte) {
	r := rand.New(rand.NewPCG(1, uint64(side)))
	for i := range n {
		label := byte(i % 10)
		rows = append(rows, label)
		for at := range side * side {
			rows = append(rows, byte(r.IntN(200)+40*(at>>label&1)))
		}
	}
	return rows
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
	kinds := tortures(t)
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	counts := counted{}
	for began, i := time.Now(), 0; time.Since(began) < *tortureFor; i++ {
		k := kinds[i%len(kinds)]
		k.torture(t, r, counts)
		if t.Failed() {
			t.Fatalf("%q:\n%s", k.flags, strings.Join(k.log, "\n"))
		}
		t.Logf("%s: ended as the run that nobody disturbed; until now %d kills, %d faults, %d damages", k.name, counts.of("kill"), counts.of("fault"), counts.of("damage"))
	}
	t.Log(counts)
	if counts.of("kill")+counts.of("fault") == 0 || counts.of("damage") == 0 {
		t.Error("nothing was disturbed")
	}
}

// counted says how often which disturbance happened.
type counted map[string]int

// of counts those whose names begin so.
func (c counted) of(kind string) (n int) {
	for name, v := range c {
		if strings.HasPrefix(name, kind) {
			n += v
		}
	}
	return n
}

// torture trains one run to its end, however often it is disturbed.
func (k *tortured) torture(t *testing.T, r *rand.Rand, counts counted) {
	t.Helper()
	k.log = nil
	if k.whole == nil {
		k.undisturbed(t)
	}
	folder, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
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
		if attempt == 16 {
			d = disturbance{}
		}
		status, out := d.run(t, args)
		if status == 0 {
			break
		}
		if d.kind == "" {
			t.Fatalf("%q: got %d, %s\n%s", args, status, out, strings.Join(k.log, "\n"))
		}
		k.say("attempt %d: %v: got %d", attempt, d, status)
		counts[d.kind]++
		if begun() && r.IntN(2) == 0 { // of copies: the run itself goes on
			counts["damage, "+k.damaged(t, r, dir)]++
		}
	}
	k.equal(t, dir, "after kills and faults")
	for range 12 {
		counts["damage after the end, "+k.damagedAfter(t, r, dir)]++
	}
}

// undisturbed trains the run that the others are to be like, and one that has
// another seed.
func (k *tortured) undisturbed(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	k.other = filepath.Join(folder, "other")
	want(t, 0, append(k.flags, "--out", k.other, "--threads=1", "--seed=2")...)
	dir := filepath.Join(folder, "whole")
	start := time.Now()
	want(t, 0, append(k.flags, "--out", dir, "--threads=1")...)
	k.took = time.Since(start)
	k.whole = contents(t, dir)
	events := eventsOf(t, dir)
	sparse := func(e run.Event) bool { return e.MACs < 0.99*e.DenseMACs }
	first, last := events[1], events[len(events)-1]
	// With AMX weights are sparse from fewer of them on.
	amx := cpu.Kernels(true)[0] == "amx" && !slices.Contains(k.flags, "--precision=fp32")
	if !amx && (sparse(first) != (k.form != "") || sparse(last) != (k.form == "sparse")) {
		t.Fatalf("%q: the first epoch did %g of the dense MACs, the last one %g; want weights that are %q", k.flags, first.MACs/first.DenseMACs, last.MACs/last.DenseMACs, k.form)
	}
}

// contents is what is the same, byte for byte, of a finished run however often it
// was interrupted: its weights, and its result without times and machine, and
// without what its own images are called, which nothing depends on.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, name := range []string{run.WeightsFile, run.BestFile, run.FiltersFile} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all[name] = text
	}
	res, err := run.ReadResult(dir)
	if err != nil {
		t.Fatal(err)
	}
	res.WallSeconds, res.PeakRSS, res.Machine, res.Files.Result = 0, 0, run.Machine{}, ""
	res.DataSet.Name = ""
	if all[run.ResultFile], err = json.Marshal(res); err != nil {
		t.Fatal(err)
	}
	return all
}

// equal wants the run in dir to be the one that nobody disturbed, but for the
// files that are known to be missing.
func (k *tortured) equal(t *testing.T, dir, what string, missing ...string) {
	t.Helper()
	all := contents(t, dir)
	for name, want := range k.whole {
		if got, ok := all[name]; !bytes.Equal(got, want) && (ok || !slices.Contains(missing, name)) {
			t.Errorf("%s: %s is not that of a run that nobody disturbed (%q)", what, name, k.flags)
		}
	}
}

// say writes to the log that is shown if anything fails.
func (k *tortured) say(format string, args ...any) {
	k.log = append(k.log, fmt.Sprintf(format, args...))
}
