package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"betalasso/model"
	"betalasso/run"
)

// ownNetwork is a small network with a block, as a user's file may have it.
const ownNetwork = `# A block behind a convolution.
name: blocky

layers:
  - {layer: conv, name: conv1, out: alpha, kernel: 5, stride: 4}   # 8x8
  - {layer: norm, name: bn1, relu: true}
  - layer: residual
    body:
      - {layer: conv, name: block.conv1, out: alpha, kernel: kernel}
      - {layer: norm, name: block.bn1}
  - {layer: relu}
  - {layer: average-pool, kernel: 2}
  - {layer: fc, name: fc, out: classes, bias: true}
`

// TestNetworkFromAFile trains a file's network, and wants the run to need the file
// no more: it repeats, evaluates and exports without.
func TestNetworkFromAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "net.yaml"), filepath.Join(dir, "run")
	if err := os.WriteFile(file, []byte(ownNetwork), 0o666); err != nil {
		t.Fatal(err)
	}
	listing, _ := want(t, 0, "model", file, "--alpha", "3")
	for _, w := range []string{"blocky, α = 3, kernel 3", "5x5, stride 4", "\n  conv ", "block.conv1", "81"} {
		if !strings.Contains(listing, w) {
			t.Errorf("the listing does not have %q:\n%s", w, listing)
		}
	}
	args := []string{"train", "--model", file, "--alpha", "3", "--data", "digits", "--train", "500", "--val", "100", "--epochs", "1", "--batch", "50", "--out", out}
	want(t, 0, args...)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	d, err := run.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	c := d.Config()
	if c.Model != "blocky" || c.Kernel != 3 || !strings.Contains(c.Network, "block.conv1") || strings.Contains(c.Network, "# A block") {
		t.Errorf("the run's config has the model %q, kernel %d and the network %q", c.Model, c.Kernel, c.Network)
	}
	want(t, 0, "resume", out)
	want(t, 0, "eval", out)
	want(t, 0, "verify", out)
	want(t, 0, "export", out, "--format", "onnx", "--out", filepath.Join(dir, "net.onnx"))
	weights := filepath.Join(dir, "net.safetensors")
	want(t, 0, "export", out, "--format", "safetensors", "--out", weights)
	want(t, 0, "import", weights, "--out", filepath.Join(dir, "back"))
	again := filepath.Join(dir, "again")
	want(t, 0, "train", "--config", filepath.Join(out, run.ConfigFile), "--out", again)
	first, err := run.ReadResult(out)
	if err != nil {
		t.Fatal(err)
	}
	second, err := run.ReadResult(again)
	if err != nil || first.WeightsSum != second.WeightsSum {
		t.Errorf("the run repeated by its config ends with other weights (%v)", err)
	}
	other := c
	other.Network = strings.Replace(c.Network, "stride: 4", "stride: 2", 1)
	if other.ID() == c.ID() {
		t.Error("another network has the same ID")
	}
}

// TestSizesAgree: the settings that run allows with a built-in network are those
// by which its file says that it grows.
func TestSizesAgree(t *testing.T) {
	for _, name := range model.Names() {
		n, err := model.Lookup(name, "")
		if err != nil {
			t.Fatal(err)
		}
		c := run.Default()
		c.Model = name
		for word, to := range map[string]*int{"alpha": &c.Alpha, "width": &c.Width, "kernel": &c.Kernel} {
			if n.Uses(word) {
				*to = 3
			}
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for word, to := range map[string]*int{"alpha": &c.Alpha, "width": &c.Width, "kernel": &c.Kernel} {
			had := *to
			if *to = 3; had > 0 {
				*to = 0
			}
			if c.Validate() == nil {
				t.Errorf("%s with %s %d is valid, and its file uses it: %v", name, word, *to, n.Uses(word))
			}
			*to = had
		}
	}
}

// TestExplain draws what a network looks at, and the report shows it.
func TestExplain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := filepath.Join(dir, "run")
	want(t, 0, "train", "--model", "s-fc", "--alpha", "1", "--data", "digits", "--train", "500", "--val", "100", "--epochs", "1", "--batch", "50",
		"--optimizer", "beta-lasso", "--lambda-conv", "2e-4", "--lambda-fc", "2e-5", "--out", out)
	text, _ := want(t, 0, "explain", out, "--filters", "5")
	for _, w := range []string{"explain-pixels.png", "explain-classes.png", "s-fc, epoch 1:", "of 256 first-layer filters", "CLASS", "of 3,072", "of 1,024"} {
		if !strings.Contains(text, w) {
			t.Errorf("explain does not say %q:\n%s", w, text)
		}
	}
	page := filepath.Join(dir, "report")
	want(t, 0, "report", out, "--out", page)
	for _, name := range []string{"index.html", "report.md"} {
		text, err := os.ReadFile(filepath.Join(page, name))
		if err != nil || !strings.Contains(string(text), "What the weights look at") || !strings.Contains(string(text), "Theorem 2") {
			t.Errorf("%s has no section of what the weights look at, or none of Theorem 2 (%v)", name, err)
		}
	}
	for _, name := range []string{"pixels", "classes", "filters"} {
		if _, err := os.Stat(filepath.Join(page, "figures", "explain-1-"+name+".png")); err != nil {
			t.Error(err)
		}
	}
	// What earlier versions wrote has no map of each class.
	file := filepath.Join(out, run.ExplainFile)
	list, meta, err := run.ReadTensors(file)
	if err != nil {
		t.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(t run.Tensor) bool { return t.Name == "reach" })
	if _, err := run.WriteTensors(file, list, meta); err != nil {
		t.Fatal(err)
	}
	want(t, 0, "report", out, "--out", filepath.Join(dir, "older"))
	if _, err := os.Stat(filepath.Join(dir, "older", "figures", "explain-1-filters.png")); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(filepath.Join(out, run.ExplainFile), 100); err != nil {
		t.Fatal(err)
	}
	want(t, 0, "report", out, "--out", page) // with a remark
}
