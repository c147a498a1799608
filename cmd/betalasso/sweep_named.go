package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"

	"betalasso/paper"
	"betalasso/run"
)

// studyNames are the studies of the paper that are built in.
var studyNames = []string{"table2", "lambda-grid", "scaling"}

// namedFlags choose a study of the paper and scale it down.
type namedFlags struct {
	Study     string   `placeholder:"NAME" group:"study" help:"the paper's: table2, lambda-grid or scaling (default: a FILE)"`
	Data      []string `placeholder:"NAME" group:"study" help:"its data sets (default cifar10,cifar100,svhn)"`
	Epochs    int      `placeholder:"N" group:"study" help:"passes over the training set (default: the paper's)"`
	Seeds     int      `placeholder:"N" group:"study" help:"seeds of each case (1), or of lambda-grid's chosen pair (3)"`
	Alpha     int      `placeholder:"N" group:"study" help:"base channels (default: the paper's 150)"`
	Params    string   `placeholder:"COUNT" group:"study" help:"weights of every network, 800k (default: the paper's)"`
	MaxParams string   `placeholder:"COUNT" group:"study" help:"the largest size of scaling, 2M (default: all 16 sizes)"`
	Train     int      `placeholder:"N" group:"study" help:"training examples used; 0 is all (default 0)"`
}

// given are the flags beside Study that are set.
func (f namedFlags) given() (list []string) {
	for _, g := range []struct {
		name string
		set  bool
	}{{"data", len(f.Data) > 0}, {"epochs", f.Epochs != 0}, {"seeds", f.Seeds != 0}, {"alpha", f.Alpha != 0}, {"params", f.Params != ""}, {"max-params", f.MaxParams != ""}, {"train", f.Train != 0}} {
		if g.set {
			list = append(list, "--"+g.name)
		}
	}
	return list
}

// text is the study as a file would have it.
func (f namedFlags) text() ([]byte, error) {
	if f.MaxParams != "" && f.Study != "scaling" {
		return nil, fmt.Errorf("max-params: only scaling has sizes")
	}
	// The checks of the scale, and its defaults, are those of reproduce.
	r := reproduceCommand{Profile: "paper", Data: f.Data, Seeds: max(f.Seeds, 1), Epochs: f.Epochs, Alpha: f.Alpha, Params: f.Params}
	p, err := r.profile()
	if err != nil {
		return nil, err
	}
	switch f.Study {
	case "table2": // the one study that the paper trained for longer
		if f.Epochs == 0 {
			p.epochs = paper.Epochs
		}
		return tableStudy(p, f.Train, r.Seeds, nil)
	case "lambda-grid":
		return lambdaStudy(p, f.Train, f.Seeds)
	case "scaling":
		return f.scaling(p, r.Seeds)
	}
	return nil, fmt.Errorf("study: there is no %q; use one of %s", f.Study, strings.Join(studyNames, ", "))
}

// tableStudy is the paper's Table 2 at a profile's scale: each case on each
// data set, with so many seeds, or with as many as the profile gives it where
// seeds is 0. Settings in more that are empty are left out.
func tableStudy(p profile, train, seeds int, more map[string]string) ([]byte, error) {
	var b bytes.Buffer
	common := p
	if len(p.fewer) > 0 {
		common.epochs = 0 // each has its own
	}
	fmt.Fprintf(&b, "name: table2\n%saxes:\n  - list:\n", fixed(common, train, more))
	of := func(c paper.Case) int { return max(1, cmp.Or(seeds, p.seeds[c.Name])) }
	most := 1
	for _, c := range paper.Cases {
		most = max(most, of(c))
	}
	for seed := 1; seed <= most; seed++ { // slowest, so that every case has its first seed early
		for _, name := range p.data {
			for _, c := range paper.Cases {
				if seed > of(c) {
					continue
				}
				cfg, err := p.config(c, name, uint64(seed))
				if err != nil {
					return nil, err
				}
				size := fmt.Sprintf("alpha: %d", cfg.Alpha)
				if cfg.Model == "3-fc" {
					size = fmt.Sprintf("width: %d", cfg.Width)
				}
				fmt.Fprintf(&b, "      - {label: %q, data: %s, model: %s, %s, optimizer: %s", c.Title(), name, cfg.Model, size, cfg.Optimizer)
				if cfg.Optimizer == "beta-lasso" {
					fmt.Fprintf(&b, ", beta: %v, lambda-conv: %v, lambda-fc: %v", cfg.Beta, cfg.LambdaConv, cfg.LambdaFC)
				}
				if cfg.Epochs != common.epochs {
					fmt.Fprintf(&b, ", epochs: %d", cfg.Epochs)
				}
				fmt.Fprintf(&b, ", seed: %d}\n", seed)
			}
		}
	}
	return b.Bytes(), nil
}

