package run

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"betalasso/disk"
)

// Status is the status of a run. Lists, pages, reports and studies all use these
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

// Statuses are all statuses, in the order in which tables show them.
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

// Look reads the directory of a run. It follows no link, waits for no pipe, and
// accepts no file that is too large, or has content that no training with the
// run's settings can produce. All texts are safe to show.
func Look(dir string) Snapshot {
	s := Snapshot{Dir: dir, State: Broken}
	root, err := os.OpenRoot(dir)
	if err != nil {
		if s.Note = oneLine(err); errors.Is(err, fs.ErrNotExist) {
			s.Note = Printable(dir) + " is not the directory of a run: there is none"
		}
		return s
	}
	defer root.Close()
	s, there := LookAgain(root, s)
	if !there {
		s.Note = fmt.Sprintf("%s is not the directory of a run: it has no %s", Printable(dir), ConfigFile)
	}
	return s
}

// LookAgain reads the directory that root is, unless its files are as they were
// before, and then reports whether the run is running, which time changes too. Of
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

// look is a Snapshot in the making.
type look struct {
	root *os.Root
	Snapshot
}

// looked are the files that a Snapshot is made of, the config first.
var looked = []string{ConfigFile, EventsFile, StateFile, ResultFile, FailureFile, LockFile, FiltersFile}

// stamp looks at the files without reading them, and reports whether there is a
// config.
func (l *look) stamp() bool {
	var text []byte
	for _, name := range looked {
		info, err := l.root.Lstat(name)
		if err != nil && name == ConfigFile && errors.Is(err, fs.ErrNotExist) {
			return false
		}
		if err != nil {
			text = append(text, "- "...)
			continue
		}
		if !info.Mode().IsRegular() { // for read to say so
			text = fmt.Appendf(text, "%s ", info.Mode())
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
	if config == nil { // without settings there is nothing to hold it against
		l.Checkpoint = parsed(l, StateFile, ParseState)
	}
	if l.Checkpoint != nil {
		l.State, l.Epoch = Interrupted, l.Checkpoint.Epoch
	}
	if l.lastEvent(config == nil); l.Last != nil {
		l.State, l.Epoch = Interrupted, l.Last.Epoch
	}
	if text, ok := l.text(LockFile, maxText); ok {
		l.State, l.Lock = Interrupted, Printable(strings.TrimSpace(string(text)))
	}
	why, failed := l.text(FailureFile, maxText)
	before := len(l.Unread)
	if config == nil {
		l.Result = parsed(l, ResultFile, ParseResult)
	}
	result := l.Unread[before:]
	switch {
	case config != nil:
		l.State, l.Note = Broken, oneLine(config)
	case l.Result != nil:
		l.State, l.Epoch = Done, l.Result.Last.Epoch
	case len(result) > 0:
		l.State, l.Note = Broken, result[0]
	case failed:
		l.State, l.Note = Failed, cmp.Or(oneLine(errors.New(string(why))), "it does not say why")
	}
}

func (l *look) config() error {
	text, ok := l.text(ConfigFile, maxConfig)
	if !ok && len(l.Unread) == 0 { // it went since it was seen
		l.unread(fmt.Errorf("%s cannot be read: there is none", ConfigFile))
	}
	if !ok {
		return errors.New(l.Unread[0])
	}
	c, err := ParseConfig(ConfigFile, text)
	if err != nil {
		l.unread(err)
	}
	l.Config = c
	return err
}

// text reads a plain file of at most most bytes. It is not there, or in
// Unread, where ok is false.
func (l *look) text(name string, most int64) (text []byte, ok bool) {
	text, err := disk.ReadFileIn(l.root, name, most)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	if err != nil {
		l.unread(fmt.Errorf("%s cannot be read: %w", name, err))
	}
	return text, err == nil
}

// parsed is what parse makes of a small file and the run's settings; nil where it
// is not there, or in Unread.
func parsed[T any](l *look, name string, parse func([]byte, Config) (T, error)) *T {
	text, ok := l.text(name, maxJSON)
	if !ok {
		return nil
	}
	v, err := parse(text, l.Config)
	if err != nil {
		l.unread(fmt.Errorf("%s cannot be read: %w", name, err))
		return nil
	}
	return &v
}

// lastEvent reads the last whole line of the events; known says that there are
// settings to hold it against.
func (l *look) lastEvent(known bool) {
	some := false
	for _, length := range []int64{usualEnd, largestEnd} {
		text, all, err := l.end(EventsFile, length)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				l.unread(fmt.Errorf("%s cannot be read: %w", EventsFile, err))
			}
			return
		}
		lines := bytes.Split(text, []byte("\n"))
		for i := len(lines) - 2; i >= 0; i-- { // what follows the last newline is being written
			e, err := ParseEvent(lines[i])
			if err != nil {
				continue
			}
			if known && e.Epoch > l.Config.Epochs {
				l.unread(fmt.Errorf("%s ends at epoch %d, and the settings have %d", EventsFile, e.Epoch, l.Config.Epochs))
				return
			}
			l.Last = &e
			return
		}
		if some = some || len(lines) > 1; all {
			break
		}
	}
	if some {
		l.unread(fmt.Errorf("%s ends in no event", EventsFile))
	}
}

// The end of a file of events that has two lines: of the deepest network, and where
// the returns of every step of many layers are recorded.
const (
	usualEnd   = 16 << 10
	largestEnd = 2 << 20
)

// end reads the end of a file, and reports whether it is all.
func (l *look) end(name string, length int64) (text []byte, all bool, err error) {
	f, err := disk.OpenIn(l.root, name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	text, err = io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-length), length))
	return text, info.Size() <= length, err
}

func (l *look) unread(err error) { l.Unread = append(l.Unread, oneLine(err)) }

// oneLine is the first line of what an error says, as it may be shown, and the
// next ones where they are short problems of a config.
func oneLine(err error) string {
	var p Problems
	if errors.As(err, &p) {
		return Printable(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return Printable(line)
}

// settle reports whether a run that has begun and not ended is running.
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

// Nonzero is the number of weights that are not zero after the last epoch; 0 where
// nothing tells.
func (s Snapshot) Nonzero() (n int) {
	switch {
	case s.Last != nil:
		for _, k := range s.Last.Nonzero {
			n += k
		}
	case s.Result != nil: // imported, say
		for _, l := range s.Result.Layers {
			n += l.Nonzero
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
