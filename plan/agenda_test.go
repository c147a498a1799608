package plan

import (
	"testing"
	"time"

	"betalasso/sweep"
)

// What is left in all follows what the runs took that are over.
func TestAgenda(t *testing.T) {
	a := NewAgenda([]Estimate{{Trial: sweep.Trial{ID: "a"}, Seconds: 60}, {Trial: sweep.Trial{ID: "b"}, Seconds: 120}, {Trial: sweep.Trial{ID: "c"}, Seconds: 180}})
	now := time.Unix(1e9, 0)
	a.Begin("a", now)
	if got := a.After(); got != 5*time.Minute {
		t.Errorf("at the first: got %v, want 5 minutes", got)
	}
	a.Begin("b", now.Add(2*time.Minute)) // the first took twice as long
	if got := a.After(); got != 6*time.Minute {
		t.Errorf("at the second: got %v, want 6 minutes", got)
	}
	a.Begin("c", now.Add(4*time.Minute)) // the second as long as was expected
	if got := a.After(); got != 0 {
		t.Errorf("at the last: got %v, want none", got)
	}
}
