package run

import "testing"

// What an event's JSON leaves out changes no sum, so that results stay those of
// their events.
func TestSumsOfEventsStay(t *testing.T) {
	list := []Event{{ValLoss: 2.5, ValAcc: 0.125, Nonzero: map[string]int{"fc1": 6}, Seconds: 9, ExamplesPerSecond: 5, StepMS: 3, Work: 1, DenseWork: 2}}
	const want = "1 946b8e67fe46b02114404e3426fe61937bffb23f497389f8956849f86fd4d41b"
	if got := sumEvents(list); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
