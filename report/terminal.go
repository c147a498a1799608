package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"betalasso/paper"
)

// Summary is a short form of a report.
type Summary struct {
	Page       string    // the path of the HTML page
	Lead       string    // which data
	Unfinished string    // which runs have no result; "" where all have
	Text       string    // the tables for a terminal
	Verdicts   []Verdict // what the runs say of the paper's claim, by data set
}

// Print prints the summary for a terminal of the given width, with what is
// missing first and the verdict last. Tables are as wide as they are.
func (s Summary) Print(w io.Writer, columns int) {
	for _, text := range []string{s.Unfinished, s.Lead} {
		if text != "" {
			fmt.Fprintf(w, "%s\n\n", strings.Join(wrap(text, columns), "\n"))
		}
	}
	if s.Text != "" {
		fmt.Fprintf(w, "%s\n\n", strings.TrimSuffix(s.Text, "\n"))
	}
	const indent = 11
	for _, v := range s.Verdicts {
		fmt.Fprintln(w, strings.Join(wrap("What these runs say of the paper's claim on "+paper.Describe(v.Data).Title, columns), "\n"))
		for _, l := range v.Lines {
			for i, line := range wrap(l.Text, columns-indent) {
				about := ""
				if i == 0 {
					about = l.About
				}
				fmt.Fprintf(w, "  %-*s%s\n", indent-2, about, line)
			}
		}
		fmt.Fprintln(w)
	}
}

// wrap breaks text between words into lines of at most the given width; a longer
// word has a line of its own. A number stays with its unit.
func wrap(text string, columns int) (lines []string) {
	line := ""
	for _, word := range strings.Split(unbroken(text), " ") {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= columns:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	lines = append(lines, line)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "\u00a0", " ")
	}
	return lines
}
