package report

import (
	"bytes"
	"flag"
	"fmt"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"betalasso/paper"
	"betalasso/run"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	keep   = flag.String("keep", "", "a folder to write the golden report to, to look at")
)

// maker makes run directories in a folder.
type maker struct {
	t    *testing.T
	root string
	dirs []string
}

// config is the Config of a case at a small size.
func (m *maker) config(k paper.Case, set string, seed uint64) run.Config {
	c := run.Default()
	c.Model, c.Data, c.Optimizer, c.Seed, c.Epochs, c.Precision = k.Model, set, k.Optimizer, seed, 30, "fp32"
	c.Augment = "flip-crop"
	if c.Model == "3-fc" {
		c.Width = 240
	} else {
		c.Alpha = 4
	}
	if c.Optimizer == "beta-lasso" {
		c.Beta, c.LambdaConv, c.LambdaFC = k.Beta, 1e-4, 2e-5
	}
	return c
}

// begin makes the directory of a run with the given number of epochs done.
func (m *maker) begin(name string, c run.Config, epochs int) *run.Dir {
	m.t.Helper()
	d, err := run.Create(filepath.Join(m.root, name), c)
	if err != nil {
		m.t.Fatal(err)
	}
	m.dirs = append(m.dirs, d.Path())
	m.t.Cleanup(func() { d.Close() })
	for e := range epochs + 1 {
		x := float64(e) / float64(c.Epochs)
		size := float64(len(name)%7) / 20
		left := 1.0
		if c.Optimizer == "beta-lasso" && c.Beta > 0 {
			left = math.Exp(-x * math.Log(1+c.Beta))
		}
		err := d.AppendEvent(run.Event{
			Epoch: e, Step: 88 * e, LR: 0.1 * (1 - x), Seconds: 4,
			TrainLoss: 2.3 - (1.4+size)*math.Sqrt(x), TrainAcc: 0.1 + (0.5+size/2)*math.Sqrt(x),
			ValLoss: 2.3 - 1.3*math.Sqrt(x) + x*c.Beta/500 - size*x, ValAcc: 0.1 + (0.45+size/2)*math.Sqrt(x) - x*c.Beta/1000,
			Nonzero: map[string]int{"conv1": int(3145728 * left), "fc1": int(98304 * math.Sqrt(left)), "fc2": 960},
		})
		if err != nil {
			m.t.Fatal(err)
		}
	}
	return d
}

// finish gives a run its result and its filters.
func (m *maker) finish(d *run.Dir, acc float64) {
	m.t.Helper()
	c := d.Config()
	res := run.Result{
		Last:   run.Score{Epoch: c.Epochs, ValAcc: acc, TestAcc: acc, TestLoss: 1.2},
		Best:   run.Score{Epoch: c.Epochs - 2, ValAcc: acc + 0.01, TestAcc: acc - 0.002, TestLoss: 1.2},
		Params: 3_244_992, WallSeconds: 120, PeakRSS: 400e6, Seed: c.Seed, Version: "v1", Go: "go1.26",
		Layers:     []run.Layer{{Name: "conv1", Params: 3145728, Nonzero: 200000}, {Name: "fc1", Params: 98304, Nonzero: 50000}, {Name: "fc2", Params: 960, Nonzero: 900}},
		Machine:    run.Machine{CPU: "Some CPU", Cores: 2, Threads: 2, Device: "cpu avx2, 2 threads, fp32", OS: "linux/amd64"},
		DataSet:    run.DataSet{Name: c.Data, Train: 45000, Val: 5000, Test: 10000},
		WeightsSum: strings.Repeat("ab", 32),
	}
	if c.Data != "digits" {
		res.Sources = []run.Source{{File: c.Data + "_batch.bin", MD5: strings.Repeat("0f", 16), Verified: true}}
	}
	if err := d.WriteResult(res); err != nil {
		m.t.Fatal(err)
	}
	m.filters(d, c)
}

