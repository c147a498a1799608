package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"text/tabwriter"

	"betalasso/compute/cpu"
	"betalasso/model"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/train"
)

// benchCommand is `betalasso bench`.
type benchCommand struct {
	Weights   string `placeholder:"DIR" help:"time steps on a run's weights, alternating dense and sparse"`
	Regrowth  int    `default:"0" placeholder:"N" help:"with --weights: let zero weights return every N steps, 1 for exact (default: as the run)"`
	Model     string `placeholder:"NAME" help:"${models} (default: the four of the paper's table)"`
	Alpha     int    `placeholder:"N" help:"base channels α; not for 3-fc (default: about 25.6M weights)"`
	Width     int    `placeholder:"N" help:"hidden units per layer of 3-fc (default: about 25.6M weights)"`
	Kernel    int    `placeholder:"N" help:"kernel size of resnet18 (default 3)"`
	Batch     int    `default:"512" placeholder:"N" help:"examples per step (default 512)"`
	Augment   string `default:"fast-autoaugment" placeholder:"NAME" help:"none, flip-crop, fast-autoaugment, or fast-autoaugment:P for a share P of the images (default fast-autoaugment)"`
	Steps     int    `default:"7" placeholder:"N" help:"steps to time, after two to warm up (default 7)"`
	Precision string `default:"auto" placeholder:"NAME" help:"of matrix products: auto, fp32, bf16 (default auto)"`
	Threads   []int  `default:"0" placeholder:"N,..." help:"0 is all cores; several show how a step scales (default 0)"`
	Reckon    bool   `help:"model all steps from tasks timed one by one (default off)"`
	JSON      bool   `name:"json" help:"one JSON object per line and network (default off)"`
}

// benchSizes are the networks that bench takes when none is asked for: about
// 25.6 million weights, as in the EE-411 report.
var benchSizes = []struct {
	model        string
	alpha, width int
}{{"s-fc", 28, 0}, {"s-conv", 64, 0}, {"s-local", 64, 0}, {"3-fc", 0, 3750}}

// Help is the end of `betalasso bench --help`.
func (benchCommand) Help() string {
	return `Times whole training steps on generated images, with the β-lasso update, batch loading and augmentation. The peak is that of a loop of multiply-adds in registers in the same process: an upper bound for matrix products. bench/run compares with PyTorch.

With several --threads it shows how a step scales: the speedup over the first number, and the efficiency of each thread. For more threads than cores the time is modelled: the tasks of a step, divided for that many threads, are timed one by one and assigned to threads. See docs/threads.md.

Examples, some seconds each:

    betalasso bench --model s-fc --alpha 4
    betalasso bench --model s-conv --alpha 8 --threads 1,2,4,8`
}

// benchResult is a line of --json. Times are medians, in milliseconds.
type benchResult struct {
	Model             string  `json:"model"`
	Alpha             int     `json:"alpha"`
	Width             int     `json:"width"`
	Kernel            int     `json:"kernel,omitempty"`
	Precision         string  `json:"precision"`
	Threads           int     `json:"threads"`
	Params            int     `json:"params"`
	StepMS            float64 `json:"step_ms"`
	GFLOPS            float64 `json:"gflops"`
	PeakGFLOPS        float64 `json:"peak_gflops"`
	ExamplesPerSecond float64 `json:"examples_per_second"`
	PeakRSS           int64   `json:"peak_rss_bytes"`

	Share      float64 `json:"share_of_peak"`
	SpreadMS   float64 `json:"spread_ms"` // between the quartiles
	DataMS     float64 `json:"data_ms"`
	ForwardMS  float64 `json:"forward_ms"`
	BackwardMS float64 `json:"backward_ms"`
	Batch      int     `json:"batch"`
	Augment    string  `json:"augment"`
	Device     string  `json:"device"`

	Speedup    float64 `json:"speedup,omitempty"`    // beside the first of several numbers of threads
	Efficiency float64 `json:"efficiency,omitempty"` // speedup by how many more threads there are

	Reckoned *reckoning `json:"reckoned,omitempty"` // nil where the step was measured
}

