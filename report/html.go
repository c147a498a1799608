package report

import (
	_ "embed"
	"html/template"
	"io"
	"regexp"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

// What both forms of the report say in the same words.
const (
	pageTitle    = "Convolutions learned from scratch: the report"
	settingsNote = "Runs that differ in their seed alone are one setting: mean ± standard deviation over seeds. The star is for the best mean validation accuracy; the test set has no say. "
	tableNote    = "Test accuracy after the last epoch, as the mean ± standard deviation over seeds where there are several; beside it that of the epoch with the best validation accuracy. " +
		"The paper chooses hyper-parameters by validation; that it or EE-411 also chooses an epoch is not said, so the last epoch leads. " +
		"EE-411 is the report that this program follows (25.6 M weights, 100 epochs, no augmentation); the paper is arXiv 2007.13657 (256 M weights, 4,000 epochs, Fast AutoAugment). " +
		"Differences are in percentage points."
	confusionNote = "A row is all test images of a class, a field is the part of them, in percent, that the network takes for the column's class. Blue is right, red is wrong; the dot stands for less than half a percent. Numbers are in the CSV file beside the picture."
	filterNote    = "Chosen at random among the filters with at least 20 weights that are not zero, as in the paper. Brightness is the size of a weight, red, green and blue are the channels, black is zero."
	runsNote      = "Multiply-adds: those of all training steps, in percent of what dense products of all weights would take."
	localityNote  = "Medians over the filters with at least 20 weights that are not zero. The box bounds the non-zero pixels, height × width; the radius is the root mean square distance in pixels " +
		"from the filter's centre, weighed by the sum of |w| over the channels: 13.06 for a filter that is even over 32 × 32, 3.65 over 9 × 9. The paper's values are read from its Figures 7 to 9."
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"unbroken": unbroken}).Parse(pageText))

var (
	units  = regexp.MustCompile(`(\d) ([kMGsh]\b|%|min\b|[×±] \d)`)
	equals = regexp.MustCompile(`\b(\S+) = (\S)`)
)

// unbroken keeps numbers on one line with their units and what is around them.
func unbroken(text string) string {
	text = units.ReplaceAllStringFunc(text, func(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") })
	return equals.ReplaceAllString(text, "$1\u00a0=\u00a0$2")
}

// HasRows reports whether there are runs of the paper's table.
func (p *page) HasRows() bool {
	return slices.ContainsFunc(p.Sections, func(s Section) bool { return len(s.Rows) > 0 })
}

// HasSettings reports whether there is more than the paper's table shows.
func (p *page) HasSettings() bool { return slices.ContainsFunc(p.Sections, Section.Settled) }

// HasConfusion reports whether a run has a confusion matrix.
func (p *page) HasConfusion() bool {
	return slices.ContainsFunc(p.Sections, func(s Section) bool { return s.Confusion.Image != "" })
}

// html writes the report as one page.
func (p *page) html(w io.Writer) error {
	return pageTemplate.Execute(w, struct {
		*page
		Title, TableNote, SettingsNote, FilterNote, LocalityNote, ConfusionNote, ExplainedNote, RunsNote string
		BoundHead                                                                                        []string
	}{p, pageTitle, tableNote, settingsNote, filterNote, localityNote, confusionNote, explainedNote, runsNote, boundHead})
}
