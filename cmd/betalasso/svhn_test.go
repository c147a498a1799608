package main

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/plan"
	"betalasso/run"
	"betalasso/sweep"
)

// housenumbers is a folder of SVHN's files with the given number of images each.
func housenumbers(t *testing.T, train, test, extra int) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	for name, n := range map[string]int{"train": train, "test": test, "extra": extra} {
		x, y := make([]byte, n*3*32*32), make([]byte, n)
		for i := range x {
			x[i] = byte(r.UintN(256))
		}
		for i := range y {
			y[i] = byte(1 + i%10)
		}
		text := make([]byte, 124, 4096+len(x))
		copy(text, "MATLAB 5.0 MAT-file")
		text = append(text, 0, 1, 'I', 'M')
		text = append(text, matlab("X", x, 32, 32, 3, n)...)
		text = append(text, matlab("y", y, n, 1)...)
		if err := os.WriteFile(filepath.Join(dir, name+"_32x32.mat"), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// matlab is an array of bytes as an element of a MATLAB level 5 file.
func matlab(name string, numbers []byte, dims ...int) []byte {
	element := func(kind uint32, body []byte) []byte {
		b := binary.LittleEndian.AppendUint32(nil, kind)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
		b = append(b, body...)
		return append(b, make([]byte, -len(body)&7)...)
	}
	var size []byte
	for _, d := range dims {
		size = binary.LittleEndian.AppendUint32(size, uint32(d))
	}
	body := element(6, []byte{9, 0, 0, 0, 0, 0, 0, 0}) // flags: bytes
	body = append(body, element(5, size)...)
	body = append(body, element(1, []byte(name))...)
	return element(14, append(body, element(2, numbers)...))
}

func TestSVHNExtra(t *testing.T) {
	t.Parallel()
	dir := housenumbers(t, 300, 100, 200)
	flags := []string{"train", "--data=svhn", "--data-dir", dir, "--val=100", "--model=3-fc", "--width=4", "--batch=50", "--epochs=2", "--threads=1"}
	out := filepath.Join(t.TempDir(), "with")
	want(t, 0, append(flags, "--svhn-extra", "--out", out)...)
	read := func(out string) (*run.Dir, run.Result) {
		t.Helper()
		d, err := run.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.Result()
		if err != nil {
			t.Fatal(err)
		}
		return d, r
	}
	d, with := read(out)
	if got := with.DataSet; got.Train != 400 || got.Val != 100 || got.Test != 100 {
		t.Errorf("got %+v, want 400 images to train with", got)
	}
	if n := len(with.Sources); n != 3 || with.Sources[2].File != "extra_32x32.mat" || len(with.Sources[2].MD5) != 32 || with.Sources[2].Verified {
		t.Errorf("got the sources %+v", with.Sources)
	}
	if text, err := os.ReadFile(d.File(run.ConfigFile)); err != nil || !strings.Contains(string(text), "\nsvhn-extra: true\n") {
		t.Errorf("got %s, %v", text, err)
	}

	// A run that was only begun, and the run's own configuration, come to the same.
	begun := filepath.Join(t.TempDir(), "begun")
	b, err := run.Create(begun, d.Config())
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	want(t, 0, "resume", begun)
	again := filepath.Join(t.TempDir(), "again")
	want(t, 0, "train", "--config", d.File(run.ConfigFile), "--out", again)
	for _, out := range []string{begun, again} {
		if _, r := read(out); r.WeightsSum != with.WeightsSum {
			t.Errorf("%s: other weights", out)
		}
	}
	stdout, _ := want(t, 0, "eval", out, "--json")
	var s struct {
		TestLoss float64 `json:"test_loss"`
	}
	line, _, _ := strings.Cut(stdout, "\n")
	if err := json.Unmarshal([]byte(line), &s); err != nil || s.TestLoss != with.Last.TestLoss {
		t.Errorf("eval: got %q, %v, want the loss %v", line, err, with.Last.TestLoss)
	}

	// Without the flag the file is not read; with it, it must be there.
	os.Remove(filepath.Join(dir, "extra_32x32.mat"))
	out = filepath.Join(t.TempDir(), "without")
	want(t, 0, append(flags, "--out", out)...)
	if w, r := read(out); r.DataSet.Train != 200 || len(r.Sources) != 2 || w.Config().ID() == d.Config().ID() {
		t.Errorf("without: got %+v of %+v", r.DataSet, r.Sources)
	}
	_, stderr := want(t, exitFailure, append(flags, "--svhn-extra", "--out", filepath.Join(t.TempDir(), "run"))...)
	if !strings.Contains(stderr, "extra_32x32.mat") || !strings.Contains(stderr, "data fetch svhn --extra") {
		t.Errorf("no such file: got %q", stderr)
	}
	_, stderr = want(t, exitUsage, "train", "--data=digits", "--svhn-extra", "--out", filepath.Join(t.TempDir(), "run"))
	if !strings.Contains(stderr, "svhn-extra: digits has no extra images") {
		t.Errorf("digits: got %q", stderr)
	}
}

// An axis of a study may turn the extra images on and off, and a plan counts
// them.
func TestSVHNExtraAsAxis(t *testing.T) {
	t.Parallel()
	dir := housenumbers(t, 300, 100, 200)
	path, out := filepath.Join(t.TempDir(), "study.yaml"), filepath.Join(t.TempDir(), "out")
	text := "fixed: {data: svhn, data-dir: '" + dir + "', model: 3-fc, width: 4, val: 100, batch: 50, epochs: 1}\naxes: [grid: {svhn-extra: [true, false]}]\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	want(t, 0, "sweep", path, "--out", out)
	d, err := sweep.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Status()
	if err != nil || len(list) != 2 {
		t.Fatalf("got %d trials, %v", len(list), err)
	}
	for i, n := range []int{400, 200} {
		if r := list[i].Result; r == nil || r.DataSet.Train != n || plan.Examples(list[i].Config) != n {
			t.Errorf("%s: got %+v, an estimate of %d, want %d images to train with", list[i].Labels, r, plan.Examples(list[i].Config), n)
		}
	}
}
