package report

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"betalasso/paper"
	"betalasso/run"
)

// lambdas is a study of two networks, some λ and seeds; those runs that are not
// finished have begun.
func lambdas(t *testing.T, finished func(model string, lambda float64, seed uint64) bool) *maker {
	m := &maker{t: t, root: t.TempDir()}
	for _, model := range []string{"s-fc", "s-local"} {
		for i, lambda := range []float64{1e-5, 1e-4, 1e-3} {
			for seed := range uint64(3) {
				c := m.config(paper.Cases[6], "digits", seed+1)
				c.Model, c.LambdaConv = model, lambda
				d := m.begin(fmt.Sprintf("%s-%g-%d", model, lambda, seed+1), c, 3)
				if finished(model, lambda, seed+1) {
					m.finish(d, []float64{0.5, 0.7, 0.6}[i]+0.01*float64(seed))
				}
			}
		}
	}
	return m
}

func all(string, float64, uint64) bool { return true }

func TestAStudyShowsAllItsSettings(t *testing.T) {
	m := lambdas(t, all)
	sum, page, markdown := written(t, m.dirs, Options{})
	html := strings.ReplaceAll(html.UnescapeString(page), "\u00a0", " ")
	if sum.Unfinished != "" {
		t.Errorf("all are finished: got %q", sum.Unfinished)
	}
	for _, name := range []string{"S-FC, λ conv 1e−5", "S-FC, λ conv 1e−4", "S-FC, λ conv 1e−3", "S-LOCAL, λ conv 1e−4"} {
		for where, text := range map[string]string{"page": html, "Markdown": markdown, "terminal": sum.Text} {
			if !strings.Contains(text, name) {
				t.Errorf("the %s does not name %q", where, name)
			}
		}
	}
	for _, want := range []string{"71.00 ± 1.00 *", "+20.00", "+20.00 to +20.00", "Figure 1.", "Figure 2.", "Bars are standard deviations over seeds", "bands their standard deviations", "λ conv 1e−4: test 71.00 ± 1.00 %, n = 3"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(html, "S-CONV, SGD") || strings.Contains(html, "3-FC") {
		t.Error("the page has rows of the paper's table that there is no run of")
	}
	// The row of the table is the setting with the best validation.
	if !strings.Contains(html, "the best by validation accuracy of 3 settings") || !strings.Contains(sum.Text, "71.00 ± 1.00 %") {
		t.Errorf("the table's row is not the best of three:\n%s", sum.Text)
	}
	if strings.Index(html, "<h1>") > strings.Index(html, "DATA:") {
		t.Error("the title does not come first")
	}
	p, _, _ := composed(t, m.dirs)
	for _, name := range []string{"figures/settings-digits.pdf", "figures/settings-digits.svg", "tables/digits.csv", "tables/digits.tex", "figures/curves-digits.pdf"} {
		if p.files[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	titles := map[string]bool{}
	together, err := comparison(records(m.dirs), paper.Describe("digits"), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := settingsFigure(together, paper.Describe("digits"))
	for _, c := range f.charts {
		titles[c.title] = true
		if c.x == "" || c.y == "" {
			t.Errorf("%s: its axes have no labels", c.title)
		}
	}
	if !titles["accuracy and size"] || !titles["accuracy by lambda-conv"] || len(titles) != 2 {
		t.Errorf("got the charts %v, want accuracy by size and by what varies", titles)
	}
	// No two entries of the legend overlap.
	places, style := f.legend(f.columns()), legendStyle()
	for i, at := range places {
		for j, other := range places {
			if i != j && at.Y == other.Y && other.X > at.X && at.X+24+style.Width(f.keys[i].Name) > other.X {
				t.Errorf("%q reaches into %q", f.keys[i].Name, f.keys[j].Name)
			}
		}
		if width, _ := f.dimensions(f.columns()); at.X+24+style.Width(f.keys[i].Name) > width {
			t.Errorf("%q reaches beyond the figure", f.keys[i].Name)
		}
	}
}

// TestKernels wants the paper's Figure 5 beside a study of kernels.
func TestKernels(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	for _, kernel := range []int{3, 7, 15} {
		for _, optimizer := range []string{"sgd", "beta-lasso"} {
			for seed := range uint64(2) {
				c := m.config(paper.Cases[6], "cifar10", seed+1)
				c.Model, c.Kernel, c.Optimizer = "resnet18", kernel, optimizer
				if optimizer == "sgd" {
					c.Beta, c.LambdaConv, c.LambdaFC = 0, 0, 0
				}
				m.finish(m.begin(fmt.Sprintf("%s-%d-%d", optimizer, kernel, seed), c, 3), 0.5+0.01*float64(seed))
			}
		}
	}
	together, err := comparison(records(m.dirs), paper.Describe("cifar10"), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := settingsFigure(together, paper.Describe("cifar10"))
	points := map[string][]int{}
	for _, c := range f.charts {
		for _, s := range c.series {
			points[c.title] = append(points[c.title], len(s.x))
		}
	}
	if got := points["accuracy by kernel"]; !slices.Equal(got, []int{3, 3}) {
		t.Errorf("points by kernel: got %v, want three for each optimiser; charts %v", got, points)
	}
	if got := points["the paper's Figure 5, full size"]; !slices.Equal(got, []int{7, 7}) {
		t.Errorf("the paper's points: got %v, want seven for each optimiser", got)
	}
}

// TestSizes wants the paper's Figure 2 beside a network of several sizes, as far as
// they are near, and neither that nor a line where several settings have one size.
func TestSizes(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	for model, sizes := range map[string][]int{"s-conv": {1, 2, 4, 1, 2}, "d-conv": {2, 2}} {
		for i, alpha := range sizes {
			c := m.config(paper.Cases[0], "cifar10", 1)
			c.Model, c.Alpha = model, alpha
			if i >= 3 || model == "d-conv" && i == 1 {
				c.LR = 0.2
			}
			d := m.begin(fmt.Sprintf("%s-%d", model, i), c, 3)
			m.finish(d, 0.5)
			r, err := d.Result()
			if err != nil {
				t.Fatal(err)
			}
			r.Params = 32_000 * alpha
			r.Layers = []run.Layer{{Name: "conv1", Params: r.Params, Nonzero: r.Params}}
			if err := d.WriteResult(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	together, err := comparison(records(m.dirs), paper.Describe("cifar10"), nil)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := settingsFigure(together, paper.Describe("cifar10"))
	points := map[string]string{}
	for _, s := range f.charts[0].series {
		points[s.name] = fmt.Sprint(s.y, s.width)
	}
	want := map[string]string{
		"S-CONV, lr 0.1": "[50 50 50] 0", "S-CONV, lr 0.2": "[50 50] 0", "D-CONV": "[50 50] 0.01",
		"the paper, 400 epochs: S-CONV": "[49.2 55.3 60.6 68.1 72.5] 0",
	}
	if !maps.Equal(points, want) {
		t.Errorf("got %v, want %v", points, want)
	}
	for _, c := range f.charts {
		if c.title == "accuracy by alpha" {
			t.Error("SGD's sizes are drawn twice")
		}
	}
}

func records(dirs []string) (list []record) {
	for _, d := range dirs {
		list = append(list, read(d))
	}
	return list
}

func TestUnfinishedIsSaidFirst(t *testing.T) {
	half := lambdas(t, func(model string, lambda float64, seed uint64) bool { return model == "s-fc" && seed < 3 })
	planned := run.Look(half.dirs[0]).Config
	planned.Seed = 9
	sum, page, _ := written(t, half.dirs, Options{Trials: []run.Config{run.Look(half.dirs[0]).Config, planned}})
	if want := "NOT FINISHED: 6 of 19 runs have a result (1 planned and 12 running)"; !strings.HasPrefix(sum.Unfinished, want) || !strings.Contains(page, want) {
		t.Errorf("got %q, want %q", sum.Unfinished, want)
	}
	if at := strings.Index(page, "NOT FINISHED"); at > strings.Index(page, "DATA:") || at > strings.Index(page, "<table>") {
		t.Error("it is not said first")
	}
	if !strings.Contains(page, "2 of 4") || !strings.Contains(page, "0 of 3") {
		t.Error("the groups do not say how many of their runs have finished")
	}
	none := lambdas(t, func(string, float64, uint64) bool { return false })
	if sum, _, _ := written(t, none.dirs, Options{}); !strings.HasPrefix(sum.Unfinished, "NOTHING FINISHED: none of 18 runs") {
		t.Errorf("got %q", sum.Unfinished)
	}
	if sum, _, _ := written(t, nil, Options{Trials: []run.Config{planned}}); !strings.HasPrefix(sum.Unfinished, "NOTHING FINISHED: none of 1 run") {
		t.Errorf("an empty study: got %q", sum.Unfinished)
	}
}

func TestExplanationsAgreeWithTheSign(t *testing.T) {
	low, high, unclear := factor{lowers, "fewer epochs"}, factor{raises, "augmentation"}, factor{either, "momentum"}
	for _, c := range []struct {
		difference float64
		list       []factor
		want       string
	}{
		{15.1, []factor{low}, "Ours is above, unexplained: all that differs tends to lower it."},
		{15.1, []factor{low, high}, "Ours is above, as that would have it."},
		{15.1, []factor{low, unclear}, "Ours is above: what works either way may explain it."},
		{-15.1, []factor{low}, "Ours is below, as that would have it."},
		{-15.1, []factor{high}, "Ours is below, unexplained: all that differs tends to raise it."},
		{-15.1, nil, "unexplained: epochs, size and augmentation are the same"},
		{0.4, []factor{low}, "Ours is within a point."},
	} {
		if got := agree(c.difference, c.list, nil); !strings.Contains(got, c.want) {
			t.Errorf("%+v: got %q, want %q", c, got, c.want)
		}
	}
}

// A row whose own differences tend the other way says that what all rows share
// explains it, not "as that".
func TestExplanationsNameWhatIsShared(t *testing.T) {
	low, high := factor{lowers, "5 epochs instead of 100"}, factor{raises, "flip and crop"}
	if got := agree(15.4, []factor{low, high}, []factor{high}); got != "Ours is above, as what all cases share would have it." {
		t.Errorf("got %q", got)
	}
	if got := agree(-15.4, []factor{low, high}, []factor{high}); got != "Ours is below, as that would have it." {
		t.Errorf("got %q", got)
	}
	c := run.Default()
	if c.Batch = 128; !slices.ContainsFunc(explain(record{config: c}, setting{epochs: c.Epochs}), func(f factor) bool {
		return f == factor{raises, "batches of 128 instead of 512, so more steps an epoch"}
	}) {
		t.Error("smaller batches are not told")
	}
}

// Numbers stay with what they belong to.
func TestUnbroken(t *testing.T) {
	for text, want := range map[string]string{
		"box 22 × 25, over": "box 22_×_25, over", "(n = 3, 95 % interval": "(n_=_3, 95_% interval", "54.70 ± 0.19 %, with": "54.70_±_0.19_%, with",
		"1.6 M weights": "1.6_M weights", "2 settings": "2 settings",
	} {
		if got := strings.ReplaceAll(unbroken(text), "\u00a0", "_"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// verdictOf makes SGD and β-lasso with those accuracies by seed, and the share of
// the first layer that is left, and asks for the verdict.
func verdictOf(t *testing.T, sgd, lasso []float64, left float64, radius float32) (Verdict, string) {
	m := &maker{t: t, root: t.TempDir()}
	for i, list := range [][]float64{sgd, lasso} {
		for seed, acc := range list {
			d := m.begin(fmt.Sprintf("%d-%d", i, seed), m.config(paper.Cases[3+3*i], "cifar10", uint64(seed+1)), 3)
			m.finish(d, acc)
			r, err := d.Result()
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 {
				r.Layers[0].Nonzero = int(left * float64(r.Layers[0].Params))
				if err := d.WriteResult(r); err != nil {
					t.Fatal(err)
				}
			}
			tensors, _, err := run.ReadTensors(d.File(run.FiltersFile))
			if err != nil {
				t.Fatal(err)
			}
			for j := range tensors {
				if tensors[j].Name == "locality" {
					tensors[j].Data = []float32{33, 27, radius * 2, radius * 2, radius}
					tensors[j].Shape = []int{1, 5}
				}
			}
			if _, err := run.WriteTensors(d.File(run.FiltersFile), tensors, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	sum, _, _ := written(t, m.dirs, Options{})
	text, err := os.ReadFile(filepath.Join(filepath.Dir(sum.Page), "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file summaryFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Verdict.Numbers) != 1 || file.Verdict.Text != sum.Verdicts[0].Text || len(file.Cases) != 2 || file.Cases[1].Filters == nil {
		t.Fatalf("summary.json: got %s", text)
	}
	return file.Verdict.Numbers[0], sum.Verdicts[0].Text
}

func TestVerdict(t *testing.T) {
	v, text := verdictOf(t, []float64{0.60, 0.61, 0.60}, []float64{0.63, 0.64, 0.64}, 0.001, 7)
	for _, want := range []string{"63.67 ± 0.58 %, with SGD 60.33 ± 0.58 %: +3.3 points (n = 3, 95 % interval", "higher", "first layer's 0.10 %", "Its filters are local: median radius 7.0 pixels, box 14 × 14"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q", text, want)
		}
	}
	if v.Local == nil || !*v.Local || v.Difference.N != 3 || v.Difference.Low == nil || *v.Difference.Low < 0 || v.Filters.Radius != 7 {
		t.Errorf("got %+v", v)
	}
	v, text = verdictOf(t, []float64{0.50}, []float64{0.504}, 0.7, 13)
	for _, want := range []string{"One seed gives no interval", "Its filters are not local: median radius 13.0", "30 epochs are too few"} {
		if !strings.Contains(text, want) {
			t.Errorf("too short: got %q, want %q", text, want)
		}
	}
	if *v.Local || v.Difference.Low != nil {
		t.Errorf("got %+v", v)
	}
	if _, text = verdictOf(t, []float64{0.50, 0.60}, []float64{0.55, 0.56}, 0.01, 7); !strings.Contains(text, "which shows no difference") {
		t.Errorf("an interval that holds 0: got %q", text)
	}
}

// The last screen is no wider than the terminal, tables aside, and has each
// thing that the verdict says on a line that begins with what it is about.
func TestTheVerdictIsWrapped(t *testing.T) {
	v, _ := verdictOf(t, []float64{0.60, 0.61, 0.60}, []float64{0.63, 0.64, 0.64}, 0.001, 7)
	for columns := 40; columns < 200; columns += 20 {
		var b strings.Builder
		Summary{Lead: "Data: CIFAR-10, every file equal to the publisher's by checksum.", Verdicts: []Verdict{v}}.Print(&b, columns)
		for _, line := range strings.Split(b.String(), "\n") {
			if n := utf8.RuneCountInString(line); n > columns {
				t.Errorf("%d columns: got %d: %q", columns, n, line)
			}
			if strings.HasSuffix(line, " 63.67") || strings.HasSuffix(line, "0.10") {
				t.Errorf("%d columns: a number without its unit: %q", columns, line)
			}
		}
		for _, about := range []string{"\n  accuracy ", "\n  weights  ", "\n  filters  "} {
			if !strings.Contains(b.String(), about) {
				t.Errorf("%d columns: got %q, want %q", columns, b.String(), about)
			}
		}
	}
}

// A data set that no text has numbers of gets no empty columns for them.
func TestNoPaperColumnsForGeneratedData(t *testing.T) {
	for set, want := range map[string]bool{"digits": false, "cifar10": true} {
		m := &maker{t: t, root: t.TempDir()}
		m.finish(m.begin("conv", m.config(paper.Cases[0], set, 1), 3), 0.5)
		sum, page, md := written(t, m.dirs, Options{})
		for name, text := range map[string]string{"terminal": sum.Text, "page": tables(page), "Markdown": tables(md)} {
			if got := strings.Contains(text, "EE-411"); got != want {
				t.Errorf("%s, %s: EE-411 is there: %v, want %v", set, name, got, want)
			}
		}
	}
}

// tables are the lines of a page that have several cells.
func tables(text string) string {
	var some []string
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, "<th") || strings.HasPrefix(line, "|") {
			some = append(some, line)
		}
	}
	return strings.Join(some, "\n")
}

func TestNetworkNames(t *testing.T) {
	for name, want := range map[string]string{"s-fc": "S-FC", "resnet18": "ResNet18", "my-net": "my-net"} {
		if got := networkName(name); got != want {
			t.Errorf("networkName(%q) = %q, want %q", name, got, want)
		}
	}
}

// A run of the same settings and seed as another is listed, and counts for nothing:
// no interval is made of one seed. What is immaterial tells no settings apart.
func TestTwinsCountOnce(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	add := func(name string, k paper.Case, seed uint64, returns bool, acc float64) {
		c := m.config(k, "cifar10", seed)
		c.Returns = returns
		m.finish(m.begin(name, c, 3), acc)
	}
	add("sgd", paper.Cases[3], 1, false, 0.60)
	add("lasso", paper.Cases[6], 1, false, 0.62)
	add("again", paper.Cases[6], 1, true, 0.63)
	p, _, markdown := composed(t, m.dirs)
	if v := p.Sections[0].Verdict; v.Difference == nil || v.Difference.N != 1 || v.Difference.Low != nil || *v.Lasso != 0.62 {
		t.Errorf("got %+v, want one pair without an interval", v.Difference)
	}
	if len(p.Runs) != 3 || !strings.Contains(p.Runs[2].Gap, "the same settings and seed as "+m.dirs[1]) || !strings.Contains(markdown, "which is what counts") {
		t.Errorf("got %+v, want all three listed", p.Runs)
	}
	add("second", paper.Cases[6], 2, true, 0.64)
	p, _, _ = composed(t, m.dirs)
	if row := p.Sections[0].Rows[1]; row.Runs != "2" {
		t.Errorf("got %s runs in the table's row, want both seeds", row.Runs)
	}
}

// The claim is about networks that learn from the same images, from the start.
func TestPairsOfOneKind(t *testing.T) {
	var list []group
	for _, optimizer := range []string{"sgd", "beta-lasso"} {
		c := run.Default()
		c.Model, c.Alpha, c.Optimizer, c.Data = "s-fc", 4, optimizer, "cifar10"
		if optimizer == "beta-lasso" {
			c.Beta = 50
		}
		list = append(list, group{runs: []record{{opened: true, finished: true, config: c}}})
	}
	if lasso, sgd := pair(list); lasso == nil || sgd == nil {
		t.Fatal("got no pair")
	}
	for what, change := range map[string]func(*run.Config){
		"trained on":        func(c *run.Config) { c.FromSum = "00" },
		"fewer images":      func(c *run.Config) { c.Train = 100 },
		"no validation":     func(c *run.Config) { c.Val = 0 },
		"own images":        func(c *run.Config) { c.DataSum = "00" },
		"whitened pixels":   func(c *run.Config) { c.Whiten = 0.1 },
		"fewer epochs":      func(c *run.Config) { c.Epochs = 3 },
		"another size":      func(c *run.Config) { c.Alpha = 5 },
		"another of pixels": func(c *run.Config) { c.Channels = 1 },
	} {
		for i := range list {
			changed := slices.Clone(list)
			r := list[i].runs[0]
			change(&r.config)
			changed[i] = group{runs: []record{r}}
			if lasso, _ := pair(changed); lasso != nil {
				t.Errorf("%s, run %d: got a pair", what, i)
			}
		}
	}
}

// Filters of a window are local by construction, whatever network has it.
func TestWindowsAreNoEvidence(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	for i, side := range []int{32, 64} {
		for _, k := range []paper.Case{paper.Cases[3], paper.Cases[6]} {
			c := m.config(k, "cifar10", 1)
			d := m.begin(fmt.Sprintf("%d-%s", i, k.Name), c, 3)
			m.finish(d, 0.6)
			r, err := d.Result()
			if err != nil {
				t.Fatal(err)
			}
			r.DataSet.Side = side // their filters have sides of 32
			if err := d.WriteResult(r); err != nil {
				t.Fatal(err)
			}
		}
		p, _, _ := composed(t, m.dirs[2*i:])
		if v := p.Sections[0].Verdict; (v.Local != nil) != (side == 32) {
			t.Errorf("images of %d pixels: got %+v", side, v.Filters)
		}
	}
}

// A table is escaped for Markdown, not in the page that shares it.
func TestTablesAreCopied(t *testing.T) {
	rows := [][]string{{"aquarium_fish", "<b>"}}
	var b strings.Builder
	mdTable(&b, 1, []string{"class", "pixels"}, rows)
	if rows[0][0] != "aquarium_fish" || rows[0][1] != "<b>" || !strings.Contains(b.String(), "&lt;b") {
		t.Errorf("got %q, and %s", rows, &b)
	}
}

// An explain file of few bytes may not ask for a picture of gigabytes.
func TestUsesOfAnyShape(t *testing.T) {
	tensors := func(n, h, w int) []run.Tensor {
		return []run.Tensor{
			{Name: "heat", Shape: []int{8, 8}, Data: make([]float32, 64)},
			{Name: "filters", Shape: []int{n, 1, h, w}, Data: make([]float32, n*h*w)},
			{Name: "used", Shape: []int{n, 5}, Data: make([]float32, 5*n)},
			{Name: "inputs", Shape: []int{2, 2}, Data: make([]float32, 4)},
			{Name: "epoch", Shape: []int{1}, Data: make([]float32, 1)},
		}
	}
	for _, shape := range [][3]int{{1000, 1, 1024}, {8, 3, 1024}, {1000, 8, 8}} {
		u, err := newUses(tensors(shape[0], shape[1], shape[2]), nil)
		if err != nil {
			continue
		}
		if size := u.sheet().Bounds().Size(); size.X*size.Y > maxPixels {
			t.Errorf("%v: got a picture of %v", shape, size)
		}
	}
	if _, err := newUses(tensors(20, 8, 8), nil); err != nil {
		t.Error(err)
	}
}
