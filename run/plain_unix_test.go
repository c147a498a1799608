//go:build unix

package run

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// No file of a run is read or written through a link, and no pipe is waited for.
func TestLinksAndPipes(t *testing.T) {
	for _, name := range []string{ConfigFile, EventsFile, ResultFile, WeightsFile, BestFile, StateFile, TimesFile, FailureFile, LockFile, FiltersDir} {
		for kind, put := range map[string]func(to, path string) error{
			"link": os.Symlink,
			"pipe": func(_, path string) error { return syscall.Mkfifo(path, 0o666) },
		} {
			d := finished(t, 1)
			d.Close()
			precious := t.TempDir() + "/precious"
			if err := os.WriteFile(precious, []byte("precious"), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.RemoveAll(d.File(name)), put(precious, d.File(name))); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(Verify(d.Path())...); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s as a %s: got %v, want an error that names it", name, kind, err)
			}
			l, err := OpenLocked(d.Path())
			if (name == LockFile || name == ConfigFile || name == FiltersDir) != (err != nil) {
				t.Errorf("%s as a %s: locked with %v", name, kind, err)
			}
			if err == nil {
				l.AppendEvent(Event{Epoch: 4})
				l.SaveBest(1, nil)
				l.SaveCheckpoint(State{}, nil)
				l.WriteFailure("why")
				l.WriteFiltersAt(1, nil)
				l.Close()
			}
			if text := read(t, precious); text != "precious" {
				t.Errorf("%s as a link: written through it: %q", name, text)
			}
		}
	}
	d := finished(t, 1)
	precious := t.TempDir() + "/precious"
	os.WriteFile(precious, []byte("precious"), 0o666)
	if err := os.Symlink(precious, d.File(FailureFile)+temporary); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteFailure("why"); err != nil || read(t, d.File(FailureFile)) != "why\n" || read(t, precious) != "precious" {
		t.Errorf("a link in the place of the temporary file: got %v, %q", err, read(t, d.File(FailureFile)))
	}
}
