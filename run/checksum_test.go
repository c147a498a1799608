package run

import "testing"

// What an event's JSON leaves out changes no sum, so that results stay those of
// their events.
func TestSumsOfEventsStay(t *testing.T) {
	list := []Event{{ValLoss: 2.5, ValAcc: 0.125, Nonzero: map[string]int{"fc1": 6}, Seconds: 9, ExamplesPerSecond: 5, StepMS: 3, MACs: 1, DenseMACs: 2}}
	const want = "1 946b8e67fe46b02114404e3426fe61937bffb23f497389f8956849f86fd4d41b"
	if got := sumEvents(list); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The MACs of an epoch are called work in files, as they were from the start.
func TestMACsOfEarlierVersions(t *testing.T) {
	e, err := ParseEvent([]byte(`{"epoch":1,"step":2,"lr":0.1,"train_loss":1,"train_acc":0.5,"val_loss":1,"val_acc":0.5,"nonzero":{"fc1":6},"seconds":1,"examples_per_second":5,"step_ms":3,"work":4,"dense_work":8}`))
	if err != nil || e.MACs != 4 || e.DenseMACs != 8 {
		t.Errorf("got %g of %g MACs, %v, want 4 of 8", e.MACs, e.DenseMACs, err)
	}
}

// Shares are made of the multiply-adds, and are to be numbers.
func TestMACsOutOfBounds(t *testing.T) {
	for _, line := range []string{
		`{"epoch":1,"work":1e300,"dense_work":1e300}`, `{"epoch":1,"work":1,"dense_work":1e-300}`,
		`{"epoch":1,"work":-1,"dense_work":8}`, `{"epoch":1,"step_ms":1e300}`,
	} {
		if _, err := ParseEvent([]byte(line)); err == nil {
			t.Errorf("%s is taken", line)
		}
	}
}
