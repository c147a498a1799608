package watch

import (
	"encoding/json"
	"io"
	"io/fs"
	"strings"
	"time"

	"betalasso/run"
)

// The states of a run.
const (
	running     = "running"
	done        = "done"
	failed      = "failed"
	interrupted = "interrupted" // nobody writes to it, and it has not ended
)

// row is what the table says of a run.
type row struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	State   string     `json:"state"`
	Note    string     `json:"note,omitempty"` // why it failed, or what of it cannot be read
	Epoch   int        `json:"epoch"`
	Left    float64    `json:"left,omitempty"` // seconds, of one that is running
	Val     float64    `json:"val"`            // after the last epoch, 0 to 1
	Best    float64    `json:"best"`           // the highest validation accuracy
	Test    *float64   `json:"test,omitempty"` // after the last epoch, of one that is done
	Nonzero int        `json:"nonzero"`
	Seconds float64    `json:"seconds"` // of training
	Updated int64      `json:"updated"` // Unix time of the last event
	Config  run.Config `json:"config"`
}

// entry is a run under watch: its row, and by what to tell that it changed.
type entry struct {
	place  place
	row    row
	files  [len(watched)]stamp
	seen   bool
	pace   float64 // seconds an epoch
	holder string  // the lock file's text
}

// watched are the files that a row is made of.
var watched = [...]string{run.ConfigFile, run.EventsFile, run.StateFile, run.ResultFile, run.FailureFile, run.LockFile}

// stamp tells a file from what it was.
type stamp struct {
	size    int64
	changed time.Time
}

// refresh reads anew what has changed. It says whether the row has, and whether
// the run is still there.
func (e *entry) refresh(now time.Time) (changed, there bool) {
	files, there := e.stamps()
	if !there {
		return false, false
	}
	before := e.row
	if !e.seen || files != e.files {
		e.read(files)
	}
	if e.row.State == running || e.row.State == interrupted {
		e.row.State = interrupted
		if e.alive(now) {
			e.row.State = running
		}
	}
	e.row.Left = 0
	if e.row.State == running {
		e.row.Left = e.pace * float64(max(0, e.row.Config.Epochs-e.row.Epoch))
	}
	changed = !e.seen || before != e.row
	e.seen = true
	return changed, true
}

// stamps looks at the watched files; there is that the run has its config.
func (e *entry) stamps() (files [len(watched)]stamp, there bool) {
	dir, err := e.place.folder.root.OpenRoot(e.place.path) // once, not for each file
	if err != nil {
		return files, false
	}
	defer dir.Close()
	for i, name := range watched {
		if info, err := dir.Stat(name); err == nil && info.Mode().IsRegular() {
			files[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return files, !files[0].changed.IsZero()
}

// read makes the row from the files.
func (e *entry) read(files [len(watched)]stamp) {
	r := row{ID: e.row.ID, Name: e.row.Name, State: interrupted, Config: e.row.Config, Updated: files[0].changed.Unix()}
	if !e.seen || files[0] != e.files[0] {
		r.Config = run.Config{}
		text, err := e.place.read(run.ConfigFile)
		if err == nil {
			r.Config, err = run.ParseConfig(run.ConfigFile, text)
		}
		if err != nil {
			r.State, r.Note = failed, "its "+run.ConfigFile+" cannot be read"
		}
	}
	var s run.State
	if text, err := e.place.read(run.StateFile); err == nil && json.Unmarshal(text, &s) == nil {
		r.Epoch, r.Val, r.Best, r.Seconds = s.Epoch, s.LastValAcc, s.BestValAcc, s.WallSeconds
	}
	e.pace = 0
	if s.Epoch > 0 {
		e.pace = s.WallSeconds / float64(s.Epoch)
	}
	if last, err := e.lastEvent(); err == nil {
		r.Epoch, r.Val, r.Best = last.Epoch, last.ValAcc, max(r.Best, last.ValAcc)
		r.Updated = files[1].changed.Unix()
		for _, n := range last.Nonzero {
			r.Nonzero += n
		}
		if e.pace == 0 {
			e.pace = last.Seconds
		}
	}
	if text, err := e.place.read(run.ResultFile); err == nil && r.State != failed {
		result, err := run.ParseResult(text, r.Config)
		if err != nil {
			r.State, r.Note = failed, "its "+run.ResultFile+" cannot be used: "+err.Error()
			e.row, e.files = r, files
			return
		}
		r.State, r.Val, r.Seconds = done, result.Last.ValAcc, result.WallSeconds
		r.Test, r.Best = &result.Last.TestAcc, result.Best.ValAcc
	} else if text, err := e.place.read(run.FailureFile); err == nil {
		r.State, r.Note = failed, run.PrintableLines(strings.TrimSpace(string(text)))
	}
	if text, err := e.place.read(run.LockFile); err == nil {
		e.holder = strings.TrimSpace(string(text))
	}
	e.row, e.files = r, files
}

// lastEvent reads the last whole line of the events.
func (e *entry) lastEvent() (run.Event, error) {
	var last run.Event
	f, err := e.place.open(run.EventsFile)
	if err != nil {
		return last, err
	}
	defer f.Close()
	const enough = 16 << 10 // for two lines of the deepest network
	if end, err := f.Seek(0, io.SeekEnd); err != nil {
		return last, err
	} else if _, err := f.Seek(max(0, end-enough), io.SeekStart); err != nil {
		return last, err
	}
	text, err := io.ReadAll(io.LimitReader(f, enough))
	if err != nil {
		return last, err
	}
	lines := strings.Split(string(text), "\n")
	for i := len(lines) - 2; i >= 0; i-- { // what follows the last newline is being written
		if json.Unmarshal([]byte(lines[i]), &last) == nil {
			return last, nil
		}
	}
	return last, fs.ErrNotExist
}

// alive says whether a process writes to the run.
func (e *entry) alive(now time.Time) bool {
	var latest time.Time
	for _, f := range e.files {
		if f.changed.After(latest) {
			latest = f.changed
		}
	}
	return run.Alive(e.holder, latest, now, time.Duration(e.pace*float64(time.Second)))
}
