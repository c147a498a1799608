package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOwnImages(t *testing.T) {
	if err := run(nil); err != nil {
		t.Error(err)
	}
	folder := t.TempDir()
	if err := run([]string{folder}); err == nil || !strings.Contains(err.Error(), "no pictures in it") {
		t.Errorf("an empty folder: got %v", err)
	}
	if err := paint(folder); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(folder, "warm", "broken.png")
	if err := os.WriteFile(broken, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{folder}); err == nil || !strings.Contains(err.Error(), "broken.png") {
		t.Errorf("a broken image: got %v", err)
	}
}
