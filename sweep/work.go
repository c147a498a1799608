package sweep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"betalasso/run"
)

// Worker trains the trials of a study.
type Worker struct {
	Dir   *Dir
	Notes io.Writer
	Title func(Trial) string // the line that announces a trial

	// Train trains the run in d to its end, from its last checkpoint if there
	// is one. Its code is the exit status that says how it went: 0 done, 75 or
	// 130 interrupted and saved, others failed. When ctx ends, it saves and
	// returns.
	Train func(ctx context.Context, p Trial, d *run.Dir) (code int, err error)

	busy map[string]time.Time // runs in use by a process that has no lease, until when to let them be

	// Lost is called, and must not return, when another worker has taken the
	// trial that Train is training: nothing more may be written.
	Lost func(p Trial)
}

// The exit statuses that an attempt's Code may have, beside 0: the contract
// between a worker and what started it.
const (
	CodeFailed      = 1   // what went wrong may go right another time
	CodeNoRetry     = 42  // it would go wrong again
	CodeSaved       = 75  // interrupted and saved
	CodeInterrupted = 130 // by Ctrl-C, and saved
)

// ErrStopped means that the study's failure policy ended it.
var ErrStopped = errors.New("too many failures in a row")

// pause is the time between two looks at a study whose open trials all have
// workers.
const pause = 2 * time.Second

// Drain trains the open trials, or those whose IDs are given, until none is left
// and no other worker holds one. If it ends before that, its code is the exit
// status that says why: an interruption's, or CodeNoRetry with ErrStopped; it is
// 0 with an error where the directory cannot be read or written. Which trials
// failed stands in the directory.
func (w *Worker) Drain(ctx context.Context, only ...string) (code int, err error) {
	for ctx.Err() == nil {
		list, err := w.Dir.Status()
		if err != nil {
			return 0, err
		}
		if err := w.Dir.Stopped(list); err != nil {
			return CodeNoRetry, err
		}
		list = Among(list, only)
		took, held := false, false
		for _, s := range list {
			if Ended(s.State) {
				continue
			}
			if time.Now().Before(w.busy[s.ID]) || s.Attempts > 0 && s.Last.Outcome == Unended && !w.Dir.over(s.ID, s.Last) {
				held = true
				continue
			}
			l, err := w.Dir.Acquire(s.ID)
			if err == nil {
				code, err = w.hold(ctx, s.Trial, l)
			} else if !errors.Is(err, ErrHeld) {
				return 0, err
			}
			if errors.Is(err, ErrHeld) {
				held = true
				continue
			}
			if code == CodeSaved || code == CodeInterrupted {
				return code, err
			}
			took = true // look again: the policy may say stop, others may be done
			break
		}
		if took {
			continue
		}
		if !held {
			added, err := w.Dir.Advance()
			if err != nil || added == 0 {
				return 0, err
			}
			without := ""
			if n := Counts(list)[run.Broken]; n > 0 {
				without = fmt.Sprintf(", without %d that cannot be read", n)
			}
			fmt.Fprintf(w.Notes, "the best by validation accuracy are chosen%s; %d trials more\n", without, added)
			if len(only) > 0 {
				fmt.Fprintln(w.Notes, "this worker was given other trials only; `betalasso sweep run` trains these")
				return 0, nil
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return 0, context.Cause(ctx)
}

// Among are the statuses of those IDs, or all where there are none.
func Among(list []Status, ids []string) []Status {
	if len(ids) == 0 {
		return list
	}
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	var some []Status
	for _, s := range list {
		if wanted[s.ID] {
			some = append(some, s)
		}
	}
	return some
}

// hold makes the attempt l at a trial unless it is done already. Its error is
// ErrHeld if a process without a lease writes to the run; otherwise err is what
// went wrong and code its exit status.
func (w *Worker) hold(ctx context.Context, p Trial, l *Lease) (code int, err error) {
	if w.Dir.look(p.ID).Result != nil { // meanwhile
		return 0, l.End(Done, 0, "")
	}
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-l.Lost():
			w.Lost(p)
		case <-finished:
		}
	}()
	fmt.Fprintln(w.Notes, w.Title(p))
	code, err = w.attempt(ctx, p)
	outcome, why := Failed, ""
	switch code {
	case 0:
		outcome = Done
	case CodeSaved, CodeInterrupted:
		outcome = Interrupted
	}
	if err != nil {
		why = err.Error()
	}
	return code, errors.Join(err, l.End(outcome, code, why))
}

// attempt trains a trial of which this worker has the lease.
func (w *Worker) attempt(ctx context.Context, p Trial) (code int, err error) {
	c := p.Config
	c.Threads = 0 // no number depends on them, and so no file shall
	d, err := run.Create(w.Dir.RunPath(p.ID), c)
	if errors.Is(err, run.ErrExists) {
		d, err = run.OpenLocked(w.Dir.RunPath(p.ID))
	}
	if errors.Is(err, run.ErrInUse) {
		if w.busy == nil {
			w.busy = map[string]time.Time{}
		}
		w.busy[p.ID] = time.Now().Add(w.Dir.patience)
		return CodeSaved, fmt.Errorf("%w: %w", ErrHeld, err)
	}
	if err != nil {
		return CodeFailed, err
	}
	defer d.Close()
	if of := d.Config().ID(); of != p.ID {
		return CodeNoRetry, fmt.Errorf("%s has another run, with the settings of %s; move it away", d.Path(), of)
	}
	return w.Train(ctx, p, d)
}
