package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"betalasso/data"
	"betalasso/grid"
	"betalasso/model"
	"betalasso/run"
)

// sweepPlanCommand is `betalasso sweep plan`.
type sweepPlanCommand struct {
	studyFlags
	Processes int  `default:"1" placeholder:"N" help:"local workers at a time, for the time (default 1)"`
	Threads   int  `default:"0" placeholder:"N" help:"of each worker; 0 shares out all cores (default 0)"`
	JSON      bool `name:"json" help:"one JSON object a line: points, then the sum (default off)"`
}

// Help is the end of `betalasso sweep plan --help`.
func (sweepPlanCommand) Help() string {
	return `Nothing is trained but a few steps of each kind of network, to know their speed on this machine.

Example:

    betalasso sweep plan --study scaling --data digits --max-params 256k --epochs 10`
}

// estimate is what a point is expected to take.
type estimate struct {
	grid.Point
	Weights int     `json:"weights"`
	Seconds float64 `json:"seconds"`
	Disk    float64 `json:"disk_bytes"`
	Memory  float64 `json:"memory_bytes"`
}

// total is what a study is expected to take.
type total struct {
	Points     int     `json:"points"`
	CPUSeconds float64 `json:"worker_seconds"` // of all workers together
	Seconds    float64 `json:"seconds"`        // with that many workers at a time
	Processes  int     `json:"processes"`
	Disk       float64 `json:"disk_bytes"`
	Memory     float64 `json:"memory_bytes"` // of the largest points at a time
}

// Run prints the points and what they take.
func (p *sweepPlanCommand) Run() error {
	study, points, err := p.expand()
	if err != nil {
		return err
	}
	if err := (launchFlags{Launcher: "local", Processes: p.Processes}).validate(); err != nil {
		return err
	}
	told := map[dataSource]bool{}
	for _, q := range points {
		from := sourceOf(q.Config)
		if told[from] {
			continue
		}
		told[from] = true
		if _, _, err := data.Count(from.name, from.options()); err != nil {
			fmt.Fprintf(os.Stderr, "warning: %s\nTime and memory are for as many images as the publisher has\n", err)
		}
	}
	warnOf(points)
	s := newSession(p.JSON)
	defer s.close()
	list, sum, err := s.estimate(points, os.TempDir(), p.Processes, p.Threads)
	if s.ctx.Err() != nil {
		return s.stopped("stopped")
	}
	if err != nil {
		return err
	}
	if p.JSON {
		e := json.NewEncoder(os.Stdout)
		for _, x := range list {
			if err := e.Encode(x); err != nil {
				return err
			}
		}
		return e.Encode(sum)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "POINT\tID\tWEIGHTS\tTIME\tDISK\tMEMORY\tSETTINGS")
	for _, x := range list {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Index, x.ID, short(x.Weights), seconds(x.Seconds), bytesText(x.Disk), bytesText(x.Memory), x.Labels)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\n%d points, about %s with %d at a time on this machine, and %s of disk\n",
		sum.Points, seconds(sum.Seconds), sum.Processes, bytesText(sum.Disk))
	if t := study.Then; t != nil {
		fmt.Printf("then the best by validation accuracy, with %d seeds each, which is not in these sums\n", len(t.Seeds))
	}
	return nil
}

// warnOf warns of points whose settings will not do what they seem to, once for
// each setting that does so.
func warnOf(points []grid.Point) {
	count := map[string]int{}
	first := map[string]grid.Point{}
	var order []string
	for _, p := range points {
		for _, text := range warnings(p.Config, p.Asked) {
			if count[text]++; count[text] == 1 {
				first[text] = p
				order = append(order, text)
			}
		}
	}
	for _, text := range order {
		more := ""
		if n := count[text] - 1; n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		warn(fmt.Errorf("point %d%s (%s): %s", first[text].Index, more, first[text].Labels, text))
	}
}

// estimate says what points take with so many workers at a time. The trials
// that it measures with are written below dir.
func (s *session) estimate(points []grid.Point, dir string, processes, threads int) ([]estimate, total, error) {
	var configs []run.Config
	for _, p := range points {
		configs = append(configs, p.Config)
	}
	speed, err := s.measure(configs, dir, share(0, processes, threads))
	if err != nil {
		return nil, total{}, err
	}
	var list []estimate
	sum := total{Points: len(points), Processes: processes}
	longest, largest := 0.0, 0.0
	for _, p := range points {
		_, weights, err := model.Count(p.Config.Model, sizeOf(p.Config))
		if err != nil {
			return nil, sum, err
		}
		e := estimate{p, weights, speed.seconds(p.Config), diskNeed(p.Config), memoryNeed(p.Config)}
		list = append(list, e)
		sum.CPUSeconds += e.Seconds
		sum.Disk += e.Disk
		longest, largest = max(longest, e.Seconds), max(largest, e.Memory)
	}
	sum.Seconds = max(longest, sum.CPUSeconds/float64(processes))
	sum.Memory = largest * float64(min(processes, len(points)))
	return list, sum, nil
}

func seconds(x float64) string { return span(time.Duration(x * float64(time.Second))) }

// bytesText is a number of bytes for people.
func bytesText(n float64) string {
	if n < 1e9 {
		return fmt.Sprintf("%.1f MB", n/1e6)
	}
	return fmt.Sprintf("%.1f GB", n/1e9)
}

// trainingSize is the number of training examples that c uses in an epoch.
func trainingSize(c run.Config) int {
	n := max(0, sourceOf(c).images().train-c.Val)
	if c.Train > 0 {
		n = min(n, c.Train)
	}
	return n / max(1, min(c.Batch, n)) * min(c.Batch, n) // whole batches
}

// trainingWork is the number of multiplications of training c to its end: three
// times that of its forward passes.
func trainingWork(c run.Config) float64 {
	return 3 * workOf(c) * float64(trainingSize(c)) * float64(c.Epochs)
}
