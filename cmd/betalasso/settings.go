package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"betalasso/model"
	"betalasso/paper"
	"betalasso/plan"
	"betalasso/run"
)

// settings are the flags that make a run.Config. Flags that have no default
// here get one that depends on the others.
type settings struct {
	Model   string  `default:"s-fc" placeholder:"NAME" group:"network" help:"${models}, or the file of a network of your own (s-fc)"`
	Alpha   int     `placeholder:"N" group:"network" help:"base channels α; not for 3-fc (default: by --params)"`
	Width   int     `placeholder:"N" group:"network" help:"hidden units per layer of 3-fc (default: by --params)"`
	Kernel  int     `placeholder:"N" group:"network" help:"kernel size of resnet18, odd (default 3)"`
	Params  string  `placeholder:"COUNT" group:"network" help:"choose the size nearest to this many weights, 512k (default 25.6M)"`
	Network string  `hidden:"" help:"the text of a network's file, as a run's config.yaml has it"`
	Dropout float64 `default:"0" placeholder:"P" group:"network" help:"probability, before the last two layers (default 0)"`

	From    string `placeholder:"DIR" group:"network" help:"begin with this run's last weights, and have its network and its whitening (default: random weights)"`
	FromSum string `name:"from-sum" hidden:"" help:"what a run's config.yaml says of them"`

	Data    string  `default:"cifar10" placeholder:"NAME|PATH" group:"data" help:"${datasets}; or your own: a folder with a folder of images per class, .npz, .bin (default cifar10)"`
	Side    int     `default:"0" placeholder:"N" group:"data" help:"resize images to N x N pixels, 8 to 96 (default: as they are)"`
	Channel int     `name:"channels" default:"0" placeholder:"1|3" group:"data" help:"make the images grey or coloured (default: as they are)"`
	SkipBad bool    `name:"skip-bad" group:"data" help:"skip images that cannot be read (default off)"`
	DataSum string  `name:"data-sum" hidden:""`
	DataDir string  `placeholder:"DIR" group:"data" help:"folder with its files (default: the cache, downloaded)"`
	Val     int     `default:"5000" placeholder:"N" group:"data" help:"training examples held out for validation (default 5000; a tenth of your own)"`
	Train   int     `default:"0" placeholder:"N" group:"data" help:"training examples used; 0 is all (default 0)"`
	Extra   bool    `name:"svhn-extra" group:"data" help:"train on svhn's extra images too, 1.3 GB more (default off)"`
	Augment string  `default:"none" placeholder:"HOW" group:"data" help:"none, flip-crop, fast-autoaugment, or fast-autoaugment:P for a share P of the images (default none)"`
	Until   float64 `name:"augment-until" default:"0" placeholder:"P" group:"data" help:"only crop and mirror images after this part of the epochs, 0.85 (default: never)"`
	Whiten  float64 `default:"0" placeholder:"X" group:"data" help:"whiten the pixels by ZCA with this ε, 0.1 (default: as they are)"`

	Optimizer   string   `default:"sgd" placeholder:"NAME" group:"optimiser" help:"sgd, beta-lasso (default sgd)"`
	LR          float64  `name:"lr" default:"0.1" placeholder:"X" group:"optimiser" help:"learning rate η, falls by a cosine to 0 (default 0.1)"`
	Momentum    float64  `default:"0" placeholder:"X" group:"optimiser" help:"momentum, from 0 to below 1 (default 0)"`
	WeightDecay float64  `default:"0" placeholder:"X" group:"optimiser" help:"weight decay (default 0)"`
	Beta        *float64 `placeholder:"X" group:"optimiser" help:"β of β-lasso: weights below βλ become 0 (default 50)"`
	LambdaConv  *float64 `placeholder:"X" group:"optimiser" help:"λ of the convolution-like layer (default: paper's, 1e-5)"`
	LambdaFC    *float64 `name:"lambda-fc" placeholder:"X" group:"optimiser" help:"λ of the fully connected ones (default: paper's, 2e-6)"`

	Regrowth string `default:"exact" placeholder:"exact|N" group:"optimiser" help:"let zero weights return in every step, or every N (default exact)"`

	Epochs    int    `default:"100" placeholder:"N" group:"run" help:"passes over the training set (default 100)"`
	Batch     int    `default:"512" placeholder:"N" group:"run" help:"examples per step (default 512)"`
	Seed      uint64 `default:"1" placeholder:"N" group:"run" help:"of weights, split, order and augmentation (default 1)"`
	Threads   int    `default:"0" placeholder:"N" group:"run" help:"changes no result; 0 is all cores (default 0)"`
	Name      string `placeholder:"TEXT" group:"run" help:"a name for the run, for lists and pages (default none)"`
	Note      string `placeholder:"TEXT" group:"run" help:"a note about the run (default none)"`
	Precision string `default:"auto" placeholder:"NAME" group:"run" help:"of matrix products: auto, fp32, bf16 (default auto)"`
	Sparse    string `default:"auto" placeholder:"NAME" group:"run" help:"skip zero weights: auto, off; changes no result (default auto)"`
	Returns   bool   `group:"run" help:"record which zero weights return, for the report; slower (default off)"`
}

