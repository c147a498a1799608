package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"betalasso/model"
	"betalasso/paper"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/sweep"
)

// parse gives the Config that a train command line says.
func parse(t *testing.T, args ...string) (run.Config, error) {
	t.Helper()
	var c struct {
		Train trainCommand `cmd:""`
	}
	k, err := kong.New(&c, kong.Vars{"models": "", "datasets": ""})
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := k.Parse(append([]string{"train"}, args...))
	if err != nil {
		return run.Config{}, err
	}
	cfg, _, err := c.Train.settings.config(originOf(ctx))
	return cfg, err
}

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	lasso := write("lasso.yaml", "alpha: 3\noptimizer: beta-lasso\nbeta: 0\nlambda-conv: 1e-4\nlr: 0.2\nepochs: 7\njson: true\n")
	three := write("three.yaml", "model: 3-fc\nparams: 100k\n")

	for _, c := range []struct {
		rule string
		args []string
		want func(run.Config) bool
	}{
		{"the defaults are the report's", nil, func(c run.Config) bool {
			d := run.Default()
			d.Alpha, d.Precision = 27, precision("auto")
			return c == d
		}},
		{"params picks the nearest size", []string{"--model", "3-fc", "--params", "0.512M"}, func(c run.Config) bool { return c.Width == 158 && c.Alpha == 0 }},
		{"alpha is taken as it is", []string{"--alpha=4"}, func(c run.Config) bool { return c.Alpha == 4 }},
		{"β-lasso has the paper's β and likeliest λ", []string{"--optimizer=beta-lasso", "--data=cifar100"}, func(c run.Config) bool {
			return c.Beta == 50 && c.LambdaConv == 2e-5 && c.LambdaFC == 1e-6
		}},
		{"β may be 0", []string{"--optimizer=beta-lasso", "--beta=0"}, func(c run.Config) bool { return c.Beta == 0 && c.LambdaConv == 1e-5 }},
		{"SGD has no λ", nil, func(c run.Config) bool { return c.Beta == 0 && c.LambdaConv == 0 && c.LambdaFC == 0 }},
		{"a file wins over defaults", []string{"--config", lasso}, func(c run.Config) bool {
			return c.Alpha == 3 && c.Beta == 0 && c.LambdaConv == 1e-4 && c.LambdaFC == 2e-6 && c.LR == 0.2 && c.Epochs == 7 && c.Batch == 512
		}},
		{"flags win over a file", []string{"--lr=0.3", "--config", lasso, "--epochs=9", "--beta=1"}, func(c run.Config) bool {
			return c.LR == 0.3 && c.Epochs == 9 && c.Beta == 1 && c.Alpha == 3
		}},
		{"a flag with the default's value wins over a file", []string{"--config", lasso, "--lr=0.1"}, func(c run.Config) bool { return c.LR == 0.1 }},
		{"--params wins over a file's alpha", []string{"--config", lasso, "--params=1k"}, func(c run.Config) bool { return c.Alpha == 1 }},
		{"--width wins over a file's params", []string{"--config", three, "--width=5"}, func(c run.Config) bool { return c.Width == 5 }},
		{"a file's params are used", []string{"--config", three}, func(c run.Config) bool { return c.Width == 32 }},
		{"--optimizer sgd wins over a file's λ", []string{"--config", lasso, "--optimizer=sgd"}, func(c run.Config) bool { return c.LambdaConv == 0 }},
		{"--model wins over a file's size where it is given", []string{"--config", lasso, "--model=3-fc", "--width=9"}, func(c run.Config) bool { return c.Width == 9 && c.Alpha == 0 }},
	} {
		got, err := parse(t, c.args...)
		if err != nil || !c.want(got) {
			t.Errorf("%s: got %+v, %v", c.rule, got, err)
		}
	}

	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--params=many"}, "params: "},
		{[]string{"--alpha=1", "--params=1M"}, "alpha, params: give only one"},
		{[]string{"--config", write("both.yaml", "alpha: 3\nparams: 1M\n")}, "alpha, params: give only one"},
		{[]string{"--config", write("sgd.yaml", "beta: 50\n")}, "beta: has no effect"},
		{[]string{"--beta=50"}, "beta: has no effect with optimizer sgd"},
		{[]string{"--model=sfc"}, `did you mean "s-fc"?`},
		{[]string{"--alpha=0"}, "alpha: must be"},
		{[]string{"--svhn-extra"}, "svhn-extra: cifar10 has no extra images"},
		{[]string{"--lr=fast"}, "--lr: "},
		{[]string{"--config", write("typo.yaml", "alfa: 3\n")}, "alfa"},
		{[]string{"--config", write("kind.yaml", "epochs: many\n")}, "epochs: many"},
		{[]string{"--config", filepath.Join(dir, "none.yaml")}, "none.yaml"},
	} {
		if _, err := parse(t, c.args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want an error with %q", c.args, err, c.want)
		}
	}
}

