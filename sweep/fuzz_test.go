package sweep

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"betalasso/run"
)

// FuzzAttempt: the files of attempts and of trials.
func FuzzAttempt(f *testing.F) {
	f.Add(`{"number":1,"host":"a","pid":5,"from":{"epoch":1},"outcome":"done"}`)
	f.Add(`null`)
	f.Add(`{"index":0,"id":"686685c79a42","labels":{"lr":"0.1"},"config":{"model":"s-fc","alpha":1,"data":"cifar10","val":5000,"augment":"none","optimizer":"sgd","lr":0.1,"epochs":100,"batch":512,"seed":1,"precision":"fp32"}}`)
	f.Add("\n\n{}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := parseAttempt([]byte(text)); err == nil && (a.From.Epoch < 0 || a.Reached.Step < 0) {
			t.Errorf("got %+v", a)
		}
		trials, err := parseTrials("x", []byte(text))
		for i, p := range trials {
			if err == nil && (p.Index != i || p.Config.ID() != p.ID || p.Config.Validate() != nil) {
				t.Errorf("got %+v", p)
			}
		}
	})
}

// FuzzStudy: whatever stands in a file of a study's directory, it is opened or
// refused, and Verify and Status end. What the reader of that one file refuses
// already, without a disk, is left to its own target, but where which is high.
func FuzzStudy(f *testing.F) {
	d := newDir(f, small+"seeds: 2\n")
	w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	if _, err := w.Drain(f.Context()); err != nil {
		f.Fatal(err)
	}
	aside := filepath.Join(f.TempDir(), "aside")
	names := []string{StudyFile, TrialsFile, filepath.Join(LeasesDir, d.Trials()[0].ID+".1"), filepath.Join(RunsDir, d.Trials()[0].ID, run.ConfigFile), filepath.Join(RunsDir, d.Trials()[0].ID, run.ResultFile)}
	for i, name := range names {
		text, err := os.ReadFile(filepath.Join(d.Path(), name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(i), text)
		f.Add(byte(i), text[:len(text)/2])
	}
	f.Fuzz(func(t *testing.T, which byte, text []byte) {
		if which < 240 && refused(int(which)%len(names), text) {
			return
		}
		name := filepath.Join(d.Path(), names[int(which)%len(names)])
		if err := os.Rename(name, aside); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
		wrong := Verify(d.Path())
		again, err := Open(d.Path())
		if err != nil && wrong == nil {
			t.Errorf("nothing is wrong, and it cannot be opened: %v", err)
		}
		if err == nil {
			if _, err := again.Status(); err != nil && wrong == nil {
				t.Errorf("nothing is wrong, and it has no status: %v", err)
			}
		}
		if err := os.Rename(aside, name); err != nil {
			t.Fatal(err)
		}
	})
}

// refused reports whether one of FuzzStudy's files is nothing in itself.
func refused(which int, text []byte) bool {
	var err error
	switch which {
	case 0:
		_, err = Parse(StudyFile, text)
	case 1:
		_, err = parseTrials(TrialsFile, text)
	case 2:
		_, err = parseAttempt(text)
	case 3:
		_, err = run.ParseConfig(run.ConfigFile, text)
	default:
		return !json.Valid(text) // its settings are not at hand
	}
	return err != nil
}