// lambdaStudy is the grid of the paper's A.2: λ of the two groups of layers, by
// validation accuracy; the best pair on each data set is then trained with
// several seeds that the choice has not seen, and on these one reports the test
// accuracy.
func lambdaStudy(p profile, train, seeds int) ([]byte, error) {
	if seeds == 0 {
		seeds = 3
	}
	c, err := p.config(paper.Cases[len(paper.Cases)-1], "cifar10", 1) // S-FC, β = 50
	if err != nil {
		return nil, err
	}
	var fresh []string
	for i := range seeds {
		fresh = append(fresh, fmt.Sprint(i+2)) // the grid has seed 1
	}
	var values []string
	for _, v := range paper.LambdaGrid {
		values = append(values, strings.Replace(fmt.Sprint(v), "e-0", "e-", 1))
	}
	lambdas := "[" + strings.Join(values, ", ") + "]"
	return fmt.Appendf(nil, "name: lambda-grid\n%saxes:\n  - grid: {data: [%s]}\n  - grid: {lambda-conv: %s, lambda-fc: %s}\nthen: {for-each: [data], seeds: [%s]}\n",
		fixed(p, train, map[string]string{"model": c.Model, "alpha": fmt.Sprint(c.Alpha), "optimizer": c.Optimizer, "beta": fmt.Sprint(c.Beta)}),
		strings.Join(p.data, ", "), lambdas, lambdas, strings.Join(fresh, ", ")), nil
}

// scaling is the paper's Figures 2 and 6: accuracy by size.
func (f namedFlags) scaling(p profile, seeds int) ([]byte, error) {
	if f.Alpha != 0 || f.Params != "" {
		return nil, errors.New("scaling has sizes of its own; cut them with --max-params")
	}
	most := math.MaxInt
	if f.MaxParams != "" {
		var err error
		if most, err = parseCount(f.MaxParams); err != nil {
			return nil, fmt.Errorf("max-params: %w", err)
		}
	}
	var sizes []string
	for k := range 16 {
		if n := 32_000 << k; n <= most {
			sizes = append(sizes, fmt.Sprint(n))
		}
	}
	if len(sizes) == 0 {
		return nil, errors.New("max-params: the smallest size is 32k")
	}
	return fmt.Appendf(nil, "name: scaling\n%s%saxes:\n  - grid: {data: [%s]}\n  - grid: {params: [%s]}\n  - grid: {model: [s-conv, 3-fc, d-conv]}\n",
		fixed(p, f.Train, nil), seedsLine(seeds), strings.Join(p.data, ", "), strings.Join(sizes, ", ")), nil
}

// fixed is what all points of a study at a profile's scale have in common.
func fixed(p profile, train int, more map[string]string) string {
	settings := maps.Clone(more)
	if settings == nil {
		settings = map[string]string{}
	}
	for name, v := range map[string]any{"epochs": p.epochs, "batch": p.batch, "lr": p.lr, "momentum": p.momentum, "augment": p.augment, "train": train} {
		settings[name] = fmt.Sprint(v)
	}
	var b strings.Builder
	b.WriteString("fixed:\n")
	for _, name := range run.Settings() {
		if v := settings[name]; v != "" && v != "0" {
			fmt.Fprintf(&b, "  %s: %s\n", name, plain(v))
		}
	}
	return b.String()
}

// plain is a value in YAML, in quotes where it needs them.
func plain(v string) string {
	if strings.IndexFunc(v, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./+", r))
	}) >= 0 {
		return fmt.Sprintf("%q", v)
	}
	return v
}

// seedsLine asks for the seeds 1 to n.
func seedsLine(n int) string {
	return fmt.Sprintf("seeds: %d\n", n)
}
