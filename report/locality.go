package report

import (
	"fmt"
	"slices"
)

// Local is one row of the table of locality: medians over filters.
type Local struct {
	Set, Case                    string
	Filters                      string // measured, of how many
	Nonzero, Pixels, Box, Radius string
	PaperNonzero, PaperBox       string
	PaperRadius                  string
}

// localities are the rows of a data set.
func localities(all []record, set dataSet) []Local {
	var rows []Local
	for _, k := range cases {
		if k.model == "3-fc" {
			continue // its first layer corresponds to no convolution
		}
		row := Local{Set: set.title, Case: k.title(), PaperNonzero: "–", PaperBox: "–", PaperRadius: "–"}
		if set.paperNonzero != nil {
			switch k.name {
			case "s-fc":
				row.PaperRadius = paperDenseRadius
			case "s-local":
				row.PaperNonzero, row.PaperRadius = "108 to 243", paperLocalRadius
			case "s-fc-beta50":
				row.PaperNonzero = fmt.Sprintf("%.0f", set.nonzero)
				row.PaperBox = fmt.Sprintf("%.0f × %.0f", set.height, set.width)
				row.PaperRadius = fmt.Sprintf("%.1f", set.radius)
			}
		}
		runs, _ := choose(all, set.name, k)
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
		if units == 0 {
			continue
		}
		row.Filters = fmt.Sprintf("%s of %s", commas(eligible), commas(units))
		row.Nonzero, row.Pixels, row.Box, row.Radius = "–", "–", "–", "–"
		if len(nonzero) > 0 {
			row.Nonzero = fmt.Sprintf("%.0f", median(nonzero))
			row.Pixels = fmt.Sprintf("%.0f", median(pixels))
			row.Box = fmt.Sprintf("%.0f × %.0f", median(height), median(width))
			row.Radius = fmt.Sprintf("%.1f", median(radius))
		}
		rows = append(rows, row)
	}
	return rows
}

// median is the middle value, the upper of two; list is not empty.
func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}
