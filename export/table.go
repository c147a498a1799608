package export

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"betalasso/run"
)

// Table is rows of named columns. A cell is a string, int64, uint64, float64 or,
// where there is nothing, nil; those of a column are of one type.
type Table struct {
	Columns []string
	Rows    [][]any
}

// record is one row in the making: cells by column, in the order they were set.
type record struct {
	names []string
	cells map[string]any
}

// set adds a cell. Whole numbers become int64.
func (r *record) set(name string, v any) {
	if n, ok := v.(int); ok {
		v = int64(n)
	}
	if r.cells == nil {
		r.cells = map[string]any{}
	}
	r.names = append(r.names, name)
	r.cells[name] = v
}

// setIf adds a cell, or an empty one if there is no value.
func (r *record) setIf(measured bool, name string, v any) {
	if !measured {
		v = nil
	}
	r.set(name, v)
}

// table joins records whose columns may differ, in the order in which columns are
// first met, each after the column that precedes it there.
func table(list []record) Table {
	var t Table
	known := map[string]bool{}
	for _, r := range list {
		at := 0
		for _, name := range r.names {
			if !known[name] {
				known[name] = true
				t.Columns = slices.Insert(t.Columns, at, name)
			} else {
				at = slices.Index(t.Columns, name)
			}
			at++
		}
	}
	for _, r := range list {
		row := make([]any, len(t.Columns))
		for i, name := range t.Columns {
			row[i] = r.cells[name]
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// start is a record with what every table has of a run: its directory, its ID and
// its settings.
func start(d *run.Dir) record {
	var r record
	c := d.Config()
	r.set("run", run.Printable(filepath.ToSlash(d.Path())))
	r.set("id", c.ID())
	for _, name := range run.Settings() {
		if run.Material(name) || name == "name" || name == "note" {
			r.set(column(name), run.Setting(c, name))
		}
	}
	return r
}

// column is a setting's name as a column: lambda_conv.
func column(setting string) string {
	b := []byte(setting)
	for i := range b {
		if b[i] == '-' {
			b[i] = '_'
		}
	}
	return string(b)
}

// Events has a row for every epoch that the runs have recorded: the run, its
// settings, and what run.Event has; nonzero_LAYER is the number of weights that
// are not zero. What was not measured is nil: training before the first step,
// validation where nothing was held out. Left says which runs cannot be read.
func Events(dirs []string) (t Table, left []error) {
	var list []record
	for _, path := range dirs {
		d, err := run.Open(path)
		if err != nil {
			left = append(left, err)
			continue
		}
		events, err := d.Events()
		if err != nil { // those before the broken line are had
			left = append(left, err)
		}
		held := d.Config().Val > 0
		for _, e := range events {
			trained := e.Epoch > 0
			r := start(d)
			r.set("epoch", e.Epoch)
			r.set("step", e.Step)
			r.setIf(trained, "learning_rate", e.LR) // lr is the setting
			r.setIf(trained, "train_loss", e.TrainLoss)
			r.setIf(trained, "train_acc", e.TrainAcc)
			r.setIf(held, "val_loss", e.ValLoss)
			r.setIf(held, "val_acc", e.ValAcc)
			r.set("seconds", e.Seconds)
			r.setIf(trained, "examples_per_second", e.ExamplesPerSecond)
			r.setIf(e.DenseMACs > 0, "work", e.MACs)
			r.setIf(e.DenseMACs > 0, "dense_work", e.DenseMACs)
			for _, name := range slices.Sorted(maps.Keys(e.Nonzero)) {
				r.set("nonzero_"+name, e.Nonzero[name])
			}
			list = append(list, r)
		}
	}
	return table(list), left
}

// Results has a row for every run that has finished: the run, its settings, and
// what run.Result has. params_LAYER and nonzero_LAYER count a layer's weights,
// and those that are not zero.
func Results(dirs []string) (t Table, left []error) {
	var list []record
	for _, path := range dirs {
		d, err := run.Open(path)
		if err != nil {
			left = append(left, err)
			continue
		}
		res, err := d.Result()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			left = append(left, err)
			continue
		}
		r := start(d)
		for _, s := range []struct {
			name string
			run.Score
		}{{"last", res.Last}, {"best", res.Best}} {
			r.set(s.name+"_epoch", s.Epoch)
			r.setIf(d.Config().Val > 0, s.name+"_val_acc", s.ValAcc)
			r.set(s.name+"_test_acc", s.TestAcc)
			r.set(s.name+"_test_loss", s.TestLoss)
		}
		nonzero := 0
		for _, l := range res.Layers {
			nonzero += l.Nonzero
		}
		r.set("params", res.Params)
		r.set("nonzero", nonzero)
		for _, l := range res.Layers {
			r.set("params_"+l.Name, l.Params)
		}
		for _, l := range res.Layers {
			r.set("nonzero_"+l.Name, l.Nonzero)
		}
		r.set("train_examples", res.DataSet.Train)
		r.set("val_examples", res.DataSet.Val)
		r.set("test_examples", res.DataSet.Test)
		r.set("wall_seconds", res.WallSeconds)
		r.set("peak_rss_bytes", res.PeakRSS)
		events, err := d.Events()
		if err != nil { // the result stands without them
			left = append(left, err)
		}
		did, dense := run.MACs(events)
		r.setIf(dense > 0, "work", did)
		r.setIf(dense > 0, "dense_work", dense)
		r.set("cpu", res.Machine.CPU)
		r.set("device", res.Machine.Device)
		r.set("version", res.Version)
		r.set("weights_sha256", res.WeightsSum)
		list = append(list, r)
	}
	return table(list), left
}

// CSV writes t with a line of column names first (RFC 4180). Where there is
// nothing, the cell is empty; numbers come back exactly as they were, and texts
// are none that a spreadsheet takes for a formula.
func (t Table) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	head := slices.Clone(t.Columns)
	for i, name := range head {
		head[i] = run.Cell(name)
	}
	if err := out.Write(head); err != nil {
		return err
	}
	line := make([]string, len(t.Columns))
	for _, row := range t.Rows {
		for i, v := range row {
			switch v := v.(type) {
			case nil:
				line[i] = ""
			case float64:
				line[i] = strconv.FormatFloat(v, 'g', -1, 64)
			case string:
				line[i] = run.Cell(v)
			default:
				line[i] = fmt.Sprint(v)
			}
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
