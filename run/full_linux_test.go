package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A full disk leaves the last checkpoint as it was, and says so.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("no small file system: ", err)
	}
	defer syscall.Unmount(dir, 0)
	path := filepath.Join(dir, WeightsFile)
	if _, err := WriteTensors(path, someTensors()[:1], nil); err != nil {
		t.Fatal(err)
	}
	_, err := WriteTensors(path, someTensors()[:1], nil)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v, want ENOSPC", err)
	}
	for _, want := range []string{path, "full", "MB free", "intact"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if _, _, err := ReadTensors(path); err != nil {
		t.Errorf("the file that was there: %v", err)
	}
	if _, err := os.Stat(path + temporary); err == nil {
		t.Error("a temporary file was left")
	}
}
