package report

import (
	"testing"

	"betalasso/paper"
	"betalasso/run"
)

// TestMultiplyAddsOfARun wants what all steps cost, in per cent of dense ones, and
// nothing where an epoch has not recorded it.
func TestMultiplyAddsOfARun(t *testing.T) {
	events := []run.Event{{Epoch: 0}, {Epoch: 1, MACs: 400, DenseMACs: 400}, {Epoch: 2, MACs: 100, DenseMACs: 400}}
	r := record{config: run.Default(), opened: true, events: events}
	if got := runOf(r).MACs; got != "62.50 %" {
		t.Errorf("got %s, want 62.50 %%", got)
	}
	r.events = append(r.events, run.Event{Epoch: 3})
	if got := runOf(r).MACs; got != "–" {
		t.Errorf("an epoch without: got %s, want –", got)
	}
}

// TestCostOfSteps wants a chart of what steps cost where runs have recorded it,
// in per cent of dense ones, and none where they have not.
func TestCostOfSteps(t *testing.T) {
	c := run.Default()
	c.Alpha, c.Optimizer, c.Beta, c.LambdaConv, c.LambdaFC = 1, "beta-lasso", 50, 1e-4, 1e-5
	events := func(dense float64) []run.Event {
		var list []run.Event
		for epoch := range 4 {
			list = append(list, run.Event{Epoch: epoch, Nonzero: map[string]int{"conv1": 100 - 20*epoch}, MACs: dense / float64(1+epoch), DenseMACs: dense})
		}
		return list
	}
	for _, dense := range []float64{0, 400} {
		g := group{name: "S-FC", runs: []record{{config: c, events: events(dense)}}}
		f, _ := nonzeroFigure([]group{g}, paper.DataSet{Name: "cifar10"})
		last := f.charts[len(f.charts)-1]
		if dense == 0 {
			if len(f.charts) != 1 {
				t.Errorf("nothing recorded: got %d charts, the last %q", len(f.charts), last.title)
			}
			continue
		}
		if len(f.charts) != 2 || last.title != "cost of a step" {
			t.Fatalf("got %d charts, the last %q", len(f.charts), last.title)
		}
		s := last.series[0]
		if end := s.y[len(s.y)-1]; end != 25 {
			t.Errorf("the last epoch's cost: got %v %%, want 25", end)
		}
	}
}
