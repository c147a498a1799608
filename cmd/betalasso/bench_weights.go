package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"

	"betalasso/compute/cpu"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/train"
)

// weightsResult is what `bench --weights --json` prints. Times are medians, in
// milliseconds, of steps that alternate: a dense one, a sparse one.
type weightsResult struct {
	Dir         string    `json:"dir"`
	Epoch       int       `json:"epoch"`
	Epochs      int       `json:"epochs"`
	LR          float64   `json:"lr"`
	Regrowth    int       `json:"regrowth"`
	Density     []float64 `json:"density"` // of each matrix of weights, the first layer's first
	StepMS      float64   `json:"step_ms"`
	DenseStepMS float64   `json:"dense_step_ms"`
	Ratio       float64   `json:"ratio"`
	Low         float64   `json:"ratio_low"` // the quartiles of the pairs' ratios
	High        float64   `json:"ratio_high"`
	Pairs       int       `json:"pairs"`
	MACs        float64   `json:"work"` // multiply-adds of a step
	DenseMACs   float64   `json:"dense_work"`
	Parts       parts     `json:"parts_ms"`
	DenseParts  parts     `json:"dense_parts_ms"`
	Images      float64   `json:"images_per_second"` // in an evaluation, and with dense weights
	DenseImages float64   `json:"dense_images_per_second"`
	Device      string    `json:"device"`
	Batch       int       `json:"batch"`
}

// parts are where a step's time goes, in milliseconds on average. Rest is what
// no other part counts, the waiting for batches included.
type parts struct {
	Forward   float64 `json:"forward"`
	GradInput float64 `json:"input_gradient"`
	GradStep  float64 `json:"gradients_and_update"`
	Search    float64 `json:"bound"`
	Norm      float64 `json:"batch_norm"`
	Data      float64 `json:"data"`
	Rest      float64 `json:"rest"`
}

// weights measures steps on a run's weights.
func (b *benchCommand) weights(out io.Writer) error {
	d, err := run.Open(b.Weights)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	c := d.Config()
	c.Threads = b.Threads[0]
	if b.Precision != "auto" {
		c.Precision = b.Precision
	}
	switch {
	case b.Regrowth == 1:
		c.Regrowth = 0 // exact
	case b.Regrowth > 1:
		c.Regrowth = b.Regrowth
	}
	if err := c.Validate(); err != nil {
		return usageError{err}
	}
	s := newSession(b.JSON)
	defer s.close()
	set, err := s.load(c)
	if err != nil {
		return err
	}
	if err := s.unguarded(); err != nil {
		return err
	}
	var sides [2]struct { // dense, sparse
		dev   *cpu.Device
		bench *train.Bench
		times timings
		spent parts
		macs  float64
	}
	warm := warmSteps + 24*max(1, c.Regrowth) // so that the search has found what is cheapest
	for i := range sides {
		side := &sides[i]
		if side.dev, err = cpu.New(cpu.Options{Threads: threads(c), BF16: precision(c.Precision) == "bf16", Dense: i == 0}); err != nil {
			return err
		}
		steps := warm + b.Steps
		white, err := whiten(side.dev, c, set, c.Batch)
		if err != nil {
			return err
		}
		if side.bench, err = train.NewBench(train.Options{Dir: d, Config: c, Device: side.dev, Whiten: white, Set: set, Threads: threads(c)}, steps); err != nil {
			return err
		}
		defer side.bench.Close()
	}
	for step := range warm + b.Steps {
		for i := range sides {
			if i == 0 && step < warm-warmSteps {
				continue // a dense step takes as long on any weights
			}
			side := &sides[i]
			before := side.dev.Spent()
			t, err := side.bench.Step()
			if err != nil {
				return err
			}
			if step < warm {
				continue
			}
			side.times.add(t)
			side.macs += t.MACs / float64(b.Steps)
			side.spent.add(before, side.dev.Spent(), t, b.Steps)
		}
	}
	dense, sparse := &sides[0], &sides[1]
	var infer [2][]float64
	for pair := range warmSteps + b.Steps {
		for i := range sides {
			if t := sides[i].bench.Infer(); pair >= warmSteps {
				infer[i] = append(infer[i], t)
			}
		}
	}
	var ratios []float64
	for i, t := range sparse.times.step {
		ratios = append(ratios, dense.times.step[i]/t)
	}
	state, _, err := d.LoadCheckpoint()
	if err != nil {
		return err
	}
	batch := float64(sparse.bench.Batch())
	r := weightsResult{
		Dir: b.Weights, Epoch: state.Epoch, Epochs: c.Epochs, LR: sparse.bench.LR(), Regrowth: c.Regrowth, Density: sparse.bench.Density(),
		StepMS: 1e3 * quantile(sparse.times.step, 0.5), DenseStepMS: 1e3 * quantile(dense.times.step, 0.5),
		Ratio: quantile(ratios, 0.5), Low: quantile(ratios, 0.25), High: quantile(ratios, 0.75), Pairs: b.Steps,
		MACs: sparse.macs, DenseMACs: dense.macs,
		DenseImages: batch / quantile(infer[0], 0.5), Images: batch / quantile(infer[1], 0.5),
		Parts: sparse.spent, DenseParts: dense.spent, Device: sparse.dev.Name(), Batch: sparse.bench.Batch(),
	}
	if b.JSON {
		return json.NewEncoder(out).Encode(r)
	}
	return r.print(out)
}

// add adds a step's part of the means over the given number of steps.
func (p *parts) add(before, after [cpu.Parts]time.Duration, t train.Timing, steps int) {
	rest := t.Data + t.Forward + t.Backward
	for part, to := range map[cpu.Part]*float64{cpu.Forward: &p.Forward, cpu.GradInput: &p.GradInput, cpu.GradStep: &p.GradStep, cpu.Search: &p.Search, cpu.Norm: &p.Norm} {
		took := (after[part] - before[part]).Seconds()
		*to += 1e3 * took / float64(steps)
		rest -= took
	}
	p.Data += 1e3 * t.Data / float64(steps)
	p.Rest += 1e3 * (rest - t.Data) / float64(steps)
}

// print prints r as a table.
func (r weightsResult) print(out io.Writer) error {
	var density []string
	for _, d := range r.Density {
		density = append(density, fmt.Sprintf("%.2f %%", 100*d))
	}
	fmt.Fprintf(out, "%s: epoch %d of %d, learning rate %.4f; left of the layers: %s\n", r.Dir, r.Epoch, r.Epochs, r.LR, strings.Join(density, ", "))
	fmt.Fprintf(out, "%s, batches of %d: a step takes %.1f ms, dense %.1f ms: %.2f times as fast (quartiles of %d pairs %.2f to %.2f); %.1f %% of the multiply-adds\n",
		r.Device, r.Batch, r.StepMS, r.DenseStepMS, r.Ratio, r.Pairs, r.Low, r.High, 100*r.MACs/r.DenseMACs)
	fmt.Fprintf(out, "evaluation: %s images a second, dense %s\n", plan.Thousands(int(r.Images)), plan.Thousands(int(r.DenseImages)))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "MS\tFORWARD\tINPUT GRADIENT\tBOUND\tGRADIENTS, UPDATE\tBATCH NORM\tDATA\tREST\t")
	for _, p := range []struct {
		name string
		parts
	}{{"sparse", r.Parts}, {"dense", r.DenseParts}} {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", p.name, p.Forward, p.GradInput, p.Search, p.GradStep, p.Norm, p.Data, p.Rest)
	}
	return w.Flush()
}
