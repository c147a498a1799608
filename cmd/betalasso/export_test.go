package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"betalasso/run"
)

// TestExportImport: a network that goes out and comes back scores the same, in
// every number that eval prints, and its filters are the same.
func TestExportImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	flags := tiny(t)
	want(t, 0, append([]string{"train", "--out", at("run"), "--optimizer=beta-lasso"}, flags...)...)
	want(t, 0, "export", at("run"), "--format=safetensors", "--out", at("w.safetensors"))
	data := flags[3:5] // --data-dir DIR
	stdout, stderr := want(t, 0, append([]string{"import", at("w.safetensors"), "--json", "--threads=2", "--out", at("back")}, data...)...)
	var told run.Result
	if err := json.Unmarshal([]byte(stdout), &told); err != nil || strings.Contains(stderr, "differ") {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	if got := weights(t, at("back")); got != weights(t, at("run")) || got != told.WeightsSum {
		t.Errorf("the weights that came back are %s, want %s", got, weights(t, at("run")))
	}
	scores := func(name string) string {
		stdout, _ := want(t, 0, "eval", "--json", at(name))
		line, _, _ := strings.Cut(stdout, "\n")
		_, numbers, _ := strings.Cut(line, ".safetensors")
		return numbers
	}
	if got, want := scores("back"), scores("run"); got != want || !strings.Contains(got, "test_acc") {
		t.Errorf("got the scores %s, want %s", got, want)
	}
	filters := func(name string) string { // the files differ in the settings that they name
		d, err := run.Open(at(name))
		if err != nil {
			t.Fatal(err)
		}
		list, err := d.Filters()
		if err != nil {
			t.Fatal(err)
		}
		return run.Checksum(list)
	}
	if filters("back") != filters("run") {
		t.Error("the filters differ")
	}
	locality := func(name string) string {
		stdout, _ := want(t, 0, "filters", at(name))
		_, line, _ := strings.Cut(stdout, "\n")
		return line
	}
	if got, want := locality("back"), locality("run"); got != want || !strings.Contains(got, "radius") {
		t.Errorf("got the locality %q, want %q", got, want)
	}
	_, stderr = want(t, exitUsage, "train", "--config", filepath.Join(at("back"), run.ConfigFile), "--out", at("again"))
	if !strings.Contains(stderr, "imported from w.safetensors") {
		t.Errorf("training what is imported: got %q", stderr)
	}
	stdout, _ = want(t, 0, "resume", at("back"))
	if !strings.Contains(stdout, "finished already") {
		t.Errorf("resuming what is imported: got %q", stdout)
	}
	_, stderr = want(t, exitFailure, append([]string{"import", at("w.safetensors"), "--width=17", "--out", at("none")}, data...)...)
	if !strings.Contains(stderr, "fc1.weight, expected [17 3072], found [16 3072]") {
		t.Errorf("another width: got %q", stderr)
	}
	if _, err := os.Stat(at("none")); err == nil {
		t.Error("a refused import left a directory")
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runs := filepath.Join(dir, "runs")
	flags := tiny(t)
	for _, name := range []string{"a", "b"} {
		want(t, 0, append([]string{"train", "--out", filepath.Join(runs, name), "--epochs=1"}, flags...)...)
	}
	for _, c := range []struct {
		format, out, begins string
		dir                 string
	}{
		{"csv", "events.csv", "run,id,model", runs},
		{"parquet", "events.parquet", "PAR1", runs},
		{"tensorboard", "tb", "", runs},
		{"onnx", "a.onnx", "\x08\x07\x12\x09betalasso", filepath.Join(runs, "a")},
		{"safetensors", "a.safetensors", "", filepath.Join(runs, "a")},
	} {
		out := filepath.Join(dir, c.out)
		want(t, 0, "export", c.dir, "--format", c.format, "--out", out)
		if c.format == "tensorboard" {
			out = filepath.Join(out, "b", "events.out.tfevents.0.betalasso")
		}
		text, err := os.ReadFile(out)
		if err != nil || !strings.HasPrefix(string(text), c.begins) {
			t.Errorf("%s: %v, it begins with %q, want %q", c.format, err, text[:min(20, len(text))], c.begins)
		}
	}
	stdout, _ := want(t, 0, "export", runs, "--format=csv", "--table=results", "--out=-")
	if lines := strings.Split(strings.TrimSpace(stdout), "\n"); len(lines) != 3 || !strings.Contains(lines[0], ",last_test_acc,") {
		t.Errorf("the results as CSV: got %q", stdout)
	}
	for _, c := range []struct {
		args   string
		status int
		hint   string
	}{
		{"--format=onxx", exitUsage, `did you mean "onnx"?`},
		{"--format=csv --table=result", exitUsage, `did you mean "results"?`},
		{"--format=csv --best", exitUsage, "best: "},
		{"--format=onnx --sparse", exitUsage, "sparse: "},
		{"--format=onnx --out=-", exitUsage, "only a csv can be printed"},
		{"--format=onnx", exitUsage, "takes one run"},
	} {
		_, stderr := want(t, c.status, append([]string{"export", runs}, strings.Fields(c.args)...)...)
		if !strings.Contains(stderr, c.hint) {
			t.Errorf("%s: got %q, want %q", c.args, stderr, c.hint)
		}
	}
	_, stderr := want(t, exitFailure, append([]string{"import", filepath.Join(dir, "a.safetensors"), "--model=s-fc", "--alpha=16000", "--out", filepath.Join(dir, "big")}, flags[3:5]...)...)
	if !strings.Contains(stderr, "the file has 49708 numbers, s-fc with α = 16000") {
		t.Errorf("a network far larger than the file: got %q", stderr)
	}
	want(t, exitUsage, "export", filepath.Join(dir, "nothing"), "--format=csv")
	want(t, exitUsage, "import", filepath.Join(dir, "nothing.safetensors"))
}

// TestPublish gives runs away with rounded weights: every command takes them, their
// result has their own scores beside those of the training, and where that rounded
// in its products already, these are the same.
func TestPublish(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name ...string) string { return filepath.Join(append([]string{dir}, name...)...) }
	flags := tiny(t)
	data := flags[3:5] // --data-dir DIR
	read := func(name ...string) string {
		text, err := os.ReadFile(at(name...))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	result := func(name string) run.Result {
		r, err := run.ReadResult(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, precision := range []string{"fp32", "bf16"} {
		name, given := precision, precision+"-given"
		want(t, 0, append([]string{"train", "--out", at(name), "--precision", precision, "--optimizer=beta-lasso", "--lambda-conv=1e-3", "--lambda-fc=1e-3"}, flags...)...)
		publish := append([]string{"export", at(name), "--format=run", "--out", at(given)}, data...)
		stdout, _ := want(t, 0, publish...)
		was, is := result(name), result(given)
		if u := is.Unrounded; u == nil || u.Last != was.Last || u.Best != was.Best || u.WeightsSum != was.WeightsSum {
			t.Errorf("%s: unrounded are %+v, want the scores of %+v", name, u, was)
		}
		if !reflect.DeepEqual(is.Layers, was.Layers) || is.WeightsSum == was.WeightsSum || is.Machine != was.Machine || is.Last.Epoch != was.Last.Epoch || is.Best.Epoch != was.Best.Epoch {
			t.Errorf("%s: got %+v, want what %+v has", name, is, was)
		}
		if last := was.Last; precision == "bf16" && (is.Last != last || is.Best != was.Best || !reflect.DeepEqual(is.Confusion, was.Confusion)) {
			t.Errorf("a training in bfloat16: got %+v, want %+v", is.Last, last)
		}
		if wanted := fmt.Sprintf("test %.2f %%", 100*is.Last.TestAcc); !strings.Contains(stdout, wanted) || !strings.Contains(stdout, "as trained") {
			t.Errorf("got %q, want %q", stdout, wanted)
		}
		if read(given, run.EventsFile) != read(name, run.EventsFile) {
			t.Error("the events differ")
		}
		if a, b := len(read(given, run.WeightsFile)), len(read(name, run.WeightsFile)); a > b*2/3 {
			t.Errorf("%s: %d bytes of %d", name, a, b)
		}
		if !strings.Contains(read(given, run.WeightsFile), "the run cannot be resumed from them") {
			t.Error("the metadata does not say what the weights are")
		}
		for _, file := range []string{run.LockFile, run.StateFile, run.TimesFile} {
			if _, err := os.Stat(at(given, file)); err == nil {
				t.Errorf("%s is there", file)
			}
		}
		if strings.Contains(read(given, run.ConfigFile), "data-dir") {
			t.Error("the settings have a path of this machine")
		}

		want(t, 0, "verify", at(given))
		stdout, _ = want(t, 0, append([]string{"eval", "--json", at(given)}, data...)...)
		for _, s := range []run.Score{is.Last, is.Best} {
			if wanted := fmt.Sprintf(`"test_loss":%v,"test_acc":%v`, s.TestLoss, s.TestAcc); !strings.Contains(stdout, wanted) {
				t.Errorf("eval: got %s, want %s", stdout, wanted)
			}
		}
		stdout, _ = want(t, 0, "resume", at(given))
		if !strings.Contains(stdout, "finished already") {
			t.Errorf("resume: got %q", stdout)
		}
		want(t, 0, "filters", at(given))
		want(t, 0, "explain", at(given), "--out", at("explained"))
		want(t, 0, append([]string{"export", at(given), "--format=onnx", "--best", "--out", at("x.onnx")}, data...)...)
		want(t, 0, append([]string{"export", at(given), "--format=safetensors", "--out", at("x.safetensors")}, data...)...)
		want(t, 0, "report", at(given), "--out", at("report"))

		want(t, 0, append([]string{"export", at(given), "--format=run", "--out", at(given + "-again")}, data...)...)
		if read(given, run.WeightsFile) != read(given+"-again", run.WeightsFile) || !reflect.DeepEqual(result(given+"-again").Unrounded, is.Unrounded) {
			t.Error("what was rounded is rounded to something else")
		}
		_, stderr := want(t, exitUsage, publish...)
		if !strings.Contains(stderr, "holds a run already") {
			t.Errorf("a second time: got %q", stderr)
		}
	}
	want(t, 0, append([]string{"export", at("bf16"), "--format=run", "--below=0.06", "--out", at("small")}, data...)...)
	was, is := result("bf16"), result("small")
	if is.Unrounded.Below != 0.06 || is.Layers[0].Nonzero >= was.Layers[0].Nonzero || is.Layers[0].Nonzero == 0 || is.Layers[0].Params != was.Layers[0].Params {
		t.Errorf("below 0.06: got %+v, of %+v", is.Layers, was.Layers)
	}
	want(t, 0, "verify", at("small"))
	stdout, _ := want(t, 0, append([]string{"eval", "--json", at("small")}, data...)...)
	if wanted := fmt.Sprintf(`"test_loss":%v,"test_acc":%v`, is.Last.TestLoss, is.Last.TestAcc); !strings.Contains(stdout, wanted) {
		t.Errorf("eval: got %s, want %s", stdout, wanted)
	}
	for _, flags := range [][]string{{"--format=run", "--below=-1"}, {"--format=onnx", "--below=0.1"}} {
		want(t, exitUsage, append(append([]string{"export", at("bf16")}, flags...), data...)...)
	}
	if err := os.Remove(at("fp32", run.ResultFile)); err != nil {
		t.Fatal(err)
	}
	_, stderr := want(t, exitFailure, append([]string{"export", at("fp32"), "--format=run", "--out", at("none")}, data...)...)
	if !strings.Contains(stderr, "has not finished") {
		t.Errorf("an unfinished run: got %q", stderr)
	}
	if _, err := os.Stat(at("none")); err == nil {
		t.Error("it left a directory")
	}
}
