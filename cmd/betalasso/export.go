package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"betalasso/data"
	"betalasso/export"
	"betalasso/run"
	"betalasso/train"
)

// exportCommand is `betalasso export`.
type exportCommand struct {
	Dir    []string `arg:"" help:"directories of runs, or folders that hold some"`
	Format string   `required:"" placeholder:"NAME" enum:"${export_formats}" help:"${export_formats}"`
	Out    string   `placeholder:"FILE" help:"what to write (default in this folder: RUN.safetensors, events.csv, ...)"`

	Best    bool    `help:"safetensors, onnx: the epoch of best validation (default: the last checkpoint)"`
	Table   string  `default:"events" placeholder:"NAME" enum:"events,results" help:"csv, parquet: events, results (default events)"`
	DataDir *string `placeholder:"DIR" help:"folder with the data set's files (default: as the run)"`
}

// exportFormats are the formats that there are.
var exportFormats = []string{"safetensors", "csv"}

// Help is the end of `betalasso export --help`.
func (exportCommand) Help() string {
	return `Example: the network for PyTorch, and a row for every epoch for a spreadsheet:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 1 --out runs/mine
    betalasso export runs/mine --format safetensors
    betalasso export runs --format csv --table events --out events.csv

safetensors takes one run; its tensors are those of the state_dict of the same network in PyTorch. The tables take any number of runs; --out - prints a CSV. docs/export.md says what each file holds, and has the PyTorch module.`
}

// Run writes the file.
func (e *exportCommand) Run() error {
	dirs, err := run.Find(e.Dir...)
	if err != nil {
		return usageError{err}
	}
	if len(dirs) == 0 {
		return usageError{fmt.Errorf("no runs in %q: a run's directory has a %s", e.Dir, run.ConfigFile)}
	}
	switch e.Format {
	case "csv":
		return e.table(dirs)
	default:
		if len(dirs) > 1 {
			return usageError{fmt.Errorf("%s takes one run; %q holds %d, the first of them %s", e.Format, e.Dir, len(dirs), dirs[0])}
		}
		return e.network(dirs[0])
	}
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
	size := sizeOf(c)
	size.Batch = 1
	n, err := export.Open(d, dev, size, e.Best)
	if err != nil {
		return err
	}
	s := newSession(false)
	defer s.close()
	s.notes = os.Stderr
	set, err := s.load(c.Data, c.DataDir)
	if err != nil {
		return err
	}
	images, _, err := train.Split(set, c)
	if err != nil {
		return err
	}
	n.Classes = set.Classes
	n.Mean, n.Std = data.MeanStd(images, set.Channels)
	out := e.out(filepath.Base(d.Path()) + "." + e.Format)
	if err := n.WriteSafetensors(out); err != nil {
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
	t, err := read(dirs)
	if err != nil {
		return err
	}
	if len(t.Rows) == 0 {
		return fmt.Errorf("none of the %d runs has %s yet", len(dirs), e.Table)
	}
	var text bytes.Buffer
	if err := t.CSV(&text); err != nil {
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

// out is what to write: what --out says, or the fallback.
func (e *exportCommand) out(fallback string) string {
	if e.Out == "" {
		return fallback
	}
	return e.Out
}
