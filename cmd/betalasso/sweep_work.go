package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"betalasso/disk"
	"betalasso/run"
	"betalasso/sweep"
	"betalasso/train"
)

// sweepWorkCommand is `betalasso sweep work`.
type sweepWorkCommand struct {
	Dir     string   `arg:"" help:"the study's directory"`
	Index   *int     `placeholder:"N" help:"only the trial with this index, from 0 (default: all unfinished)"`
	ID      []string `name:"id" placeholder:"ID" help:"only these trials (default: all unfinished)"`
	Threads int      `default:"0" placeholder:"N" help:"changes no result; 0 is all cores (default 0)"`
	JSON    bool     `name:"json" help:"one JSON object per line: epochs, results (default off)"`
}

// Help is the end of `betalasso sweep work --help`.
func (sweepWorkCommand) Help() string {
	return `Any number of workers can train one study, on one machine or on several that share the folder. No two workers train the same trial at once; if a worker dies, another continues from its last checkpoint.

Example, a worker that trains all unfinished trials:

    betalasso sweep work sweeps/mine

Exit status: 0 all trials are done; 1 some are not; 42 a trial failed and would fail again; 75 interrupted and saved; 130 interrupted by Ctrl-C and saved.`
}

// Run works.
func (w *sweepWorkCommand) Run() error {
	d, err := sweep.Open(w.Dir)
	if err != nil {
		return studyError(err)
	}
	only, err := w.only(d)
	if err != nil {
		return usageError{err}
	}
	s := newSession(w.JSON)
	defer s.close()
	return s.work(d, w.Threads, only)
}

// only are the IDs of the trials asked for; none means all.
func (w *sweepWorkCommand) only(d *sweep.Dir) (ids []string, err error) {
	trials := d.Trials()
	if w.Index != nil {
		if *w.Index < 0 || *w.Index >= len(trials) {
			return nil, fmt.Errorf("index: %s has the trials 0 to %d, not %d", w.Dir, len(trials)-1, *w.Index)
		}
		ids = append(ids, trials[*w.Index].ID)
	}
	for _, id := range w.ID {
		p, err := d.Find(id)
		if err != nil {
			return nil, fmt.Errorf("id: %w", err)
		}
		ids = append(ids, p.ID)
	}
	return ids, nil
}

// work trains the open trials of d, or those of the given IDs, in this process.
func (s *session) work(d *sweep.Dir, threads int, only []string) error {
	w := s.newWorker(d, threads)
	code, err := w.Drain(s.ctx, only...)
	if s.ctx.Err() != nil {
		return s.stopped("stopped and saved; any worker goes on")
	}
	if code != 0 {
		return codedError{code, err}
	}
	if err != nil {
		return err
	}
	return allDone(d, only)
}

// allDone is nil if all trials, or those of the given IDs, are done.
func allDone(d *sweep.Dir, only []string) error {
	list, err := d.Status()
	if err != nil {
		return err
	}
	list = sweep.Among(list, only)
	counts := sweep.Counts(list)
	if counts[run.Done] == len(list) {
		return nil
	}
	code := exitDiverged
	for _, p := range list {
		if p.State != run.Done && p.Last.Code != exitDiverged {
			code = exitFailure
		}
	}
	return codedError{code, fmt.Errorf("%[1]d of %[2]d trials are not done, %[3]d failed; `betalasso sweep status %[4]s` says why, `betalasso sweep retry %[4]s` tries them again",
		len(list)-counts[run.Done], len(list), counts[run.Failed]+counts[run.Broken], quote(d.Path()))}
}

// newWorker trains trials one after the other in this process.
func (s *session) newWorker(d *sweep.Dir, threads int) *sweep.Worker {
	return &sweep.Worker{
		Dir: d, Notes: s.notes,
		Title: func(p sweep.Trial) string { return fmt.Sprintf("trial %d (%s): %s", p.Index, p.ID, p.Labels) },
		Train: func(_ context.Context, p sweep.Trial, into *run.Dir) (int, error) {
			c := p.Config
			c.Threads = threads
			set, err := s.load(c)
			if err == nil {
				_, err = s.fit(into, c, set)
			}
			if err != nil && !errors.Is(err, train.ErrStopped) {
				fmt.Fprintf(os.Stderr, "betalasso: trial %d (%s): %s\n", p.Index, p.ID, err)
			}
			return s.trialCode(err), err
		},
		Lost: func(p sweep.Trial) {
			fmt.Fprintf(os.Stderr, "betalasso: trial %d (%s): another worker has taken it over; ending without a save\n", p.Index, p.ID)
			os.Exit(exitFailure)
		},
	}
}

// trialCode is the exit status that says how a trial's training ended. A full
// disk ends the worker, and leaves the trial open, as a signal does.
func (s *session) trialCode(err error) int {
	var coded codedError
	var diverged *train.DivergedError
	var problems run.Problems
	switch {
	case err == nil:
		return 0
	case errors.Is(err, train.ErrStopped):
		errors.As(s.stopped(""), &coded)
		return coded.code
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &diverged), errors.As(err, &problems):
		return exitDiverged
	case disk.Full(err):
		return exitSaved
	}
	return exitFailure
}
