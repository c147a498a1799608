package main

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
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
	stdout, _ = want(t, 0, "compare", out, "--format=csv", "--baseline=lr=0.01")
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][0] != "lr" || rows[1][1] != "2" || rows[2][len(rows[2])-1] != "" || rows[1][len(rows[1])-1] != "2" {
		t.Errorf("got %v, %v", rows, err)
	}
	stdout, _ = want(t, 0, "compare", out, "--format=json", "--metric=val")
	var c struct {
		Groups []struct {
			Runs    []struct{ Dir string }
			Samples map[string]struct{ N int }
		}
	}
	if err := json.Unmarshal([]byte(stdout), &c); err != nil || len(c.Groups) != 2 || len(c.Groups[0].Runs) != 2 || c.Groups[1].Samples["val"].N != 2 {
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
