package run

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Status is where a run stands. Lists, pages, reports and studies all use these
// words.
type Status string

const (
	Planned     Status = "planned"     // it has settings, and nothing has begun
	Running     Status = "running"     // a process writes to it
	Interrupted Status = "interrupted" // begun, and nobody writes to it
	Failed      Status = "failed"      // its last attempt said why it ended early
	Broken      Status = "broken"      // its settings or its result are there and cannot be read
	Done        Status = "done"        // it has its result
)

// Statuses are all of them, in the order in which tables show them.
var Statuses = []Status{Planned, Running, Interrupted, Failed, Broken, Done}

// Snapshot is what a run's directory says at one moment, but for its tensors
// and its events before the last. What is missing is zero. What is there and
// cannot be read is named in Unread; nothing of it is an error, so that a list
// of runs is never lost to one of them.
type Snapshot struct {
	Dir        string    `json:"dir"`
	State      Status    `json:"state"`
	Note       string    `json:"note,omitempty"` // why it failed or is broken, in one line
	Config     Config    `json:"config"`
	Epoch      int       `json:"epoch"` // epochs done
	Last       *Event    `json:"last,omitempty"`
	Result     *Result   `json:"result,omitempty"` // of a run that is done
	Checkpoint *State    `json:"checkpoint,omitempty"`
	Updated    time.Time `json:"updated"`           // when one of its files last changed
	Recorded   time.Time `json:"recorded,omitzero"` // when its events last changed
	Lock       string    `json:"lock,omitempty"`    // who writes to it, or wrote last
	Filters    bool      `json:"filters"`           // the pictures of its end are there
	Unread     []string  `json:"unread,omitempty"`  // a line for each file that cannot be read
	Stamp      string    `json:"stamp"`             // sizes and times of its files: another one, another Snapshot
}

// Look reads the directory of a run.
func Look(dir string) Snapshot {
	s := Snapshot{Dir: dir, State: Broken}
	root, err := os.OpenRoot(dir)
	if err != nil {
		if s.Note = oneLine(err); errors.Is(err, fs.ErrNotExist) {
			s.Note = dir + " is not the directory of a run: there is none"
		}
		return s
	}
	defer root.Close()
	s, there := LookAgain(root, s)
	if !there {
		s.Note = fmt.Sprintf("%s is not the directory of a run: it has no %s", dir, ConfigFile)
	}
	return s
}

// LookAgain reads the directory that root is, unless its files are as they were
// before, and then says whether the run is running, which time changes too. Of
// before it needs the Dir, and the rest if there was any. There is no run where
// there is no config.
func LookAgain(root *os.Root, before Snapshot) (s Snapshot, there bool) {
	l := look{root: root, Snapshot: Snapshot{Dir: before.Dir}}
	if !l.stamp() {
		return before, false
	}
	if s = before; before.Stamp != l.Stamp {
		l.read()
		s = l.Snapshot
	}
	s.settle(time.Now())
	return s, true
}

// look is a Snapshot that is being taken.
type look struct {
	root *os.Root
	Snapshot
}

// looked are the files that a Snapshot is made of, the config first.
var looked = []string{ConfigFile, EventsFile, StateFile, ResultFile, FailureFile, LockFile, FiltersFile}

// stamp looks at the files without reading them, and says whether there is a
// config.
func (l *look) stamp() bool {
	var text []byte
	for _, name := range looked {
		info, err := l.root.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			if name == ConfigFile {
				return false
			}
			text = append(text, "- "...)
			continue
		}
		text = fmt.Appendf(text, "%d/%d ", info.ModTime().UnixNano(), info.Size())
		if info.ModTime().After(l.Updated) {
			l.Updated = info.ModTime()
		}
		switch name {
		case EventsFile:
			l.Recorded = info.ModTime()
		case FiltersFile:
			l.Filters = true
		}
	}
	l.Stamp = string(text)
	return true
}

// read reads the files and judges what they say.
func (l *look) read() {
	l.State = Planned
	config := l.config()
	if l.json(StateFile, &l.Checkpoint) {
		l.State, l.Epoch = Interrupted, l.Checkpoint.Epoch
	}
	if l.lastEvent(); l.Last != nil {
		l.State, l.Epoch = Interrupted, l.Last.Epoch
	}
	if text, ok := l.text(LockFile); ok {
		l.State, l.Lock = Interrupted, strings.TrimSpace(string(text))
	}
	why, failed := l.text(FailureFile)
	before := len(l.Unread)
	done := l.json(ResultFile, &l.Result)
	result := l.Unread[before:]
	switch {
	case config != nil:
		l.State, l.Note, l.Result = Broken, oneLine(config), nil
	case done:
		l.State, l.Epoch = Done, l.Result.Last.Epoch
	case len(result) > 0:
		l.State, l.Note = Broken, result[0]
	case failed:
		l.State, l.Note = Failed, cmp.Or(oneLine(errors.New(string(why))), "it does not say why")
	}
}

