package run

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"betalasso/augment"
	"betalasso/data"
	"betalasso/spelling"
)

// The values that Config's words may take.
var (
	Models     = []string{"s-conv", "s-local", "s-fc", "3-fc", "d-conv", "d-local", "d-fc", "resnet18"}
	Optimizers = []string{"sgd", "beta-lasso"}
	Precisions = []string{"auto", "fp32", "bf16"}
	Sparses    = []string{"", "auto", "off"}
)

// Default is the Config of a run without flags: the settings of the EE-411
// report. It has no size; the caller adds α or the width.
func Default() Config {
	return Config{
		Model: "s-fc", Data: "cifar10", Val: 5000, Augment: "none",
		Optimizer: "sgd", LR: 0.1,
		Epochs: 100, Batch: 512, Seed: 1, Precision: "auto",
	}
}

// hexadecimal reports whether s is n hexadecimal digits.
func hexadecimal(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}

// Problems are the things wrong with a Config, each a sentence that begins
// with the name that the setting has as a flag and in YAML.
type Problems []string

func (p Problems) Error() string { return strings.Join(p, "\n") }

// Validate returns all that is wrong with c as Problems, or nil.
func (c Config) Validate() error {
	var p Problems
	add := func(format string, args ...any) { p = append(p, fmt.Sprintf(format, args...)) }
	word := func(name, got string, allowed []string) {
		if !slices.Contains(allowed, got) {
			add("%s: there is no %q%s; use one of %s", name, got, spelling.Hint(got, allowed), strings.Join(allowed, ", "))
		}
	}
	whole := func(name string, got, least, most int) {
		if got < least || got > most {
			add("%s: must be a whole number from %d to %d, not %d", name, least, most, got)
		}
	}
	number := func(name string, got float64, ok bool, want string) {
		if !ok || math.IsNaN(got) || math.IsInf(got, 0) {
			add("%s: must be %s, not %g", name, want, got)
		}
	}

	switch {
	case c.Network != "":
		c.checkNetwork(add)
		whole("alpha", c.Alpha, 0, 1<<14)
		whole("width", c.Width, 0, 1<<20)
		whole("kernel", c.Kernel, 0, 31)
	case c.Model == "resnet18":
		whole("alpha", c.Alpha, 1, 1<<14)
		if whole("kernel", c.Kernel, 1, 31); c.Kernel%2 == 0 {
			add("kernel: must be odd, not %d", c.Kernel)
		}
		if c.Width != 0 {
			add("width: only 3-fc has a width; give the base channels of resnet18 with alpha")
		}
		if c.Dropout != 0 {
			add("dropout: resnet18 has none; leave it out")
		}
	case c.Kernel != 0:
		add("kernel: only resnet18 has windows of any size; leave it out")
	case c.Model == "3-fc":
		whole("width", c.Width, 1, 1<<20)
		if c.Alpha != 0 {
			add("alpha: 3-fc has no base channels; give its hidden units with width")
		}
	case slices.Contains(Models, c.Model):
		whole("alpha", c.Alpha, 1, 1<<14)
		if c.Width != 0 {
			add("width: only 3-fc has a width; give the base channels of %s with alpha", c.Model)
		}
	default:
		word("model", c.Model, Models)
	}
	if c.DataSum == "" {
		word("data", c.Data, data.Names())
	} else if c.Data == "" || c.Data != data.OwnName(c.Data) || !hexadecimal(c.DataSum, 16) {
		add("data: %s with data-sum %s are no images of your own; give their folder or file to train with data", Printable(c.Data), Printable(c.DataSum))
	}
	if c.Side != 0 {
		whole("side", c.Side, data.MinSide, data.MaxSide)
	}
	if c.Channels != 0 && c.Channels != 1 && c.Channels != 3 {
		add("channels: must be 1 or 3, not %d", c.Channels)
	}
	if c.SkipBad && c.DataSum == "" {
		add("skip-bad: only pictures of your own are skipped; leave it out")
	}
	whole("val", c.Val, 0, 1<<30)
	whole("train", c.Train, 0, 1<<30)
	if _, err := augment.Strength(c.Augment); err != nil {
		add("%v", err)
	}
	number("augment-until", c.AugmentUntil, c.AugmentUntil >= 0 && c.AugmentUntil < 1, "a part of the epochs, from 0 to below 1")
	number("whiten", c.Whiten, c.Whiten == 0 || c.Whiten >= 1e-4 && c.Whiten <= 1e4, "0, or ε from 0.0001 to 10000")
	if info, err := data.Describe(c.Data); c.SVHNExtra && err == nil && !info.Extra {
		add("svhn-extra: %s has no extra images; leave it out, or use data svhn", c.Data)
	}

	word("optimizer", c.Optimizer, Optimizers)
	number("lr", c.LR, c.LR > 0, "above 0")
	number("momentum", c.Momentum, c.Momentum >= 0 && c.Momentum < 1, "from 0 to below 1")
	number("weight-decay", c.WeightDecay, c.WeightDecay >= 0, "0 or more")
	number("dropout", c.Dropout, c.Dropout >= 0 && c.Dropout < 1, "a probability from 0 to below 1")
	for _, s := range []struct {
		name  string
		value float64
	}{{"beta", c.Beta}, {"lambda-conv", c.LambdaConv}, {"lambda-fc", c.LambdaFC}} {
		number(s.name, s.value, s.value >= 0, "0 or more")
		if c.Optimizer == "sgd" && s.value > 0 {
			add("%s: has no effect with optimizer sgd; use optimizer beta-lasso, or leave it out", s.name)
		}
	}

	for _, s := range []struct{ name, value string }{{"name", c.Name}, {"note", c.Note}} {
		if len(s.value) > 500 || s.value != Printable(s.value) {
			add("%s: must be one line of at most 500 bytes, of characters that can be shown", s.name)
		}
	}
	whole("epochs", c.Epochs, 1, maxEpochs)
	whole("batch", c.Batch, 2, 1<<16) // batch norm has no deviation over one example
	whole("threads", c.Threads, 0, 1024)
	word("precision", c.Precision, Precisions)
	word("sparse", c.Sparse, Sparses)
	if c.Regrowth != 0 {
		whole("regrowth", c.Regrowth, 2, 1<<20)
		if c.Optimizer == "sgd" || c.Momentum > 0 {
			add("regrowth: zero weights are left at zero only by optimizer beta-lasso without momentum; leave it out")
		}
	}
	if c.FromSum != "" && !hexadecimal(c.FromSum, fromDigits) {
		add("from-sum: %s is not %d hexadecimal digits, as a run has them that began with another's weights; take it out", Printable(c.FromSum), fromDigits)
	}
	if c.From != "" && c.FromSum == "" {
		add("from: without from-sum, which says what the weights in %s were; give the directory with from to train", Printable(c.From))
	}
	for _, s := range []struct{ name, value string }{{"data-dir", c.DataDir}, {"from", c.From}, {"imported", c.Imported}} {
		if s.value != Printable(s.value) {
			add("%s: has characters that cannot be shown: %s", s.name, Printable(s.value))
		}
	}
	if len(p) > 0 {
		return p
	}
	return nil
}

// A network's text is no larger, in bytes, has no more keys and is nested no
// deeper.
const (
	maxNetwork       = 32 << 10
	maxNetworkKeys   = 5000
	maxNetworkNested = 12
)

// checkNetwork adds what is wrong with the network's text as a text, and with the
// name beside it.
func (c Config) checkNetwork(add func(format string, args ...any)) {
	if err := SmallYAML([]byte(c.Network), maxNetwork, maxNetworkKeys, maxNetworkNested); err != nil {
		add("network: %s", err)
	}
	if slices.Contains(Models, c.Model) || c.Model == "" || len(c.Model) > 40 || strings.Trim(c.Model, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		add("model: %q cannot be the name of a network of one's own: up to 40 of a-z, 0-9, - and _, and none of %s", Printable(c.Model), strings.Join(Models, ", "))
	}
}
