package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run without validation has no best epoch of its own: eval scores its weights
// once and does not speak of validation.
func TestEvalWithoutValidation(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	want(t, 0, append(append([]string{"train", "--out", dir}, tiny(t)...), "--val=0", "--epochs=2")...)
	stdout, _ := want(t, 0, "eval", dir)
	if strings.Count(stdout, "\n") != 1 || !strings.HasPrefix(stdout, "last checkpoint: test ") {
		t.Errorf("eval: got %q, want one line with the test score", stdout)
	}
	stdout, _ = want(t, 0, "eval", "--json", dir)
	if strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, `weights.safetensors"`) {
		t.Errorf("eval --json: got %q, want one object, of the last checkpoint", stdout)
	}
	out := t.TempDir()
	want(t, 0, "eval", dir, "--confusion", "--out", out)
	for name, there := range map[string]bool{"confusion.csv": true, "confusion.png": true, "confusion-best.csv": false, "confusion-best.png": false} {
		if _, err := os.Stat(filepath.Join(out, name)); (err == nil) != there {
			t.Errorf("%s exists: got %v, want %v", name, err == nil, there)
		}
	}
}
