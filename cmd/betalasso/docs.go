package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// docsCommand is `betalasso docs`, which prints docs/cli.md or the manual page.
type docsCommand struct {
	Man bool `help:"the manual page in its place (default off)"`
}

// Help is the end of `betalasso docs --help`.
func (docsCommand) Help() string {
	return "Examples:\n\n    betalasso docs > docs/cli.md\n    betalasso docs --man > betalasso.1"
}

// Run prints the reference.
func (d docsCommand) Run(ctx *kong.Context) error {
	text := reference(ctx.Model)
	if d.Man {
		text = manual(ctx.Model)
	}
	_, err := os.Stdout.WriteString(text)
	return err
}

// reference is every command with its help, arguments and flags, as Markdown.
func reference(app *kong.Application) string {
	var b strings.Builder
	b.WriteString("# The command line\n\nMade by `betalasso docs` from what `--help` shows.\n\n" + app.Help + "\n\n")
	leaves := app.Leaves(true)
	for _, n := range leaves {
		fmt.Fprintf(&b, "- [%s](#%s): %s\n", n.FullPath(), strings.ReplaceAll(n.FullPath(), " ", "-"), n.Help)
	}
	for _, n := range leaves {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", n.FullPath(), n.Help)
		if n.Detail != "" {
			b.WriteString("\n" + strings.TrimSpace(n.Detail) + "\n")
		}
		var rows []string
		for _, p := range n.Positional {
			rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", p.Summary(), cell(p.Help)))
		}
		group := ""
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			if f.Group != nil && f.Group.Title != group {
				group = f.Group.Title
				rows = append(rows, fmt.Sprintf("| *%s* | |\n", group))
			}
			rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", f.Summary(), cell(f.Help)))
		}
		if len(rows) > 0 {
			b.WriteString("\n| | |\n|---|---|\n" + strings.Join(rows, ""))
		}
	}
	return b.String()
}

// cell is text in a table of Markdown.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
