package report

import (
	"math"

	"betalasso/paper"
)

// colors are those of the cases' curves; the palette is Okabe and Ito's, for all
// kinds of colour vision.
var colors = map[string]string{
	"s-conv": "#0072B2", "s-local": "#56B4E9", "3-fc": "#8C8C8C", "s-fc": "#E69F00",
	"s-fc-beta0": "#CC79A7", "s-fc-beta1": "#009E73", "s-fc-beta50": "#A50026",
}

// caseDashes are the dashes of the cases that would otherwise be hard to
// distinguish.
var caseDashes = map[string]int{"s-fc-beta0": 1, "s-fc-beta1": 2}

// caseNames are the cases in the table's order.
var caseNames = func() (names []string) {
	for _, k := range paper.Cases {
		names = append(names, k.Name)
	}
	return names
}()

// maxLambda is the end of the grid for λ, in both texts.
var maxLambda = paper.LambdaGrid[len(paper.LambdaGrid)-1]

// known is a published percentage, NaN where there is none.
func known(v float64, ok bool) float64 {
	if !ok {
		return math.NaN()
	}
	return v
}
