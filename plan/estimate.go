package plan

import (
	"fmt"
	"math"
	"strings"
	"time"

	"betalasso/model"
	"betalasso/run"
	"betalasso/sweep"
)

// Estimate is what a trial is expected to need.
type Estimate struct {
	sweep.Trial
	Weights int     `json:"weights"`
	Seconds float64 `json:"seconds"`
	Disk    float64 `json:"disk_bytes"`
	Memory  float64 `json:"memory_bytes"`

	// Dense is Seconds, were no step to get cheaper as weights become zero.
	Dense float64 `json:"dense_seconds"`
}

// Total is what a study is expected to need.
type Total struct {
	Trials     int     `json:"trials"`
	CPUSeconds float64 `json:"worker_seconds"` // of all workers together
	Seconds    float64 `json:"seconds"`        // with that many workers at a time
	Dense      float64 `json:"dense_seconds"`  // Seconds, were no step to get cheaper
	Processes  int     `json:"processes"`
	Disk       float64 `json:"disk_bytes"`
	Memory     float64 `json:"memory_bytes"` // of the largest trials at a time

	Rates Rates `json:"-"` // the speeds that it was computed from
}

// Estimate predicts what trials need with the given number of workers at a time,
// from probes of each kind of network among them.
func (b Bench) Estimate(trials []sweep.Trial, processes int) ([]Estimate, Total, error) {
	var configs []run.Config
	for _, p := range trials {
		configs = append(configs, p.Config)
	}
	speed, err := b.Measure(configs)
	if err != nil {
		return nil, Total{}, err
	}
	var list []Estimate
	sum := Total{Trials: len(trials), Processes: processes, Rates: speed}
	var longest, longestDense, dense, largest float64
	for _, p := range trials {
		_, weights, err := model.Count(p.Config.Model, SizeOf(p.Config))
		if err != nil {
			return nil, sum, err
		}
		e := Estimate{Trial: p, Weights: weights, Disk: Disk(p.Config), Memory: Memory(p.Config)}
		e.Seconds, e.Dense = speed.Seconds(p.Config)
		list = append(list, e)
		sum.CPUSeconds += e.Seconds
		dense += e.Dense
		sum.Disk += e.Disk
		longest, longestDense, largest = max(longest, e.Seconds), max(longestDense, e.Dense), max(largest, e.Memory)
	}
	sum.Seconds = max(longest, sum.CPUSeconds/float64(processes))
	sum.Dense = max(longestDense, dense/float64(processes))
	sum.Memory = largest * float64(min(processes, len(trials)))
	return list, sum, nil
}

// Time is the time of a study as text.
func (t Total) Time() string { return timeText(t.Seconds, t.Dense) }

// Time is the time of a trial as text.
func (e Estimate) Time() string { return timeText(e.Seconds, e.Dense) }

// timeText says how long something takes, and how long if nothing turns sparse,
// if that differs.
func timeText(seconds, dense float64) string {
	text := Span(duration(seconds))
	if most := Span(duration(dense)); most != text {
		text += fmt.Sprintf(" (%s if nothing turns sparse)", most)
	}
	return text
}

// Rates are measured speeds of training.
type Rates []rate

// rate is the speed at one Config's shape.
type rate struct {
	config run.Config
	macs   float64 // exampleMACs
	probe  Probe
	slope  float64 // seconds of an example's step for each multiply-add that another size has more
}

// Measure times the Configs' networks, one or two of each kind: the smallest, and
// the largest where it is much larger, or as much of either as a moment allows.
func (b Bench) Measure(list []run.Config) (Rates, error) {
	var r Rates
	type ends struct{ small, large run.Config }
	kinds := map[run.Config]*ends{}
	var order []run.Config
	for _, c := range list {
		k := kindOf(c)
		e := kinds[k]
		if e == nil {
			e = &ends{c, c}
			kinds[k] = e
			order = append(order, k)
		}
		if exampleMACs(c) < exampleMACs(e.small) {
			e.small = c
		}
		if exampleMACs(c) > exampleMACs(e.large) {
			e.large = c
		}
	}
	for _, k := range order {
		e := kinds[k]
		m, err := b.moment(e.small)
		if err != nil {
			return nil, err
		}
		if m.config != e.small || exampleMACs(e.large) <= 4*exampleMACs(e.small) {
			r = append(r, m)
			continue
		}
		l, err := b.moment(e.large)
		if err != nil {
			return nil, err
		}
		r = append(r, m.beside(l), l.beside(m))
	}
	return r, nil
}

// Probes of a network grow until one takes this long, or has all of it. The one
// after that would take some seconds.
const (
	patience = 500 * time.Millisecond
	growth   = 8
)

