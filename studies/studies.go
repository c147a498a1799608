package studies

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"strings"

	"betalasso/paper"
	"betalasso/run"
)

// Table is the paper's Table 2 at a profile's scale: each case on each
// data set, with the given number of seeds, or with the number that the profile gives it where
// seeds is 0. Settings in more that are empty are left out.
func Table(p Profile, train, seeds int, more map[string]string) ([]byte, error) {
	var b bytes.Buffer
	common := p
	if len(p.Fewer) > 0 {
		common.Epochs = 0 // each has its own
	}
	fmt.Fprintf(&b, "name: table2\n%saxes:\n  - list:\n", fixed(common, train, more))
	of := func(c paper.Case) int { return max(1, cmp.Or(seeds, p.Seeds[c.Name])) }
	most := 1
	for _, c := range paper.Cases {
		most = max(most, of(c))
	}
	for seed := 1; seed <= most; seed++ { // slowest, so that every case has its first seed early
		for _, name := range p.Data {
			for _, c := range paper.Cases {
				if seed > of(c) {
					continue
				}
				cfg, err := p.Config(c, name, uint64(seed))
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
				if cfg.Epochs != common.Epochs {
					fmt.Fprintf(&b, ", epochs: %d", cfg.Epochs)
				}
				fmt.Fprintf(&b, ", seed: %d}\n", seed)
			}
		}
	}
	return b.Bytes(), nil
}

// LambdaGrid is the grid of the paper's A.2: λ of the two groups of layers, by
// validation accuracy; the best pair on each data set is then trained with
// several seeds that the choice has not seen, and on these one reports the test
// accuracy.
func LambdaGrid(p Profile, train, seeds int) ([]byte, error) {
	if seeds == 0 {
		seeds = 3
	}
	c, err := p.Config(paper.Cases[len(paper.Cases)-1], "cifar10", 1) // S-FC, β = 50
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
		strings.Join(p.Data, ", "), lambdas, lambdas, strings.Join(fresh, ", ")), nil
}

// Scaling is the paper's Figures 2 and 6: accuracy by size, up to a number of
// weights, with the given number of seeds.
func Scaling(p Profile, train, seeds, most int) ([]byte, error) {
	var sizes []string
	for k := range 16 {
		if n := 32_000 << k; n <= most {
			sizes = append(sizes, fmt.Sprint(n))
		}
	}
	if len(sizes) == 0 {
		return nil, errors.New("max-params: the smallest size is 32k")
	}
	return fmt.Appendf(nil, "name: scaling\n%sseeds: %d\naxes:\n  - grid: {data: [%s]}\n  - grid: {params: [%s]}\n  - grid: {model: [s-conv, 3-fc, d-conv]}\n",
		fixed(p, train, nil), seeds, strings.Join(p.Data, ", "), strings.Join(sizes, ", ")), nil
}

// fixed is what all trials of a study at a profile's scale have in common.
func fixed(p Profile, train int, more map[string]string) string {
	settings := maps.Clone(more)
	if settings == nil {
		settings = map[string]string{}
	}
	for name, v := range map[string]any{"epochs": p.Epochs, "batch": p.Batch, "lr": p.LR, "momentum": p.Momentum, "augment": p.Augment, "train": train} {
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
