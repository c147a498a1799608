package report

import (
	"fmt"
	"slices"

	"betalasso/filters"
	"betalasso/paper"
)

// Local is one row of the table of locality: medians over filters.
type Local struct {
	Set, Case                    string
	Filters                      string // measured, of how many
	Nonzero, Pixels, Box, Radius string
	PaperNonzero, PaperBox       string
	PaperRadius                  string
}

// localities are the rows of a data set: of each group that has filters, with
// the paper's values beside its cases.
func localities(list []group, set paper.DataSet) []Local {
	var rows []Local
	for _, g := range list {
		c := g.runs[0].config
		if c.Model == "3-fc" {
			continue // its first layer corresponds to no convolution
		}
		row := Local{Set: set.Title, Case: g.name, PaperNonzero: "–", PaperBox: "–", PaperRadius: "–"}
		if c.Imported != "" {
			row.Case = "imported: " + c.Imported
		}
		if set.Nonzero != nil && g.table != nil {
			switch g.table.Name {
			case "s-fc":
				row.PaperRadius = fmt.Sprint(paper.DenseRadius)
			case "s-local":
				row.PaperNonzero, row.PaperRadius = "108 to 243", fmt.Sprintf("%.1f to %.1f", paper.LocalLow, paper.LocalHigh)
			case "s-fc-beta50":
				row.PaperNonzero = fmt.Sprintf("%.0f", set.Filters.Nonzero)
				row.PaperBox = fmt.Sprintf("%.0f × %.0f", set.Filters.Height, set.Filters.Width)
				row.PaperRadius = fmt.Sprintf("%.1f", set.Filters.Radius)
			}
		}
		if row.measure(g.runs) {
			rows = append(rows, row)
		}
	}
	return rows
}

// LocalityPublished reports whether the paper has a number for a row.
func (p *page) LocalityPublished() bool {
	return slices.ContainsFunc(p.Locality, func(l Local) bool { return l.PaperNonzero+l.PaperBox+l.PaperRadius != "–––" })
}

// Locality is the locality of a run's filters, in words.
func Locality(dir string) (string, error) {
	r := read(dir)
	var l Local
	if !l.measure([]record{r}) {
		return "", fmt.Errorf("%s: %s", dir, r.noFilter)
	}
	return fmt.Sprintf("%s filters have %d or more weights that are not zero; medians: %s weights, %s pixels, box %s, radius %s",
		l.Filters, filters.MinNonzero, l.Nonzero, l.Pixels, l.Box, l.Radius), nil
}

// measure sets what l says of runs' filters; false if they have none.
func (l *Local) measure(runs []record) bool {
	var nonzero, pixels, height, width, radius []float64
	eligible, units := 0, 0
	for _, r := range runs {
		if r.noFilter != "" {
			continue
		}
		eligible += r.filters.eligible
		units += r.filters.units
		for _, m := range r.filters.measures {
			nonzero = append(nonzero, float64(m.Nonzero))
			pixels = append(pixels, float64(m.Pixels))
			height = append(height, float64(m.Height))
			width = append(width, float64(m.Width))
			radius = append(radius, m.Radius)
		}
	}
	l.Filters = fmt.Sprintf("%s of %s", commas(eligible), commas(units))
	l.Nonzero, l.Pixels, l.Box, l.Radius = "–", "–", "–", "–"
	if len(nonzero) > 0 {
		l.Nonzero = fmt.Sprintf("%.0f", median(nonzero))
		l.Pixels = fmt.Sprintf("%.0f", median(pixels))
		l.Box = fmt.Sprintf("%.0f × %.0f", median(height), median(width))
		l.Radius = fmt.Sprintf("%.1f", median(radius))
	}
	return units > 0
}

// median is the middle value, the upper of two; list is not empty.
func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}
