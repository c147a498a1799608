package report

import (
	"bytes"
	"compress/zlib"
	"io"
	"slices"
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

// TestLogFloor: a log axis reaches down to the least that is above zero, be that a
// hundredth, and to one where a count falls to none.
func TestLogFloor(t *testing.T) {
	for _, c := range []struct {
		y         []float64
		low, high float64 // of the axis's lower end
	}{{[]float64{100, 0.65}, 0.4, 0.65}, {[]float64{5e6, 200}, 100, 200}, {[]float64{5e6, 200, 0}, 0.5, 1}, {[]float64{0, 0}, 0.5, 1}} {
		s := series{}
		for i, y := range c.y {
			s.add(float64(i), y)
		}
		_, _, low, high := chart{log: true, series: []series{s}}.bounds()
		if low < c.low || low > c.high || high < slices.Max(c.y) {
			t.Errorf("%v: got an axis from %g to %g, want its lower end from %g to %g", c.y, low, high, c.low, c.high)
		}
	}
}

// TestPDFHasNoText: letters such as β and λ are shapes there, as the library's text
// has no code for them.
func TestPDFHasNoText(t *testing.T) {
	s := series{name: "S-FC, β-lasso", color: "#000000"}
	s.add(0, 1)
	s.add(1, 2)
	var b bytes.Buffer
	if err := (figure{charts: []chart{{title: "λ 1e−4", series: []series{s}}}, keys: []key{{Name: s.name, Color: s.color}}}).pdf(&b); err != nil {
		t.Fatal(err)
	}
	curves := 0
	for _, part := range bytes.Split(b.Bytes(), []byte("stream\n")) {
		z, err := zlib.NewReader(bytes.NewReader(part))
		if err != nil {
			continue
		}
		page, _ := io.ReadAll(z)
		if bytes.Contains(page, []byte(" Tj")) {
			t.Errorf("it has text: %.200q", page)
		}
		curves += bytes.Count(page, []byte(" c\n")) + bytes.Count(page, []byte(" v\n"))
	}
	if curves < 50 {
		t.Errorf("got %d curves, want those of the letters", curves)
	}
}
