package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"betalasso/export"
	"betalasso/plan"
	"betalasso/report"
	"betalasso/run"

	looks "betalasso/explain"
)

// explainCommand is `betalasso explain`.
type explainCommand struct {
	Dir     string  `arg:"" help:"the run's directory"`
	Out     string  `placeholder:"DIR" help:"folder for the pictures (default: the run's)"`
	Best    bool    `help:"the epoch of best validation (default: the last checkpoint)"`
	Filters int     `default:"24" placeholder:"N" help:"filters shown, those that matter most first (default 24)"`
	DataDir *string `placeholder:"DIR" help:"folder with the data set's files (default: as the run)"`
	JSON    bool    `name:"json" help:"one JSON object: all filters, inputs by class (default off)"`
}

// Help is the end of `betalasso explain --help`.
func (explainCommand) Help() string {
	return `Example:

    betalasso train --model s-fc --alpha 1 --data digits --optimizer beta-lasso --lambda-conv 3e-4 --epochs 3 --out runs/mine
    betalasso explain runs/mine && betalasso report runs/mine

Reads the weights alone and says which pixels the non-zero weights of the first layer use, on which pixels each class depends and how strongly, which first-layer filters matter most, and for which classes they speak. It follows every network that the program trains, of any depth: a class depends on a pixel if a path of non-zero weights leads from one to the other, and a path counts by the product of its weights and of batch norm's scales, with every ReLU open. The pictures are explain-pixels.png, explain-classes.png and explain-filters.png; the run's next report shows them too.`
}

// Run explains.
func (e *explainCommand) Run() error {
	if e.Filters < 1 || e.Filters > 1000 {
		return usageError{fmt.Errorf("filters: must be 1 to 1000, not %d", e.Filters)}
	}
	d, err := run.Open(e.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	c := d.Config()
	if e.DataDir != nil {
		c.DataDir = *e.DataDir
	}
	info, err := plan.SourceOf(c).Info()
	if err != nil {
		return err
	}
	dev, err := newDevice(c)
	if err != nil {
		return err
	}
	size := plan.SizeOf(c)
	size.Batch = 1
	n, err := export.Open(d, dev, size, e.Best)
	if err != nil {
		return err
	}
	found, err := looks.Of(n.Net, size.Channels, size.Side)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", e.Dir, err)}
	}
	if e.JSON {
		return json.NewEncoder(os.Stdout).Encode(found)
	}
	if err := e.keep(d, n, found, info.Classes); err != nil {
		return err
	}
	return e.tell(n, found, info.Classes)
}

// keep writes the pictures, and what the report reads.
func (e *explainCommand) keep(d *run.Dir, n *export.Network, found *looks.Explanation, classes []string) error {
	shown := found.Filters[:min(e.Filters, len(found.Filters))]
	var pictures, rows []float32
	var h, w int
	for _, f := range shown {
		var filter []float32
		filter, h, w = looks.Image(n.Net, found.Channels, found.Side, f.Unit)
		pictures = append(pictures, filter...)
		rows = append(rows, float32(f.Unit), float32(f.Nonzero), float32(f.Use))
		for _, v := range f.Classes {
			rows = append(rows, float32(max(-math.MaxFloat32, min(math.MaxFloat32, v)))) // deep networks may have more
		}
	}
	heat := make([]float32, len(found.Heat))
	for i, v := range found.Heat {
		heat[i] = float32(v)
	}
	var inputs, reach []float32
	mapped := found.Reach[:min(len(found.Reach), 100)]
	for _, m := range mapped {
		for _, v := range m {
			reach = append(reach, float32(v))
		}
	}
	for i, v := range found.Inputs {
		inputs = append(inputs, float32(v), float32(found.Pixels[i]))
	}
	names, err := json.Marshal(classes)
	if err != nil {
		return err
	}
	_, err = run.WriteTensors(d.File(run.ExplainFile), []run.Tensor{
		{Name: "heat", Shape: []int{found.Side, found.Side}, Data: heat},
		{Name: "filters", Shape: []int{len(shown), found.Channels, h, w}, Data: pictures},
		{Name: "used", Shape: []int{len(shown), 3 + len(found.Inputs)}, Data: rows},
		{Name: "inputs", Shape: []int{len(found.Inputs), 2}, Data: inputs},
		{Name: "reach", Shape: []int{len(mapped), found.Side, found.Side}, Data: reach},
		{Name: "epoch", Shape: []int{1}, Data: []float32{float32(n.Epoch)}},
	}, map[string]string{"class_names": string(names), "settings": d.Config().ID()})
	if err != nil {
		return err
	}
	out := e.Out
	if out == "" {
		out = d.Path()
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	pixels, maps, filters := filepath.Join(out, "explain-pixels.png"), filepath.Join(out, "explain-classes.png"), filepath.Join(out, "explain-filters.png")
	if err := report.DrawUses(d.Path(), pixels, maps, filters); err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n%s\n\n", pixels, maps, filters)
	return nil
}

// tell prints the explanation.
func (e *explainCommand) tell(n *export.Network, found *looks.Explanation, classes []string) error {
	name := func(c int) string {
		if c < len(classes) {
			return classes[c]
		}
		return fmt.Sprint(c)
	}
	used, all := 0, 0
	for _, f := range found.Filters {
		if all += f.Nonzero; f.Nonzero > 0 && f.Use > 0 {
			used++
		}
	}
	fmt.Printf("%s, epoch %d: %s of %s first-layer filters are used, with %s weights that are not zero\n\n",
		n.Config.Model, n.Epoch, plan.Thousands(used), plan.Thousands(len(found.Filters)), plan.Thousands(all))
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FILTER\tNON-ZEROS\tUSE\tFOR\tAGAINST")
	for _, f := range found.Filters[:min(e.Filters, len(found.Filters))] {
		order := make([]int, len(f.Classes))
		for c := range order {
			order[c] = c
		}
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case f.Classes[a] > f.Classes[b]:
				return -1
			case f.Classes[a] < f.Classes[b]:
				return 1
			}
			return 0
		})
		var speaks, against []string
		for i := range min(2, len(order)) {
			if c := order[i]; f.Classes[c] > 0 {
				speaks = append(speaks, fmt.Sprintf("%s %+.2g", name(c), f.Classes[c]))
			}
			if c := order[len(order)-1-i]; f.Classes[c] < 0 {
				against = append(against, fmt.Sprintf("%s %+.2g", name(c), f.Classes[c]))
			}
		}
		fmt.Fprintf(w, "%d\t%d\t%.2f %%\t%s\t%s\n", f.Unit, f.Nonzero, 100*f.Use, strings.Join(speaks, ", "), strings.Join(against, ", "))
	}
	fmt.Fprintln(w, "\nCLASS\tINPUTS\tPIXELS")
	for c, n := range found.Inputs {
		fmt.Fprintf(w, "%s\t%s of %s\t%s of %s\n", name(c), plan.Thousands(n), plan.Thousands(found.Channels*found.Side*found.Side),
			plan.Thousands(found.Pixels[c]), plan.Thousands(found.Side*found.Side))
	}
	return w.Flush()
}
