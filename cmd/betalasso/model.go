package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"betalasso/model"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/train"
)

// modelCommand is `betalasso model`.
type modelCommand struct {
	Network string `arg:"" help:"${models}, or the file of a network of your own"`
	Alpha   int    `placeholder:"N" help:"base channels α (default: by --params)"`
	Width   int    `placeholder:"N" help:"hidden units a layer (default: by --params)"`
	Kernel  int    `placeholder:"N" help:"kernel size (default 3)"`
	Params  string `placeholder:"COUNT" help:"choose the size nearest to this many weights, 512k (default 25.6M)"`
	Data    string `default:"cifar10" placeholder:"NAME" help:"data set for the input shape and classes (default cifar10)"`
	DataDir string `placeholder:"DIR" help:"folder with its files (default: the cache)"`
	Batch   int    `default:"512" placeholder:"N" help:"examples per step, for the memory estimate (default 512)"`
	File    bool   `help:"print the network's file, as a start for your own (default off)"`
	JSON    bool   `name:"json" help:"one JSON object per line and layer (default off)"`
}

// Help is the end of `betalasso model --help`.
func (modelCommand) Help() string {
	return `Examples: list the layers of built-in networks, and of your own, which starts from a built-in one's file:

    betalasso model s-fc --alpha 4
    betalasso model resnet18 --alpha 8 --kernel 7
    betalasso model s-conv --file | sed 's/name: s-conv/name: mine/' > mine.yaml
    betalasso model mine.yaml --alpha 4
    betalasso train --model mine.yaml --alpha 4 --data digits --epochs 1 --out runs/own

docs/networks.md describes such files.`
}

// Run prints the layers.
func (m *modelCommand) Run() error {
	if m.File {
		text, err := model.Source(m.Network)
		if err != nil {
			return usageError{err}
		}
		_, err = os.Stdout.Write(text)
		return err
	}
	c, about, err := m.config()
	if err != nil {
		return err
	}
	size := plan.SizeOf(c)
	rows, err := model.Rows(c.Model, size)
	if err != nil {
		return usageError{err}
	}
	if m.JSON {
		e := json.NewEncoder(os.Stdout)
		for _, r := range rows {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Printf("%s%s: %s\nimages of %dx%dx%d, %d classes\n\n", c.Model, sized(c), about, size.Channels, size.Side, size.Side, size.Classes)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LAYER\tNAME\tWINDOW\tOUTPUT\tWEIGHTS\tOTHERS\tMACS\tλ")
	weights, others, macs := 0, 0, 0.0
	for _, r := range rows {
		weights, others, macs = weights+r.Weights, others+r.Vectors, macs+r.MACs
		fmt.Fprintf(w, "%s%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", strings.Repeat("  ", r.Depth), r.Kind, r.Name, r.Window, r.Output,
			blank(r.Weights), blank(r.Vectors), blank(int(r.MACs)), r.Group)
	}
	fmt.Fprintf(w, "all\t\t\t\t%s\t%s\t%s\t\n", plan.Thousands(weights), plan.Thousands(others), plan.Thousands(int(macs)))
	if err := w.Flush(); err != nil {
		return err
	}
	need, err := train.Memory(c, size, 0, 0)
	fmt.Printf("\nothers: biases, and γ and β of batch norm; MACs: multiply-adds of one image, forward\ntraining takes about %s beside the images, in batches of %d\n", plan.Bytes(need), c.Batch)
	return err
}

// config is the network at its size, and what it is in words.
func (m *modelCommand) config() (run.Config, string, error) {
	s := settings{Model: m.Network, Alpha: m.Alpha, Width: m.Width, Kernel: m.Kernel, Params: m.Params, Data: m.Data, DataDir: m.DataDir, Batch: m.Batch}
	given := origin{}
	for name, is := range map[string]bool{"alpha": m.Alpha != 0, "width": m.Width != 0, "params": m.Params != ""} {
		if is {
			given[name] = byFlag
		}
	}
	c := run.Default()
	c.Model, c.Kernel, c.Data, c.DataDir, c.Batch = m.Network, m.Kernel, m.Data, m.DataDir, m.Batch
	if err := s.settleNetwork(&c, given); err != nil {
		return c, "", err
	}
	n, err := model.Lookup(c.Model, c.Network)
	if err != nil {
		return c, "", usageError{err}
	}
	if err := s.settleSize(&c, given); err != nil {
		return c, "", err
	}
	return c, n.About, c.Validate()
}

// blank is n, or nothing where it is 0.
func blank(n int) string {
	if n == 0 {
		return ""
	}
	return plan.Thousands(n)
}
