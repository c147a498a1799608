package run

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestCounts(t *testing.T) {
	text, err := json.Marshal(Result{Confusion: []Counts{{5, 0}, {1, 12}}})
	if err != nil || !strings.Contains(string(text), `"confusion":["5 0","1 12"]`) {
		t.Errorf("got %s, %v", text, err)
	}
	var r Result
	if err := json.Unmarshal(text, &r); err != nil || len(r.Confusion) != 2 || r.Confusion[1][1] != 12 {
		t.Errorf("got %v, %v", r.Confusion, err)
	}
	for _, bad := range []string{`["1 x"]`, `["-1 2"]`, `["9999999999999999999999"]`} {
		var c []Counts
		if err := json.Unmarshal([]byte(bad), &c); err == nil {
			t.Errorf("%s: got %v and no error", bad, c)
		}
	}
	var b bytes.Buffer
	if err := WriteConfusion(&b, []string{"a, b", "c"}, []Counts{{5, 0}, {1, 12}}); err != nil || b.String() != "class,\"a, b\",c\n\"a, b\",5,0\nc,1,12\n" {
		t.Errorf("got %q, %v", b.String(), err)
	}
}

// One's own images are named by their content: not by what they are called, nor
// where they lie.
func TestOwnDataID(t *testing.T) {
	a := Default()
	a.Alpha, a.Data, a.DataDir, a.DataSum = 1, "flowers", "/x", "0123456789abcdef"
	b := a
	b.Data, b.DataDir, b.SkipBad = "plants", "/y", true
	if a.ID() != b.ID() {
		t.Error("another name and place: got another ID")
	}
	b.DataSum = "0123456789abcdee"
	if a.ID() == b.ID() {
		t.Error("other images: got the same ID")
	}
	b = a
	b.Side = 16
	if a.ID() == b.ID() {
		t.Error("another side: got the same ID")
	}
	if err := a.Validate(); err != nil {
		t.Error(err)
	}
	for _, bad := range []func(*Config){
		func(c *Config) { c.DataSum = "0123" }, func(c *Config) { c.DataSum = "0123456789ABCDEF" },
		func(c *Config) { c.Data = "a/b" }, func(c *Config) { c.Data = "" },
		func(c *Config) { c.Side = 7 }, func(c *Config) { c.Channels = 2 },
		func(c *Config) { c.Data, c.DataSum = "flowers", "" }, func(c *Config) { c.Data, c.DataSum, c.SkipBad = "digits", "", true },
	} {
		c := a
		bad(&c)
		if err := c.Validate(); err == nil {
			t.Errorf("%+v: got no problem", c)
		}
	}
}

// A result of a network that cannot be is refused.
func TestResultOfNoNetwork(t *testing.T) {
	c := Default()
	c.Alpha = 1
	good := Result{Last: Score{Epoch: c.Epochs}, Seed: c.Seed, DataSet: DataSet{
		Test: 3, Channels: 1, Side: 8, Classes: []string{"a", "b"}, Mean: []float64{0.5}, Std: []float64{0.2},
	}, Confusion: []Counts{{1, 1}, {0, 1}}}
	if err := good.check(c); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Result){
		"a side":          func(r *Result) { r.DataSet.Side = 1000 },
		"channels":        func(r *Result) { r.DataSet.Channels = 2 },
		"a mean":          func(r *Result) { r.DataSet.Mean = []float64{-1} },
		"too few rows":    func(r *Result) { r.Confusion = r.Confusion[:1] },
		"too few columns": func(r *Result) { r.Confusion = []Counts{{1, 1}, {1}} },
		"too many images": func(r *Result) { r.Confusion = []Counts{{4, 0}, {0, 0}} },
		"a hidden name":   func(r *Result) { r.DataSet.Classes = []string{"a", "\x1b[2J"} },
	} {
		r := good
		spoil(&r)
		if err := r.check(c); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// A class is called as its folder is, which no spreadsheet takes for a formula.
func TestConfusionHasNoFormulas(t *testing.T) {
	var b strings.Builder
	if err := WriteConfusion(&b, []string{"=1+1", "cat"}, []Counts{{3, 1}, {0, 4}}); err != nil {
		t.Fatal(err)
	}
	if want := "class,'=1+1,cat\n'=1+1,3,1\ncat,0,4\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
