package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// cell escapes text for a cell of a Markdown table.
var cell = strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", ">", "&gt;", "`", "'", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`)

// table writes a Markdown table; columns from right on are aligned right.
func mdTable(b *strings.Builder, right int, head []string, rows [][]string) {
	fmt.Fprintf(b, "| %s |\n|", strings.Join(head, " | "))
	for i := range head {
		if i >= right {
			b.WriteString(" ---: |")
		} else {
			b.WriteString(" --- |")
		}
	}
	b.WriteByte('\n')
	for _, r := range rows {
		r = slices.Clone(r) // the page has it too
		for i := range r {
			r[i] = cell.Replace(r[i])
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(r, " | "))
	}
	b.WriteByte('\n')
}

// markdown writes the report as Markdown.
func (p *page) markdown(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# %s\n\n", pageTitle)
	if p.Unfinished != "" {
		fmt.Fprintf(b, "**%s**\n\n", cell.Replace(p.Unfinished))
	}
	if p.Loud {
		fmt.Fprintf(b, "**%s**\n\n", cell.Replace(p.Lead))
	} else {
		fmt.Fprintf(b, "%s\n\n", cell.Replace(p.Lead))
	}
	for _, s := range p.Sections {
		for _, l := range s.Verdict.Lines {
			fmt.Fprintf(b, "- **%s**: %s\n", l.About, cell.Replace(l.Text))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "%s\n\n", cell.Replace(p.Facts))
	for _, r := range p.Remarks {
		fmt.Fprintf(b, "**%s**\n\n", cell.Replace(r))
	}
	if p.HasRows() {
		fmt.Fprintf(b, "## Test accuracy: the paper's Table 2\n\n%s\n\n", tableNote)
	}
	for _, s := range p.Sections {
		if len(s.Rows) == 0 {
			continue
		}
		fmt.Fprintf(b, "### %s\n\n", s.Title)
		var rows, why [][]string
		for _, y := range s.Whys() {
			why = append(why, []string{strings.Join(y.Cases, "; "), y.FromReport, y.FromPaper})
		}
		head := s.columns([]string{"network", "method", "ours, last epoch", "ours, best validation", "runs", "epochs", "weights", "paper's weights", "EE-411", "ours − EE-411", "paper", "ours − paper"}, 5, 7)
		for _, r := range s.Rows {
			rows = append(rows, s.columns([]string{r.Network, r.Method, r.Ours, r.Best, r.Runs, r.Epochs, r.Weights, r.PaperWeights, r.Report, r.ToReport, r.Paper, r.ToPaper}, 5, 7))
		}
		mdTable(b, 2, head, rows)
		gaps := 0
		for _, r := range s.Rows {
			if r.Gap != "" {
				fmt.Fprintf(b, "- %s, %s: %s\n", r.Network, r.Method, cell.Replace(r.Gap))
				gaps++
			}
		}
		if gaps > 0 {
			b.WriteByte('\n')
		}
		if len(why) > 0 {
			b.WriteString("What explains the differences: where the settings differ, and which way each tends to work.\n\n")
			if s.WhyReport != "" {
				fmt.Fprintf(b, "- All cases, from EE-411. %s\n", s.WhyReport)
			}
			if s.WhyPaper != "" {
				fmt.Fprintf(b, "- All cases, from the paper. %s\n", s.WhyPaper)
			}
			if s.WhyReport+s.WhyPaper != "" {
				b.WriteByte('\n')
			}
			mdTable(b, 9, []string{"case", "from EE-411", "from the paper"}, why)
		}
	}
	figure := func(pic Picture, ext string) {
		if pic.Gap != "" {
			fmt.Fprintf(b, "**%s**: %s.\n\n", pic.Title, cell.Replace(pic.Gap))
			return
		}
		fmt.Fprintf(b, "![%s](figures/%s.%s)\n\n**%s**: %s\n\n", pic.Title, pic.File, ext, pic.Title, cell.Replace(pic.Named()))
	}
	if p.HasSettings() {
		fmt.Fprintf(b, "## All settings\n\n%s\n\n", settingsNote)
	}
	for _, s := range p.Sections {
		if !s.Settled() {
			continue
		}
		var rows [][]string
		for _, cells := range s.Settings.Cells {
			rows = append(rows, slices.Clone(cells))
		}
		fmt.Fprintf(b, "### %s\n\n", s.Title)
		mdTable(b, 1, s.Settings.Head, rows)
		fmt.Fprintf(b, "Difference: %s.\n\n", cell.Replace(s.Settings.Heading()))
		figure(s.Settings.Figure, "svg")
		if s.Lambda.Title != "" {
			figure(s.Lambda, "svg")
		}
	}
	b.WriteString("## Non-zero weights, as in the paper's Figure 3\n\n")
	for _, s := range p.Sections {
		figure(s.Nonzero, "svg")
		if s.Returns.Title != "" {
			figure(s.Returns, "svg")
		}
	}
	fmt.Fprintf(b, "## First-layer filters, as in the paper's Figure 4\n\n%s\n\n", filterNote)
	for _, s := range p.Sections {
		fmt.Fprintf(b, "### %s\n\n", s.Title)
		for _, f := range s.Filters {
			figure(f, "png")
		}
	}
	fmt.Fprintf(b, "## Locality of the filters\n\n%s\n\n", localityNote)
	var rows [][]string
	head := []string{"data", "case", "filters", "non-zeros", "box", "radius"}
	if p.LocalityPublished() {
		head = append(head, "paper's non-zeros", "paper's box", "paper's radius")
	}
	for _, l := range p.Locality {
		rows = append(rows, []string{l.Set, l.Case, l.Filters, l.Nonzero, l.Box, l.Radius, l.PaperNonzero, l.PaperBox, l.PaperRadius}[:len(head)])
	}
	if len(rows) == 0 {
		b.WriteString("No run has kept its filters.\n\n")
	} else {
		mdTable(b, 2, head, rows)
	}
	if len(p.Uses) > 0 {
		fmt.Fprintf(b, "## What the weights look at\n\n%s\n\n", explainedNote)
	}
	for _, u := range p.Uses {
		fmt.Fprintf(b, "### %s\n\n", cell.Replace(u.Run))
		figure(u.Pixels, "png")
		if u.Classes.Image != "" {
			figure(u.Classes, "png")
		}
		figure(u.Filters, "png")
		mdTable(b, 1, []string{"filter", "non-zeros", "use", "for", "against"}, u.Used)
		mdTable(b, 1, []string{"class", "inputs", "pixels"}, u.Inputs)
	}
	if p.HasConfusion() {
		fmt.Fprintf(b, "## What is taken for what\n\n%s\n\n", confusionNote)
		for _, s := range p.Sections {
			if s.Confusion.Image != "" {
				figure(s.Confusion, "png")
			}
		}
	}
	if len(p.Bounds) > 0 {
		fmt.Fprintf(b, "## The bound of Theorem 2\n\n%s\n\n", p.BoundNote())
		rows = nil
		for _, t := range p.Bounds {
			rows = append(rows, []string{t.Case, t.Nonzero, t.Weights, t.Train, t.Test, t.Gap, t.Complexity, t.Bound, t.Enough})
		}
		mdTable(b, 1, boundHead, rows)
	}
	b.WriteString("## Learning curves\n\n")
	for _, s := range p.Sections {
		figure(s.Curves, "svg")
	}
	fmt.Fprintf(b, "## All runs\n\n%s\n\n", runsNote)
	rows = nil
	for _, r := range p.Runs {
		rows = append(rows, []string{r.Dir, r.Title, r.Seed, r.Epochs, r.Test, r.Best, r.Params, r.Nonzero, r.MACs, r.Time})
	}
	mdTable(b, 2, []string{"directory", "case", "seed", "epochs", "test, last", "test, best validation", "weights", "non-zero", "multiply-adds", "time"}, rows)
	for _, r := range p.Runs {
		fmt.Fprintf(b, "### %s\n\n", cell.Replace(r.Dir))
		for _, line := range append([]string{r.Gap, r.Settings, r.Machine}, r.Data...) {
			if line != "" {
				fmt.Fprintf(b, "- %s\n", cell.Replace(line))
			}
		}
		if r.Weights != "" {
			fmt.Fprintf(b, "- SHA-256 of the last weights: %s\n", r.Weights)
		}
		if r.Command != "" {
			fmt.Fprintf(b, "\n      %s\n", strings.ReplaceAll(r.Command, "\n", "\n      "))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}
