package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lookedAt is a run's directory with those files beside its config, a day old.
func lookedAt(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	c := Default()
	c.Alpha, c.Data, c.Epochs = 1, "digits", 10
	if err := WriteConfig(filepath.Join(dir, ConfigFile), c); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-24 * time.Hour)
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range looked {
		os.Chtimes(filepath.Join(dir, name), old, old)
	}
	return dir
}

const (
	someEvents = `{"epoch":0,"val_acc":0.1,"nonzero":{"conv1":5}}
{"epoch":3,"val_acc":0.5,"seconds":2,"nonzero":{"conv1":4,"fc1":2}}
{"epoch":4,"val_a`
	someResult = `{"last":{"epoch":10,"val_acc":0.6,"test_acc":0.55},"best":{"epoch":8,"val_acc":0.65},"seed":1}`
)

func TestLook(t *testing.T) {
	host, _ := os.Hostname()
	for _, c := range []struct {
		name  string
		files map[string]string
		state Status
		epoch int
		says  string // part of Note, or of Unread
	}{
		{"settings alone", nil, Planned, 0, ""},
		{"events", map[string]string{EventsFile: someEvents}, Interrupted, 3, ""},
		{"a checkpoint alone", map[string]string{StateFile: `{"epoch":2}`}, Interrupted, 2, ""},
		{"a lock of a process that is gone", map[string]string{LockFile: fmt.Sprintf("process %d on %s\n", 1<<22+1, host)}, Interrupted, 0, ""},
		{"a result", map[string]string{EventsFile: someEvents, ResultFile: someResult}, Done, 10, ""},
		{"a failure", map[string]string{EventsFile: someEvents, FailureFile: "the loss is not finite\nand more\n"}, Failed, 3, "the loss is not finite"},
		{"a failure that says nothing", map[string]string{FailureFile: "\n"}, Failed, 0, "it does not say why"},
		{"a failure before a later success", map[string]string{ResultFile: someResult, FailureFile: "x"}, Done, 10, ""},
		{"settings that cannot be read", map[string]string{ConfigFile: "model: [\n", EventsFile: someEvents}, Broken, 3, ConfigFile},
		{"settings that do not exist", map[string]string{ConfigFile: "modle: s-fc\n"}, Broken, 0, "modle"},
		{"settings that are wrong", map[string]string{ConfigFile: "model: s-fc\nlr: -1\n", ResultFile: someResult}, Broken, 0, "lr: must be above 0"},
		{"a torn result", map[string]string{ResultFile: someResult[:30]}, Broken, 0, ResultFile},
		{"a torn state", map[string]string{StateFile: `{"epoch":2,`, EventsFile: someEvents}, Interrupted, 3, StateFile},
		{"events of another kind", map[string]string{EventsFile: "epoch 1\nepoch 2\n"}, Planned, 0, EventsFile},
	} {
		s := Look(lookedAt(t, c.files))
		if s.State != c.state || s.Epoch != c.epoch {
			t.Errorf("%s: got %s after %d epochs, want %s after %d; %+v", c.name, s.State, s.Epoch, c.state, c.epoch, s)
		}
		if said := s.Note + strings.Join(s.Unread, " "); !strings.Contains(said, c.says) || c.says == "" && said != "" {
			t.Errorf("%s: it says %q, want %q", c.name, said, c.says)
		}
		if strings.Contains(s.Note, "\n") {
			t.Errorf("%s: the note is %q, want one line", c.name, s.Note)
		}
		if (s.Result != nil) != (s.State == Done) {
			t.Errorf("%s: got the result %v of a run that is %s", c.name, s.Result, s.State)
		}
	}
}

// A run that records the returns of many steps has lines of tens of kilobytes.
func TestLongEvents(t *testing.T) {
	c := Default()
	c.Alpha, c.Data = 1, "digits"
	d, err := Create(filepath.Join(t.TempDir(), "run"), c)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for epoch := range 3 {
		e := Event{Epoch: epoch, Nonzero: map[string]int{"conv1": 7}, Returns: map[string]Returns{}}
		for i := range 9 {
			e.Returns[fmt.Sprintf("conv%d", i)] = Returns{Steps: make([]int, ReturnSteps)}
		}
		if err := d.AppendEvent(e); err != nil {
			t.Fatal(err)
		}
	}
	if size := fileSize(t, d.File(EventsFile)) / 3; size <= usualEnd {
		t.Fatalf("a line of %d bytes shows nothing", size)
	}
	if s := Look(d.Path()); s.Last == nil || s.Epoch != 2 || len(s.Unread) > 0 {
		t.Errorf("got %+v, %q, want the last event", s.Last, s.Unread)
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestSnapshotOfNoRun(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "gone")} {
		if s := Look(dir); s.State != Broken || s.Note == "" {
			t.Errorf("%s: got %+v", dir, s)
		}
	}
}

// A file that is none, such as a link out of the directory, is unread.
func TestLookStaysWithin(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(someResult), 0o666); err != nil {
		t.Fatal(err)
	}
	dir := lookedAt(t, nil)
	if err := os.Symlink(secret, filepath.Join(dir, ResultFile)); err != nil {
		t.Skip(err)
	}
	if s := Look(dir); s.State != Broken || s.Result != nil {
		t.Errorf("a link that leads away: got %s, %v", s.State, s.Result)
	}
}

func TestSnapshotNumbers(t *testing.T) {
	s := Look(lookedAt(t, map[string]string{EventsFile: someEvents, StateFile: `{"epoch":2,"wall_seconds":6,"best_val_acc":0.7}`}))
	val, _ := s.Val()
	best, _ := s.Best()
	if _, ok := s.Test(); ok || val != 0.5 || best != 0.7 || s.Nonzero() != 6 || s.Pace() != 3*time.Second {
		t.Errorf("got val %v, best %v, %d non-zeros, %v an epoch", val, best, s.Nonzero(), s.Pace())
	}
	if got := s.Why(); got != "interrupted after epoch 3 of 10" {
		t.Errorf("got %q", got)
	}
	s.Config.Val = 0
	if _, ok := s.Val(); ok {
		t.Error("nothing was held out, and there is a validation accuracy")
	}
}

// What has not changed is not read again; what has is.
func TestLookAgain(t *testing.T) {
	dir := lookedAt(t, map[string]string{EventsFile: someEvents})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s := Look(dir)
	s.Note = "kept"
	if again, there := LookAgain(root, s); !there || again.Note != "kept" {
		t.Errorf("nothing changed: got %+v", again)
	}
	if err := os.WriteFile(filepath.Join(dir, ResultFile), []byte(someResult), 0o666); err != nil {
		t.Fatal(err)
	}
	if again, there := LookAgain(root, s); !there || again.State != Done || again.Dir != dir {
		t.Errorf("a result came: got %+v", again)
	}
	os.Remove(filepath.Join(dir, ConfigFile))
	if _, there := LookAgain(root, s); there {
		t.Error("the config went, and the run is there still")
	}
}
