package studies

import (
	"strings"
	"testing"

	"betalasso/data"
	"betalasso/paper"
)

func TestProfilesAreValid(t *testing.T) {
	for name, p := range Profiles {
		for _, set := range data.Names() {
			for _, c := range paper.Cases {
				cfg, err := p.Config(c, set, 1)
				if err != nil {
					t.Errorf("%s: %s on %s: %v", name, c.Name, set, err)
				}
				if err := cfg.Validate(); err != nil {
					t.Errorf("%s: %s on %s: %v", name, c.Name, set, err)
				}
				if c.Optimizer == "beta-lasso" && (cfg.LambdaConv == 0 || cfg.LambdaFC == 0) {
					t.Errorf("%s: %s on %s: has no λ", name, c.Name, set)
				}
			}
		}
	}
	if got := strings.Join(Names, " "); got != "quick report paper" {
		t.Errorf("profiles: got %q", got)
	}
}

// Table has every case once with its first seed, before any has a second, and
// each with its own epochs.
func TestTable(t *testing.T) {
	text, err := Table(Profiles["quick"], 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if n := strings.Count(got, "label:"); n != len(paper.Cases)+4 {
		t.Errorf("got %d runs, want %d:\n%s", n, len(paper.Cases)+4, got)
	}
	if strings.Index(got, "seed: 2") < strings.LastIndex(got, "seed: 1") {
		t.Errorf("a second seed comes before a first:\n%s", got)
	}
	if strings.Count(got, "epochs: 5") != 3 || strings.Count(got, "epochs: 15") != 8 {
		t.Errorf("got other epochs:\n%s", got)
	}
	text, err = Table(Profiles["report"], 0, 2, map[string]string{"precision": "fp32"})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(text); strings.Count(got, "label:") != 3*2*len(paper.Cases) || strings.Count(got, "epochs:") != 1 || !strings.Contains(got, "  precision: fp32\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestScalingHasSizesUpToTheLargest(t *testing.T) {
	text, err := Scaling(Profiles["paper"], 0, 2, 130_000)
	if err != nil || !strings.Contains(string(text), "params: [32000, 64000, 128000]") || !strings.Contains(string(text), "seeds: 2\n") {
		t.Errorf("got %s, %v", text, err)
	}
	if _, err := Scaling(Profiles["paper"], 0, 1, 31_999); err == nil {
		t.Error("below the smallest size: got no error")
	}
}
