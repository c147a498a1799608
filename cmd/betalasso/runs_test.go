package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/index"
	"betalasso/run"
)

func TestRuns(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root := t.TempDir()
	c := run.Default()
	c.Model, c.Alpha, c.Data, c.Precision = "s-fc", 1, "digits", "fp32"
	for _, name := range []string{"first", "second"} {
		d, err := run.Create(filepath.Join(root, name), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.AppendEvent(run.Event{Nonzero: map[string]int{"fc1": 1234}}); err != nil {
			t.Fatal(err)
		}
		if name == "second" {
			if err := d.WriteResult(run.Result{Last: run.Score{Epoch: c.Epochs, TestAcc: 0.4321}, Seed: c.Seed}); err != nil {
				t.Fatal(err)
			}
		}
		d.Close()
	}
	for range 2 { // without an index, and with one
		stdout, _ := want(t, 0, "runs", root, "--sort=test")
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if len(lines) != 3 || !strings.HasPrefix(lines[1], "done") || !strings.Contains(lines[1], "43.21") || !strings.HasPrefix(lines[2], "running") || !strings.Contains(lines[2], "1,234") {
			t.Errorf("got\n%s", stdout)
		}
	}
	stdout, _ := want(t, 0, "runs", root, "--state=done", "--json")
	var r run.Snapshot
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || filepath.Base(r.Dir) != "second" || r.Result.Last.TestAcc != 0.4321 {
		t.Errorf("got %+v, %v", r, err)
	}
	if stdout, _ := want(t, 0, "runs", root, "--limit=1"); strings.Count(stdout, "\n") != 2 {
		t.Errorf("limit 1: got\n%s", stdout)
	}
	path, err := index.Path()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("a letter"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, stderr := want(t, 0, "runs", root); !strings.Contains(stderr, "made anew") {
		t.Errorf("a damaged index: got %q, want a note", stderr)
	}
	for _, bad := range [][]string{{"--state=doen", "done"}, {"--sort=tset", "test"}, {"--limit=-1", "limit"}} {
		if _, stderr := want(t, exitUsage, "runs", root, bad[0]); !strings.Contains(stderr, bad[1]) {
			t.Errorf("%s: got %q, want %q in it", bad[0], stderr, bad[1])
		}
	}
	want(t, exitUsage, "runs", filepath.Join(root, "none"))
}

// A folder that cannot be read costs a warning, and no other run.
func TestUnreadableFolder(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root := t.TempDir()
	want(t, 0, "train", "--model=3-fc", "--width=2", "--data=digits", "--train=500", "--epochs=1", "--threads=1", "--out", filepath.Join(root, "good"))
	bad := filepath.Join(root, "bad")
	if err := os.Mkdir(bad, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(run.ConfigFile, filepath.Join(bad, run.ConfigFile)); err != nil { // to itself
		t.Skip(err)
	}
	for _, args := range [][]string{
		{"runs", root}, {"compare", root}, {"report", root, "--out", filepath.Join(t.TempDir(), "report")},
		{"export", root, "--format=csv", "--out=-"},
	} {
		_, stderr := want(t, 0, args...)
		if strings.Count(stderr, "warning: ") != 1 || !strings.Contains(stderr, bad) {
			t.Errorf("%s: got %q, want one warning of %s", args[0], stderr, bad)
		}
	}
	if _, stderr := want(t, exitUsage, "compare", bad); !strings.Contains(stderr, bad) {
		t.Errorf("the folder itself: got %q", stderr)
	}
}
