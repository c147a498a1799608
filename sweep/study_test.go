package sweep

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"betalasso/run"
)

// resolve makes a Config of a few settings.
func resolve(s Settings) (run.Config, error) {
	c := run.Default()
	c.Alpha, c.Precision = 1, "fp32"
	for name, text := range s {
		x, err := strconv.ParseFloat(text, 64)
		switch name {
		case "lr":
			c.LR = x
		case "beta":
			c.Beta = x
		case "batch":
			c.Batch = int(x)
		case "epochs":
			c.Epochs = int(x)
		case "seed":
			c.Seed = uint64(x)
		case "val":
			c.Val = int(x)
		case "data":
			c.Data, err = text, nil
		case "model":
			c.Model, err = text, nil
		case "data-dir":
			c.DataDir, err = text, nil
		}
		if err != nil {
			return c, fmt.Errorf("%s: %q is not a number", name, text)
		}
	}
	return c, nil
}

// labels are the trials of a study, a line each.
func labels(t *testing.T, text string) string {
	t.Helper()
	s, err := Parse("study.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	trials, err := s.Expand(resolve)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	var lines []string
	for i, p := range trials {
		if p.Index != i || p.ID != p.Config.ID() {
			t.Errorf("trial %d: got index %d and ID %s, want its config's, %s", i, p.Index, p.ID, p.Config.ID())
		}
		lines = append(lines, p.Labels.String())
	}
	return strings.Join(lines, "\n")
}

func TestExpand(t *testing.T) {
	for _, c := range []struct{ rule, text, want string }{
		{"no axes are one trial", "fixed: {lr: 0.1}", ""},
		{"a grid multiplies, its first setting slowest", "axes: [grid: {lr: [1, 2], beta: [3, 4]}]",
			"beta=3 lr=1\nbeta=4 lr=1\nbeta=3 lr=2\nbeta=4 lr=2"},
		{"a list is taken as it is", "axes: [list: [{lr: 1, beta: 3}, {lr: 2}]]", "beta=3 lr=1\nlr=2"},
		{"a list's trials may have titles", "axes: [list: [{lr: 1, label: first one}]]", "label=first one lr=1"},
		{"a zip pairs", "axes: [zip: {lr: [1, 2], beta: [3, 4]}]", "beta=3 lr=1\nbeta=4 lr=2"},
		{"a log-range is even on a log scale, with its ends", "axes: [log-range: {lr: {from: 1e-4, to: 1e-1, values: 7}}]",
			"lr=0.0001\nlr=0.000316228\nlr=0.001\nlr=0.00316228\nlr=0.01\nlr=0.0316228\nlr=0.1"},
		{"a log-range of one trial is its beginning", "axes: [log-range: {lr: {from: 0.5, to: 1, values: 1}}]", "lr=0.5"},
		{"a log-range of whole numbers is rounded", "axes: [log-range: {batch: {from: 10, to: 1000, values: 4}}]", "batch=10\nbatch=46\nbatch=215\nbatch=1000"},
		{"entries multiply, the first slowest", "axes:\n  - zip: {lr: [1, 2], beta: [3, 4]}\n  - grid: {batch: [8, 16]}",
			"batch=8 beta=3 lr=1\nbatch=16 beta=3 lr=1\nbatch=8 beta=4 lr=2\nbatch=16 beta=4 lr=2"},
		{"seeds are slowest of all", "axes: [grid: {lr: [1, 2]}]\nseeds: [7, 5]", "lr=1 seed=7\nlr=2 seed=7\nlr=1 seed=5\nlr=2 seed=5"},
		{"a number of seeds counts from 1", "seeds: 3", "seed=1\nseed=2\nseed=3"},
		{"the same run counts once", "axes: [list: [{lr: 0.1}, {lr: 1e-1}, {lr: 0.2}]]", "lr=0.1\nlr=0.2"},
		{"random draws stay what they are", "axes: [random: {trials: 3, seed: 1, settings: {lr: {log: [1e-3, 1]}, beta: {uniform: [0, 100]}, batch: {choice: [256, 512]}}}]",
			"batch=256 beta=83.4078 lr=0.00220005\nbatch=256 beta=43.6551 lr=0.386741\nbatch=256 beta=45.207 lr=0.00136684"},
	} {
		if got := labels(t, c.text); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.rule, got, c.want)
		}
	}
}

