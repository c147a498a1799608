package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"betalasso/augment"
	"betalasso/compare"
	"betalasso/data"
	"betalasso/run"
	"betalasso/studies"
)

// completionCommand is `betalasso completion`.
type completionCommand struct {
	Shell string `arg:"" help:"bash, zsh or fish"`
}

// Help is the end of `betalasso completion --help`.
func (completionCommand) Help() string {
	return `Examples, for this shell and for new ones:

    source <(betalasso completion bash)
    betalasso completion bash > ~/.local/share/bash-completion/completions/betalasso
    betalasso completion zsh > "${fpath[1]}/_betalasso"
    betalasso completion fish > ~/.config/fish/completions/betalasso.fish`
}

// completionScripts ask the program itself what may follow.
var completionScripts = map[string]string{
	"bash": `_betalasso() {
	local IFS=$'\n'
	COMPREPLY=($(betalasso complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _betalasso betalasso
`,
	"zsh": `#compdef betalasso
_betalasso() {
	local -a found
	found=("${(@f)$(betalasso complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	if [[ -n "${found[1]}" ]]; then compadd -- "${found[@]}"; else _files; fi
}
if [[ "${funcstack[1]}" = _betalasso ]]; then _betalasso "$@"; else compdef _betalasso betalasso; fi
`,
	"fish": `complete -c betalasso -a '(betalasso complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

// Run prints the script.
func (c *completionCommand) Run() error {
	script, ok := completionScripts[c.Shell]
	if !ok {
		return usageError{fmt.Errorf("shell: there is no %q; use one of bash, zsh, fish", c.Shell)}
	}
	fmt.Print(script)
	return nil
}

// completeCommand is `betalasso complete`, which the scripts call.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"words so far, the last one to be completed"`
}

// Run prints what the last word may become.
func (c *completeCommand) Run(ctx *kong.Context) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, w := range candidates(ctx.Model.Node, words) {
		fmt.Println(w)
	}
	return nil
}

// flagValues are the words that a flag takes.
func flagValues(name string) []string {
	switch name {
	case "model":
		return run.Models
	case "data":
		return data.Names()
	case "augment":
		return augment.Names()
	case "optimizer":
		return []string{"sgd", "beta-lasso"}
	case "precision":
		return []string{"auto", "fp32", "bf16"}
	case "profile":
		return studies.Names
	case "study":
		return studyNames
	case "launcher":
		return launchers
	case "metric":
		return strings.Split(compare.MetricNames(), ", ")
	}
	return nil
}

// candidates are the words that begin like the last one and may stand there:
// commands, flags, or the values of a flag. None means a file's name.
func candidates(node *kong.Node, words []string) (found []string) {
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "=" }) // bash parts --flag=value
	if len(words) == 0 {
		words = []string{""}
	}
	var pending *kong.Flag // that waits for its value
	for _, w := range words[:len(words)-1] {
		switch {
		case pending != nil:
			pending = nil
		case strings.HasPrefix(w, "--"):
			name, _, given := strings.Cut(w[2:], "=")
			if f := flagOf(node, name); f != nil && !f.IsBool() && !given {
				pending = f
			}
		default:
			for _, c := range node.Children {
				if c.Name == w {
					node = c
					break
				}
			}
		}
	}
	last := words[len(words)-1]
	add := func(w string) {
		if strings.HasPrefix(w, last) {
			found = append(found, w)
		}
	}
	name, _, given := strings.Cut(strings.TrimPrefix(last, "--"), "=")
	switch {
	case pending != nil:
		for _, v := range flagValues(pending.Name) {
			add(v)
		}
	case strings.HasPrefix(last, "--") && given:
		for _, v := range flagValues(name) {
			add("--" + name + "=" + v)
		}
	case strings.HasPrefix(last, "-"):
		for _, f := range flagsOf(node) {
			if !f.Hidden {
				add("--" + f.Name)
			}
		}
	default:
		for _, c := range node.Children {
			if !c.Hidden {
				add(c.Name)
			}
		}
		if node.Name == "completion" {
			for _, s := range []string{"bash", "zsh", "fish"} {
				add(s)
			}
		}
	}
	return found
}

// flagsOf are the flags of a command, those of its default subcommand, and --help.
func flagsOf(node *kong.Node) []*kong.Flag {
	list := slices.Clone(node.Flags)
	if node.DefaultCmd != nil {
		list = append(list, node.DefaultCmd.Flags...)
	}
	for n := node.Parent; n != nil; n = n.Parent {
		list = append(list, n.Flags...)
	}
	return list
}

func flagOf(node *kong.Node, name string) *kong.Flag {
	for _, f := range flagsOf(node) {
		if f.Name == name {
			return f
		}
	}
	return nil
}
