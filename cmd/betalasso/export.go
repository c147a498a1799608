package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"betalasso/data"
	"betalasso/export"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/spelling"
	"betalasso/train"
)

// exportCommand is `betalasso export`.
type exportCommand struct {
	Dir    []string `arg:"" help:"run directories, or folders that contain them"`
	Format string   `required:"" placeholder:"NAME" help:"safetensors, onnx, run, csv, parquet, tensorboard"`
	Out    string   `placeholder:"FILE" help:"file or, for run and tensorboard, folder (default here: RUN.onnx, RUN-bf16, events.csv, tensorboard, ...)"`

	Best    bool    `help:"safetensors, onnx: the epoch of best validation (default: the last checkpoint)"`
	Sparse  bool    `help:"safetensors: store sparse matrices by their non-zeros (default: in full)"`
	Below   float64 `default:"0" placeholder:"X" help:"run: set weights below this magnitude to 0, for a smaller file (default: none)"`
	Table   string  `default:"events" placeholder:"NAME" help:"csv, parquet: events, results (default events)"`
	DataDir *string `placeholder:"DIR" help:"folder with the data set's files (default: as the run)"`
}

// exportFormats are the values of --format.
var exportFormats = []string{"safetensors", "onnx", "run", "csv", "parquet", "tensorboard"}

// Help is the end of `betalasso export --help`.
func (exportCommand) Help() string {
	return `Example: the network for PyTorch, and a row for every epoch for a spreadsheet:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 1 --out runs/mine
    betalasso export runs/mine --format safetensors
    betalasso export runs --format csv --table events --out events.csv

The same network for any ONNX runtime; all runs for TensorBoard, one folder per run:

    betalasso export runs/mine --format onnx --best
    betalasso export runs --format tensorboard --out tb && ls tb

A finished run to publish: without what only training needs, and with weights rounded to bfloat16:

    betalasso export runs/mine --format run --out published && betalasso eval published

safetensors, onnx and run take one run, the others any number; --out - prints a CSV. docs/export.md says what each file holds, and has the PyTorch module for the safetensors.`
}

// Run writes the file.
func (e *exportCommand) Run() error {
	if err := e.check(); err != nil {
		return err
	}
	dirs, err := findRuns(e.Dir...)
	if err != nil {
		return usageError{err}
	}
	if len(dirs) == 0 {
		return usageError{fmt.Errorf("no runs in %q: a run's directory has a %s", e.Dir, run.ConfigFile)}
	}
	switch e.Format {
	case "csv", "parquet":
		return e.table(dirs)
	case "tensorboard":
		out := e.out("tensorboard")
		n, left, err := export.TensorBoard(dirs, out)
		leftOut(left)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("none of the %d runs has events yet", len(dirs))
		}
		fmt.Printf("%s: %d of %d runs; see them with: tensorboard --logdir %s\n", out, n, len(dirs), quote(out))
		return nil
	}
	if len(dirs) > 1 {
		return usageError{fmt.Errorf("%s takes one run; %q holds %d, the first of them %s", e.Format, e.Dir, len(dirs), dirs[0])}
	}
	if e.Format == "run" {
		return e.publish(dirs[0])
	}
	return e.network(dirs[0])
}

// check names what is wrong with the flags.
func (e *exportCommand) check() error {
	word := func(name, got string, allowed []string) error {
		if slices.Contains(allowed, got) {
			return nil
		}
		return usageError{fmt.Errorf("%s: there is no %q%s; use one of %s", name, got, spelling.Hint(got, allowed), strings.Join(allowed, ", "))}
	}
	if err := word("format", e.Format, exportFormats); err != nil {
		return err
	}
	network := e.Format == "safetensors" || e.Format == "onnx"
	if e.Best && !network {
		return usageError{fmt.Errorf("best: chooses the weights of safetensors and onnx; a run has both, and a table the scores of both")}
	}
	if e.Sparse && e.Format != "safetensors" {
		return usageError{fmt.Errorf("sparse: is a form of safetensors; %s has another", e.Format)}
	}
	if e.Below != 0 && (e.Format != "run" || !(e.Below > 0)) {
		return usageError{fmt.Errorf("below: is a magnitude above 0, of weights of a run")}
	}
	if e.Out == "-" && e.Format != "csv" {
		return usageError{fmt.Errorf("out: only a csv can be printed; give %s a name", e.Format)}
	}
	return word("table", e.Table, []string{"events", "results"})
}

// network writes the network of one run.
func (e *exportCommand) network(dir string) error {
	d, err := run.Open(dir)
	if err != nil {
		return err
	}
	c := d.Config()
	if e.DataDir != nil {
		c.DataDir = *e.DataDir
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
	s := newSession(false)
	defer s.close()
	s.notes = os.Stderr
	set, err := s.load(c)
	if err != nil {
		return err
	}
	if err := s.unguarded(); err != nil {
		return err
	}
	images, _, err := train.Split(set, c)
	if err != nil {
		return err
	}
	if n.Net.Whiten, err = whiten(dev, c, set, 1); err != nil {
		return err
	}
	n.Classes = set.Classes
	n.Mean, n.Std = data.MeanStd(images, set.Channels)
	out := e.out(filepath.Base(d.Path()) + "." + e.Format)
	if e.Format == "safetensors" {
		err = n.WriteSafetensors(out, e.Sparse)
	} else {
		var text []byte
		if text, err = n.ONNX(); err == nil {
			err = run.Replace(out, text)
		}
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s, epoch %d\n", out, c.Model, n.Epoch)
	return nil
}

// table writes a table of the runs.
func (e *exportCommand) table(dirs []string) error {
	read := export.Events
	if e.Table == "results" {
		read = export.Results
	}
	t, left := read(dirs)
	leftOut(left)
	if len(t.Rows) == 0 {
		return fmt.Errorf("none of the %d runs has %s yet", len(dirs), e.Table)
	}
	var text bytes.Buffer
	write := t.CSV
	if e.Format == "parquet" {
		write = t.Parquet
	}
	if err := write(&text); err != nil {
		return err
	}
	out := e.out(e.Table + "." + e.Format)
	if out == "-" {
		_, err := os.Stdout.Write(text.Bytes())
		return err
	}
	if err := run.Replace(out, text.Bytes()); err != nil {
		return err
	}
	fmt.Printf("%s: %d rows of %d columns\n", out, len(t.Rows), len(t.Columns))
	return nil
}

// leftOut warns of runs, or parts of them, that cannot be read.
func leftOut(left []error) {
	for _, err := range left {
		warn(fmt.Errorf("left out: %w", err))
	}
}

// out is what to write: what --out says, or the fallback.
func (e *exportCommand) out(fallback string) string {
	if e.Out == "" {
		return fallback
	}
	return e.Out
}