// moment times as much of c's network as a moment allows, and where that is not
// all of it, a smaller part too: a step also moves images and sums, which a larger
// network has no more of, so its time grows less than its multiply-adds. Most in
// local and convolutional layers.
func (b Bench) moment(c run.Config) (rate, error) {
	for most := float64(measurable); ; most *= growth {
		small, began := reduced(c, most), time.Now()
		m, err := b.rate(small)
		if err != nil || small == c {
			return m, err
		}
		if time.Since(began) <= patience {
			continue
		}
		less := fewer(small, probeMACs(small)/4, 1<<11)
		if less == small {
			return m, nil
		}
		l, err := b.rate(less)
		return m.beside(l), err
	}
}

// rate times c's network. Another size takes time in proportion.
func (b Bench) rate(c run.Config) (rate, error) {
	t, err := b.Probe(c, Noise(c, ProbeImages(c)+2*SizeOf(c).Classes))
	macs := exampleMACs(c)
	return rate{c, macs, t, t.Example / macs}, err
}

// beside is m with the slope of a line through it and another size, but not more
// than in proportion, and not so much less that it can only be noise;
// m where both are of one size.
func (m rate) beside(other rate) rate {
	if m.macs == other.macs {
		return m
	}
	whole := m.probe.Example / m.macs
	m.slope = min(max((m.probe.Example-other.probe.Example)/(m.macs-other.macs), whole/growth), whole)
	return m
}

// kindOf is what Configs of similar speed have in common.
func kindOf(c run.Config) run.Config {
	return run.Config{Model: c.Model, Kernel: c.Kernel, Network: c.Network, Augment: c.Augment, Optimizer: c.Optimizer, Precision: c.Precision, Batch: c.Batch}
}

// Seconds is how long training c takes: each example forward, backward and in the
// update, the forward passes of validation and test, and the overhead of an epoch
// and of a run. dense is the time with dense weights throughout.
func (r Rates) Seconds(c run.Config) (seconds, dense float64) {
	var best rate
	found := false
	for _, m := range r {
		k := kindOf(m.config)
		k.Batch = c.Batch // a probe's may be smaller
		if k != kindOf(c) {
			continue
		}
		if !found || distance(m.macs, exampleMACs(c)) < distance(best.macs, exampleMACs(c)) {
			best, found = m, true
		}
	}
	if !found {
		return 0, 0
	}
	each := best.probe.Example + best.slope*(exampleMACs(c)-best.macs)
	epochs := float64(c.Epochs)
	steps := epochs * float64(Examples(c)) * each
	rest := (epochs*float64(c.Val) + 2*float64(SourceOf(c).Images().Test)) / 3 * each
	rest += epochs*best.probe.Epoch + best.probe.Run
	return steps*stepShare(c) + rest, steps + rest
}

// distance is the factor between the two.
func distance(a, b float64) float64 { return max(a/b, b/a) }

// sparseTime is the time of a sparse layer's part of a step as a share of its
// dense time, and sparseBelow the largest share of non-zero weights at which it
// takes no more: a layer turns sparse a little before. In bench/2026-11-25-sparse a step takes 52 % of a dense one's
// time where S-FC's first layer, three quarters of the work, is sparse, and 28 %
// where all of it is.
const (
	sparseTime  = 0.35
	sparseBelow = 0.12
)

// stepShare is the time of c's steps as a share of dense ones, from the weights
// that λ alone leaves, estimated as in Lambda. It is 1 if steps get no cheaper,
// and for networks whose work is mostly in convolutions.
func stepShare(c run.Config) float64 {
	if c.Optimizer != "beta-lasso" || c.Sparse == "off" || c.Momentum > 0 || c.Imported != "" || !strings.HasSuffix(c.Model, "-fc") {
		return 1
	}
	layers, _, err := model.Count(c.Model, SizeOf(c))
	if err != nil {
		return 1
	}
	var all, took float64
	for i, l := range layers {
		macs := 3 * float64(l.Params)
		if i == 0 {
			macs = 2 * float64(l.Params) // the images need no gradient
		}
		all += macs
		took += macs * (1 - (1-sparseTime)*sparsePart(c, l))
	}
	return took / all
}

// sparsePart is the part of c's steps in which so few of a layer's weights are
// left that it is sparse.
func sparsePart(c run.Config, l model.LayerCount) float64 {
	lambda := lambdaOf(c, l)
	steps := float64(Steps(c))
	const parts = 100
	n := 0
	for i := range parts {
		done := float64(i) / parts // of the schedule, of which the learning rates so far are a sum
		moved := c.LR * lambda * steps * (done/2 + math.Sin(math.Pi*done)/(2*math.Pi))
		if 1-(c.Beta*lambda+moved)/firstBound(l) < sparseBelow {
			n++
		}
	}
	return float64(n) / parts
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// Time is the time of training c as text.
func (r Rates) Time(c run.Config) string { return timeText(r.Seconds(c)) }
