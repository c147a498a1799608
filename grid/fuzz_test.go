package grid

import "testing"

// FuzzAttempt: the files of attempts and of points.
func FuzzAttempt(f *testing.F) {
	f.Add(`{"number":1,"host":"a","pid":5,"from":{"epoch":1},"outcome":"done"}`)
	f.Add(`null`)
	f.Add(`{"index":0,"id":"686685c79a42","labels":{"lr":"0.1"},"config":{"model":"s-fc","alpha":1,"data":"cifar10","val":5000,"augment":"none","optimizer":"sgd","lr":0.1,"epochs":100,"batch":512,"seed":1,"precision":"fp32"}}`)
	f.Add("\n\n{}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := parseAttempt([]byte(text)); err == nil && (a.From.Epoch < 0 || a.Reached.Step < 0) {
			t.Errorf("got %+v", a)
		}
		points, err := parsePoints("x", []byte(text))
		for i, p := range points {
			if err == nil && (p.Index != i || p.Config.ID() != p.ID || p.Config.Validate() != nil) {
				t.Errorf("got %+v", p)
			}
		}
	})
}
