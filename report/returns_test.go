package report

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"betalasso/paper"
	"betalasso/run"
)

// TestReturnsFigure wants the run with the most returns, a count for each epoch
// that has some, and histograms of them beside those of all units.
func TestReturnsFigure(t *testing.T) {
	c := run.Default()
	c.Alpha, c.Optimizer = 4, "beta-lasso"
	bins := func(n int, at map[int]int) []int {
		list := make([]int, n)
		for i, v := range at {
			list[i] = v
		}
		return list
	}
	events := func(scale int) []run.Event {
		r := func(weights int) map[string]run.Returns {
			return map[string]run.Returns{"conv1": {
				Weights: weights, Most: weights / 2,
				Std: bins(run.StdBins, map[int]int{4: weights}), Left: bins(run.LeftBins, map[int]int{2: weights}),
				UnitStd: bins(run.StdBins, map[int]int{4: 1, 20: 9}), UnitLeft: bins(run.LeftBins, map[int]int{2: 1, 7: 9}),
			}}
		}
		last := r(10 * scale) // changes its units, which the epoch before it tells
		after := last["conv1"]
		after.UnitStd, after.UnitLeft = bins(run.StdBins, map[int]int{30: 10}), bins(run.LeftBins, map[int]int{9: 10})
		last["conv1"] = after
		return []run.Event{{}, {Epoch: 1, Returns: r(0)}, {Epoch: 2, Returns: r(30 * scale)}, {Epoch: 3, Returns: last}}
	}
	set := paper.Describe("cifar10")
	if f, _ := returnsFigure([]record{{opened: true, config: c, events: events(0)}}, set); len(f.charts) != 0 {
		t.Errorf("nothing returned: got %d charts", len(f.charts))
	}
	f, caption := returnsFigure([]record{{opened: true, config: c, events: events(1)}, {opened: true, config: c, events: events(2)}}, set)
	if len(f.charts) != 3 {
		t.Fatalf("got %d charts, want 3", len(f.charts))
	}
	if s := f.charts[0].series[0]; len(s.x) != 2 || s.x[0] != 2 || s.y[0] != 60 || s.y[1] != 20 {
		t.Errorf("by epoch: got %v, %v", s.x, s.y)
	}
	if s := f.charts[0].series[1]; len(s.y) != 2 || s.y[0] != 30 || s.y[1] != 10 {
		t.Errorf("most in one step: got %v", s.y)
	}
	some, all := f.charts[1].series[0], f.charts[1].series[1]
	if some.y[0] != 100 || all.y[0] != 10 || all.y[len(all.y)-1] != 90 {
		t.Errorf("by σ: got %v and %v", some.y, all.y)
	}
	one := events(1) // a single weight in its second epoch, which counts as one and not as every unit
	first, second := one[1].Returns["conv1"], one[2].Returns["conv1"]
	first.UnitStd = bins(run.StdBins, map[int]int{20: 10})
	second.Weights, second.Most, second.Std = 1, 1, bins(run.StdBins, map[int]int{4: 1})
	one[1].Returns["conv1"], one[2].Returns["conv1"] = first, second
	f, _ = returnsFigure([]record{{opened: true, config: c, events: one}}, set)
	if all := f.charts[1].series[1]; math.Abs(all.y[0]-100./11) > 1e-9 { // of 10 weights 1, of the single one none
		t.Errorf("after an epoch of one return: got %v %%, want 100/11", all.y[0])
	}
	with := events(1)
	for i, norm := range []float64{3, 2, 4} {
		n := with[i+1].Returns["conv1"]
		n.Norm = norm
		with[i+1].Returns["conv1"] = n
	}
	for _, e := range with[1:] {
		n := e.Returns["conv1"]
		n.Steps = make([]int, 50)
		n.Steps[0] = 1
		if e.Epoch == 2 {
			n.Steps[8], n.Steps[9], n.Steps[49] = 5, 20, 4
		}
		e.Returns["conv1"] = n
	}
	g, _ := returnsFigure([]record{{opened: true, config: c, events: with}}, set)
	if len(g.charts) != 5 || fmt.Sprint(g.charts[3].series[0].y) != "[3 2 4]" {
		t.Errorf("norms: got %+v", g.charts[len(g.charts)-1])
	}
	if s := g.charts[4].series; len(s) != 1 || s[0].x[0] != -20 || s[0].y[19] != 5 || s[0].y[20] != 20 || s[0].y[21] != 1 {
		t.Errorf("around the peaks: got %+v", s)
	}
	for _, want := range []string{"80 returned", "σ of their units is 0.012 where that of all units is 1.2", "weights 2 to 3 where it is 64 to 127"} {
		if !strings.Contains(caption, want) {
			t.Errorf("the caption lacks %q: %s", want, caption)
		}
	}
}
