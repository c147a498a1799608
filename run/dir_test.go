package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func someConfig() Config {
	c := Default()
	c.Alpha, c.Optimizer, c.Beta, c.LambdaConv, c.LambdaFC = 4, "beta-lasso", 50, 1e-5, 2e-6
	c.Momentum, c.Seed, c.DataDir = 0.9, 1<<63+5, "some: 'where' #1"
	return c
}

func TestARunIsCreatedOnceAndLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	d, err := Create(path, someConfig())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLocked(path); err == nil || !strings.Contains(err.Error(), fmt.Sprint("process ", os.Getpid())) {
		t.Errorf("a second lock: got %v, want an error that names this process", err)
	}
	r, err := Open(path)
	if err != nil || !reflect.DeepEqual(r.Config(), someConfig()) {
		t.Errorf("opened to read: got %+v, %v", r, err)
	}
	if err := d.WriteFailure("diverged"); err != nil || Look(path).Note != "diverged" {
		t.Errorf("failure: got %q, %v", Look(path).Note, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, someConfig()); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "betalasso resume") {
		t.Errorf("created again: got %v, want ErrExists and how to resume", err)
	}
	os.WriteFile(filepath.Join(path, WeightsFile+temporary), nil, 0o666)
	d, err = OpenLocked(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := os.Stat(d.File(WeightsFile + temporary)); err == nil {
		t.Error("what a killed process left behind is still there")
	}
	if s := Look(path); s.State == Failed || s.Note != "" {
		t.Errorf("the failure of a run that goes on: got %s, %q", s.State, s.Note)
	}
	if _, err := d.Result(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the result of an unfinished run: got %v, want ErrNotExist", err)
	}
	if _, _, err := d.LoadCheckpoint(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the checkpoint of a run not begun: got %v, want ErrNotExist", err)
	}
}

func TestOpenSaysWhatIsNoRun(t *testing.T) {
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not the directory of a run") {
		t.Errorf("got %v", err)
	}
	if _, err := Create(t.TempDir(), Config{}); err == nil {
		t.Error("an empty config was accepted")
	}
}

func TestEvents(t *testing.T) {
	d, err := Create(t.TempDir(), someConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i := range 4 {
		if err := d.AppendEvent(Event{Epoch: i, TrainLoss: 1.0 / 3, Nonzero: map[string]int{"fc1": i}}); err != nil {
			t.Fatal(err)
		}
	}
	events := func(want int) []Event {
		t.Helper()
		list, err := d.Events()
		if err != nil || len(list) != want {
			t.Fatalf("got %d events, %v, want %d", len(list), err, want)
		}
		return list
	}
	if e := events(4)[3]; e.TrainLoss != 1.0/3 || e.Nonzero["fc1"] != 3 {
		t.Errorf("got %+v", e)
	}
	f, err := os.OpenFile(d.File(EventsFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"epoch": 4, "st`)
	events(4) // the torn last line is left out
	f.WriteString("\n")
	events(4)
	f.WriteString("{}\n")
	f.Close()
	if _, err := d.Events(); err == nil || !strings.Contains(err.Error(), "line 5") {
		t.Errorf("a broken line within: got %v, want an error with its number", err)
	}
	os.Truncate(d.File(EventsFile), 10)
	events(0)
	d.TruncateEvents(-1)
	for i := range 4 {
		d.AppendEvent(Event{Epoch: i})
	}
	if err := d.TruncateEvents(1); err != nil {
		t.Fatal(err)
	}
	if e := events(2); e[1].Epoch != 1 {
		t.Errorf("got %+v", e)
	}
}

func TestCheckpointAndResult(t *testing.T) {
	d, err := Create(t.TempDir(), someConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	want := State{Epoch: 3, Step: 7, LossSum: 1.0 / 3, Correct: 5, Seen: 9, BestEpoch: 2, BestValAcc: 0.1}
	if err := d.SaveCheckpoint(want, someTensors()); err != nil {
		t.Fatal(err)
	}
	os.Remove(d.File(StateFile)) // only a copy
	got, list, err := d.LoadCheckpoint()
	if err != nil || !reflect.DeepEqual(got, want) || len(list) != len(someTensors()) {
		t.Errorf("got %+v, %d tensors, %v, want %+v", got, len(list), err, want)
	}
	if err := d.WriteResult(Result{Params: 5, Seed: 1<<63 + 5, Last: Score{Epoch: 100}}); err != nil {
		t.Fatal(err)
	}
	if r, err := d.Result(); err != nil || r.Params != 5 || r.Seed != 1<<63+5 {
		t.Errorf("got %+v, %v", r, err)
	}
	WriteTensors(d.File(WeightsFile), someTensors(), nil)
	if _, _, err := d.LoadCheckpoint(); err == nil || !strings.Contains(err.Error(), "state") {
		t.Errorf("weights without a state: got %v", err)
	}
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	var want []string
	for _, name := range []string{"a/x", "b"} {
		d, err := Create(filepath.Join(root, name), someConfig())
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		want = append(want, d.Path())
	}
	got, unread, err := Find(filepath.Join(root, "b")+"/", root)
	if unread != nil || err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, _, err := Find(filepath.Join(root, "none")); err == nil {
		t.Error("a path that does not exist: got no error")
	}
}

func TestThisMachine(t *testing.T) {
	m := ThisMachine(2, "cpu")
	if m.CPU == "" || m.Cores < 1 || PeakRSS() < 0 || Version() == "" || GoVersion() == "" {
		t.Errorf("got %+v, %d, %q", m, PeakRSS(), Version())
	}
}
