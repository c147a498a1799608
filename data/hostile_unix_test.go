//go:build unix

package data

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestHostileFolder: pipes, devices, links that lead in circles or nowhere, and a
// cache that is none. Nothing waits, and what is no picture is named or left out.
func TestHostileFolder(t *testing.T) {
	dir := writeFiles(t, flowers(t, 10, false))
	opt := ownOptions(t, dir)
	plain, err := Load(t.Context(), "flowers", opt)
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	// These are no pictures, and are not there for who reads the folder.
	err = errors.Join(os.Symlink("..", in("rose/up")), os.Symlink(dir, in("rose/circle.png")), os.Symlink("loop", in("loop")),
		syscall.Mkfifo(in("rose/pipe"), 0o666), syscall.Mkfifo(in("pipe.png"), 0o666), os.Mkdir(in("rose/folder.png"), 0o777))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(t.Context(), "flowers", opt)
	if err != nil || again.Sum != plain.Sum {
		t.Errorf("links and pipes beside the pictures: %v", err)
	}
	// The cache's file is a pipe, a folder, a link.
	kept := keptFile(opt)
	elsewhere := filepath.Join(t.TempDir(), "precious")
	for name, become := range map[string]func() error{
		"a pipe":   func() error { return syscall.Mkfifo(kept, 0o666) },
		"a folder": func() error { return os.MkdirAll(filepath.Join(kept, "x"), 0o777) },
		"a link": func() error {
			return errors.Join(os.WriteFile(elsewhere, []byte("precious"), 0o666), os.Symlink(elsewhere, kept))
		},
	} {
		if err := errors.Join(os.RemoveAll(kept), become()); err != nil {
			t.Fatal(err)
		}
		if again, err := Load(t.Context(), "flowers", opt); err != nil || again.Sum != plain.Sum {
			t.Errorf("%s in the place of the cache's file: %v", name, err)
		}
	}
	if text, err := os.ReadFile(elsewhere); err != nil || string(text) != "precious" {
		t.Errorf("the cache was written through a link: %q, %v", text, err)
	}
	// These are called as pictures are.
	for name, become := range map[string]func(path string) error{
		"not a regular file": func(path string) error { return syscall.Mkfifo(path, 0o666) },
		"no such file":       func(path string) error { return os.Symlink("nowhere", path) },
		"too many":           func(path string) error { return os.Symlink("bad.png", path) },
	} {
		path := in("rose/bad.png")
		if err := become(path); err != nil {
			t.Fatal(err)
		}
		opt.SkipBad = false
		if _, err := Load(t.Context(), "flowers", opt); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), name) {
			t.Errorf("got error %v, want one with %q and %q", err, path, name)
		}
		opt.SkipBad = true
		if s, err := Load(t.Context(), "flowers", opt); err != nil || len(s.Skipped) != 1 || s.Sum != plain.Sum {
			t.Errorf("%s, skipped: %v", name, err)
		}
		os.Remove(path)
	}
	for _, name := range []string{"own.npz", "own.bin"} {
		path := filepath.Join(t.TempDir(), name)
		if err := syscall.Mkfifo(path, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(t.Context(), "own", Options{Own: true, Dir: path}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("%s, a pipe: got error %v", name, err)
		}
	}
}
