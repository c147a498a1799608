package index

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"betalasso/run"
)

// The states of a run.
const (
	Planned     = "planned" // it has a config, and nothing has begun
	Running     = "running"
	Done        = "done"
	Failed      = "failed"
	Interrupted = "interrupted" // begun, and nobody writes to it
)

// States are all of them.
var States = []string{Planned, Running, Done, Failed, Interrupted}

// Row is what the index holds of a run.
type Row struct {
	Dir     string      `json:"dir"` // absolute
	State   string      `json:"state"`
	Note    string      `json:"note,omitempty"` // why it failed, or what of it cannot be read
	Config  run.Config  `json:"config"`
	Epoch   int         `json:"epoch"`            // epochs done
	Last    *run.Event  `json:"last,omitempty"`   // the last event
	Result  *run.Result `json:"result,omitempty"` // of a run that is done
	Updated time.Time   `json:"updated"`          // when one of its files last changed
	Lock    string      `json:"lock,omitempty"`   // the lock file's text: who writes, or wrote last
}

// Nonzero is the number of weights that are not zero after the last epoch.
func (r Row) Nonzero() (n int) {
	if r.Last != nil {
		for _, k := range r.Last.Nonzero {
			n += k
		}
	}
	return n
}

// watched are the files that a row is made of.
var watched = []string{run.ConfigFile, run.EventsFile, run.StateFile, run.ResultFile, run.FailureFile, run.LockFile}

// stamps is the size and time of each watched file, by which a change is told,
// and when the last of them changed. There is no run where stamp is empty.
func stamps(dir string) (stamp string, latest time.Time) {
	var text []byte
	for i, name := range watched {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || !info.Mode().IsRegular() {
			if i == 0 {
				return "", latest
			}
			text = append(text, "- "...)
			continue
		}
		text = fmt.Appendf(text, "%d/%d ", info.ModTime().UnixNano(), info.Size())
		if info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	return string(text), latest
}

// read makes the row from the files. The state of one that has begun and not
// ended is for settle.
func read(dir string, updated time.Time) Row {
	r := Row{Dir: dir, State: Planned, Updated: updated}
	d, err := run.Open(dir)
	if err != nil {
		r.State, r.Note = Failed, err.Error()
		return r
	}
	r.Config = d.Config()
	var s run.State
	if text, err := run.ReadFile(d.File(run.StateFile)); err == nil && json.Unmarshal(text, &s) == nil {
		r.State, r.Epoch = Interrupted, s.Epoch
	}
	if r.Last = lastEvent(d.File(run.EventsFile)); r.Last != nil {
		r.State, r.Epoch = Interrupted, r.Last.Epoch
	}
	if text, err := run.ReadFile(d.File(run.LockFile)); err == nil {
		r.Lock = strings.TrimSpace(string(text))
		r.State = Interrupted
	}
	result, err := d.Result()
	_, failure := os.Stat(d.File(run.FailureFile))
	switch {
	case err == nil:
		r.State, r.Result, r.Epoch = Done, &result, result.Last.Epoch
	case !os.IsNotExist(err):
		r.State, r.Note = Failed, err.Error()
	case failure == nil:
		r.State, r.Note = Failed, cmp.Or(d.Failure(), "it does not say why")
	}
	return r
}

// settle says whether a run that has begun and not ended is running, which time
// changes and no file.
func (r *Row) settle(now time.Time) {
	if r.State != Interrupted {
		return
	}
	var epoch time.Duration
	if r.Last != nil {
		epoch = time.Duration(r.Last.Seconds * float64(time.Second))
	}
	if run.Alive(r.Lock, r.Updated, now, epoch) {
		r.State = Running
	}
}

// lastEvent reads the last whole line of the events; nil where there is none.
func lastEvent(path string) *run.Event {
	f, err := run.OpenFile(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	const enough = 16 << 10 // for two lines of the deepest network
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.NewSectionReader(f, max(0, end-enough), enough))
	if err != nil {
		return nil
	}
	lines := bytes.Split(text, []byte("\n"))
	for i := len(lines) - 2; i >= 0; i-- { // what follows the last newline is being written
		var e run.Event
		if json.Unmarshal(lines[i], &e) == nil {
			return &e
		}
	}
	return nil
}
