package compare

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/run"
)

// finished writes the directory of a finished run.
func finished(t *testing.T, c run.Config, val, test float64) string {
	t.Helper()
	c.Model, c.Alpha, c.Data, c.Val, c.Augment, c.Precision = "s-fc", 1, "digits", 100, "none", "fp32"
	c.LR, c.Epochs, c.Batch = 0.1, 1, 32
	if c.Optimizer == "" {
		c.Optimizer = "sgd"
	}
	path := filepath.Join(t.TempDir(), fmt.Sprint(c.Seed))
	d, err := run.Create(path, c)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = d.WriteResult(run.Result{
		Last: run.Score{Epoch: c.Epochs, ValAcc: val, TestAcc: test}, Seed: c.Seed,
		Layers: []run.Layer{{Name: "fc1", Params: 10, Nonzero: 5}, {Name: "fc2", Params: 10, Nonzero: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func near(got, want float64) bool { return math.Abs(got-want) < 1e-9*max(1, math.Abs(want)) }

// study is two seeds-of-three groups: SGD, and β-lasso that lacks seed 3.
func study(t *testing.T) []string {
	var dirs []string
	for i, x := range []float64{0.50, 0.52, 0.57} {
		dirs = append(dirs, finished(t, run.Config{Seed: uint64(i + 1)}, 0.6, x))
	}
	for i, x := range []float64{0.51, 0.55} {
		dirs = append(dirs, finished(t, run.Config{Seed: uint64(i + 1), Optimizer: "beta-lasso", Beta: 50}, 0.7, x))
	}
	return dirs
}

func TestGroups(t *testing.T) {
	runs, left := Read(study(t))
	if len(runs) != 5 || len(left) != 0 {
		t.Fatalf("got %d runs and %v left, want 5 and none", len(runs), left)
	}
	groups, err := Groups(runs, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 2 || groups[0].String() != "optimizer=sgd" || groups[1].String() != "optimizer=beta-lasso beta=50" {
		t.Fatalf("got the groups %v", groups)
	}
	test, _ := MetricOf("test")
	s := groups[0].Sample(test)
	if s.N != 3 || !near(s.Mean, 53) || !near(s.SD, math.Sqrt((9+1+16)/2.)) || len(s.Values) != 3 {
		t.Errorf("got %+v, want 53 ± √13 of 3", s)
	}
	if s = groups[1].Sample(test); !near(s.Mean, 53) || !near(s.SD, math.Sqrt(8)) {
		t.Errorf("got %+v, want 53 ± √8", s)
	}
	nonzero, _ := MetricOf("nonzero")
	if s := groups[0].Sample(nonzero); s.Mean != 7 {
		t.Errorf("got %g weights that are not zero, want 7", s.Mean)
	}

	// The third SGD run has no partner. t for one degree of freedom is 12.7062.
	d := Paired(groups[1], groups[0], test, 0.95)
	if d.N != 2 || !near(d.Mean, 2) {
		t.Fatalf("got the difference %+v, want 2 of two pairs", d)
	}
	half := 12.706204736432095 // the differences are 1 and 3: their spread is √2, over √2
	if !near(*d.Low, 2-half) || !near(*d.High, 2+half) {
		t.Errorf("got [%g, %g], want 2 ± %g", *d.Low, *d.High, half)
	}
	if back := Paired(groups[0], groups[1], test, 0.95); !near(back.Mean, -2) || back.N != 2 {
		t.Errorf("the other way round: got %+v", back)
	}
}

func TestLayers(t *testing.T) {
	result := func(names string, counts ...int) (r Run) {
		for i, name := range strings.Fields(names) {
			r.Result.Layers = append(r.Result.Layers, run.Layer{Name: name, Params: counts[2*i], Nonzero: counts[2*i+1]})
		}
		return r
	}
	g := &Group{Runs: []Run{
		result("conv1 fc1", 100, 10, 50, 5),
		result("conv1 fc1", 100, 14, 80, 40),
		result("fc1 fc2", 50, 0, 4, 1), // of another network, where settings are pooled
	}}
	list := g.Layers()
	if len(list) != 3 || list[0].Name != "conv1" || list[1].Name != "fc1" || list[2].Name != "fc2" {
		t.Fatalf("got %+v, want conv1, fc1 and fc2", list)
	}
	for i, want := range []struct {
		params, n         int
		mean, sd, percent float64
	}{
		{100, 2, 12, math.Sqrt(8), 12},
		{0, 3, 15, math.Sqrt((100 + 625 + 225) / 2.), 20},
		{4, 1, 1, 0, 25},
	} {
		l := list[i]
		if l.Params != want.params || l.Nonzero.N != want.n || !near(l.Nonzero.Mean, want.mean) || !near(l.Nonzero.SD, want.sd) || !near(l.Percent.Mean, want.percent) {
			t.Errorf("%s: got %+v, want %+v", l.Name, l, want)
		}
	}
	other := &Group{Runs: []Run{result("conv2 fc1", 1, 1, 1, 1)}}
	if got := strings.Join(LayerNames(g, other), " "); got != "conv1 conv2 fc1 fc2" {
		t.Errorf("got the layers %s", got)
	}
}

func TestBestIsByValidation(t *testing.T) {
	runs, _ := Read([]string{
		finished(t, run.Config{Seed: 1}, 0.7, 0.5),
		finished(t, run.Config{Seed: 1, Momentum: 0.9}, 0.6, 0.9),
	})
	groups, _ := Groups(runs, nil, nil)
	if best := Best(groups); best != groups[0] {
		t.Errorf("got %v, want the one with the better validation", best)
	}
	if best := Best(groups[:1]); best != nil {
		t.Errorf("of one group: got %v, want none", best)
	}
	test, _ := MetricOf("test")
	if d := Paired(groups[0], groups[1], test, 0.95); d.N != 1 || d.Low != nil || !near(d.Mean, -40) {
		t.Errorf("one pair: got %+v, want no interval", d)
	}
}

func TestPooledSettings(t *testing.T) {
	runs, _ := Read(study(t))
	groups, err := Groups(runs, nil, []string{"seed"})
	if err != nil || len(groups) != 3 || groups[0].String() != "seed=1" || len(groups[0].Runs) != 2 {
		t.Fatalf("got %v, %v, want the three seeds", groups, err)
	}
	test, _ := MetricOf("test")
	if d := Paired(groups[1], groups[0], test, 0.95); d.N != 2 || !near(d.Mean, 3) { // 52−50 and 55−51
		t.Errorf("got %+v, want 3 of two pairs", d)
	}
	for i, n := range []int{100, 300} { // means of 50 and of 100 per cent
		runs[i].Result.Layers = []run.Layer{{Name: "fc1", Params: n, Nonzero: 50 + 250*i}}
	}
	mixed := Compared{Group: &Group{Runs: runs[:2]}, Samples: map[string]Sample{"nonzero": {N: 2, Mean: 175}}}
	if got := mixed.Share(); got != "175 (75 %)" {
		t.Errorf("networks of two sizes: got %q, want 175 (75 %%)", got)
	}
	if _, err := Groups(runs, nil, []string{"sed"}); err == nil || !strings.Contains(err.Error(), `"sed"`) {
		t.Errorf("no such setting: got %v", err)
	}
}

func TestWhatIsLeftOut(t *testing.T) {
	a := finished(t, run.Config{Seed: 1}, 0.7, 0.5)
	twin := finished(t, run.Config{Seed: 1}, 0.7, 0.5)
	half := finished(t, run.Config{Seed: 2}, 0.7, 0.5)
	if err := os.Remove(filepath.Join(half, run.ResultFile)); err != nil {
		t.Fatal(err)
	}
	broken := finished(t, run.Config{Seed: 3}, 0.7, 0.5)
	if err := os.WriteFile(filepath.Join(broken, run.ResultFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	runs, left := Read([]string{a, twin, half, broken, t.TempDir()})
	if len(runs) != 1 || len(left) != 4 {
		t.Fatalf("got %d runs, left out %+v", len(runs), left)
	}
	for i, want := range []string{"the same settings and seed as " + a, " after epoch 0 of 1", "result.json", "not the directory of a run"} {
		if !strings.Contains(left[i].Why, want) {
			t.Errorf("got %q, want %q", left[i].Why, want)
		}
	}
}

// pending is a run of the study's kind that has begun and not ended.
func pending(t *testing.T, c run.Config) string {
	t.Helper()
	path := finished(t, c, 0, 0)
	if err := os.Remove(filepath.Join(path, run.ResultFile)); err != nil {
		t.Fatal(err)
	}
	return path
}

// Groups and baseline are the same whatever has finished, and in whatever order.
func TestOrderAndBaseline(t *testing.T) {
	sgd := run.Config{Seed: 1}
	lasso := func(beta float64) run.Config { return run.Config{Seed: 1, Optimizer: "beta-lasso", Beta: beta} }
	const want = "optimizer=sgd | optimizer=beta-lasso beta=1 | optimizer=beta-lasso beta=10 | optimizer=beta-lasso beta=50"
	for name, dirs := range map[string][]string{
		"all":               {finished(t, lasso(50), 0.9, 0.5), finished(t, lasso(10), 0.6, 0.5), finished(t, sgd, 0.6, 0.5), finished(t, lasso(1), 0.6, 0.5)},
		"SGD not finished":  {finished(t, lasso(50), 0.9, 0.5), finished(t, lasso(10), 0.6, 0.5), pending(t, sgd), finished(t, lasso(1), 0.6, 0.5)},
		"only one finished": {pending(t, lasso(1)), pending(t, lasso(10)), pending(t, sgd), finished(t, lasso(50), 0.9, 0.5)},
	} {
		runs, left := Read(dirs)
		c, err := New(runs, left, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, g := range c.Groups {
			names = append(names, g.String())
		}
		if got := strings.Join(names, " | "); got != want || c.Baseline != "optimizer=sgd" || c.Open != 4-len(runs) {
			t.Errorf("%s: got %s against %s, %d open, want %s against SGD", name, got, c.Baseline, c.Open, want)
		}
	}
	var trials []run.Config
	for _, dir := range []string{pending(t, run.Config{Momentum: 0.9}), pending(t, run.Config{Momentum: 0.5})} {
		trials = append(trials, run.Look(dir).Config)
	}
	runs, left := Read([]string{finished(t, run.Config{Momentum: 0.5}, 0.6, 0.5)})
	c, err := New(runs, left, Options{Trials: trials})
	if err != nil || c.Baseline != "momentum=0.9" || c.Open != 1 || c.Groups[0].String() != "momentum=0.5" {
		t.Errorf("got %s, %d open, %v, want the study's first as baseline, and the order of numbers", c.Baseline, c.Open, err)
	}
}

func TestTables(t *testing.T) {
	runs, left := Read(append(study(t), pending(t, run.Config{Seed: 3, Optimizer: "beta-lasso", Beta: 50})))
	c, err := New(runs, left, Options{})
	if err != nil {
		t.Fatal(err)
	}
	write := func(f func(io.Writer) error) string {
		var b strings.Builder
		if err := f(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, table := range []struct{ name, text, want string }{
		{"text", write(func(w io.Writer) error { return c.Text(w, false) }), "NOT FINISHED: 1 runs"},
		{"text", write(func(w io.Writer) error { return c.Text(w, false) }), "2 of 3"},
		{"Markdown", write(c.Markdown), "| beta-lasso | 50 | 2 of 3 | 70.00 ± 0.00 \\* | 53.00 ± 2.83 | 7 (35 %) | +2.00 | -10.71 to +14.71 |"},
		{"LaTeX", write(c.LaTeX), "beta-lasso & 50 & 2 of 3 & 70.00 $\\pm$ 0.00 $\\ast$ & 53.00 $\\pm$ 2.83 & 7 (35 \\%) & +2.00 & -10.71 to +14.71 \\\\\n\\bottomrule"},
		{"LaTeX", write(c.LaTeX), "\\begin{tabular}{llrrrrrr}\n\\toprule\n"},
	} {
		if !strings.Contains(table.text, table.want) {
			t.Errorf("%s: want %q in\n%s", table.name, table.want, table.text)
		}
	}

	// What was not measured is empty.
	one := Run{Config: run.Config{Val: 0}, Result: run.Result{Last: run.Score{TestAcc: 0.5}}}
	c, err = New([]Run{one}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(write(c.CSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range rows[0] {
		if empty := rows[1][i] == ""; empty != (strings.HasPrefix(name, "val_") || strings.HasPrefix(name, "test-at-best-val_") || strings.HasSuffix(name, "_sd") || strings.HasPrefix(name, "difference")) {
			t.Errorf("%s of one run that held nothing out: got %q", name, rows[1][i])
		}
	}
}

// Published values of Student's t, two-sided.
func TestStudent(t *testing.T) {
	for _, c := range []struct{ nu, level, want float64 }{
		{1, 0.95, 12.7062047}, {2, 0.95, 4.3026527}, {4, 0.95, 2.7764451}, {9, 0.95, 2.2621572}, {99, 0.95, 1.9842169},
		{1, 0.5, 1}, {2, 0.99, 9.9248432}, {30, 0.9, 1.6972609},
	} {
		if got := student(c.nu, c.level); math.Abs(got-c.want) > 1e-6*c.want {
			t.Errorf("%g degrees of freedom, level %g: got %.7f, want %g", c.nu, c.level, got, c.want)
		}
	}
}

// Augmentations come from weak to strong, whatever their names are.
func TestOrderOfAugmentations(t *testing.T) {
	names := []string{"none", "flip-crop", "fast-autoaugment:0.05", "fast-autoaugment:0.5", "fast-autoaugment"}
	for i, a := range names {
		for k, b := range names {
			if got := order("augment", run.Config{Augment: a}, run.Config{Augment: b}); got != cmp.Compare(i, k) {
				t.Errorf("%s and %s: got %d", a, b, got)
			}
		}
	}
}