// A run's config.yaml gives the run's Config again.
func TestConfigFileRepeatsARun(t *testing.T) {
	for _, args := range [][]string{
		{"--model=3-fc", "--width=11", "--lr=1e-3", "--seed=18446744073709551615", "--momentum=0.9"},
		{"--model=s-fc", "--alpha=2", "--data=svhn", "--svhn-extra"},
		{"--model=d-conv", "--alpha=2", "--optimizer=beta-lasso", "--lambda-fc=0", "--data=svhn", "--data-dir=a b"},
	} {
		want, err := parse(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := run.WriteConfig(path, want); err != nil {
			t.Fatal(err)
		}
		if got, err := parse(t, "--config", path); err != nil || got != want {
			t.Errorf("%v: got %+v, %v, want %+v", args, got, err, want)
		}
	}
}

// run lists the words that it allows, as it may not import the packages that
// give them their meaning.
func TestNamesAgree(t *testing.T) {
	if got, want := strings.Join(run.Models, " "), strings.Join(model.Names(), " "); got != want {
		t.Errorf("models: got %q, want %q", got, want)
	}
}

// The quick profile has all cases, three seeds of the pair that the verdict is
// about, and λ that make S-FC sparse without cutting a layer at the first step.
func TestQuickShowsTheDiscovery(t *testing.T) {
	r := reproduceCommand{Profile: "quick", Precision: "fp32"}
	p, err := r.profile()
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.trials(p)
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]int{}
	for i, q := range all.trials {
		runs[q.Labels[sweep.Label]]++
		if i < len(paper.Cases) && q.Config.Seed != 1 {
			t.Errorf("run %d is of seed %d: every case is to have its first seed before another has a second", i, q.Config.Seed)
		}
		if q.Config.Beta == paper.Beta && q.Config.Optimizer == "beta-lasso" {
			if list := warnings(q.Config, ""); len(list) > 0 {
				t.Errorf("%s: %s", q.Labels, list)
			}
			// λ alone takes a weight of the first layer, which begins within ±1/√3072, to
			// zero well before the end: the rest of the steps is for what has survived.
			if moved := q.Config.LR * q.Config.LambdaConv * float64(plan.Steps(q.Config)) / 2; moved < 1.5/math.Sqrt(3072) {
				t.Errorf("%s: λ takes %.3g off a weight in all, too little", q.Labels, moved)
			}
		}
	}
	for _, c := range paper.Cases {
		want := 1
		if c.Name == "s-fc" || c.Name == "s-fc-beta50" {
			want = 3
		}
		if runs[c.Title()] != want {
			t.Errorf("%s: got %d seeds, want %d", c.Title(), runs[c.Title()], want)
		}
	}
	r.Seeds, r.Epochs = 2, 4
	if p, err = r.profile(); err != nil {
		t.Fatal(err)
	}
	if all, err = r.trials(p); err != nil || len(all.trials) != 14 {
		t.Errorf("--seeds 2: got %d runs, %v, want 14", len(all.trials), err)
	}
	for _, q := range all.trials {
		if q.Config.Epochs != 4 {
			t.Errorf("--epochs 4: %s has %d", q.Labels, q.Config.Epochs)
		}
	}
}

func TestHelpAndMistakes(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, exitUsage, "reproduce"},
		{[]string{"--help"}, 0, "reproduce"},
		{[]string{"trian"}, exitUsage, `did you mean "train"?`},
		{[]string{"train", "--modle=x"}, exitUsage, `did you mean "--model"?`},
		{[]string{"train", "--model=s-cnov"}, exitUsage, `did you mean "s-conv"?`},
		{[]string{"data", "fetch", "cifar"}, exitUsage, "cifar10"},
		{[]string{"resume", t.TempDir()}, exitUsage, "not the directory of a run"},
		{[]string{"eval", t.TempDir()}, exitUsage, "not the directory of a run"},
		{[]string{"filters", t.TempDir()}, exitUsage, "not the directory of a run"},
		{[]string{"report", t.TempDir()}, exitUsage, "no runs"},
		{[]string{"reproduce", "--profile=quik"}, exitUsage, "quick, report, paper"},
		{[]string{"reproduce", "--data=cifra10"}, exitUsage, "cifar10"},
	} {
		var out bytes.Buffer
		if got := mainStatus(c.args, &out, &out); got != c.status || !strings.Contains(out.String(), c.want) {
			t.Errorf("%q: got status %d, %q, want status %d and %q", c.args, got, out.String(), c.status, c.want)
		}
	}
	for _, name := range []string{"reproduce", "train", "resume", "eval", "report", "filters", "data list", "data fetch", "data verify", "version", "sweep run", "sweep plan", "sweep check", "sweep status", "sweep retry", "sweep work"} {
		var out bytes.Buffer
		status := mainStatus(append(strings.Fields(name), "--help"), &out, &out)
		if status != 0 || !strings.Contains(out.String(), "Example") || !strings.Contains(out.String(), "    betalasso "+name) {
			t.Errorf("%s --help: got status %d and no example of it:\n%s", name, status, out.String())
		}
	}
}