func (l *look) config() error {
	text, ok := l.text(ConfigFile)
	if !ok {
		return errors.New(l.Unread[0])
	}
	c, err := ParseConfig(ConfigFile, text)
	if err == nil {
		l.Config = c
		if err = c.Validate(); err != nil {
			err = fmt.Errorf("%s: %w", ConfigFile, err)
		}
	}
	if err != nil {
		l.unread(err)
	}
	return err
}

// mostText is how large a file may be that is read whole, in bytes.
const mostText = 4 << 20

// text reads a small file. It is not there, or in Unread, where ok is false.
func (l *look) text(name string) (text []byte, ok bool) {
	info, err := l.root.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	switch {
	case err != nil:
	case !info.Mode().IsRegular(): // a pipe would wait for its writer
		err = errors.New("it is not a file")
	case info.Size() > mostText:
		err = fmt.Errorf("it is too large: %d bytes", info.Size())
	default:
		text, err = l.root.ReadFile(name)
	}
	if err != nil {
		l.unread(fmt.Errorf("%s cannot be read: %w", name, err))
	}
	return text, err == nil
}

// json reads a small file into the value that v, a pointer to a pointer, is to
// point at; that stays nil where ok is false.
func (l *look) json(name string, v any) (ok bool) {
	text, ok := l.text(name)
	if !ok {
		return false
	}
	if err := json.Unmarshal(text, v); err != nil {
		l.unread(fmt.Errorf("%s cannot be read: %w", name, err))
		switch v := v.(type) { // what was decoded before the error does not hold
		case **State:
			*v = nil
		case **Result:
			*v = nil
		}
		return false
	}
	return true
}

// lastEvent reads the last whole line of the events.
func (l *look) lastEvent() {
	info, err := l.root.Stat(EventsFile)
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	f, err := l.root.Open(EventsFile)
	if err != nil {
		l.unread(fmt.Errorf("%s cannot be read: %w", EventsFile, err))
		return
	}
	defer f.Close()
	const enough = 16 << 10 // for two lines of the deepest network
	text, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-enough), enough))
	if err != nil {
		l.unread(fmt.Errorf("%s cannot be read: %w", EventsFile, err))
		return
	}
	lines := bytes.Split(text, []byte("\n"))
	for i := len(lines) - 2; i >= 0; i-- { // what follows the last newline is being written
		var e Event
		if json.Unmarshal(lines[i], &e) == nil {
			l.Last = &e
			return
		}
	}
	if len(lines) > 1 {
		l.unread(fmt.Errorf("%s ends in no event", EventsFile))
	}
}

func (l *look) unread(err error) { l.Unread = append(l.Unread, oneLine(err)) }

// oneLine is the first line of what an error says, and the next ones where they
// are short problems of a config.
func oneLine(err error) string {
	var p Problems
	if errors.As(err, &p) {
		return strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return line
}

// settle says whether a run that has begun and not ended is running.
func (s *Snapshot) settle(now time.Time) {
	if s.State != Interrupted && s.State != Running {
		return
	}
	s.State = Interrupted
	if Alive(s.Lock, s.Updated, now, s.Pace()) {
		s.State = Running
	}
}

// Pace is the time that an epoch takes, 0 before the first has ended.
func (s Snapshot) Pace() time.Duration {
	seconds := 0.0
	if c := s.Checkpoint; c != nil && c.Epoch > 0 {
		seconds = c.WallSeconds / float64(c.Epoch)
	} else if s.Last != nil {
		seconds = s.Last.Seconds
	}
	return time.Duration(seconds * float64(time.Second))
}

// Nonzero is the number of weights that are not zero after the last epoch.
func (s Snapshot) Nonzero() (n int) {
	if s.Last != nil {
		for _, k := range s.Last.Nonzero {
			n += k
		}
	}
	return n
}

// Val is the validation accuracy after the last epoch; ok is false where no
// examples were held out, or nothing was measured yet.
func (s Snapshot) Val() (acc float64, ok bool) {
	switch {
	case s.Config.Val == 0:
		return 0, false
	case s.Result != nil:
		return s.Result.Last.ValAcc, true
	case s.Last != nil:
		return s.Last.ValAcc, true
	}
	return 0, false
}

// Best is the highest validation accuracy so far, as Val has it.
func (s Snapshot) Best() (acc float64, ok bool) {
	acc, ok = s.Val()
	switch {
	case !ok:
	case s.Result != nil:
		acc = s.Result.Best.ValAcc
	case s.Checkpoint != nil:
		acc = max(acc, s.Checkpoint.BestValAcc)
	}
	return acc, ok
}

// Test is the test accuracy after the last epoch; ok is false for a run that is
// not done.
func (s Snapshot) Test() (acc float64, ok bool) {
	if s.Result == nil {
		return 0, false
	}
	return s.Result.Last.TestAcc, true
}

// Why says why there is no result: interrupted after epoch 3 of 10. It is "" for
// a run that is done.
func (s Snapshot) Why() string {
	text := "not begun"
	switch s.State {
	case Done:
		return ""
	case Broken:
		return s.Note
	case Failed, Interrupted, Running:
		text = fmt.Sprintf("%s after epoch %d of %d", s.State, s.Epoch, s.Config.Epochs)
	}
	if s.Note != "" {
		text += ": " + s.Note
	}
	return text
}
