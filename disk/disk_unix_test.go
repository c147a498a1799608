//go:build unix

package disk

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A link is never followed, a pipe is never waited for.
func TestOnlyPlainFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	precious := at("precious")
	if err := os.WriteFile(precious, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(path string) error{
		"link":    func(path string) error { return os.Symlink(precious, path) },
		"nowhere": func(path string) error { return os.Symlink(at("new"), path) },
		"pipe":    func(path string) error { return syscall.Mkfifo(path, 0o666) },
		"folder":  func(path string) error { return os.Mkdir(path, 0o777) },
	} {
		if err := make(at(name)); err != nil {
			t.Fatal(err)
		}
		for what, open := range map[string]func() error{
			"open":   func() error { _, err := Open(at(name)); return err },
			"read":   func() error { _, err := ReadFile(at(name), 100); return err },
			"write":  func() error { _, err := OpenToWrite(at(name)); return err },
			"append": func() error { _, err := Append(at(name)); return err },
		} {
			var e *NotPlainError
			if err := open(); !errors.As(err, &e) || e.Path != at(name) {
				t.Errorf("%s a %s: got %v, want a NotPlainError", what, name, err)
			}
		}
	}
	for _, name := range []string{"link", "nowhere", "pipe"} {
		f, err := Create(at(name)) // in its place
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte("mine"))
		f.Close()
		if text, err := ReadFile(at(name), 4); err != nil || string(text) != "mine" {
			t.Errorf("%s replaced: got %q, %v", name, text, err)
		}
	}
	if text, _ := os.ReadFile(precious); string(text) != "precious" {
		t.Errorf("written through a link: %q", text)
	}
	if _, err := os.Stat(at("new")); err == nil {
		t.Error("a file was made through a link")
	}
	var e *TooLargeError
	if _, err := ReadFile(precious, 7); !errors.As(err, &e) || e.Size != 8 {
		t.Errorf("8 bytes, where 7 are the most: got %v", err)
	}
}