// config is the Config of the flags, with its size and its λ settled, and a line
// about the size.
func (s settings) config(given origin) (run.Config, string, error) {
	c := run.Config{
		Model: s.Model, Kernel: s.Kernel, Dropout: s.Dropout,
		Data: s.Data, DataDir: s.DataDir, Val: s.Val, Train: s.Train, SVHNExtra: s.Extra, Augment: s.Augment, AugmentUntil: s.Until, Whiten: s.Whiten,
		Side: s.Side, Channels: s.Channel, SkipBad: s.SkipBad,
		Optimizer: s.Optimizer, LR: s.LR, Momentum: s.Momentum, WeightDecay: s.WeightDecay,
		Epochs: s.Epochs, Batch: s.Batch, Seed: s.Seed, Threads: s.Threads, Precision: s.Precision,
		Name: s.Name, Note: s.Note, Returns: s.Returns,
	}
	if s.Sparse != "auto" {
		c.Sparse = s.Sparse
	}
	if s.Regrowth != "exact" {
		n, err := strconv.Atoi(s.Regrowth)
		if err != nil || n < 1 {
			return c, "", usageError{fmt.Errorf("regrowth: must be exact, or look at zero weights every N steps, not %q", s.Regrowth)}
		}
		if n > 1 {
			c.Regrowth = n
		}
	}
	if err := s.settleFrom(&c, given); err != nil {
		return c, "", err
	}
	if err := s.settleData(&c, given); err != nil {
		return c, "", err
	}
	if err := s.settleNetwork(&c, given); err != nil {
		return c, "", err
	}
	s.settleLasso(&c, given)
	if err := s.settleSize(&c, given); err != nil {
		return c, "", err
	}
	if err := c.Validate(); err != nil {
		return c, "", err
	}
	c.Precision = precision(c.Precision)
	line, err := sizeLine(c)
	return c, line, err
}

// sizeLine says how large c's network is.
func sizeLine(c run.Config) (string, error) {
	_, n, err := model.Count(c.Model, plan.SizeOf(c))
	return fmt.Sprintf("%s%s: %s weights", c.Model, sized(c), plan.Thousands(n)), err
}

// sized is the size of c's network, to follow its name.
func sized(c run.Config) string {
	if text := c.SizeText(); text != "" {
		return ", " + text
	}
	return ""
}

// settleNetwork reads the network's file where --model names one. A config file's
// network is ignored if the command line has --model.
func (s settings) settleNetwork(c *run.Config, given origin) error {
	if model.IsFile(c.Model) {
		n, text, err := model.ReadFile(c.Model)
		if err != nil {
			return usageError{fmt.Errorf("model: %w", err)}
		}
		c.Model, c.Network = n.Name, text
	} else if s.Network != "" && given["model"] <= given["network"] {
		c.Network = s.Network
	}
	if n, err := model.Lookup(c.Model, c.Network); err == nil && c.Kernel == 0 && n.Uses("kernel") {
		c.Kernel = 3
	}
	return nil
}

// settleLasso fills in what β-lasso needs. A config file's β and λ are ignored if
// the command line has --optimizer sgd.
func (s settings) settleLasso(c *run.Config, given origin) {
	lambda := paper.LambdaOf(c.Data)
	for _, f := range []struct {
		name     string
		value    *float64
		to       *float64
		fallback float64
	}{
		{"beta", s.Beta, &c.Beta, paper.Beta},
		{"lambda-conv", s.LambdaConv, &c.LambdaConv, lambda.Conv},
		{"lambda-fc", s.LambdaFC, &c.LambdaFC, lambda.FC},
	} {
		switch {
		case c.Optimizer == "sgd" && given["optimizer"] == byFlag && given[f.name] == byFile:
		case f.value != nil:
			*f.to = *f.value
		case c.Optimizer == "beta-lasso":
			*f.to = f.fallback
		}
	}
}

// settleSize derives α or the width from the settings of the size. Those on the
// command line override all in a config file.
func (s settings) settleSize(c *run.Config, given origin) error {
	level := max(given["alpha"], given["width"], given["params"])
	var said []string
	for _, name := range []string{"alpha", "width", "params"} {
		if level != byNobody && given[name] == level {
			said = append(said, name)
		}
	}
	if len(said) > 1 {
		return usageError{fmt.Errorf("%s: give only one of them", strings.Join(said, ", "))}
	}
	n := paper.ReportParams
	if len(said) == 1 {
		switch said[0] {
		case "alpha":
			c.Alpha = s.Alpha
			return nil
		case "width":
			c.Width = s.Width
			return nil
		}
		var err error
		if n, err = parseCount(s.Params); err != nil {
			return usageError{fmt.Errorf("params: %w", err)}
		}
	}
	if network, err := model.Lookup(c.Model, c.Network); err == nil {
		switch network.Scale() {
		case "alpha":
			c.Alpha = 1
		case "width":
			c.Width = 1
		}
	}
	if err := c.Validate(); err != nil { // of all but the size
		return err
	}
	near, err := model.Nearest(c.Model, n, plan.SizeOf(*c))
	c.Alpha, c.Width = near.Alpha, near.Width
	return err
}

// parseCount reads a number of weights such as 512k, 25.6M or 1e6.
func parseCount(text string) (int, error) {
	number, factor := text, 1.0
	for suffix, f := range map[string]float64{"k": 1e3, "K": 1e3, "M": 1e6, "m": 1e6, "G": 1e9, "B": 1e9} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			number, factor = rest, f
		}
	}
	x, err := strconv.ParseFloat(strings.ReplaceAll(number, ",", ""), 64)
	x *= factor
	if err != nil || math.IsNaN(x) || x < 1 || x > 1e12 {
		return 0, fmt.Errorf("%q is not a number of weights; write it like 512k, 25.6M or 25600000", text)
	}
	return int(math.Round(x)), nil
}

// origin says who gave each setting.
type origin map[string]source

type source int

const (
	byNobody source = iota
	byFile
	byFlag
)

// originOf looks through a command line as it was parsed.
func originOf(ctx *kong.Context) origin {
	o := origin{}
	for _, p := range ctx.Path {
		switch {
		case p.Flag == nil:
		case p.Resolved:
			o[p.Flag.Name] = byFile
		default:
			o[p.Flag.Name] = byFlag
		}
	}
	return o
}
