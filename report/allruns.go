package report

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"betalasso/paper"
	"betalasso/run"
)

// Run is one run in the list of all.
type Run struct {
	Dir      string
	Title    string
	Seed     string
	Params   string
	Epochs   string
	Test     string // last epoch
	Best     string // best-validation epoch
	Nonzero  string // of all weights, at the end
	MACs     string // of the products of all steps, in per cent of dense ones
	Time     string
	Gap      string
	Settings string
	Data     []string // a line a file
	Machine  string
	Command  string
	Weights  string // checksum
}

// runOf makes the entry of a run.
func runOf(r record) Run {
	v := Run{Dir: r.dir, Title: "–", Seed: "–", Params: "–", Epochs: "–", Test: "–", Best: "–", Nonzero: "–", MACs: "–", Time: "–", Gap: r.gap}
	if !r.opened {
		return v
	}
	c := r.config
	v.Title = networkName(c.Model) + ", SGD"
	if c.Optimizer == "beta-lasso" {
		v.Title = fmt.Sprintf("%s, β-lasso, β = %g", networkName(c.Model), c.Beta)
	}
	v.Title += " on " + paper.Describe(c.Data).Title
	v.Seed = fmt.Sprint(c.Seed)
	v.Epochs = commas(r.epochs())
	if r.epochs() != c.Epochs {
		v.Epochs += " of " + commas(c.Epochs)
	}
	v.Time = span(r.seconds())
	if did, dense := run.MACs(r.events); dense > 0 {
		v.MACs = percent(did / dense)
	}
	v.Settings = settings(c)
	v.Command = command(c)
	if !r.finished {
		return v
	}
	res := r.result
	v.Params = commas(res.Params)
	v.Test = percent(res.Last.TestAcc)
	if c.Val > 0 { // else no epoch is the best
		v.Best = fmt.Sprintf("%s (epoch %d)", percent(res.Best.TestAcc), res.Best.Epoch)
	}
	nonzero := 0
	for _, l := range res.Layers {
		nonzero += l.Nonzero
	}
	if res.Params > 0 {
		v.Nonzero = percent(float64(nonzero) / float64(res.Params))
	}
	v.Weights = res.WeightsSum
	m := res.Machine
	v.Machine = fmt.Sprintf("%s, %s, %s, %s; %s; version %s; at most %s bytes of memory",
		m.CPU, count(m.Cores, "core"), m.Device, m.OS, res.Go, res.Version, short(float64(res.PeakRSS)))
	d := res.DataSet
	v.Data = append(v.Data, fmt.Sprintf("%s: %s examples to train, %s to validate, %s to test", d.Name, commas(d.Train), commas(d.Val), commas(d.Test)))
	if c.DataSum != "" {
		v.Data = append(v.Data, fmt.Sprintf("own images, %d x %d x %d, SHA-256 %s…", d.Channels, d.Side, d.Side, c.DataSum))
	}
	for _, s := range d.Skipped {
		v.Data = append(v.Data, "left out, it cannot be read: "+s)
	}
	for _, s := range res.Sources {
		state := "verified"
		if !s.Verified {
			state = "UNVERIFIED"
		}
		v.Data = append(v.Data, fmt.Sprintf("%s: MD5 %s, %s", s.File, s.MD5, state))
	}
	return v
}

// fields walks through a Config by the names of its flags.
func fields(c run.Config, see func(name, value string, isDefault bool)) {
	v, d := reflect.ValueOf(c), reflect.ValueOf(run.Default())
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		see(name, fmt.Sprint(v.Field(i).Interface()), v.Field(i).Interface() == d.Field(i).Interface())
	}
}

// settings lists what a Config says.
func settings(c run.Config) string {
	var parts []string
	fields(c, func(name, value string, _ bool) {
		if value != "" && value != "false" && (value != "0" || !slices.Contains([]string{"alpha", "width", "threads", "train", "side", "channels"}, name)) {
			parts = append(parts, name+" "+value)
		}
	})
	return strings.Join(parts, ", ")
}

// command is the command line that repeats a run.
func command(c run.Config) string {
	if c.Imported != "" {
		return "imported from " + c.Imported
	}
	text := "betalasso train"
	own := c.DataSum != ""
	fields(c, func(name, value string, isDefault bool) {
		if own && name == "data" {
			value = c.DataDir
		}
		if own && (name == "data-dir" || name == "data-sum") || c.From != "" && name == "from-sum" {
			return
		}
		always := name == "model" || name == "data" || name == "seed"
		if strings.HasPrefix(name, "lambda") || name == "beta" { // their defaults depend on the data
			always = c.Optimizer == "beta-lasso"
		}
		switch {
		case value == "true":
			text += " --" + name
		case always || !isDefault:
			text += " --" + name + " " + quote(value)
		}
	})
	return text + " --out again"
}

// quote makes a word of a shell command.
func quote(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./+:,=@%", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
