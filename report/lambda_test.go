package report

import (
	"strings"
	"testing"

	"betalasso/filters"
	"betalasso/paper"
	"betalasso/run"
)

// TestLambdaFigure wants a line for each λ of the fully connected layers and what
// its caption says of the best and the most local pair.
func TestLambdaFigure(t *testing.T) {
	var list []group
	add := func(conv, fc, acc, radius float64, left int) {
		c := run.Default()
		c.Alpha, c.Optimizer, c.Beta, c.LambdaConv, c.LambdaFC = 2, "beta-lasso", 50, conv, fc
		r := record{opened: true, finished: true, config: c}
		r.result.Last.TestAcc = acc
		r.result.Layers = []run.Layer{{Name: "conv1", Params: 1000, Nonzero: left}}
		if radius > 0 {
			r.filters.measures = []filters.Measure{{Radius: radius, Height: 9, Width: 4}}
		}
		list = append(list, group{runs: []record{r}})
	}
	set := paper.Describe("cifar10")
	add(1e-5, 1e-6, 0.50, 13, 1000)
	add(1e-4, 1e-6, 0.60, 9, 100)
	if f, _ := lambdaFigure(list, set); len(f.charts) != 0 {
		t.Errorf("two pairs: got %d charts", len(f.charts))
	}
	add(1e-3, 1e-6, 0.40, 3, 1)
	add(1e-5, 1e-5, 0.55, 12, 900)
	add(1e-3, 1e-5, 0.30, 0, 0)
	f, caption := lambdaFigure(list, set)
	if len(f.charts) != 5 || len(f.keys) != 2 {
		t.Fatalf("got %d charts with %d keys", len(f.charts), len(f.keys))
	}
	if s := f.charts[1].series[0]; len(s.x) != 3 || s.x[0] != 1e-5 || s.y[2] != 1 {
		t.Errorf("first layer: got %v, %v", s.x, s.y)
	}
	if s := f.charts[3].series[1]; len(s.x) != 1 || s.y[0] != 6 {
		t.Errorf("box: got %v, %v", s.x, s.y)
	}
	for _, want := range []string{"5 pairs", "Most accurate: λ 1e−4 / 1e−6 (60.00 %, radius 9.0)", "most local: λ 1e−3 / 1e−6 (radius 3.0, 40.00 %)", "over the pairs: 0.20"} {
		if !strings.Contains(caption, want) {
			t.Errorf("the caption lacks %q: %s", want, caption)
		}
	}
}
