package train

import (
	"slices"
	"testing"

	"betalasso/run"
)

// TestReturns records the zero weights that return, in both forms of the weights
// and with a stop after every step, and checks the counts against supports that
// are read after every step. The weights are those of a run that records nothing.
func TestReturns(t *testing.T) {
	c := thinConfig()
	c.Epochs = 4
	want := mustRun(t, form(t, c, 2, "auto", false))
	c.Returns = true
	events := func(o Options) (list []map[string]run.Returns) {
		all, err := o.Dir.Events()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all[1:] {
			list = append(list, e.Returns)
		}
		return list
	}
	dense := form(t, c, 1, "off", false)
	if got := mustRun(t, dense); got.WeightsSum != want.WeightsSum {
		t.Error("recording changes the weights")
	}
	sparse := form(t, c, 2, "auto", false)
	mustRun(t, sparse)
	pieces := form(t, c, 2, "auto", false)
	if _, stops := stopped(t, pieces); stops < 5 {
		t.Errorf("stopped %d times, want 5 or more", stops)
	}
	ref := events(dense)
	total := 0
	for i, e := range ref {
		for _, name := range []string{"conv1", "fc1"} {
			r, rows := e[name], 0
			total += r.Weights
			if n := r.Steps; len(n) != 3 || n[0]+n[1]+n[2] != r.Weights || r.Most != slices.Max(n) { // an epoch has three steps
				t.Errorf("epoch %d, %s: %d weights, by step %v, at most %d", i+1, name, r.Weights, n, r.Most)
			}
			std, left := 0, 0
			for _, n := range r.Std {
				std += n
			}
			for _, n := range r.Left {
				left += n
			}
			for _, n := range r.UnitStd {
				rows += n
			}
			if std != r.Weights || left != r.Weights || rows != map[string]int{"conv1": 384, "fc1": 576}[name] {
				t.Errorf("epoch %d, %s: histograms of %d, %d weights and %d units, want %d weights", i+1, name, std, left, rows, r.Weights)
			}
		}
		for how, other := range map[string][]map[string]run.Returns{"sparse": events(sparse), "stopped": events(pieces)} {
			if got := other[i]; got["conv1"].Weights != e["conv1"].Weights || got["fc1"].Weights != e["fc1"].Weights {
				t.Errorf("epoch %d, %s: %d and %d returned, want %d and %d", i+1, how, got["conv1"].Weights, got["fc1"].Weights, e["conv1"].Weights, e["fc1"].Weights)
			}
			if got := other[i]; !slices.Equal(got["fc1"].Steps, e["fc1"].Steps) {
				t.Errorf("epoch %d, %s: by step %v, want %v", i+1, how, got["fc1"].Steps, e["fc1"].Steps)
			}
			if got := other[i]; got["fc1"].Norm != e["fc1"].Norm || e["fc1"].Norm <= 0 {
				t.Errorf("epoch %d, %s: the norm is %v, want %v", i+1, how, got["fc1"].Norm, e["fc1"].Norm)
			}
		}
	}
	if total == 0 {
		t.Error("no weight returned: this shows nothing")
	}
}

// TestReturnedAgain counts by hand.
func TestReturnedAgain(t *testing.T) {
	c := thinConfig()
	c.Returns, c.Epochs = true, 1
	o := form(t, c, 2, "off", false)
	tr, err := newTrainer(o)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.loader.close()
	if err := tr.restore(); err != nil {
		t.Fatal(err)
	}
	w := tr.params[0].Weights
	_, cols := w.Shape()
	row := make([]float32, cols)
	w.Read(row, 3)
	row[0], row[1], row[2], row[70] = 0, 0, 5, 0
	w.Write(3, row)
	tr.follow()
	row[0], row[2], row[70] = 1, 0, -1
	w.Write(3, row)
	found := 0
	tr.supports[0].look(func(row, before, returned int) {
		if returned > 0 {
			found++
			if row != 3 || before != cols-3 || returned != 2 {
				t.Errorf("row %d: %d of %d returned, want row 3 and 2 of %d", row, returned, before, cols-3)
			}
		}
	})
	if found != 1 {
		t.Errorf("%d rows had returns, want one", found)
	}
	tr.state.Returns = map[string]run.Returns{}
	for i := range 384 {
		clear(row)
		if i == 7 {
			row[0], row[cols-1] = 3, -4
		}
		w.Write(i, row)
	}
	if got := tr.returns()["conv1"].Norm; got != 5 {
		t.Errorf("the norm is %v, want 5", got)
	}
}
