package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	stdout, _ := want(t, 0, "docs")
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cli.md"))
	if err != nil || string(text) != stdout {
		t.Errorf("docs/cli.md is not what --help says (%v); make it again: go run ./cmd/betalasso docs > docs/cli.md", err)
	}
	for _, w := range []string{"## betalasso train", "## betalasso sweep run", "`--lambda-conv=", "docs/sweeps.md"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("the reference does not have %q", w)
		}
	}
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ words, want string }{
		{"tra", "train"},
		{"sweep sta", "status"},
		{"train --mod", "--model"},
		{"train --model s-", "s-conv s-local s-fc"},
		{"train --model = d-f", "d-fc"},
		{"train --model=3", "--model=3-fc"},
		{"train --json --model 3", "3-fc"},
		{"train --model s-fc --aug", "--augment --augment-until"},
		{"sweep --launcher k", "kubernetes"},
		{"completion z", "zsh"},
		{"eval run", ""},
		{"train --config x", ""},
	} {
		stdout, _ := want(t, 0, append([]string{"complete", "--"}, strings.Split(c.words, " ")...)...)
		if got := strings.Join(strings.Fields(stdout), " "); got != c.want {
			t.Errorf("%q: got %q, want %q", c.words, got, c.want)
		}
	}
}

// Each shell takes its script and completes with it.
func TestShells(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "betalasso"), []byte("#!/bin/sh\nexec '"+os.Args[0]+"' \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for shell, script := range map[string]string{
		"bash": `source <(betalasso completion bash); COMP_WORDS=(betalasso train --model s-f); COMP_CWORD=3; _betalasso; echo "${COMPREPLY[@]}"`,
		"zsh":  `autoload -U compinit; compinit -u -D; source <(betalasso completion zsh); compadd() { shift; echo "$@"; }; words=(betalasso train --model s-f); CURRENT=4; _betalasso`,
		"fish": `betalasso completion fish | source; complete -C "betalasso train --model s-f"`,
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip("no ", shell)
			}
			c := exec.Command(path, "-c", script)
			c.Env = append(os.Environ(), asCommand+"=1", "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+t.TempDir())
			out, err := c.CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != "s-fc" {
				t.Errorf("got %q, %v, want s-fc", out, err)
			}
		})
	}
	want(t, exitUsage, "completion", "tcsh")
}
