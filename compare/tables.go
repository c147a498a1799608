package compare

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"betalasso/run"
)

// Text writes the comparison for a terminal, with layers each layer's weights
// too.
func (c Comparison) Text(out io.Writer, layers bool) error {
	if c.Open > 0 {
		fmt.Fprintf(out, "NOT FINISHED: %d runs have no result yet\n\n", c.Open)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, " ")
	for _, s := range c.Groups[0].Settings {
		fmt.Fprint(w, "\t"+strings.ToUpper(s.Name))
	}
	fmt.Fprintln(w, "\tN\tVAL %\tTEST %\tAT BEST VAL %\tNONZERO\tTEST OF EACH")
	for _, g := range c.Groups {
		mark := " "
		if g.Best {
			mark = "*"
		}
		fmt.Fprint(w, mark)
		for _, s := range g.Settings {
			fmt.Fprint(w, "\t"+s.Value)
		}
		test := g.Samples["test"]
		fmt.Fprintf(w, "\t%s\t%s\t%s\t%s\t%s\t%s\n", g.N(), Spread(g.Samples["val"]), Spread(test), Spread(g.Samples["test-at-best-val"]),
			g.Share(), each(test))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if layers {
		if err := c.layers(out); err != nil {
			return err
		}
	}
	if len(c.Groups) > 1 {
		fmt.Fprintf(out, "\n%s\n", c.Heading())
		w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, g := range c.Groups {
			if g.Difference != nil {
				fmt.Fprintf(w, "  %s\t%s\n", g, strings.Join(g.Difference.cells(), "\t"))
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(out, "\n* best by validation accuracy")
	}
	for _, l := range c.Left {
		fmt.Fprintf(out, "left out: %s: %s\n", run.Printable(l.Dir), run.PrintableLines(l.Why))
	}
	return nil
}

// Heading says what the differences are.
func (c Comparison) Heading() string {
	return fmt.Sprintf("%s, less that of %s; same seeds, mean and %g %% confidence interval", c.what, c.Baseline, 100*c.Confidence)
}

// cells are a difference's mean, interval, n and verdict.
func (d Difference) cells() []string {
	switch {
	case d.N == 0:
		return []string{"no seed in common"}
	case d.Low == nil:
		return []string{fmt.Sprintf("%+.4g", d.Mean), "one pair: no interval"}
	}
	return []string{fmt.Sprintf("%+.4g", d.Mean), fmt.Sprintf("[%+.4g, %+.4g]", *d.Low, *d.High), fmt.Sprintf("n = %d", d.N), d.Verdict()}
}

// N is how many results the group has, and of how many runs.
func (g *Group) N() string {
	if g.Open == 0 {
		return strconv.Itoa(len(g.Runs))
	}
	return fmt.Sprintf("%d of %d", len(g.Runs), len(g.Runs)+g.Open)
}

// layers prints, below each group's name, a row for each layer.
func (c Comparison) layers(out io.Writer) error {
	fmt.Fprint(out, "\nweights that are not zero, by layer\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, g := range c.Groups {
		fmt.Fprintf(w, "  %s\n", g)
		for _, l := range g.Layers {
			nonzero, weights := grouped(l.Nonzero.Mean), grouped(float64(l.Params))
			if l.Nonzero.N > 1 {
				nonzero += " ± " + grouped(l.Nonzero.SD)
			}
			if l.Params == 0 {
				weights = "several sizes"
			}
			fmt.Fprintf(w, "    %s\t%s\tof %s\t%s %%\n", l.Name, nonzero, weights, Spread(l.Percent))
		}
	}
	return w.Flush()
}

// Share is the group's weights that are not zero, and their part of all: means over
// its runs, whose networks need not have one size.
func (g Compared) Share() string {
	s := g.Samples["nonzero"]
	if s.N == 0 {
		return "–"
	}
	part := 0.0
	for _, r := range g.Runs {
		all := 0
		for _, l := range r.Result.Layers {
			all += l.Params
		}
		part += float64(nonzero(r.Result)) / float64(max(1, all)) / float64(len(g.Runs))
	}
	return fmt.Sprintf("%s (%.3g %%)", grouped(s.Mean), 100*part)
}

// Spread is a sample's mean ± its deviation.
func Spread(s Sample) string {
	switch s.N {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf("%.2f", s.Mean)
	}
	return fmt.Sprintf("%.2f ± %.2f", s.Mean, s.SD)
}

func each(s Sample) string {
	var parts []string
	for _, v := range s.Values {
		parts = append(parts, fmt.Sprintf("%.2f", v))
	}
	return strings.Join(parts, " ")
}

// grouped is a count with its digits in groups: 25,600,000.
func grouped(x float64) string {
	text := strconv.Itoa(int(math.Round(x)))
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Rows are the table of groups for a document: its heads, and the cells of each
// group. The last columns are the difference and, where some group has pairs enough for
// one, its interval.
func (c Comparison) Rows() (head []string, rows [][]string) {
	if len(c.Groups) == 0 {
		return nil, nil
	}
	for _, s := range c.Groups[0].Settings {
		head = append(head, s.Name)
	}
	head = append(head, "n", "validation %", "test %", "non-zero", "difference")
	intervals := slices.ContainsFunc(c.Groups, func(g Compared) bool { return g.Difference != nil && g.Difference.Low != nil })
	if intervals {
		head = append(head, fmt.Sprintf("%g %% interval", 100*c.Confidence))
	}
	for _, g := range c.Groups {
		var row []string
		for _, s := range g.Settings {
			row = append(row, s.Value)
		}
		mean, interval := "–", "–"
		switch d := g.Difference; {
		case g.String() == c.Baseline:
			mean = "baseline"
		case d == nil || d.N == 0:
		default:
			mean = fmt.Sprintf("%+.2f", d.Mean)
			if d.Low != nil {
				interval = fmt.Sprintf("%+.2f to %+.2f", *d.Low, *d.High)
			}
		}
		val := Spread(g.Samples["val"])
		if g.Best {
			val += " *"
		}
		row = append(row, g.N(), val, Spread(g.Samples["test"]), g.Share(), mean)
		if intervals {
			row = append(row, interval)
		}
		rows = append(rows, row)
	}
	return head, rows
}

// Markdown writes the table of groups in Markdown.
func (c Comparison) Markdown(out io.Writer) error {
	head, rows := c.Rows()
	var b strings.Builder
	c.unfinished(&b, "**", "**\n\n")
	escape := strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`)
	line := func(cells []string) {
		for i := range cells {
			cells[i] = escape.Replace(cells[i])
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	line(head)
	b.WriteString("|" + strings.Repeat(" --- |", len(c.Groups[0].Settings)) + strings.Repeat(" ---: |", len(head)-len(c.Groups[0].Settings)) + "\n")
	for _, r := range rows {
		line(r)
	}
	fmt.Fprintf(&b, "\nDifference: %s. \\* best by validation.\n", c.Heading())
	_, err := io.WriteString(out, b.String())
	return err
}

// LaTeX writes the table of groups in LaTeX, with the rules of booktabs.
func (c Comparison) LaTeX(out io.Writer) error {
	head, rows := c.Rows()
	escape := strings.NewReplacer(`\`, `\textbackslash{}`, "%", `\%`, "&", `\&`, "#", `\#`, "_", `\_`, "$", `\$`, "{", `\{`, "}", `\}`,
		"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "±", `$\pm$`, "–", "--", "β", `$\beta$`, "λ", `$\lambda$`, "α", `$\alpha$`, "*", `$\ast$`)
	var b strings.Builder
	c.unfinished(&b, "% ", "\n")
	fmt.Fprintf(&b, "%% needs \\usepackage{booktabs}\n\\begin{tabular}{%s%s}\n\\toprule\n", strings.Repeat("l", len(c.Groups[0].Settings)), strings.Repeat("r", len(head)-len(c.Groups[0].Settings)))
	line := func(cells []string) {
		for i := range cells {
			cells[i] = escape.Replace(cells[i])
		}
		b.WriteString(strings.Join(cells, " & ") + ` \\` + "\n")
	}
	line(head)
	b.WriteString("\\midrule\n")
	for _, r := range rows {
		line(r)
	}
	fmt.Fprintf(&b, "\\bottomrule\n\\end{tabular}\n%% difference: %s; $\\ast$ best by validation\n", c.Heading())
	_, err := io.WriteString(out, b.String())
	return err
}

// unfinished says how many runs have no result.
func (c Comparison) unfinished(b *strings.Builder, before, after string) {
	if c.Open > 0 {
		fmt.Fprintf(b, "%sNot finished: %d runs have no result yet.%s", before, c.Open, after)
	}
}

// CSV writes a row for each group. What was not measured is empty, as is the
// deviation of a single value.
func (c Comparison) CSV(out io.Writer) error {
	w := csv.NewWriter(out)
	var row []string
	for _, s := range c.Groups[0].Settings {
		row = append(row, s.Name)
	}
	row = append(row, "n", "open", "best")
	for _, m := range Metrics {
		row = append(row, m.Name+"_mean", m.Name+"_sd", m.Name+"_values")
	}
	var groups []*Group
	for _, g := range c.Groups {
		groups = append(groups, g.Group)
	}
	layers := LayerNames(groups...)
	for _, name := range layers {
		row = append(row, "nonzero_"+name+"_mean", "nonzero_"+name+"_sd", "nonzero_"+name+"_values", "nonzero_"+name+"_percent")
	}
	w.Write(append(row, "difference_mean", "difference_low", "difference_high", "difference_n"))
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	for _, g := range c.Groups {
		row = nil
		for _, s := range g.Settings {
			row = append(row, run.Cell(s.Value))
		}
		row = append(row, strconv.Itoa(len(g.Runs)), strconv.Itoa(g.Open), strconv.FormatBool(g.Best))
		add := func(s Sample) {
			var values []string
			for _, v := range s.Values {
				values = append(values, number(v))
			}
			mean, sd := "", ""
			if s.N > 0 {
				mean = number(s.Mean)
			}
			if s.N > 1 {
				sd = number(s.SD)
			}
			row = append(row, mean, sd, strings.Join(values, " "))
		}
		for _, m := range Metrics {
			add(g.Samples[m.Name])
		}
		for _, name := range layers {
			i := slices.IndexFunc(g.Layers, func(l Layer) bool { return l.Name == name })
			if i < 0 {
				row = append(row, "", "", "", "")
				continue
			}
			add(g.Layers[i].Nonzero)
			row = append(row, number(g.Layers[i].Percent.Mean))
		}
		mean, low, high, n := "", "", "", ""
		if d := g.Difference; d != nil {
			if n = strconv.Itoa(d.N); d.N > 0 {
				mean = number(d.Mean)
			}
			if d.Low != nil {
				low, high = number(*d.Low), number(*d.High)
			}
		}
		w.Write(append(row, mean, low, high, n))
	}
	w.Flush()
	return w.Error()
}