// Studies that say points, as earlier versions had it, mean what they did.
func TestOlderStudies(t *testing.T) {
	for _, older := range []string{
		"axes: [log-range: {lr: {from: 1e-4, to: 1e-1, points: 7}}]",
		"axes: [random: {points: 4, seed: 9, settings: {lr: {log: [1e-3, 1]}}}]",
	} {
		now := strings.NewReplacer("{points", "{trials", "points", "values").Replace(older)
		if got, want := labels(t, older), labels(t, now); now == older || got != want {
			t.Errorf("%s: got %s, want %s", older, got, want)
		}
	}
}

func TestRandomDraws(t *testing.T) {
	few := strings.Split(labels(t, "axes: [random: {trials: 4, seed: 9, settings: {lr: {log: [1e-3, 1]}}}]"), "\n")
	many := strings.Split(labels(t, "axes: [random: {trials: 400, seed: 9, settings: {lr: {log: [1e-3, 1]}}}]"), "\n")
	if !slices.Equal(few, many[:4]) {
		t.Errorf("more trials change the first ones: got %v, want %v", many[:4], few)
	}
	for _, line := range strings.Split(labels(t, "axes: [random: {trials: 4, seed: 9, settings: {beta: {uniform: [1, 2]}, lr: {log: [1e-3, 1]}}}]"), "\n") {
		if _, lr, _ := strings.Cut(line, " "); !slices.Contains(few, lr) {
			t.Errorf("another setting beside it changes a draw: got %s, want one of %v", lr, few)
		}
	}
	below := 0 // the middle of the log scale
	for _, line := range many {
		x, err := strconv.ParseFloat(strings.TrimPrefix(line, "lr="), 64)
		if err != nil || x < 1e-3 || x > 1 {
			t.Fatalf("got %q, want lr from 1e-3 to 1", line)
		}
		if x < 0.0316 {
			below++
		}
	}
	if below < 150 || below > 250 {
		t.Errorf("draws below the middle of the log scale: got %d of 400", below)
	}
}

