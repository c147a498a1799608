package sweep

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/run"
)

const small = "fixed: {data: digits, alpha: 1, model: s-fc}\naxes: [grid: {lr: [0.1, 0.2]}]\n"

// A study's name is that of a folder below sweeps/, and of nothing else.
func TestNamesOfStudies(t *testing.T) {
	for name, ok := range map[string]bool{
		"mine": true, "table 2": true, "..a": true,
		"../../../escaped": false, "..": false, ".": false, "/tmp/x": false, "a/b": false, `a\b`: false, `"a\e[31mb"`: false, strings.Repeat("x", 101): false,
	} {
		_, err := Parse("study.yaml", []byte("name: "+name+"\n"+small))
		var p Problems
		if (err == nil) != ok || err != nil && (!errors.As(err, &p) || !strings.Contains(p[0], "name")) {
			t.Errorf("%s: got %v, want it taken: %t", name, err, ok)
		}
	}
}

func TestHostileStudies(t *testing.T) {
	for what, text := range map[string]string{
		"aliases":       "a: &a [x]\nfixed: *a\n",
		"merges":        "fixed: {<<: {}}\n",
		"brackets":      "axes: " + strings.Repeat("[", 100_000),
		"too large":     "#" + strings.Repeat("x", maxStudy),
		"keys":          strings.Repeat("a: 1\n", maxKeys+1),
		"ranges":        "axes:\n" + strings.Repeat("- log-range: {lr: {values: 100000}}\n", 5000),
		"draws":         "axes:\n" + strings.Repeat("- random: {trials: 100000, settings: {lr: {choice: [1]}}}\n", 2000),
		"label escapes": `axes: [list: [{label: "\e[31m", lr: 1}]]`,
	} {
		if _, err := Parse("study.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "study.yaml") {
			t.Errorf("%s: got %v, want an error", what, err)
		}
	}
}

// TestVerify damages a study that is done in the ways there are.
func TestVerify(t *testing.T) {
	d := newDir(t, small+"seeds: 2\n")
	w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	if _, err := w.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if wrong := Verify(d.Path()); wrong != nil {
		t.Fatalf("a study without damage: %v", wrong)
	}
	ids := []string{d.Trials()[0].ID, d.Trials()[1].ID}
	for what, c := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"an attempt missing":     {func(dir string) error { return os.Rename(dir+"/leases/"+ids[0]+".1", dir+"/leases/"+ids[0]+".2") }, ids[0] + ".1: it is missing"},
		"an attempt without end": {func(dir string) error { return os.WriteFile(dir+"/leases/"+ids[0]+".999999999999", nil, 0o666) }, "999999999999: more than"},
		"an attempt of nobody":   {func(dir string) error { return os.WriteFile(dir+"/leases/abc.1", []byte(`{"number": 1}`), 0o666) }, "abc.1: there is no trial"},
		"an attempt that is null": {func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/leases/"+ids[0]+".1", []byte("null"), 0o666), os.WriteFile(dir+"/leases/"+ids[0]+".2", nil, 0o666))
		}, ids[0] + ".1: it holds nothing"},
		"runs swapped":           {func(dir string) error { return swapped(dir+"/runs/"+ids[0], dir+"/runs/"+ids[1]) }, "its settings have the ID " + ids[1]},
		"a run of nobody":        {func(dir string) error { return os.Rename(dir+"/runs/"+ids[0], dir+"/runs/abc") }, "abc: trials.jsonl has no trial"},
		"a trial edited":         {func(dir string) error { return replaced(dir+"/trials.jsonl", `"lr":0.1`, `"lr":0.3`) }, "trials.jsonl, line 1: its id"},
		"a trial that is null":   {func(dir string) error { return os.WriteFile(dir+"/trials.jsonl", []byte("null\n"), 0o666) }, "trials.jsonl, line 1"},
		"a label with an escape": {func(dir string) error { return replaced(dir+"/trials.jsonl", `{"lr":"0.1"`, `{"lr":"\u001b[31m"`) }, "trials.jsonl, line 1: a label"},
		"a study through a link": {func(dir string) error {
			return errors.Join(os.Rename(dir+"/study.yaml", dir+"/elsewhere"), os.Symlink("elsewhere", dir+"/study.yaml"))
		}, "study.yaml"},
		"trials through a link": {func(dir string) error {
			return errors.Join(os.Rename(dir+"/trials.jsonl", dir+"/p"), os.Symlink("p", dir+"/trials.jsonl"))
		}, "trials.jsonl is a symbolic link"},
		"a study that is no study": {func(dir string) error { return os.WriteFile(dir+"/study.yaml", []byte("[[["), 0o666) }, "study.yaml"},
	} {
		dir := filepath.Join(t.TempDir(), "study")
		if err := os.CopyFS(dir, os.DirFS(d.Path())); err != nil {
			t.Fatal(err)
		}
		if err := c.damage(dir); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := errors.Join(Verify(dir)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", what, err, c.want)
		}
	}
}

func swapped(a, b string) error {
	return errors.Join(os.Rename(a, a+".x"), os.Rename(b, a), os.Rename(a+".x", b))
}

func replaced(path, from, to string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), from) {
		return errors.New("there is no " + from)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o666)
}

// A run with a broken result is a trial that is broken and says why; the others are
// shown.
func TestBrokenResultHidesNoOthers(t *testing.T) {
	d := newDir(t, small)
	w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	if _, err := w.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.RunPath(d.Trials()[0].ID), run.ResultFile), []byte("null"), 0o666); err != nil {
		t.Fatal(err)
	}
	d, err := Open(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Status()
	if err != nil {
		t.Fatal(err)
	}
	if list[0].State != run.Broken || !strings.Contains(list[0].Last.Why, "result.json") || list[1].State != run.Done {
		t.Errorf("got %s (%s), %s; want broken and done", list[0].State, list[0].Last.Why, list[1].State)
	}
}
