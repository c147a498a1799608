package plan

import "time"

// Agenda is a list of runs to be trained one after the other, with the expected
// time of each. The times of those already trained correct it.
type Agenda struct {
	ids      []string
	expected map[string]time.Duration

	current  string        // the one under way
	at       time.Time     // when that began
	took     time.Duration // of those that are over
	foreseen time.Duration // what was expected of them
}

// NewAgenda is the agenda of estimates, in their order.
func NewAgenda(list []Estimate) *Agenda {
	a := &Agenda{expected: map[string]time.Duration{}}
	for _, e := range list {
		a.ids = append(a.ids, e.ID)
		a.expected[e.ID] = duration(e.Seconds)
	}
	return a
}

// Begin records that a run begins, and that the one before has ended.
func (a *Agenda) Begin(id string, now time.Time) {
	if a.current != "" {
		a.took += now.Sub(a.at)
		a.foreseen += a.expected[a.current]
	}
	a.current, a.at = id, now
}

// After is the expected time of the runs after the present one.
func (a *Agenda) After() (left time.Duration) {
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