func TestMistakesInAStudy(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"fixd: {}", `study.yaml:1:1: there is no "fixd" here; did you mean "fixed"?`},
		{"fixed:\n  lambda-cov: 1", `study.yaml:2:3: there is no "lambda-cov" here; did you mean "lambda-conv"?`},
		{"fixed:\n  lambda-cov: 1", "\n      lambda-cov: 1\n      ^"},
		{"fixed: {lr: [1]}", "must be one value"},
		{"fixed: {lr: }", "must be one value"},
		{"fixed: 3", "must be keys with values"},
		{"fixed: {alpha: 1, params: 1M}", "give one of alpha, width and params"},
		{"fixed: {lr: 1}\naxes: [grid: {lr: [1, 2]}]", "lr is set twice: in fixed and in axis 1"},
		{"axes: [grid: {lr: [1]}, list: [{lr: 2}]]", "lr is set twice: in axis 1 and in axis 2"},
		{"seeds: 2\naxes: [grid: {seed: [1]}]", "seed is set twice"},
		{"axes: [gird: {lr: [1]}]", `did you mean "grid"?`},
		{"axes: [grid: {threads: [1, 2]}]", `there is no "threads" here`},
		{"fixed: {threads: 2}", `there is no "threads" here`},
		{"axes: [grid: {data-dir: [a, b]}]", `there is no "data-dir" here`},
		{"axes: [grid: {lr: []}]", "the list is empty"},
		{"axes: [grid: {lr: 1}]", "must be a list"},
		{"axes: {grid: {lr: [1]}}", "must be a list"},
		{"axes: [zip: {lr: [1, 2], beta: [1]}]", "beta has 1 values, the first setting has 2"},
		{"axes: [log-range: {lr: {from: 0, to: 1, values: 3}}]", "above 0"},
		{"axes: [log-range: {lr: {from: 1, til: 2}}]", `there is no "til"`},
		{"axes: [random: {settings: {lr: {log: [1, 2]}}}]", "it needs trials"},
		{"axes: [random: {trials: 2, settings: {lr: {log: [0, 2]}}}]", "both above 0"},
		{"axes: [random: {trials: 2, settings: {lr: {normal: [0, 2]}}}]", `there is no "normal"`},
		{"seeds: 0", "from 1 to 100000"},
		{"seeds: [one]", "not a whole number"},
		{"on-failure: stop", `there is no "stop"; use continue, or stop-after: 3`},
		{"on-failure: {stop-after: never}", "stop-after"},
		{"then: {for-each: [dta]}", `did you mean "data"?`},
		{"a: [", "study.yaml"},
		{"", "one YAML document"},
		{"name: a\nname: b", "name"},
	} {
		_, err := Parse("study.yaml", []byte(c.text))
		var p Problems
		if !errors.As(err, &p) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want Problems with %q", c.text, err, c.want)
		}
	}
	_, err := Parse("study.yaml", []byte("fixed: {lrr: 1}\naxes: [grid: {bta: [1]}]\nseeds: x"))
	if p := (Problems{}); !errors.As(err, &p) || len(p) != 3 {
		t.Errorf("three mistakes: got %v, want all of them", err)
	}
}

func TestMistakesInTrials(t *testing.T) {
	s, err := Parse("study.yaml", []byte("axes: [grid: {lr: [a, b]}]\nseeds: 2"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Expand(resolve)
	if p := (Problems{}); !errors.As(err, &p) || len(p) != 2 {
		t.Errorf("got %v, want each mistake once", err)
	}
	s, err = Parse("study.yaml", []byte("axes: [grid: {lr: [1,2,3,4,5,6,7,8,9,10], beta: [1,2,3,4,5,6,7,8,9,10]}]\nseeds: 1001"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Expand(resolve); err == nil || !strings.Contains(err.Error(), "more than 100000 trials") {
		t.Errorf("got %v, want too many trials", err)
	}
}

// What is wrong with the second stage is said before the first one is trained.
func TestMistakesInThen(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"then: {fixed: {lr: a}}", `then: trial 0 (lr=1 seed=1): lr: "a" is not a number`},
		{"fixed: {val: 0}\nthen: {seeds: 2}", "then: trial 0 (lr=1 seed=1): val: "},
	} {
		s, err := Parse("study.yaml", []byte("axes: [grid: {lr: [1, 2]}]\nseeds: 2\n"+c.text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Expand(resolve)
		if p := (Problems{}); !errors.As(err, &p) || len(p) != 1 || !strings.HasPrefix(p[0], c.want) {
			t.Errorf("%q: got %v, want it once: %s", c.text, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"name: a\nfixed: {lr: 0.1}\naxes:\n  - grid: {beta: [1, 2]}\n  - random: {trials: 2, settings: {lr: {log: [1e-3, 1]}}}\nseeds: 2\n",
		"axes: [zip: {lr: [1], beta: [2]}, log-range: {lambda-fc: {from: 1, to: 2, values: 3}}]\nthen: {for-each: [data], seeds: [1]}",
		"&a [*a]", "? {a: b}\n: c", "- - -", "on-failure: {stop-after: 2}", "a: &x {<<: *x}", "fixed: !!binary x",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("f", text)
		if err != nil {
			return
		}
		n := 1
		for _, a := range s.Axes {
			if n *= max(1, len(a)); n > 1000 {
				return
			}
		}
		s.Expand(resolve)
	})
}
