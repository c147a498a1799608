package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"testing"
)

// FuzzConfig: a config is refused, or comes back as it went.
func FuzzConfig(f *testing.F) {
	f.Add("model: s-fc\nalpha: 1\nlr: 1e-5\n")
	f.Add("{model: 3-fc, width: 5, seed: 18446744073709551615, imported: \"a\\e\"}")
	f.Add("a: &a [*a]\nlr: .nan\n")
	f.Add("- - -\n? x\n<<: !!x |\n  y\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConfig("x", []byte(text))
		if err != nil {
			if c != (Config{}) {
				t.Errorf("%v, and a config: %+v", err, c)
			}
			return
		}
		if _, err := json.Marshal(c); err != nil {
			t.Errorf("a config that cannot be sent to a page: %v", err)
		}
	})
}

// FuzzEvent: a line is refused, or can be written and read again.
func FuzzEvent(f *testing.F) {
	f.Add(`{"epoch":1,"step":2,"lr":0.1,"train_loss":2.5,"val_acc":0.5,"nonzero":{"fc1":5},"seconds":1}`)
	f.Add(`null`)
	f.Add(`{"epoch":1e99,"nonzero":{"\u001b":1}}{}`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseEvent([]byte(text))
		if err != nil {
			return
		}
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseEvent(line); err != nil || !reflect.DeepEqual(again, e) && len(e.Nonzero) > 0 {
			t.Errorf("got %+v, %v, want %+v", again, err, e)
		}
	})
}

// FuzzStateAndResult: the small JSON files.
func FuzzStateAndResult(f *testing.F) {
	f.Add(`{"epoch":1,"step":2,"loss_sum":3.5,"seen":5,"settings":"95530accd9e6"}`)
	f.Add(`{"last":{"epoch":100,"test_acc":0.5},"seed":9223372036854775813,"layers":[{"name":"fc1","params":5,"nonzero":5}],"files":{"settings":"95530accd9e6"}}`)
	f.Add(`null`)
	f.Add(`{"step":-1}`)
	f.Fuzz(func(t *testing.T, text string) {
		c := someConfig()
		if s, err := ParseState([]byte(text), c); err == nil && (s.Epoch > c.Epochs || s.Step < 0 || !(s.WallSeconds >= 0)) {
			t.Errorf("got %+v", s)
		}
		if r, err := ParseResult([]byte(text), c); err == nil && (r.Last.Epoch != c.Epochs || r.Seed != c.Seed || !(r.Last.TestAcc <= 1)) {
			t.Errorf("got %+v", r)
		}
	})
}

// FuzzVerify: whatever stands in the files of a run, Verify and the readers end,
// and what Verify finds nothing wrong with, they can read.
//
// What the reader of that one file refuses already, without a disk, is left to its
// own target, but where which is high: most of what is tried is such, and a whole
// run takes fifty times as long.
//
// A file is put aside and made anew, never cut and written again: ext4 waits for
// the disk then.
func FuzzVerify(f *testing.F) {
	debug.SetGCPercent(1000) // a run takes less than the smallest heap
	whole := finished(f, 1)
	path := whole.Path()
	aside := filepath.Join(f.TempDir(), "aside")
	names := []string{EventsFile, ResultFile, WeightsFile, BestFile, StateFile, TimesFile, ConfigFile, FiltersAt(0), FiltersFile, LockFile, FailureFile}
	for i, name := range names {
		text, err := os.ReadFile(whole.File(name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.Fatal(err)
		}
		f.Add(byte(i), text)
		f.Add(byte(i), text[:len(text)/2])
		if name == WeightsFile {
			f.Add(byte(i), []byte(read(f, published(f).File(name))))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, text []byte) {
		name := names[int(which)%len(names)]
		if which < 240 && refused(name, text, whole.Config()) {
			return
		}
		name = filepath.Join(path, name)
		had := os.Rename(name, aside) == nil
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
		wrong := Verify(path)
		if err := readAll(path); wrong == nil && err != nil {
			t.Errorf("nothing is wrong, and it cannot be read: %v", err)
		}
		if s := Look(path); wrong == nil && s.State != Done && s.State != Failed {
			t.Errorf("nothing is wrong, and it is shown as %s: %s", s.State, s.Note)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if had {
			if err := os.Rename(aside, name); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// refused reports whether the file of that name is nothing in itself, in a run
// with the settings c.
func refused(name string, text []byte, c Config) bool {
	var err error
	switch name {
	case ConfigFile:
		_, err = ParseConfig(name, text)
	case EventsFile:
		line, _, _ := bytes.Cut(text, []byte("\n"))
		_, err = ParseEvent(line)
	case ResultFile:
		_, err = ParseResult(text, c)
	case StateFile:
		_, err = ParseState(text, c)
	case WeightsFile, BestFile, FiltersFile, FiltersAt(0):
		_, _, err = DecodeTensors(bytes.NewReader(text), int64(len(text)))
	}
	return err != nil
}
