package sweep

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"betalasso/run"
)

// Ended reports whether no worker takes a trial of that state, unless Reopen lets
// one.
func Ended(s run.Status) bool { return s == run.Done || s == run.Failed || s == run.Broken }

// futile is the number of consecutive attempts that end unrecorded at the same
// place before a trial counts as failed: its process was killed each time,
// perhaps for its memory.
const futile = 3

// Status is the status of a trial, and the reason.
type Status struct {
	Trial
	State    run.Status  `json:"state"`
	Attempts int         `json:"attempts"`
	Last     Attempt     `json:"last_attempt"`
	Epoch    int         `json:"epoch"`            // epochs done; a run writes them down more often than it saves its weights
	Result   *run.Result `json:"result,omitempty"` // of a trial that is done
}

// Status is the status of every trial, by index. Whether another machine's worker
// is alive is judged here by that machine's clock, which Acquire does not do.
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
	for _, p := range d.Trials() {
		s := Status{Trial: p, Attempts: counts[p.ID]}
		d.judge(&s, begun[p.ID])
		list = append(list, s)
	}
	return list, nil
}

// begun are the trials that have a run directory.
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

// judge fills in the state of a trial. The lease, not the run's directory, says
// whether a worker holds it: a worker holds a trial before it makes the
// directory.
func (d *Dir) judge(s *Status, begun bool) {
	if s.Attempts > 0 {
		var err error
		if s.Last, err = d.attempt(s.ID, s.Attempts); err != nil {
			s.State, s.Last.Why = run.Broken, err.Error()
			return
		}
	}
	var seen run.Snapshot
	if begun {
		seen = d.look(s.ID)
	}
	s.Result, s.Epoch = seen.Result, seen.Epoch
	switch {
	case s.Result != nil:
		s.State = run.Done
	case s.Last.Outcome == Failed:
		s.State = run.Failed
	case seen.State == run.Broken && s.Last.Outcome != Reopened && s.Last.Outcome != Unended:
		s.State, s.Last.Why, s.Last.Code = run.Broken, seen.Note, CodeFailed
	case s.Attempts > 0 && s.Last.Outcome == Unended && !processGone(s.Last) && time.Since(s.Last.Beat) < d.patience:
		s.State = run.Running
	case s.Attempts > 0 && s.Last.Outcome == Unended && d.isFutile(s.ID, s.Attempts):
		s.State = run.Failed
		s.Last.Code = CodeNoRetry
		s.Last.Why = "its process ended without a word, again and again at " + s.Last.From.String()
	case s.Attempts == 0 && !begun || s.Attempts > 0 && d.Place(s.ID) == (Place{}) && (s.Last.Outcome == Reopened || s.Last.Outcome == Done):
		s.State = run.Planned
	default:
		s.State = run.Interrupted
	}
}

// isFutile reports whether the last attempts at a trial died without progress.
func (d *Dir) isFutile(id string, attempts int) bool {
	if attempts < futile {
		return false
	}
	place := d.Place(id)
	for n := attempts; n > attempts-futile; n-- {
		a, err := d.attempt(id, n)
		if err != nil || a.Outcome != Unended || a.From != place || a.Began.IsZero() { // one without a beginning was not written
			return false
		}
	}
	return true
}

// look reads the run directory of a trial. That of a finished run is read once.
func (d *Dir) look(id string) run.Snapshot {
	d.mu.Lock()
	before := d.known.runs[id]
	d.mu.Unlock()
	if before.Result != nil {
		return before
	}
	before.Dir = d.RunPath(id)
	root, err := os.OpenRoot(before.Dir)
	if err != nil {
		return run.Look(before.Dir)
	}
	defer root.Close()
	s, there := run.LookAgain(root, before)
	if !there { // its worker is about to make it
		return run.Snapshot{}
	}
	if of := s.Config.ID(); s.State != run.Broken && of != id {
		s = run.Snapshot{Dir: s.Dir, State: run.Broken, Config: s.Config, Note: "its directory has another run, with the settings of " + of}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known.runs == nil {
		d.known.runs = map[string]run.Snapshot{}
	}
	d.known.runs[id] = s
	return s
}

// Counts is how many trials are in each state.
func Counts(list []Status) map[run.Status]int {
	counts := map[run.Status]int{}
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
		if Ended(s.State) || s.Last.Outcome == Reopened {
			ended = append(ended, s)
		}
	}
	at := func(a Attempt) time.Time {
		if a.Ended.IsZero() { // its process was killed
			return a.Beat
		}
		return a.Ended
	}
	slices.SortStableFunc(ended, func(a, b Status) int { return at(a.Last).Compare(at(b.Last)) })
	n := 0
	for _, s := range ended {
		if n++; s.State == run.Done || s.Last.Outcome == Reopened {
			n = 0
		}
	}
	return n
}
