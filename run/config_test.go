package run

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestConfigComesBackAsItWent(t *testing.T) {
	path := filepath.Join(t.TempDir(), ConfigFile)
	small := Default()
	small.LR, small.LambdaConv, small.WeightDecay = 1e-300, 1e20, 0.1+0.2
	for _, want := range []Config{someConfig(), Default(), small} {
		if err := WriteConfig(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := ReadConfig(path)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestConfigFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.yaml")
	for _, c := range []struct {
		rule, text string
		want       []string // in the error; nil: it is fine
	}{
		{"an empty file says nothing", "", nil},
		{"comments are allowed", "# mine\nlr: 1e-5 # small\n", nil},
		{"a mistyped key is shown", "model: s-fc\nlearningrate: 2\n", []string{"run.yaml", "learningrate", "^"}},
		{"a value of another kind is shown", "epochs: many\n", []string{"epochs: many", "^"}},
		{"not YAML", "\tmodel: [", []string{"run.yaml"}},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := ReadConfig(path)
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v", c.rule, err)
		}
		for _, w := range c.want {
			if err != nil && !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not contain %q", c.rule, err, w)
			}
		}
	}
	os.WriteFile(path, []byte("lr: 1e-5\nseed: 18446744073709551615\n"), 0o666)
	got, err := ReadConfig(path)
	if err != nil || got.LR != 1e-5 || got.Seed != math.MaxUint64 || got.Epochs != 100 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestValidateNamesEveryProblem(t *testing.T) {
	if err := someConfig().Validate(); err != nil {
		t.Errorf("a good config: %v", err)
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Model = "sfc" }, `model: there is no "sfc"; did you mean "s-fc"?`},
		{func(c *Config) { c.Model = "transformer" }, `model: there is no "transformer"; use one of`},
		{func(c *Config) { c.Data = "CIFAR-10" }, `did you mean "cifar10"?`},
		{func(c *Config) { c.Optimizer = "betalaso" }, `did you mean "beta-lasso"?`},
		{func(c *Config) { c.Augment = "autoaugment" }, `augment: `},
		{func(c *Config) { c.Precision = "f32" }, `did you mean "fp32"?`},
		{func(c *Config) { c.Alpha = 0 }, "alpha: must be a whole number from 1"},
		{func(c *Config) { c.Width = 5 }, "width: only 3-fc"},
		{func(c *Config) { c.Model = "3-fc" }, "width: must be"},
		{func(c *Config) { c.LR = 0 }, "lr: must be above 0, not 0"},
		{func(c *Config) { c.LR = math.NaN() }, "lr: "},
		{func(c *Config) { c.LR = math.Inf(1) }, "lr: "},
		{func(c *Config) { c.Momentum = 1 }, "momentum: "},
		{func(c *Config) { c.WeightDecay = -1 }, "weight-decay: "},
		{func(c *Config) { c.Dropout = 1 }, "dropout: "},
		{func(c *Config) { c.Beta = -1 }, "beta: "},
		{func(c *Config) { c.LambdaFC = math.Inf(1) }, "lambda-fc: "},
		{func(c *Config) { c.Optimizer = "sgd" }, "lambda-conv: has no effect"},
		{func(c *Config) { c.Epochs = 0 }, "epochs: "},
		{func(c *Config) { c.Batch = 1 }, "batch: "},
		{func(c *Config) { c.Val = -1 }, "val: "},
		{func(c *Config) { c.Train = -1 }, "train: "},
		{func(c *Config) { c.Threads = -1 }, "threads: "},
	} {
		cfg := someConfig()
		c.change(&cfg)
		err := cfg.Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	var p Problems
	if err := (Config{}).Validate(); !errors.As(err, &p) || len(p) < 5 {
		t.Errorf("an empty config: got %q, want at least 5 problems", p)
	}
}
