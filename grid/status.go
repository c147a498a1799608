package grid

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"betalasso/run"
)

// State is where a point stands.
type State string

// The states of a point, in the order in which tables show them.
const (
	StatePlanned     State = "planned"     // not begun
	StateRunning     State = "running"     // a worker is at it
	StateInterrupted State = "interrupted" // begun; any worker may go on
	StateFailed      State = "failed"      // not tried again until Reopen
	StateDone        State = "done"
)

// States are all of them.
var States = []State{StatePlanned, StateRunning, StateInterrupted, StateFailed, StateDone}

// Open says whether a worker may take a point of that state.
func (s State) Open() bool { return s == StatePlanned || s == StateInterrupted }

// futile is the number of attempts in a row that end without a word at the
// same place before a point counts as failed: its process was killed each time,
// for the memory that it takes perhaps.
const futile = 3

// Status is where a point stands, and why.
type Status struct {
	Point
	State    State       `json:"state"`
	Attempts int         `json:"attempts"`
	Last     Attempt     `json:"last_attempt"`
	Reached  Place       `json:"reached"`
	Result   *run.Result `json:"result,omitempty"` // of a point that is done
}

// Status is where every point stands, by index. Whether another machine's
// worker is still there it judges by that machine's clock, and Acquire does not.
func (d *Dir) Status() ([]Status, error) {
	if err := d.refresh(); err != nil {
		return nil, err
	}
	counts, err := d.counts()
	if err != nil {
		return nil, err
	}
	begun, err := d.begun()
	if err != nil {
		return nil, err
	}
	var list []Status
	for _, p := range d.Points() {
		s := Status{Point: p, Attempts: counts[p.ID]}
		if err := d.judge(&s, begun[p.ID]); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// begun are the points that have a run directory.
func (d *Dir) begun() (map[string]bool, error) {
	names, err := os.ReadDir(filepath.Join(d.path, RunsDir))
	if err != nil {
		return nil, err
	}
	begun := map[string]bool{}
	for _, e := range names {
		begun[e.Name()] = true
	}
	return begun, nil
}

// judge fills in the state of a point.
func (d *Dir) judge(s *Status, begun bool) error {
	var err error
	if s.Attempts > 0 {
		if s.Last, err = d.attempt(s.ID, s.Attempts); err != nil {
			return err
		}
		s.Reached = s.Last.Reached
	}
	if begun {
		if s.Result, err = d.result(s.ID); err != nil { // it must not hide the others
			s.State, s.Last.Code, s.Last.Why = StateFailed, CodeNoRetry, err.Error()
			return nil
		}
	}
	switch {
	case s.Result != nil:
		s.State = StateDone
		s.Reached = Place{Epoch: s.Config.Epochs}
	case s.Last.Outcome == Failed:
		s.State = StateFailed
	case s.Attempts > 0 && s.Last.Outcome == Unended && !processGone(s.Last) && time.Since(s.Last.Beat) < d.patience:
		s.State = StateRunning
	case s.Attempts > 0 && s.Last.Outcome == Unended && d.isFutile(s.ID, s.Attempts):
		s.State = StateFailed
		s.Last.Code = CodeNoRetry
		s.Last.Why = "its process ended without a word, again and again at " + s.Last.From.String()
	case s.Attempts == 0 && !begun || s.Attempts > 0 && d.Place(s.ID) == (Place{}) && (s.Last.Outcome == Reopened || s.Last.Outcome == Done):
		s.State = StatePlanned
	default:
		s.State = StateInterrupted
	}
	return nil
}

// isFutile says whether the last attempts at a point died without progress.
func (d *Dir) isFutile(id string, attempts int) bool {
	if attempts < futile {
		return false
	}
	place := d.Place(id)
	for n := attempts; n > attempts-futile; n-- {
		a, err := d.attempt(id, n)
		if err != nil || a.Outcome != Unended || a.From != place {
			return false
		}
	}
	return true
}

// result is the result of a run, or nil where it has none.
func (d *Dir) result(id string) (*run.Result, error) {
	d.mu.Lock()
	r, ok := d.known.results[id]
	d.mu.Unlock()
	if ok {
		return &r, nil
	}
	r, err := run.ReadResult(d.RunPath(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known.results == nil {
		d.known.results = map[string]run.Result{}
	}
	d.known.results[id] = r
	return &r, nil
}

// Counts is how many points are in each state.
func Counts(list []Status) map[State]int {
	counts := map[State]int{}
	for _, s := range list {
		counts[s.State]++
	}
	return counts
}

// Stopped is ErrStopped where the study's failure policy says so.
func (d *Dir) Stopped(list []Status) error {
	if n := inARow(list); d.study.StopAfter > 0 && n >= d.study.StopAfter {
		return fmt.Errorf("%w: %d, and the study says to stop after %d; `betalasso sweep retry %s` tries them again", ErrStopped, n, d.study.StopAfter, d.path)
	}
	return nil
}

// inARow is the number of attempts that failed since the last one that did not,
// in the order in which they ended. Interruptions are neither.
func inARow(list []Status) int {
	var ended []Status
	for _, s := range list {
		if s.State == StateDone || s.State == StateFailed || s.Last.Outcome == Reopened {
			ended = append(ended, s)
		}
	}
	slices.SortStableFunc(ended, func(a, b Status) int { return a.Last.Ended.Compare(b.Last.Ended) })
	n := 0
	for _, s := range ended {
		if n++; s.State != StateFailed {
			n = 0
		}
	}
	return n
}