// Run measures.
func (b *benchCommand) Run() error {
	if b.Steps < 1 || b.Batch < 1 {
		return usageError{errors.New("steps and batch must be at least 1")}
	}
	for _, n := range b.Threads {
		if n < 0 || len(b.Threads) > 1 && n == 0 {
			return usageError{fmt.Errorf("threads: %d is no number of threads to compare", n)}
		}
	}
	if b.Weights != "" {
		if len(b.Threads) > 1 {
			return usageError{errors.New("threads: with --weights there is one number of them")}
		}
		if b.Model != "" || b.Alpha != 0 || b.Width != 0 || b.Kernel != 0 || b.Reckon {
			return usageError{errors.New("weights: the run says which network it is; leave out --model, --alpha, --width, --kernel and --reckon")}
		}
		if b.Regrowth < 0 {
			return usageError{fmt.Errorf("regrowth: must be 1 or more, not %d", b.Regrowth)}
		}
		return b.weights(os.Stdout)
	}
	if b.Regrowth != 0 {
		return usageError{errors.New("regrowth: is of steps on a run's weights, with --weights")}
	}
	if len(b.Threads) > 1 {
		return b.scaling(os.Stdout)
	}
	b.Reckon = b.Reckon || b.Threads[0] > runtime.NumCPU()
	if b.Model != "" {
		r, err := b.one()
		if err != nil {
			return err
		}
		return b.print(os.Stdout, []benchResult{r})
	}
	if b.Alpha != 0 || b.Width != 0 || b.Kernel != 0 {
		return usageError{errOneNetwork}
	}
	var list []benchResult
	for _, s := range benchSizes { // each in a process of its own, for its memory
		r, err := b.child(s.model, s.alpha, s.width, b.Threads[0])
		if err != nil {
			return err
		}
		list = append(list, r)
	}
	return b.print(os.Stdout, list)
}

// child measures one network in another process. Several numbers of threads are
// compared as on machines with that number of cores.
func (b *benchCommand) child(name string, alpha, width, threads int) (r benchResult, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	args := []string{"bench", "--json", "--model", name, "--batch", strconv.Itoa(b.Batch), "--augment", b.Augment,
		"--steps", strconv.Itoa(b.Steps), "--precision", b.Precision, "--threads", strconv.Itoa(threads)}
	if alpha != 0 {
		args = append(args, "--alpha", strconv.Itoa(alpha))
	} else if width != 0 {
		args = append(args, "--width", strconv.Itoa(width))
	}
	if b.Kernel != 0 {
		args = append(args, "--kernel", strconv.Itoa(b.Kernel))
	}
	reckon := b.Reckon || threads > runtime.NumCPU()
	if reckon {
		args = append(args, "--reckon")
	}
	c := exec.Command(self, args...)
	if len(b.Threads) > 1 && !reckon {
		c.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(threads)) // batches are made on these cores too
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, os.Stderr
	if err := c.Run(); err != nil {
		var e *exec.ExitError
		if errors.As(err, &e) && e.Exited() {
			return r, codedError{code: e.ExitCode()} // it has said why
		}
		return r, fmt.Errorf("measuring %s: %w", name, err)
	}
	return r, json.Unmarshal(out.Bytes(), &r)
}

