package report

import (
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/paper"
	"betalasso/run"
)

// written writes a report and gives its page and its Markdown.
func written(t *testing.T, dirs []string, opt Options) (sum Summary, html, markdown string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "new", "out")
	sum, err := Write(dirs, out, opt)
	if err != nil {
		t.Fatal(err)
	}
	a, err := os.ReadFile(filepath.Join(out, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(out, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(out, "*.tmp"))
	if len(left) > 0 {
		t.Errorf("temporary files were left: %q", left)
	}
	return sum, string(a), string(b)
}

// composed gives the same without drawing the figures' files.
func composed(t *testing.T, dirs []string) (p *page, html, markdown string) {
	t.Helper()
	var all []record
	for _, d := range dirs {
		all = append(all, read(d))
	}
	p, err := compose(all, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var a, b strings.Builder
	if err := p.html(&a); err != nil {
		t.Fatal(err)
	}
	if err := p.markdown(&b); err != nil {
		t.Fatal(err)
	}
	return p, a.String(), b.String()
}

func TestWhatIsBrokenIsAGap(t *testing.T) {
	spoil := func(name, text string) func(*testing.T, *run.Dir) {
		return func(t *testing.T, d *run.Dir) {
			if err := os.WriteFile(d.File(name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, *run.Dir) {
		return func(t *testing.T, d *run.Dir) { os.Remove(d.File(name)) }
	}
	tensors := func(list ...run.Tensor) func(*testing.T, *run.Dir) {
		return func(t *testing.T, d *run.Dir) {
			if _, err := run.WriteTensors(d.File(run.FiltersFile), list, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	counts := run.Tensor{Name: "eligible", Shape: []int{2}, Data: []float32{0, 1024}}
	for _, c := range []struct {
		rule  string
		spoil func(*testing.T, *run.Dir)
		want  string // in the page
	}{
		{"nothing", func(*testing.T, *run.Dir) {}, "18 of the 100 filters"},
		{"no result", remove(run.ResultFile), " after epoch 30 of 30"},
		{"no events", remove(run.EventsFile), "no epochs are recorded"},
		{"no filters", remove(run.FiltersFile), "the run kept no filters"},
		{"no config", remove(run.ConfigFile), "it has no config.yaml"},
		{"a torn result", spoil(run.ResultFile, `{"last": {`), "result.json cannot be read"},
		{"an empty result", spoil(run.ResultFile, `{}`), "it is of 0 epochs, and the settings have 30"},
		{"no result at all", spoil(run.ResultFile, `null`), "it holds nothing (null)"},
		{"a result of another kind", spoil(run.ResultFile, `[1]`), "result.json cannot be read"},
		{"torn events", spoil(run.EventsFile, "{\n{}\n"), "the events cannot be read to their end"},
		{"events of nothing", spoil(run.EventsFile, "{}\n{}\n"), "18 of the 100 filters"},
		{"negative and huge events", spoil(run.EventsFile, `{"epoch":-5,"val_loss":-1e300,"nonzero":{"conv1":-7,"<b>":9}}`+"\n"+`{"epoch":9000000,"val_loss":1e308,"train_loss":-1e308,"nonzero":{"conv1":0}}`+"\n"), "non-zeros"},
		{"a config of another kind", spoil(run.ConfigFile, "model: [\n"), "config.yaml: "},
		{"torn filters", spoil(run.FiltersFile, "xx"), run.FiltersFile},
		{"filters without a shape", tensors(run.Tensor{Name: "filters", Shape: []int{3}, Data: make([]float32, 3)}), "of 4 dimensions"},
		{"no filter with 20 non-zeros", tensors(run.Tensor{Name: "filters", Shape: []int{0, 3, 32, 32}}, counts, run.Tensor{Name: "locality", Shape: []int{0, 5}}), "none of the 1,024 filters has 20"},
		{"filters of no size", tensors(run.Tensor{Name: "filters", Shape: []int{4, 3, 0, 0}}, counts), "have the shape"},
		{"filters without end", tensors(run.Tensor{Name: "filters", Shape: []int{1 << 16, 3, 32, 32}, Rows: zeros{}}, counts), "201326592 numbers"},
		{"no counts", tensors(run.Tensor{Name: "filters", Shape: []int{0, 3, 32, 32}}), "of 1 dimensions"},
		{"no measures", tensors(run.Tensor{Name: "filters", Shape: []int{0, 3, 32, 32}}, counts), "of 2 dimensions"},
		{"filters that are not finite", tensors(run.Tensor{Name: "filters", Shape: []int{1, 1, 1, 2}, Data: []float32{float32(math.NaN()), float32(math.Inf(1))}}, counts, run.Tensor{Name: "locality", Shape: []int{1, 5}, Data: []float32{float32(math.NaN()), 1, 1, 1, 1}}), "a number that is not finite"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			m := &maker{t: t, root: t.TempDir()}
			d := m.begin("it", m.config(paper.Cases[6], "cifar10", 1), 30)
			m.finish(d, 0.5)
			m.finish(m.begin("other", m.config(paper.Cases[0], "cifar10", 1), 30), 0.6)
			c.spoil(t, d)
			p, html, markdown := composed(t, append(m.dirs, filepath.Join(m.root, "none")))
			if !strings.Contains(html, c.want) {
				t.Errorf("the page does not say %q", c.want)
			}
			for _, w := range []string{"60.00 %", "is not the directory of a run"} {
				if !strings.Contains(html, w) || !strings.Contains(markdown, w) {
					t.Errorf("the rest is not told: no %q", w)
				}
			}
			if text := p.terminal(); !strings.Contains(text, "60.00 %") {
				t.Errorf("got %q", text)
			}
			if strings.Contains(html, "<b>:") {
				t.Error("a layer's name is not escaped")
			}
		})
	}
}

func TestNothingToReport(t *testing.T) {
	sum, html, _ := written(t, nil, Options{})
	if sum.Text != "" || !strings.Contains(html, "No run could be read.") {
		t.Errorf("got %q", sum.Text)
	}
}

func TestLeadSaysWhichData(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	m.finish(m.begin("made", m.config(paper.Cases[0], "digits", 1), 1), 0.5)
	made := m.dirs
	if sum, html, _ := composed(t, made); !strings.HasPrefix(sum.Lead, "DATA: digits") || !strings.Contains(sum.Lead, "NOT the paper's data") || !strings.Contains(html, `class="lead loud"`) {
		t.Errorf("the generated set: got %q", sum.Lead)
	}
	d := m.begin("own", m.config(paper.Cases[0], "svhn", 1), 1)
	m.finish(d, 0.5)
	r, err := d.Result()
	if err != nil {
		t.Fatal(err)
	}
	r.Sources[0].Verified, r.Sources[0].File = false, "<mine>.mat"
	if err := d.WriteResult(r); err != nil {
		t.Fatal(err)
	}
	sum, html, _ := composed(t, m.dirs)
	for _, want := range []string{"DATA: digits", "in place of photographs", "Data: SVHN. UNVERIFIED: <mine>.mat"} {
		if !strings.Contains(sum.Lead, want) {
			t.Errorf("got %q, want %q in it", sum.Lead, want)
		}
	}
	if !strings.Contains(html, "UNVERIFIED: &lt;mine&gt;.mat") {
		t.Error("the page does not tell or not escape the file that is not verified")
	}
	os.Remove(d.File(run.ResultFile))
	if sum, _, _ := composed(t, []string{d.Path()}); !strings.Contains(sum.Lead, "no run has finished") {
		t.Errorf("unfinished: got %q", sum.Lead)
	}
}

func TestTextIsEscaped(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	d := m.begin("a|b`<script>alert(1)<", m.config(paper.Cases[6], "cifar10", 1), 3)
	d.WriteFailure("<img src=x onerror=alert(2)> | ``")
	_, html, markdown := written(t, m.dirs, Options{Remarks: []string{"<u>remark</u>"}})
	for _, bad := range []string{"<script>", "<img src=x", "<u>"} {
		if strings.Contains(html, bad) || strings.Contains(markdown, bad) {
			t.Errorf("%q is not escaped", bad)
		}
	}
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, "alert") && !strings.Contains(line, `a\|b`) {
			t.Errorf("a cell is not escaped: %s", line)
		}
	}
}

func TestRowsAreOfOneSetting(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	for i, epochs := range []int{30, 60, 60, 90} {
		c := m.config(paper.Cases[3], "cifar10", uint64(i))
		c.Epochs, c.Threads = epochs, i
		d := m.begin("r"+string(rune('0'+i)), c, epochs)
		if epochs < 90 { // the longest has not finished
			m.finish(d, []float64{0.3, 0.5, 0.6}[i])
		}
	}
	var all []record
	for _, d := range m.dirs {
		all = append(all, read(d))
	}
	row := rowOf(all, paper.Describe("cifar10"), paper.Cases[3])
	if row.Ours != "55.00 ± 7.07 %" || row.Runs != "2" || !strings.Contains(row.Gap, "of 3 settings") {
		t.Errorf("got %q of %s runs, gap %q, want the two of 60 epochs", row.Ours, row.Runs, row.Gap)
	}
}

// Without validation examples no epoch is the best by them.
func TestNothingHeldOut(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	c := m.config(paper.Cases[0], "cifar10", 1)
	c.Val = 0
	m.finish(m.begin("all", c, 3), 0.5)
	all := []record{read(m.dirs[0])}
	if row := rowOf(all, paper.Describe("cifar10"), paper.Cases[0]); row.Ours != "50.00 %" || row.Best != "–" {
		t.Errorf("got %q, best %q, want 50.00 %% and no best", row.Ours, row.Best)
	}
	if v := runOf(all[0]); v.Best != "–" {
		t.Errorf("among all runs: got the best %q", v.Best)
	}
	set := paper.Describe("cifar10")
	together, err := comparison(all, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := curvesFigure(groupsOf(all, set, together), set)
	if len(f.charts) == 0 {
		t.Error("got no charts")
	}
	for _, ch := range f.charts {
		if strings.HasPrefix(ch.title, "validation") {
			t.Errorf("got a chart of %s", ch.title)
		}
	}
}

func TestExplain(t *testing.T) {
	same := run.Default()
	same.Alpha = 28
	r := record{config: same, finished: true, result: run.Result{Params: 26_904_000}}
	set := paper.Describe("cifar10")
	if got := explain(r, againstReport(set)); len(got) != 0 {
		t.Errorf("the report's own settings: got %v", got)
	}
	r.config.Epochs, r.config.Augment, r.config.Train = 400, "flip-crop", 10_000
	r.result.Params, r.result.DataSet.Train = 1_000_000, 10_000
	r.result.Sources = []run.Source{{File: "x"}}
	want := "Tends to lower ours: 1 M weights instead of 25.6 M; 10,000 training examples instead of 50,000. Tends to raise ours: 400 epochs instead of 100; flip and crop instead of no augmentation. Either way: data files that are not the publisher's."
	if got := sentences(explain(r, againstReport(set))); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFilterSheet(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	d := m.begin("it", m.config(paper.Cases[6], "digits", 1), 1)
	out := filepath.Join(t.TempDir(), "sheet.png")
	if err := FilterSheet(d.Path(), out, 8, 2); err == nil {
		t.Error("a run without filters: got no error")
	}
	m.filters(d, d.Config())
	if err := FilterSheet(d.Path(), out, 8, 2); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != (8*33-1)*2 || b.Dy() != (3*33-1)*2 { // 20 filters
		t.Errorf("got a sheet of %v", b)
	}
	if r, g, b, a := img.At(0, 0).RGBA(); r|g|b != 0 || a != 0xffff {
		t.Errorf("a weight of zero: got %v, want black", img.At(0, 0))
	}
	for _, bad := range [][2]int{{0, 1}, {1, 0}, {-1, 1}, {1, 1e6}, {1, 65}} {
		if err := FilterSheet(d.Path(), out, bad[0], bad[1]); err == nil {
			t.Errorf("%v: got no error", bad)
		}
	}
}

func TestShade(t *testing.T) {
	for _, c := range []struct {
		w    float32
		want uint8
	}{{0, 0}, {1, 204}, {-1, 204}, {0.674, 161}, {9, 255}, {float32(math.Inf(-1)), 255}, {float32(math.NaN()), 0}} {
		if got := shade(c.w, 1); got != c.want {
			t.Errorf("shade(%v, 1): got %d, want %d", c.w, got, c.want)
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{short(540), "540"}, {short(62208), "62.2 k"}, {short(999_999), "1 M"}, {short(25.6e6), "25.6 M"}, {short(0), "0"},
		{commas(1234567), "1,234,567"}, {commas(-1234), "-1,234"}, {commas(123), "123"},
		{points(-1.25), "−1.2"}, {points(3), "+3.0"}, {points(math.NaN()), "–"},
		{span(12.3456), "12.3 s"}, {span(3600), "60 min"}, {span(1e5), "27.8 h"}, {span(math.NaN()), "an unknown time"}, {span(math.Inf(1)), "an unknown time"},
		{exponent(1e-5), "1e−5"}, {exponent(2.5e-12), "2.5e−12"}, {exponent(0), "0"},
		{list([]string{"a", "b", "c"}), "a, b and c"}, {list(nil), ""},
		{quote("a b'c"), `'a b'\''c'`}, {quote("runs/x-1"), "runs/x-1"}, {quote(""), "''"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// The command that a report gives is of flags that are not what they are anyway.
func TestCommand(t *testing.T) {
	c := run.Default()
	c.Model, c.Alpha, c.Optimizer, c.LambdaConv, c.Data, c.SVHNExtra, c.DataDir = "s-fc", 4, "beta-lasso", 1e-5, "svhn", true, "my data"
	want := "betalasso train --model s-fc --alpha 4 --data svhn --svhn-extra --optimizer beta-lasso --beta 0 --lambda-conv 1e-05 --lambda-fc 0 --seed 1 --data-dir 'my data' --out again"
	if got := command(c); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		log       bool
	}{
		{0, 1, false}, {0, 4096, false}, {-1e300, 1e300, false}, {0.99999, 1.00001, false}, {2, 2 + 1e-6, false},
		{1, 1e9, true}, {480, 1920, true}, {0.8, 1.25, true}, {100, 130, true},
	} {
		ticks := linearTicks(c.low, c.high, 6, false)
		if c.log {
			ticks = logTicks(c.low, c.high)
		}
		if len(ticks) < 2 || len(ticks) > 20 {
			t.Errorf("%+v: got %d ticks", c, len(ticks))
		}
		for _, k := range ticks {
			if k.Label == "" || k.Label == "-0" || len(k.Label) > 9 || k.Value < c.low-1e-9*math.Abs(c.low) || k.Value > c.high+1e-9*math.Abs(c.high) {
				t.Errorf("%+v: got %+v", c, k)
			}
		}
	}
}

// zeros are as many filters as a file may claim in a few bytes.
type zeros struct{}

func (zeros) Shape() (rows, cols int)   { return 1 << 16, 3 * 32 * 32 }
func (zeros) Read(dst []float32, _ int) { clear(dst) }
func (zeros) Write(int, []float32)      {}
