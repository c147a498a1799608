package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/term"

	"betalasso/data"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/train"
)

// session is what the commands that train share: their output, and the signals
// that stop them.
type session struct {
	out      *os.File  // the run's story, or JSON
	notes    io.Writer // what is said beside it
	terminal bool      // out is one, and can move its cursor
	color    bool
	json     bool
	after    func() time.Duration // what comes after the run under way takes; nil: nothing does
	set      *data.Set            // the last one loaded, and
	from     plan.Source

	ctx    context.Context // done at the first signal
	cancel context.CancelCauseFunc
	close  func() // stops to listen for signals
}

// interruption is a signal as the cause of a context's end.
type interruption struct{ signal os.Signal }

func (i interruption) Error() string { return i.signal.String() }

// echo is the time after the first signal in which another counts as the same
// one: a scheduler signals a process and its group, and a process whose parent is
// killed gets a signal from each of the parent's threads.
const echo = 500 * time.Millisecond

// newSession starts to listen for signals: the first asks to stop, the second
// ends the process at once. close ends it.
func newSession(json bool) *session {
	// A run's memory is a few large buffers that live as long as it does, and a
	// step allocates nothing: the collector need not leave room for as much again.
	debug.SetGCPercent(10)
	s := &session{out: os.Stdout, notes: os.Stdout, json: json}
	ended := make(chan struct{})
	s.close = sync.OnceFunc(func() { close(ended) })
	if json {
		s.notes = os.Stderr
	}
	s.terminal = !json && term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("TERM") != "dumb" && obeys(os.Stdout)
	s.color = s.terminal && os.Getenv("NO_COLOR") == ""
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, append(saveSignals, os.Interrupt)...)
	go func() {
		defer signal.Stop(signals)
		select {
		case got := <-signals:
			s.cancel(interruption{got})
			fmt.Fprintln(os.Stderr, "\nstopping: finishing the step and saving; once more to stop at once")
		case <-ended:
			return
		}
		first := time.Now()
		for {
			select {
			case <-signals:
				if time.Since(first) > echo {
					os.Exit(exitInterrupted)
				}
			case <-ended:
				return
			}
		}
	}()
	return s
}

// unguarded is called where no run is trained, whose state a signal could spoil: from then on
// one ends the process at once. It is an error if one has come already.
func (s *session) unguarded() error {
	s.close()
	if s.ctx.Err() != nil {
		return s.stopped("stopped")
	}
	return nil
}

// stopped is the error of a session that a signal ended; hint says how to resume.
func (s *session) stopped(hint string) error {
	code := exitInterrupted
	var i interruption
	if errors.As(context.Cause(s.ctx), &i) && slices.Contains(saveSignals, i.signal) {
		code = exitSaved
	}
	return codedError{code, errors.New(hint)}
}

// load reads c's data set, fetching it if need be, and warns of files that are
// not the publisher's.
func (s *session) load(c run.Config) (*data.Set, error) {
	from := plan.SourceOf(c)
	if s.set != nil && s.from == from {
		return s.set, nil
	}
	m := s.newMeter()
	set, err := from.Load(s.ctx, m.fetching)
	m.clear()
	if err != nil && s.ctx.Err() != nil {
		return nil, s.stopped("stopped while fetching; the same command goes on")
	}
	if errors.Is(err, data.ErrNoHost) {
		return nil, fmt.Errorf("%w\nGive the folder that has the files with --data-dir, or use --data digits, which needs none", err)
	}
	if err != nil {
		return nil, err
	}
	for _, f := range set.Files {
		if !f.Verified {
			fmt.Fprintf(os.Stderr, "warning: %s is not the publisher's file (MD5 %s); it is used, and the run records it as unverified\n", f.Path, f.MD5)
		}
	}
	if n := len(set.Skipped); n > 0 {
		fmt.Fprintf(os.Stderr, "warning: pictures that cannot be read are left out, and the run records them: %d, the first %s\n", n, run.Printable(set.Skipped[0]))
	}
	s.set, s.from = set, from
	return set, nil
}

// bench is where probes run, on n threads; 0 is all cores.
func (s *session) bench(n int) plan.Bench {
	return plan.Bench{Device: newDevice, Threads: threads(run.Config{Threads: n}), Dir: os.TempDir(), Stop: s.ctx.Done()}
}

// measure times the networks of Configs on n threads, as many as there are if n
// is 0.
func (s *session) measure(list []run.Config, n int) (plan.Rates, error) {
	speed, err := s.bench(n).Measure(list)
	if errors.Is(err, train.ErrStopped) {
		return nil, s.stopped("stopped before anything was trained")
	}
	return speed, err
}

// enoughMemory is an error where c cannot be trained here, and else says what it
// takes.
func (s *session) enoughMemory(c run.Config) error {
	note, err := plan.Fits(c, plan.Here())
	if err != nil {
		return usageError{err}
	}
	if note != "" {
		fmt.Fprintln(s.notes, note)
	}
	return nil
}

// fit trains the run in d, from its last checkpoint or its beginning, to its end.
// The cause of an early end is kept in the directory for the report.
func (s *session) fit(d *run.Dir, c run.Config, set *data.Set) (run.Result, error) {
	dev, err := newDevice(c)
	if err != nil {
		return run.Result{}, err
	}
	if c.Whiten > 0 {
		fmt.Fprintf(s.notes, "whitening: a matrix from the pixels of %s images\n", plan.Thousands(set.Train.Len()))
	}
	white, err := whiten(dev, c, set, c.Batch)
	if err != nil {
		return run.Result{}, err
	}
	m := s.newMeter()
	m.run = d.Path()
	r, err := train.Run(train.Options{
		Dir: d, Config: c, Device: dev, Whiten: white, Set: set, Threads: threads(c),
		Progress: m.training, Stop: s.ctx.Done(),
	})
	m.clear()
	if errors.Is(err, train.ErrStopped) {
		return r, err
	}
	if err != nil {
		d.WriteFailure(err.Error()) // its own failure matters less than err
		return r, err
	}
	if s.json {
		m.object(struct {
			Kind string `json:"kind"`
			Run  string `json:"run"`
			run.Result
		}{"result", d.Path(), r})
	}
	s.tell(d.Path(), r)
	return r, nil
}

// tell prints a run's result and its time without interruptions.
func (s *session) tell(path string, r run.Result) {
	took := time.Duration(r.WallSeconds * float64(time.Second))
	nonzero := 0
	for _, l := range r.Layers {
		nonzero += l.Nonzero
	}
	best := ""
	if r.DataSet.Val > 0 {
		best = fmt.Sprintf(", at the best validation (epoch %d) %.2f %%", r.Best.Epoch, 100*r.Best.TestAcc)
	}
	fmt.Fprintf(s.notes, "%s\n  test %.2f %%%s; nonzero %s of %s; %s\n",
		run.Printable(path), 100*r.Last.TestAcc, best, plan.Thousands(nonzero), plan.Thousands(r.Params), plan.Span(took))
}

// defaultOut is the directory of a run that was given none.
func defaultOut(c run.Config) string {
	return filepath.Join("runs", fmt.Sprintf("%s-%s-%s-s%d", c.Model, c.Data, c.Optimizer, c.Seed))
}
