package main

import (
	"errors"
	"fmt"
	"io/fs"

	"betalasso/report"
	"betalasso/run"
)

// filtersCommand is `betalasso filters`.
type filtersCommand struct {
	Dir string `arg:"" help:"the run's directory"`
	Out string `placeholder:"FILE" help:"PNG file to write (default DIR/filters.png)"`

	Columns int `default:"12" placeholder:"N" help:"filters in a row (default 12)"`
	Scale   int `default:"3" placeholder:"N" help:"pixels per weight (default 3)"`
}

// Help is the end of `betalasso filters --help`.
func (filtersCommand) Help() string {
	return `Example:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 1 --out runs/mine
    betalasso filters runs/mine

Filters are chosen as in the paper's Figure 4: at random among those with at least 20 non-zero weights. Medians of their locality are printed; the radius is in pixels, 13.06 for a filter spread evenly over 32x32.`
}

// Run draws them.
func (f *filtersCommand) Run() error {
	d, err := run.Open(f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	if f.Out == "" {
		f.Out = d.File("filters.png")
	}
	if err := report.FilterSheet(f.Dir, f.Out, f.Columns, f.Scale); err != nil {
		return err
	}
	locality, err := report.Locality(f.Dir)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n", f.Out, locality)
	return nil
}
