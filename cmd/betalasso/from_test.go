package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/run"
)

// A training that begins with another run's weights has its network and begins with
// its scores; it repeats to the same bits, resumes without that run, and refuses
// weights that are not those.
func TestFrom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	common := []string{"--train=600", "--batch=100", "--threads=1", "--precision=fp32"}
	train := func(name string, args ...string) (string, string) {
		return want(t, 0, append(append([]string{"train", "--out", at(name)}, common...), args...)...)
	}
	train("first", "--data=digits", "--side=8", "--model=s-fc", "--alpha=1", "--epochs=2", "--whiten=0.1", "--optimizer=beta-lasso", "--lambda-conv=3e-4", "--lambda-fc=3e-5")
	train("second", "--from", at("first"), "--epochs=2", "--lr=0.05")

	first, err := run.ReadResult(at("first"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := run.Open(at("second"))
	if err != nil {
		t.Fatal(err)
	}
	events, err := d.Events()
	if err != nil {
		t.Fatal(err)
	}
	c := d.Config()
	if c.Model != "s-fc" || c.Alpha != 1 || c.Whiten != 0.1 || c.From != at("first") || len(c.FromSum) != 16 {
		t.Errorf("settings: %+v", c)
	}
	if e := events[0]; e.ValAcc != first.Last.ValAcc || e.Nonzero["conv1"] != first.Layers[0].Nonzero || e.Nonzero["conv1"] == first.Layers[0].Params {
		t.Errorf("it begins at %+v, where the other ended at %+v, %+v", e, first.Last, first.Layers)
	}
	without := c
	without.From, without.FromSum = "", ""
	if without.ID() == c.ID() {
		t.Error("its name does not tell it from a training of random weights")
	}

	want(t, 0, "train", "--config", filepath.Join(at("second"), run.ConfigFile), "--out", at("again"))
	if weights(t, at("again")) != weights(t, at("second")) {
		t.Error("its config.yaml trains other weights")
	}

	// On other images only the last layer is another one.
	want(t, 0, "train", "--from", at("first"), "--data", squares(t, 20), "--epochs=1", "--optimizer=beta-lasso", "--lambda-conv=3e-4", "--lambda-fc=3e-5", "--lr=1e-9", "--batch=10", "--threads=1", "--precision=fp32", "--out", at("squares"))
	r, err := run.ReadResult(at("squares"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Layers[0].Nonzero != first.Layers[0].Nonzero || r.Layers[2].Params != 2*24 {
		t.Errorf("on other images: got %+v", r.Layers)
	}
	want(t, 0, "train", "--from", at("squares"), "--skip-bad", "--epochs=1", "--batch=10", "--threads=1", "--precision=fp32", "--out", at("skipping"))
	if d, err := run.Open(at("skipping")); err != nil || !d.Config().SkipBad {
		t.Errorf("a flag beside those of the other run: got %v", err)
	}

	// PyTorch's form of it and back, whitening and all, and to train on.
	file := at("first.safetensors")
	want(t, 0, "export", at("first"), "--format=safetensors", "--out", file)
	if _, stderr := want(t, exitUsage, "import", file, "--val=100", "--out", at("back")); !strings.Contains(stderr, "whiten.weight differs") {
		t.Errorf("a whitening by other images: got %q", stderr)
	}
	want(t, 0, "import", file, "--out", at("back"))
	if r, err := run.ReadResult(at("back")); err != nil || r.Last.TestAcc != first.Last.TestAcc {
		t.Errorf("imported again: got %+v, %v, want %+v", r.Last, err, first.Last)
	}
	train("fifth", "--from", at("back"), "--epochs=2", "--lr=0.05")
	if weights(t, at("fifth")) != weights(t, at("second")) {
		t.Error("from imported weights it trains to others")
	}

	for _, c := range []struct {
		rule string
		args []string
		want string
	}{
		{"no run", []string{"--from", dir}, "is not the directory of a run"},
		{"another size", []string{"--from", at("first"), "--alpha=2", "--epochs=1"}, "network of another size"},
		{"the same directory", []string{"--from", at("second"), "--out", at("second")}, "other settings"},
	} {
		out := []string{"train", "--out", at("wrong")}
		if _, stderr := want(t, exitUsage, append(append(out, common...), c.args...)...); !strings.Contains(stderr, c.want) {
			t.Errorf("%s: got %q", c.rule, stderr)
		}
	}

	// What remains of a run that was stopped needs the other run no more, but one that has
	// not begun does.
	if err := os.Rename(at("first"), at("elsewhere")); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(at("second"), run.ConfigFile)
	if _, stderr := want(t, exitUsage, "train", "--config", config, "--out", at("third")); !strings.Contains(stderr, "from: "+at("first")) {
		t.Errorf("without the other run: got %q", stderr)
	}
	want(t, 0, "train", "--config", config, "--from", at("elsewhere"), "--out", at("third"))
	if weights(t, at("third")) != weights(t, at("second")) {
		t.Error("it depends on where the other run is")
	}
	if _, stderr := want(t, exitUsage, "train", "--config", config, "--from", at("squares"), "--out", at("third")); !strings.Contains(stderr, "from-sum") {
		t.Errorf("other weights in a run's place: got %q", stderr)
	}
	if err := os.Rename(at("squares"), at("first")); err != nil {
		t.Fatal(err)
	}
	if _, stderr := want(t, exitUsage, "train", "--config", config, "--out", at("fourth")); !strings.Contains(stderr, "begins with "+c.FromSum) {
		t.Errorf("other weights in the other run's place: got %q", stderr)
	}
	want(t, 0, "export", at("second"), "--format=run", "--out", at("published"))
	if text, err := os.ReadFile(filepath.Join(at("published"), run.ConfigFile)); err != nil || strings.Contains(string(text), dir) || !strings.Contains(string(text), "from-sum: "+c.FromSum) {
		t.Errorf("published: got %s, %v", text, err)
	}
	if _, stderr := want(t, exitUsage, "train", "--config", filepath.Join(at("published"), run.ConfigFile), "--out", at("fourth")); !strings.Contains(stderr, "--from") {
		t.Errorf("published settings: got %q", stderr)
	}
}
