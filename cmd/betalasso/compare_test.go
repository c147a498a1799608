package main

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	want(t, 0, "sweep", study(t, 2, ""), "--out", out)
	stdout, _ := want(t, 0, "compare", out)
	for _, w := range []string{"LR", "±", "\n*", "* best by validation", "less that of lr=0.1; same seeds", "n = 2"} {
		if !strings.Contains("\n"+stdout, w) {
			t.Errorf("the table does not have %q:\n%s", w, stdout)
		}
	}
	if strings.Contains(stdout, "by layer") {
		t.Errorf("layers that nobody asked for:\n%s", stdout)
	}
	stdout, _ = want(t, 0, "compare", out, "--layers")
	for _, w := range []string{"\n  lr=0.1\n    fc1  49,152 ± 0  of 49,152  100.00 ± 0.00 %\n", "    fc3  160 ± 0     of 160     100.00 ± 0.00 %\n"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("the layers are not\n%s but\n%s", w, stdout)
		}
	}
	stdout, _ = want(t, 0, "compare", out, "--format=csv", "--baseline=lr=0.01")
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][0] != "lr" || rows[1][0] != "0.01" || rows[1][1] != "2" || rows[1][len(rows[1])-1] != "" || rows[2][len(rows[2])-1] != "2" {
		t.Errorf("got %v, %v", rows, err)
	}
	if i := slices.Index(rows[0], "nonzero_fc2_mean"); i < 0 || strings.Join(rows[1][i:i+4], " ") != "256 0 256 256 100" {
		t.Errorf("the second layer is not in %v", rows)
	}
	stdout, _ = want(t, 0, "compare", out, "--format=json", "--metric=val")
	var c struct {
		Groups []struct {
			Runs    []struct{ Dir string }
			Samples map[string]struct{ N int }
			Layers  []struct {
				Name    string
				Params  int
				Nonzero struct{ Mean float64 }
			}
		}
	}
	if err := json.Unmarshal([]byte(stdout), &c); err != nil || len(c.Groups) != 2 || len(c.Groups[0].Runs) != 2 || c.Groups[1].Samples["val"].N != 2 ||
		len(c.Groups[1].Layers) != 3 || c.Groups[1].Layers[2].Params != 160 || c.Groups[1].Layers[2].Nonzero.Mean != 160 {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, bad := range [][]string{{"--metric=tets"}, {"--by=sed"}, {"--baseline=lr=7"}, {"--format=xml"}, {t.TempDir()}} {
		if bad[0][0] != '-' {
			want(t, exitUsage, "compare", bad[0])
			continue
		}
		if _, stderr := want(t, exitUsage, "compare", out, bad[0]); !strings.Contains(stderr, strings.TrimLeft(strings.SplitN(bad[0], "=", 2)[0], "-")) {
			t.Errorf("%v: got %q", bad, stderr)
		}
	}
}
