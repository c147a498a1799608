package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"betalasso/run"
)

// copied is a copy of a run's directory.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// change replaces a part of a file of a run.
func change(t *testing.T, dir, name, from, to string) {
	t.Helper()
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte(from)) {
		t.Fatalf("%s has no %q (%v)", path, from, err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte(from), []byte(to), 1), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestFoundRuns runs the commands on directories that somebody else made.
func TestFoundRuns(t *testing.T) {
	t.Parallel()
	flags := tiny(t)
	dir := filepath.Join(t.TempDir(), "run")
	again := filepath.Join(t.TempDir(), "again")
	want(t, 0, append([]string{"train", "--out", dir}, flags...)...)
	want(t, 0, append([]string{"train", "--out", again}, flags...)...)
	for _, name := range []string{run.WeightsFile, run.BestFile, run.FiltersFile} {
		a, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(again, name)); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s of two trainings differ (%v)", name, err)
		}
	}
	if stdout, _ := want(t, 0, "verify", filepath.Dir(dir), again); !strings.Contains(stdout, "2 runs and 0 studies: nothing is wrong") {
		t.Errorf("verify: got %q", stdout)
	}

	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	link := func(name string) func(string) {
		return func(dir string) {
			os.Remove(filepath.Join(dir, name))
			if err := os.Symlink(precious, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	pipe := func(name string) func(string) {
		return func(dir string) {
			os.Remove(filepath.Join(dir, name))
			if err := syscall.Mkfifo(filepath.Join(dir, name), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	edit := func(name, from, to string) func(string) {
		return func(dir string) { change(t, dir, name, from, to) }
	}
	unfinished := func(f func(string)) func(string) {
		return func(dir string) {
			os.Remove(filepath.Join(dir, run.ResultFile))
			f(dir)
		}
	}
	damage := func(name string) func(string) {
		return func(dir string) {
			path := filepath.Join(dir, name)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			text[len(text)-7] ^= 4
			if err := os.WriteFile(path, text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		rule     string
		do       func(dir string)
		commands string // that are to end with 1 and name the file
		file     string
	}{
		{"lock as a link", link(run.LockFile), "resume", "lock is a symbolic link"},
		{"lock as a pipe", pipe(run.LockFile), "resume", "lock is a named pipe"},
		{"result as a pipe", pipe(run.ResultFile), "resume eval", "result.json is a named pipe"},
		{"events as a pipe", unfinished(pipe(run.EventsFile)), "resume eval", "events.jsonl is a named pipe"},
		{"seed edited", edit(run.ConfigFile, "seed: 1", "seed: 2"), "resume eval", "config.yaml now has"},
		{"seed edited, no result", unfinished(edit(run.ConfigFile, "seed: 1", "seed: 2")), "resume eval", run.WeightsFile},
		{"epochs edited", edit(run.ConfigFile, "epochs: 3", "epochs: 30"), "resume eval", "config.yaml now has"},
		{"a flipped bit", damage(run.WeightsFile), "resume eval", run.WeightsFile},
		{"a flipped bit, no result", unfinished(damage(run.WeightsFile)), "resume eval", run.WeightsFile},
		{"a flipped bit in the best", unfinished(damage(run.BestFile)), "resume eval", run.BestFile},
		{"a result that is null", func(dir string) { os.WriteFile(filepath.Join(dir, run.ResultFile), []byte("null"), 0o666) }, "resume eval", run.ResultFile},
		{"a line of garbage", unfinished(edit(run.EventsFile, `{"epoch":1,`, `{"epoch":1,,`)), "resume eval", "events.jsonl, line 2"},
		{"an event missing", unfinished(edit(run.EventsFile, `{"epoch":1,`, `{"epoch":2,`)), "resume eval", "events.jsonl, line 2"},
	} {
		d := copied(t, dir)
		c.do(d)
		for _, command := range append(strings.Fields(c.commands), "verify") {
			_, stderr, stdout := "", "", ""
			var status int
			status, stdout, stderr = betalasso(t, command, d)
			if status != exitFailure || !strings.Contains(stdout+stderr, c.file) {
				t.Errorf("%s: %s: got %d, %q, want %q", c.rule, command, status, stdout+stderr, c.file)
			}
		}
		// Those that list go on, and say it.
		want(t, 0, "runs", filepath.Dir(d))
	}
	if text, _ := os.ReadFile(precious); string(text) != "precious" {
		t.Errorf("written through a link: %q", text)
	}

	odd := filepath.Join(t.TempDir(), "a\x1b[31mb")
	if err := os.CopyFS(odd, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	change(t, odd, run.ResultFile, `"last"`, `"lost"`)
	for _, args := range [][]string{{"runs", filepath.Dir(odd)}, {"compare", filepath.Dir(odd)}, {"verify", odd}, {"resume", odd}, {"report", filepath.Dir(odd), "--out", filepath.Join(t.TempDir(), "report")}} {
		_, stdout, stderr := betalasso(t, args...)
		if text := stdout + stderr; strings.Contains(text, "\x1b") || !strings.Contains(text, `\x1b[31m`) && args[0] != "report" && args[0] != "compare" {
			t.Errorf("%q: got %q, want the folder's name without escapes", args, text)
		}
	}
}

// What cannot be done is said before training, and has the status of a mistake.
func TestImpossibleSettings(t *testing.T) {
	t.Parallel()
	flags := tiny(t)
	_, stderr := want(t, exitUsage, append(append([]string{"train", "--out", filepath.Join(t.TempDir(), "run")}, flags...), "--val=100000000")...)
	if !strings.Contains(stderr, "val: ") {
		t.Errorf("got %q", stderr)
	}
	c := exec.Command("sh", "-c", "ulimit -v 4000000; exec \"$@\"", "sh", os.Args[0], "train", "--data=digits", "--model=3-fc", "--width=30000", "--out", filepath.Join(t.TempDir(), "run"))
	c.Env = append(os.Environ(), asCommand+"=1")
	out, err := c.CombinedOutput()
	if status := exitStatus(t, err); status != exitUsage || !strings.Contains(string(out), "weights need") || !strings.Contains(string(out), "ulimit -v") {
		t.Errorf("more than ulimit -v allows: got %d, %q", status, out)
	}
}

// Weights that cannot be evaluated leave no directory.
func TestImportOfWhatIsNoNetwork(t *testing.T) {
	t.Parallel()
	flags := tiny(t)
	dir := t.TempDir()
	want(t, 0, append([]string{"train", "--out", filepath.Join(dir, "run"), "--epochs=1"}, flags...)...)
	file := filepath.Join(dir, "w.safetensors")
	want(t, 0, "export", filepath.Join(dir, "run"), "--format=safetensors", "--out", file)
	list, meta, err := run.ReadTensors(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range list {
		if strings.HasSuffix(tensor.Name, ".running_var") {
			tensor.Data[3] = -5
		}
	}
	if _, err := run.WriteTensors(file, list, meta); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "imported")
	_, stderr := want(t, exitFailure, append([]string{"import", file, "--out", out}, flags[3:5]...)...)
	if !strings.Contains(stderr, "below zero") {
		t.Errorf("got %q", stderr)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("it left a directory")
	}
}
