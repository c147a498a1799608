package report

import (
	"errors"
	"image/png"
	"io"

	"betalasso/run"
)

// Gallery is one file of filters, shown alone.
type Gallery struct{ file filterFile }

// NewGallery is the gallery in the tensors of the file of filters at path; path
// is for errors alone.
func NewGallery(path string, tensors []run.Tensor) (Gallery, error) {
	f, err := newFilterFile(path, tensors)
	return Gallery{f}, err
}

// Facts are the text beside a gallery's pictures.
type Facts struct {
	Shown    int     `json:"shown"`    // pictures
	Eligible int     `json:"eligible"` // filters with at least filters.MinNonzero non-zeros
	Units    int     `json:"units"`    // all filters
	Nonzero  float64 `json:"nonzero"`  // median of the eligible
	Radius   float64 `json:"radius"`   // the same, in pixels
}

// Facts returns them; the medians of no filters are 0.
func (g Gallery) Facts() Facts {
	var nonzero, radius []float64
	for _, m := range g.file.measures {
		nonzero = append(nonzero, float64(m.Nonzero))
		radius = append(radius, m.Radius)
	}
	f := Facts{Shown: len(g.file.filters), Eligible: g.file.eligible, Units: g.file.units}
	if len(radius) > 0 {
		f.Nonzero, f.Radius = median(nonzero), median(radius)
	}
	return f
}

// PNG draws the filters, columns to a row, with a pixel for each weight and one
// between filters.
func (g Gallery) PNG(w io.Writer, columns int) error {
	if len(g.file.filters) == 0 {
		return errors.New(g.file.few())
	}
	if err := g.file.fits(columns, 1); err != nil {
		return err
	}
	return png.Encode(w, sheet(g.file.filters, g.file.c, g.file.h, g.file.w, columns, 1))
}
