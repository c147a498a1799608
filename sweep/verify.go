package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"betalasso/run"
)

// Verify reads the files of the study at path, and returns what is wrong with
// them: trials, attempts, and which runs they belong to. What is in a run's
// directory run.Verify says.
func Verify(path string) (wrong []error) {
	d, err := Open(path)
	if err != nil {
		return []error{err}
	}
	known := map[string]bool{}
	for _, p := range d.Trials() {
		known[p.ID] = true
	}
	counts, err := d.counts()
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a study that is kept for its results may have no leases
		wrong = append(wrong, err)
	}
	for id, n := range counts {
		if !known[id] {
			wrong = append(wrong, fmt.Errorf("%s: there is no trial of that ID", d.leasePath(id, n)))
		}
		for number := range n {
			if err := d.verifyAttempt(id, number+1, number+1 < n); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", d.leasePath(id, number+1), err))
			}
		}
	}
	runs, err := os.ReadDir(filepath.Join(path, RunsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		wrong = append(wrong, err)
	}
	for _, e := range runs {
		r, err := run.Open(filepath.Join(path, RunsDir, e.Name()))
		switch {
		case err != nil: // run.Verify says it, where it is a run
		case !known[e.Name()]:
			wrong = append(wrong, fmt.Errorf("%s: %s has no trial of that ID", r.Path(), filepath.Base(d.file)))
		case r.Config().ID() != e.Name():
			wrong = append(wrong, fmt.Errorf("%s: its settings have the ID %s; put back the run that belongs here", r.Path(), r.Config().ID()))
		}
	}
	return wrong
}

// verifyAttempt is what is wrong with the file of an attempt.
func (d *Dir) verifyAttempt(id string, number int, followed bool) error {
	text, err := run.ReadFile(d.leasePath(id, number))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("it is missing; attempts are never removed")
	}
	if err != nil {
		return err
	}
	a, err := parseAttempt(text)
	if err != nil && followed { // the last one may be in the making
		return err
	}
	if err == nil && a.Number != number {
		return fmt.Errorf("its number is %d", a.Number)
	}
	return nil
}
