package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"betalasso/grid"
	"betalasso/run"
	"betalasso/train"
)

// agenda is runs that are to be trained one after the other, with the time that
// each is expected to take. What those that have been trained took corrects it.
type agenda struct {
	ids      []string
	expected map[string]time.Duration

	current  string        // the one under way
	at       time.Time     // when that began
	took     time.Duration // of those that are over
	foreseen time.Duration // what was expected of them
}

// begin notes that a run begins, and that the one before is over.
func (a *agenda) begin(id string, now time.Time) {
	if a.current != "" {
		a.took += now.Sub(a.at)
		a.foreseen += a.expected[a.current]
	}
	a.current, a.at = id, now
}

// after is the time that the runs after the one under way will take.
func (a *agenda) after() (left time.Duration) {
	later := false
	for _, id := range a.ids {
		if later {
			left += a.expected[id]
		}
		later = later || id == a.current
	}
	if a.foreseen > 0 {
		left = time.Duration(float64(left) * float64(a.took) / float64(a.foreseen))
	}
	return left
}

// foresee says how long all that is not done will take.
func (r *reproduction) foresee(all *reproduced) error {
	var todo []grid.Point
	for _, p := range all.points[:len(all.ids)] {
		if run.Look(filepath.Join(r.command.Out, grid.RunsDir, p.ID)).Result == nil {
			todo = append(todo, p)
		}
	}
	list, sum, err := r.estimate(todo, os.TempDir(), 1, r.command.Threads)
	if errors.Is(err, train.ErrStopped) {
		return r.stopped("stopped before anything was trained")
	}
	if err != nil {
		return err
	}
	r.plan = agenda{expected: map[string]time.Duration{}}
	for _, e := range list {
		r.plan.ids = append(r.plan.ids, e.ID)
		r.plan.expected[e.ID] = time.Duration(e.Seconds * float64(time.Second))
	}
	fmt.Fprintf(r.notes, "%d runs, about %s on this machine beside the download; Ctrl-C saves, and the same command goes on\n", len(list), seconds(sum.Seconds))
	return nil
}