// one measures one network in this process.
func (b *benchCommand) one() (r benchResult, err error) {
	c := run.Default()
	c.Model, c.Alpha, c.Width, c.Batch, c.Augment = b.Model, b.Alpha, b.Width, b.Batch, b.Augment
	c.Threads, c.Precision, c.Kernel = b.Threads[0], precision(b.Precision), b.Kernel
	c.Optimizer, c.Beta, c.LambdaConv, c.LambdaFC, c.LR, c.Val = "beta-lasso", 50, 1e-5, 2e-6, 1e-3, 0
	if c.Model == "resnet18" && c.Kernel == 0 {
		c.Kernel = 3
	}
	for _, s := range benchSizes {
		if s.model == c.Model && c.Alpha == 0 && c.Width == 0 {
			c.Alpha, c.Width = s.alpha, s.width
		}
	}
	if err := c.Validate(); err != nil {
		return r, err
	}
	if _, err := plan.Fits(c, plan.Here()); err != nil {
		return r, usageError{err}
	}
	size := plan.SizeOf(c)
	_, params, err := model.Count(c.Model, size)
	if err != nil {
		return r, usageError{err}
	}
	flops, err := model.StepFLOPs(c.Model, size)
	if err != nil {
		return r, err
	}
	dev, err := cpu.New(cpu.Options{Threads: threads(c), BF16: c.Precision == "bf16"})
	if err != nil {
		return r, err
	}
	loaders := threads(c)
	var before float64
	if b.Reckon {
		loaders = 1 // they are modelled too
	} else {
		before = dev.Peak()
	}
	bench, err := train.NewBench(train.Options{Config: c, Device: dev, Set: plan.Noise(c, 8*c.Batch), Threads: loaders}, warmSteps+b.Steps)
	if err != nil {
		return r, err
	}
	defer bench.Close()
	if b.Reckon {
		r, err := b.reckon(dev, bench, c.Batch)
		r.Model, r.Alpha, r.Width, r.Kernel, r.Precision, r.Params, r.Augment = c.Model, c.Alpha, c.Width, c.Kernel, c.Precision, params, c.Augment
		r.Speedup, r.Efficiency = 1, 1
		r.GFLOPS = flops * float64(c.Batch) / r.StepMS / 1e6
		return r, err
	}
	var t timings
	for i := range warmSteps + b.Steps {
		s, err := bench.Step()
		if err != nil {
			return r, err
		}
		if i >= warmSteps {
			t.add(s)
		}
	}
	steps, step := t.step, quantile(t.step, 0.5)
	peak := max(before, dev.Peak())
	rate := flops * float64(c.Batch) / step
	return benchResult{
		Model: c.Model, Alpha: c.Alpha, Width: c.Width, Kernel: c.Kernel, Precision: c.Precision, Threads: threads(c), Params: params,
		StepMS: 1e3 * step, GFLOPS: rate / 1e9, PeakGFLOPS: peak / 1e9, ExamplesPerSecond: float64(c.Batch) / step, PeakRSS: run.PeakRSS(),
		Share: rate / peak, SpreadMS: 1e3 * (quantile(steps, 0.75) - quantile(steps, 0.25)),
		DataMS: 1e3 * quantile(t.data, 0.5), ForwardMS: 1e3 * quantile(t.forward, 0.5),
		BackwardMS: 1e3 * quantile(t.backward, 0.5),
		Batch:      c.Batch, Augment: c.Augment, Device: dev.Name(),
	}, nil
}

// warmSteps are taken before those that are timed.
const warmSteps = 2

// timings are those of some steps, in seconds.
type timings struct {
	step, data, forward, backward []float64
}

func (t *timings) add(s train.Timing) {
	t.step = append(t.step, s.Data+s.Forward+s.Backward)
	t.data, t.forward, t.backward = append(t.data, s.Data), append(t.forward, s.Forward), append(t.backward, s.Backward)
}

var errOneNetwork = errors.New("alpha, width and kernel are of one network: name it with --model")

// quantile is the value below which that part of the list lies, which is not
// empty, by the mean of its neighbours.
func quantile(list []float64, part float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	at := part * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// print prints the results as a table or as JSON.
func (b *benchCommand) print(out io.Writer, list []benchResult) error {
	if b.JSON {
		e := json.NewEncoder(out)
		for _, r := range list {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	if slices.ContainsFunc(list, func(r benchResult) bool { return r.Reckoned != nil }) {
		return printScaling(out, list, b.Steps)
	}
	r := list[0]
	fmt.Fprintf(out, "%s, batches of %d, %s; medians of %d steps, milliseconds\n", r.Device, r.Batch, r.Augment, b.Steps)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "NETWORK\tSIZE\tWEIGHTS\tSTEP\t±\tFORWARD\tBACKWARD\tDATA\tGFLOP/S\tPEAK\tSHARE\tIMAGES/S\tMEMORY\t")
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%d\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.0f %%\t%.0f\t%s\t\n", r.Model, cmp.Or(r.Alpha, r.Width), short(r.Params),
			r.StepMS, r.SpreadMS/2, r.ForwardMS, r.BackwardMS, r.DataMS, r.GFLOPS, r.PeakGFLOPS, 100*r.Share, r.ExamplesPerSecond, plan.Bytes(float64(r.PeakRSS)))
	}
	return w.Flush()
}
