package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/run"
)

// Exit codes 75 and 130 promise that the same command goes on.
func TestTheSameCommandGoesOn(t *testing.T) {
	flags := append([]string{"train"}, tiny(t)...)
	dir := filepath.Join(t.TempDir(), "run")
	flags = append(flags, "--out", dir)
	want(t, 0, flags...)
	sum := weights(t, dir)

	if stdout, _ := want(t, 0, flags...); !strings.Contains(stdout, "finished already") {
		t.Errorf("a run that is done: got %q", stdout)
	}
	os.Remove(filepath.Join(dir, run.ResultFile)) // as though it had been stopped before the test
	if stdout, _ := want(t, 0, append(flags, "--threads=1", "--note=again")...); !strings.Contains(stdout, "going on after epoch 3 of 3") || weights(t, dir) != sum {
		t.Errorf("a run that was stopped: got %q, weights %s, want %s", stdout, weights(t, dir), sum)
	}
	_, stderr := want(t, exitUsage, append(flags, "--lr=0.2", "--seed=7")...)
	if !strings.Contains(stderr, "lr 0.1, not 0.2") || !strings.Contains(stderr, "seed 1, not 7") || strings.Contains(stderr, "batch") {
		t.Errorf("other settings: got %q, want those that differ and no others", stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, run.ConfigFile), []byte("model: ["), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, stderr := want(t, exitUsage, flags...); !strings.Contains(stderr, "cannot be read") {
		t.Errorf("a run that is broken: got %q", stderr)
	}
}

func TestResumeSaysWhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	want(t, 0, append([]string{"train", "--name=mine", "--note=for the test", "--out", dir}, tiny(t)...)...)
	os.Remove(filepath.Join(dir, run.ResultFile))
	if stdout, _ := want(t, 0, "resume", dir); !strings.Contains(stdout, "going on after epoch 3 of 3") {
		t.Errorf("got %q", stdout)
	}
	d, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c := d.Config(); c.Name != "mine" || c.Note != "for the test" {
		t.Errorf("got the name %q and the note %q", c.Name, c.Note)
	}
	a, b := d.Config(), d.Config()
	b.Name, b.Note = "", ""
	if a.ID() != b.ID() {
		t.Error("a name makes another run of it")
	}
}