func (m *maker) filters(d *run.Dir, c run.Config) {
	m.t.Helper()
	h := 32
	if c.Model == "s-conv" {
		h = 9
	}
	const n = 20
	r := rand.New(rand.NewPCG(c.Seed, uint64(c.Beta)))
	list := make([]float32, n*3*h*h)
	for i := range list {
		f, y, x := i/(3*h*h), i/h%h, i%h
		far := math.Hypot(float64(y-8-f%16), float64(x-8-f*7%16))
		switch {
		case c.Model == "s-local" && far > 5, c.Beta == 50 && (far > 6 || r.Float64() < 0.7):
		default:
			list[i] = float32(r.NormFloat64())
		}
	}
	locality := []float32{33, 27, 14, 22, 6.3, 40, 30, 15, 23, 6.6, 20, 18, 10, 10, 4}
	_, err := run.WriteTensors(d.File(run.FiltersFile), []run.Tensor{
		{Name: "filters", Shape: []int{n, 3, h, h}, Data: list},
		{Name: "eligible", Shape: []int{2}, Data: []float32{100, 1024}},
		{Name: "locality", Shape: []int{3, 5}, Data: locality},
	}, nil)
	if err != nil {
		m.t.Fatal(err)
	}
}

// all makes the seven cases on a data set.
func (m *maker) all(set string) {
	for i, k := range paper.Cases {
		for seed := range uint64(1 + i%2) {
			d := m.begin(fmt.Sprintf("%s-%s-s%d", set, k.Name, seed+1), m.config(k, set, seed+1), 30)
			m.finish(d, 0.55+0.02*float64(i)+0.01*float64(seed))
		}
	}
}

// drawings stand for themselves in the golden page.
var drawings = regexp.MustCompile(`(?s)<svg .*?</svg>|data:image/png;base64,[A-Za-z0-9+/=]*`)

func TestGolden(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	m.all("cifar10")
	odd := m.config(paper.Cases[0], "cifar10", 1)
	odd.Model, odd.Alpha = "d-conv", 2
	m.finish(m.begin("deep", odd, 30), 0.8)
	m.begin("svhn-stopped", m.config(paper.Cases[6], "svhn", 1), 12).WriteFailure("the loss is not finite")
	m.finish(m.begin("svhn-conv", m.config(paper.Cases[0], "svhn", 1), 30), 0.9)
	out := t.TempDir()
	if *keep != "" {
		out = *keep
	}
	sum, err := Write(m.dirs, out, Options{Remarks: []string{"cifar100 could not be fetched: no host answered"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.html", "report.md", "terminal.txt", "summary.json"} {
		var screen bytes.Buffer
		sum.Print(&screen, 80)
		got := screen.Bytes()
		if name != "terminal.txt" {
			if got, err = os.ReadFile(filepath.Join(out, name)); err != nil {
				t.Fatal(err)
			}
		}
		got = bytes.ReplaceAll(got, []byte(m.root), []byte("runs"))
		got = bytes.ReplaceAll(got, []byte(strings.ReplaceAll(m.root, "_", `\_`)), []byte("runs"))
		got = drawings.ReplaceAll(got, []byte("PICTURE"))
		golden := filepath.Join("testdata", name)
		if *update {
			if err := os.MkdirAll("testdata", 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(golden, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Errorf("%s, line %d (go test -update writes it anew):\ngot  %s\nwant %s", golden, i+1, a[i], b[i])
					break
				}
			}
			t.Errorf("%s: got %d lines, want %d", golden, len(a), len(b))
		}
	}
	text, _ := os.ReadFile(filepath.Join(out, "report.md"))
	links := regexp.MustCompile(`\]\((figures/[^)]*)\)`).FindAllSubmatch(text, -1)
	if len(links) == 0 {
		t.Error("report.md has no figures")
	}
	for _, l := range links {
		f, err := os.Open(filepath.Join(out, string(l[1])))
		if err != nil {
			t.Error(err)
			continue
		}
		if strings.HasSuffix(string(l[1]), ".png") {
			if _, err := png.Decode(f); err != nil {
				t.Errorf("%s: %v", l[1], err)
			}
		}
		f.Close()
	}
}
