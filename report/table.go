package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"betalasso/compare"
	"betalasso/paper"
)

// Row is one row of Table 2 on one data set.
type Row struct {
	Network, Method string
	Ours            string // test accuracy after the last epoch, mean ± sd over seeds
	Best            string // the same of the best-validation epoch
	Runs            string // how many seeds
	Epochs          string
	Weights         string
	Report, Paper   string // what they have, "–" where nothing
	ToReport        string // ours − theirs in points
	ToPaper         string
	Gap             string // why there is no number, or not all
	WhyReport       string // what explains the difference, beside what all rows share
	WhyPaper        string

	PaperWeights          string
	toReport, toPaper     float64
	compared              bool // there are numbers on both sides
	fromReport, fromPaper []factor
}

// mean is the mean and the standard deviation over a sample, which is NaN for
// less than two.
func mean(list []float64) (m, sd float64) {
	for _, x := range list {
		m += x / float64(len(list))
	}
	if len(list) < 2 {
		return m, math.NaN()
	}
	sum := 0.0
	for _, x := range list {
		sum += (x - m) * (x - m)
	}
	return m, math.Sqrt(sum / float64(len(list)-1))
}

// accuracy writes the mean of shares in percent, with its deviation if any.
func accuracy(list []float64) string {
	m, sd := mean(list)
	if math.IsNaN(sd) {
		return fmt.Sprintf("%.2f %%", 100*m)
	}
	return fmt.Sprintf("%.2f ± %.2f %%", 100*m, 100*sd)
}

// rowOf makes the row of a case from its runs.
func rowOf(all []record, set paper.DataSet, k paper.Case) Row {
	row := Row{
		Network: k.Network, Method: k.Method,
		Ours: "–", Best: "–", Runs: "0", Epochs: "–", Weights: "–", PaperWeights: short(float64(k.Params)), Report: "–", Paper: "–", ToReport: "–", ToPaper: "–",
	}
	theirs, papers := known(k.ReportAccuracy(set.Name)), known(k.Accuracy(set.Name))
	if !math.IsNaN(theirs) {
		row.Report = fmt.Sprintf("%.0f %%", theirs)
	}
	if !math.IsNaN(papers) {
		row.Paper = fmt.Sprintf("%.2f %%", papers)
	}
	runs, others := choose(all, set.Name, k)
	if len(runs) == 0 {
		row.Gap = "no run"
		return row
	}
	row.Epochs = commas(runs[0].config.Epochs)
	var last, best []float64
	var gaps []string
	for _, r := range runs {
		if r.finished {
			last = append(last, r.result.Last.TestAcc)
			if r.config.Val > 0 {
				best = append(best, r.result.Best.TestAcc)
			}
			row.Weights = short(float64(r.result.Params))
		}
		if r.gap != "" {
			gaps = append(gaps, fmt.Sprintf("%s: %s", r.dir, r.gap))
		}
	}
	if others > 0 {
		how := "the best by validation accuracy"
		if valOf(runs) < 0 {
			how = "the longest and largest" // no validation says which is better
		}
		gaps = append(gaps, fmt.Sprintf("%s of %d settings; the others are below", how, others+1))
	}
	row.Gap = strings.Join(gaps, "; ")
	if len(last) == 0 {
		return row
	}
	row.Runs = fmt.Sprint(len(last))
	row.Ours = accuracy(last)
	if len(best) > 0 { // else nothing was held out
		row.Best = accuracy(best)
	}
	m, _ := mean(last)
	row.toReport, row.toPaper = 100*m-theirs, 100*m-papers
	row.ToReport, row.ToPaper = points(100*m-theirs), points(100*m-papers)
	for _, r := range runs {
		if r.finished && !math.IsNaN(papers) {
			row.compared = true
			row.fromReport, row.fromPaper = explain(r, againstReport(set)), explain(r, againstPaper(set, k))
			break
		}
	}
	return row
}

// terminal is the tables as plain text, a block for each data set: Table 2 with
// the rows that there are runs of, and all settings where the table does not
// show them.
func (p *page) terminal() string {
	var b strings.Builder
	for _, s := range p.Sections {
		if s.Settings.more(len(s.Rows)) {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "%s, all settings\n", s.Title)
			w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
			fmt.Fprintln(w, strings.Join(s.Settings.Head, "\t"))
			for _, cells := range s.Settings.Cells {
				fmt.Fprintln(w, strings.Join(cells, "\t"))
			}
			w.Flush()
			fmt.Fprintf(&b, "difference: %s; * best by validation\n", s.Settings.Heading())
		}
		if len(s.Rows) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
		head := []string{s.Title, "test accuracy", "runs", "epochs", "weights", "EE-411, 25.6 M", "paper", "its weights"}
		fmt.Fprintln(w, strings.Join(s.columns(head, 3, 5), "\t"))
		for _, r := range s.Rows {
			cells := []string{r.Network + ", " + r.Method, r.Ours, r.Runs, r.Epochs, r.Weights, r.Report, r.Paper, r.PaperWeights}
			fmt.Fprintln(w, strings.Join(s.columns(cells, 3, 5), "\t"))
		}
		w.Flush()
	}
	return b.String()
}

// columns leaves out, of cells that end with the published ones, the published
// where there are none, and the epochs where all rows have the same.
func (s Section) columns(cells []string, epochs, published int) []string {
	if !s.Published() {
		cells = cells[:published]
	}
	if !s.EpochsDiffer() {
		cells = slices.Delete(slices.Clone(cells), epochs, epochs+1)
	}
	return cells
}

// EpochsDiffer reports whether some rows were trained for longer than others.
func (s Section) EpochsDiffer() bool {
	first := ""
	return slices.ContainsFunc(s.Rows, func(r Row) bool {
		if first == "" && r.Epochs != "–" {
			first = r.Epochs
		}
		return r.Epochs != "–" && r.Epochs != first
	})
}

// Published reports whether a text has numbers for the section's data set.
func (s Section) Published() bool {
	return slices.ContainsFunc(s.Rows, func(r Row) bool { return r.Report != "–" || r.Paper != "–" })
}

// more reports whether the settings hold more than the given rows of Table 2
// show: more groups, or several seeds.
func (s Settings) more(rows int) bool {
	return len(s.Groups) > 1 && (len(s.Groups) > rows || slices.ContainsFunc(s.Groups, func(g compare.Compared) bool { return len(g.Runs)+g.Open > 1 }))
}

// Settled reports whether the report has the table of settings.
func (s Section) Settled() bool { return s.Settings.more(len(s.Rows)) }
