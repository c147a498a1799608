package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"betalasso/run"
)

// Outcome is how an attempt ended.
type Outcome string

const (
	Unended     Outcome = ""            // it is under way, or its process died
	Done        Outcome = "done"        // the run has its result
	Failed      Outcome = "failed"      // it is not tried again until Reopen
	Interrupted Outcome = "interrupted" // saved; any worker may go on
	Reopened    Outcome = "reopened"    // no attempt, but the leave to make one after a failure
)

// Attempt is one attempt at a trial: the file leases/ID.N, which its worker
// alone writes.
type Attempt struct {
	Number  int       `json:"number"` // from 1
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Process string    `json:"process"` // tells the process from all others of its machine; "" where nothing can
	Began   time.Time `json:"began"`
	Beat    time.Time `json:"beat"` // the last heartbeat, by the worker's clock
	From    Place     `json:"from"` // the checkpoint that it began with
	Reached Place     `json:"reached"`

	Outcome Outcome   `json:"outcome,omitempty"`
	Ended   time.Time `json:"ended,omitzero"`
	Code    int       `json:"code"`          // exit status, once ended
	Why     string    `json:"why,omitempty"` // of a failure
}

// Place is the position of a run's checkpoint.
type Place struct {
	Epoch int `json:"epoch"` // epochs done
	Step  int `json:"step"`  // steps done of the epoch after them
}

func (p Place) String() string { return fmt.Sprintf("epoch %d, step %d", p.Epoch, p.Step) }

// Place is where the checkpoint of a trial's run stands.
func (d *Dir) Place(id string) Place {
	var p Place
	text, err := run.ReadFile(filepath.Join(d.RunPath(id), run.StateFile))
	if err == nil {
		err = run.ParseJSON(text, &p)
	}
	if err != nil || p.Epoch < 0 || p.Step < 0 { // torn: as though it had none
		return Place{}
	}
	return p
}

// Attempts are all attempts at a trial, first to last.
func (d *Dir) Attempts(id string) ([]Attempt, error) {
	counts, err := d.counts()
	if err != nil {
		return nil, err
	}
	var list []Attempt
	for n := range counts[id] {
		a, err := d.attempt(id, n+1)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// maxAttempts is more attempts at a trial than are ever made.
const maxAttempts = 10_000

// counts is the number of attempts at each trial.
func (d *Dir) counts() (map[string]int, error) {
	names, err := os.ReadDir(filepath.Join(d.path, LeasesDir))
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, e := range names {
		id, number, _ := strings.Cut(e.Name(), ".")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || id == "" {
			continue // one that is being written
		}
		if n > maxAttempts {
			return nil, fmt.Errorf("%s: more than %d attempts are a mistake; remove the file", filepath.Join(d.path, LeasesDir, run.Printable(e.Name())), maxAttempts)
		}
		counts[id] = max(counts[id], n)
	}
	return counts, nil
}

func (d *Dir) leasePath(id string, number int) string {
	return filepath.Join(d.path, LeasesDir, fmt.Sprintf("%s.%d", id, number))
}

// attempt reads an attempt. One that is being created has only a number.
func (d *Dir) attempt(id string, number int) (Attempt, error) {
	key := leaseKey{id, number}
	d.mu.Lock()
	a, ok := d.known.ended[key]
	d.mu.Unlock()
	if ok {
		return a, nil
	}
	text, err := run.ReadFile(d.leasePath(id, number))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if a, err = parseAttempt(text); err != nil { // it is only just being made, or was torn
		a = Attempt{}
	}
	a.Number = number
	if a.Outcome != Unended {
		d.mu.Lock()
		d.known.remember(key, a)
		d.mu.Unlock()
	}
	return a, nil
}

// parseAttempt reads the text of an attempt's file.
func parseAttempt(text []byte) (a Attempt, err error) {
	if err := run.ParseJSON(text, &a); err != nil {
		return Attempt{}, err
	}
	if !slices.Contains([]Outcome{Unended, Done, Failed, Interrupted, Reopened}, a.Outcome) {
		return Attempt{}, fmt.Errorf("there is no outcome %q", a.Outcome)
	}
	for _, p := range []Place{a.From, a.Reached} {
		if p.Epoch < 0 || p.Step < 0 {
			return Attempt{}, fmt.Errorf("%s is no place in a run", p)
		}
	}
	a.Host, a.Why = run.Printable(a.Host), run.PrintableLines(a.Why)
	return a, nil
}

// memory is what was read before, and need not be again.
type memory struct {
	ended map[leaseKey]Attempt
	runs  map[string]run.Snapshot // of those that are done, all; of others, to be looked at again
	beats map[leaseKey]beat
}

type leaseKey struct {
	id     string
	number int
}

// beat is a lease as this process saw it last change.
type beat struct {
	text string
	at   time.Time
}

func (m *memory) remember(key leaseKey, a Attempt) {
	if m.ended == nil {
		m.ended = map[leaseKey]Attempt{}
	}
	m.ended[key] = a
}
