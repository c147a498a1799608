package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"betalasso/run"
)

// event is one of epoch e, as a line.
func event(t testing.TB, e int) []byte {
	t.Helper()
	what := run.Event{
		Epoch: e, TrainLoss: 2 / float64(e+1), TrainAcc: 0.5, ValLoss: 2.5 / float64(e+1), ValAcc: 0.4,
		Nonzero: map[string]int{"conv1": 100000 / (e + 100), "fc1": 50}, Seconds: 1,
	}
	if e > 0 { // no step is taken before epoch 1
		what.StepMS, what.MACs, what.DenseMACs = 12.5, 1e9, 4e9
	}
	line, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	return append(line, '\n')
}

func appendTo(t testing.TB, path string, text []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		t.Fatal(err)
	}
}

// makeRun makes the directory of a run with events of the given epochs beside
// epoch 0.
func makeRun(t testing.TB, path string, epochs int) {
	t.Helper()
	c := run.Default()
	c.Model, c.Alpha, c.Data, c.Epochs = "s-fc", 1, "digits", max(100, epochs)
	d, err := run.Create(path, c)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var text []byte
	for e := range epochs + 1 {
		text = append(text, event(t, e)...)
	}
	appendTo(t, filepath.Join(path, run.EventsFile), text)
}

// newTail follows the events of the run in a folder.
func newTail(t *testing.T, path string) *tail {
	t.Helper()
	f, err := openFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.root.Close() })
	return &tail{place: place{f, "."}}
}

// follow reads what is new, as epochs.
func follow(t *testing.T, f *tail) (epochs []int, again bool) {
	t.Helper()
	for more := true; more; {
		events, anew, left, err := f.next()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			epochs = append(epochs, e.Epoch)
		}
		again, more = again || anew, left
	}
	return epochs, again
}

func TestTail(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, run.EventsFile)
	f := newTail(t, dir)
	if _, _, _, err := f.next(); !os.IsNotExist(err) {
		t.Errorf("no file: got %v", err)
	}
	now := time.Now()
	write := func(text []byte) { // a coarse clock must not hide a change
		t.Helper()
		if err := os.WriteFile(path+".tmp", text, 0o666); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Second)
		os.Chtimes(path+".tmp", now, now)
		if err := os.Rename(path+".tmp", path); err != nil {
			t.Fatal(err)
		}
	}
	zero, one, two := event(t, 0), event(t, 1), event(t, 2)
	other := append([]byte(`{"epoch":1,"seconds":77}`), '\n')
	all := func(parts ...[]byte) (text []byte) {
		for _, p := range parts {
			text = append(text, p...)
		}
		return text
	}
	for _, c := range []struct {
		rule  string
		text  []byte
		want  string
		again bool
	}{
		{"the beginning", zero, "[0]", false},
		{"a line under way waits", all(zero, one[:20]), "[]", false},
		{"until it is whole", all(zero, one), "[1]", false},
		{"a torn line in between is left out", all(zero, one, []byte("{\"epo\n"), two), "[2]", false},
		{"nothing new", all(zero, one, []byte("{\"epo\n"), two), "[]", false},
		{"a shorter file is another", all(zero, one), "[0 1]", true},
		{"so is one with another line in that place", all(zero, other, two), "[0 1 2]", true},
		{"the same lines in another file go on", all(zero, other, two, event(t, 3)), "[3]", false},
		{"an emptied file is another", nil, "[]", true},
		{"and begins anew", zero, "[0]", false},
	} {
		write(c.text)
		got, again := follow(t, f)
		if fmt.Sprint(got) != c.want || again != c.again {
			t.Errorf("%s: got %v, again %v, want %s, %v", c.rule, got, again, c.want, c.again)
		}
		if m := parseMark(f.mark.String()); m != f.mark {
			t.Errorf("%s: the mark %v came back as %v", c.rule, f.mark, m)
		}
	}
}

// A tail that has come to the end of 4,000 epochs reads the next one alone.
func TestTailReadsOnlyWhatIsNew(t *testing.T) {
	dir := t.TempDir()
	makeRun(t, filepath.Join(dir, "run"), 40000) // more than one chunk
	f := newTail(t, filepath.Join(dir, "run"))
	if got, _ := follow(t, f); len(got) != 40001 || got[40000] != 40000 {
		t.Fatalf("got %d events, want 40,001", len(got))
	}
	before := f.mark.offset
	appendTo(t, filepath.Join(dir, "run", run.EventsFile), event(t, 40001))
	resumed := &tail{place: f.place, mark: parseMark(f.mark.String())} // another connection
	for _, f := range []*tail{f, resumed} {
		if got, again := follow(t, f); fmt.Sprint(got) != "[40001]" || again {
			t.Errorf("got %v, again %v, want the new event alone", got, again)
		}
		if read := f.mark.offset - before; read != int64(len(event(t, 40001))) {
			t.Errorf("read %d bytes", read)
		}
	}
}

// TestTailTakesSomeEventsAtATime: a file of many short lines is read in parts, of
// which each is one message to a page.
func TestTailTakesSomeEventsAtATime(t *testing.T) {
	dir := t.TempDir()
	appendTo(t, filepath.Join(dir, run.EventsFile), bytes.Repeat([]byte("{}\n"), 2*maxEvents+1))
	f := newTail(t, dir)
	for i, want := range []int{maxEvents, maxEvents, 1, 0} {
		events, _, more, err := f.next()
		if err != nil || len(events) != want || more != (i < 2) {
			t.Errorf("read %d: got %d events, more %v, %v, want %d", i+1, len(events), more, err, want)
		}
	}
}

func TestParseMarkOfNonsense(t *testing.T) {
	for _, text := range []string{"", "1", "1.2.3.4", "-5.1.0", "5.6.0", "5.0.0", "9999999999999999999.1.0", "5.1.xyz", "1e3.1.0", "9000000.2000000.0"} {
		if got := parseMark(text); got != (mark{}) {
			t.Errorf("%q: got %v, want the beginning", text, got)
		}
	}
}