func TestWarnings(t *testing.T) {
	small := append([]string{"train", "--epochs=1"}, tiny(t)...)
	_, stderr := want(t, 0, append(small, "--optimizer=beta-lasso", "--lambda-fc=1e-3", "--out", filepath.Join(t.TempDir(), "killed"))...)
	if !strings.Contains(stderr, "the first step cuts every weight of fc1") {
		t.Errorf("a λ that kills the net: got %q", stderr)
	}
	_, stderr = want(t, 0, append(small, "--optimizer=beta-lasso", "--lambda-fc=1e-8", "--out", filepath.Join(t.TempDir(), "dense"))...)
	if !strings.Contains(stderr, "fc1 stays dense") {
		t.Errorf("a λ that does nothing: got %q", stderr)
	}
	study := filepath.Join(t.TempDir(), "study.yaml")
	text := "fixed: {data: digits, epochs: 1, params: 60k, model: s-fc, optimizer: beta-lasso}\naxes: [grid: {lambda-conv: [1e-3, 1e-5]}]\nseeds: 2\n"
	if err := os.WriteFile(study, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	_, stderr = want(t, 0, "sweep", "plan", study)
	for _, say := range []string{"not about 60000", "and 3 more", "cuts every weight of conv1"} {
		if !strings.Contains(stderr, say) {
			t.Errorf("plan: got %q, want %q", stderr, say)
		}
	}
}

// A long training says how long it takes before it begins, a short one begins.
func TestLongTrainingsSayHowLong(t *testing.T) {
	var said bytes.Buffer
	s := &session{ctx: context.Background(), notes: &said}
	c := run.Default()
	c.Alpha, c.Data, c.Batch, c.Precision = 28, "digits", 64, "fp32"
	if err := new(trainCommand).foresee(s, c); err != nil || !strings.Contains(said.String(), "100 epochs take about ") {
		t.Errorf("got %q, %v", said.String(), err)
	}
	said.Reset()
	c.Alpha, c.Epochs = 1, 1
	if err := new(trainCommand).foresee(s, c); err != nil || said.Len() > 0 {
		t.Errorf("a short one: got %q, %v", said.String(), err)
	}
}

// A report of what is not finished ends with 1, and says so first.
func TestReportOfWhatIsNotFinished(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	out := filepath.Join(t.TempDir(), "report")
	want(t, 0, append([]string{"train", "--epochs=1", "--out", dir}, tiny(t)...)...)
	if stdout, _ := want(t, 0, "report", dir, "--out", out); strings.Contains(stdout, "FINISHED") {
		t.Errorf("all is finished: got %q", stdout)
	}
	os.Remove(filepath.Join(dir, run.ResultFile))
	if stdout, _ := want(t, exitFailure, "report", dir, "--out", out); !strings.HasPrefix(stdout, "NOTHING FINISHED") {
		t.Errorf("got %q", stdout)
	}
}

// Messages name what the user gave, and nothing else.
func TestMessagesNameWhatWasGiven(t *testing.T) {
	study := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(study, []byte("fixed: {data: digits}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		say  string
		not  string
	}{
		{[]string{"sweep", "plna"}, `did you mean "plan"?`, ""},
		{[]string{"sweep", "plna", "study.yaml"}, `did you mean "plan"?`, ""},
		{[]string{"sweep", "stauts", "--study=table2"}, `did you mean "status"?`, "not both"},
		{[]string{"sweep", study, "--seeds=2"}, "--seeds", "--epochs"},
		{[]string{"sweep", study, "--launcher=slurm", "--cpus=0"}, "cpus: must be at least 1", "max-parallel"},
	} {
		_, stderr := want(t, exitUsage, c.args...)
		if !strings.Contains(stderr, c.say) || c.not != "" && strings.Contains(stderr, c.not) {
			t.Errorf("%q: got %q, want %q and not %q", c.args, stderr, c.say, c.not)
		}
	}
	stdout, _ := want(t, 0, "--version")
	if !strings.HasPrefix(stdout, "betalasso ") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("--version: got %q", stdout)
	}
}

func TestImportSaysWhatItTookFor(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"zip.pt":    "PK\x03\x04 and so on",
		"pickle.pt": "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
	} {
		path := filepath.Join(root, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, stderr := want(t, exitUsage, "import", path, "--out", filepath.Join(root, "none")); !strings.Contains(stderr, "torch.save") || !strings.Contains(stderr, "weights_only=True") {
			t.Errorf("%s: got %q, want what it is and how to convert it", name, stderr)
		}
	}
	// A header of 640 bytes begins as a pickle does, and is none.
	head := binary.LittleEndian.AppendUint64(nil, 0x0280)
	path := filepath.Join(root, "none.safetensors")
	if err := os.WriteFile(path, append(head, make([]byte, 640)...), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, stderr := want(t, exitFailure, "import", path, "--out", filepath.Join(root, "none")); strings.Contains(stderr, "torch.save") {
		t.Errorf("a header of 640 bytes: got %q", stderr)
	}

	flags := tiny(t)
	dir := filepath.Join(root, "run")
	want(t, 0, append([]string{"train", "--epochs=1", "--out", dir}, flags...)...)
	d, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(root, "plain.safetensors")
	want(t, 0, "export", dir, "--format=safetensors", "--out", plain)
	tensors, _, err := run.ReadTensors(plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.WriteTensors(plain, tensors, nil); err != nil {
		t.Fatal(err)
	}
	given := []string{"import", plain, "--model=3-fc", "--width=16", "--val=200", "--data-dir", d.Config().DataDir}
	if _, stderr := want(t, 0, append(given, "--out", filepath.Join(root, "assumed"))...); !strings.Contains(stderr, "are assumed") {
		t.Errorf("means that were not given: got %q", stderr)
	}
	if _, stderr := want(t, 0, append(given, "--out", filepath.Join(root, "told"), "--mean=0.5,0.5,0.5", "--std=0.2,0.2,0.2")...); strings.Contains(stderr, "are assumed") {
		t.Errorf("means that were given: got %q", stderr)
	}
	if _, stderr := want(t, exitUsage, append(given, "--out", dir)...); !strings.Contains(stderr, "choose another --out") || strings.Contains(stderr, "resume") {
		t.Errorf("a directory that is taken: got %q", stderr)
	}
}
