package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"betalasso/run"
)

// exitMeanings are the manual's words for the exit statuses.
var exitMeanings = []struct {
	code    int
	meaning string
}{
	{0, "Done."},
	{exitFailure, "Failed, or not all done; a report of what is not finished. Another try may help."},
	{exitUsage, "Usage: a flag, a file, a setting. Correct it."},
	{exitDiverged, "Diverged, or cannot be trained. Do not retry."},
	{exitSaved, "SIGTERM or SIGUSR2: saved between two steps. The same command goes on."},
	{exitInterrupted, "Ctrl-C: saved. The same command goes on."},
}

// manual is every command with its help, arguments and flags, as a manual page
// in the man macros of roff.
func manual(app *kong.Application) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".\\\" Made by betalasso docs \\-\\-man from what \\-\\-help shows.\n.TH BETALASSO 1 \"\" \"betalasso %s\" \"User Commands\"\n", roff(run.Version()))
	b.WriteString(".SH NAME\nbetalasso \\- learning convolutions from scratch with \u03b2\\-lasso\n")
	b.WriteString(".SH SYNOPSIS\n.B betalasso\n.I command\n.RI [ arguments ]\n.RI [ flags ]\n")
	b.WriteString(".SH DESCRIPTION\n" + paragraphs(app.Help))
	b.WriteString(".SH COMMANDS\n")
	for _, n := range app.Leaves(true) {
		fmt.Fprintf(&b, ".SS \"%s\"\n%s", roff(n.FullPath()), paragraphs(n.Help+"\n\n"+n.Detail))
		for _, p := range n.Positional {
			entry(&b, p.Summary(), p.Help)
		}
		group := ""
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			if f.Group != nil && f.Group.Title != group {
				group = f.Group.Title
				fmt.Fprintf(&b, ".PP\n.I %s\n", roff(group))
			}
			entry(&b, f.Summary(), f.Help)
		}
	}
	b.WriteString(".SH \"EXIT STATUS\"\n")
	for _, e := range exitMeanings {
		entry(&b, fmt.Sprint(e.code), e.meaning)
	}
	return b.String()
}

// entry writes a term and what it means.
func entry(b *strings.Builder, term, meaning string) {
	fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(term), roff(meaning))
}

// paragraphs are those of a help text; lines that four spaces begin stay as they
// are, as in the help.
func paragraphs(text string) string {
	var b strings.Builder
	example, gap := false, false
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimRight(line, "\n")
		rest, indented := strings.CutPrefix(line, "    ")
		switch {
		case line == "":
			gap = true
			continue
		case indented && !example:
			b.WriteString(".PP\n.RS 4\n.nf\n")
		case !indented && example:
			b.WriteString(".fi\n.RE\n.PP\n")
		case gap && example:
			b.WriteString("\n")
		case gap:
			b.WriteString(".PP\n")
		}
		example, gap = indented, false
		b.WriteString(roff(rest) + "\n")
	}
	if example {
		b.WriteString(".fi\n.RE\n")
	}
	return b.String()
}

// roff is text with what roff would take for its own escaped.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
