package sweep

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"betalasso/run"
)

type node = ast.Node

// reader reads a study file and collects all that is wrong with it.
type reader struct {
	file     string
	lines    []string
	problems Problems
	where    map[string]node // a setting's last place
	values   int             // that ranges and draws have made: a few words ask for many
}

// entry is one key of a mapping.
type entry struct {
	key   string
	at    node // the key's place
	value node
}

// document is the file's one document.
func (r *reader) document(text []byte) (node, error) {
	r.where = map[string]node{}
	if err := run.SmallYAML(text, maxStudy, maxKeys, maxNested); err != nil {
		return nil, Problems{fmt.Sprintf("%s: %s", r.file, err)}
	}
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, Problems{fmt.Sprintf("%s: %s", r.file, yaml.FormatError(err, false, true))}
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return nil, Problems{fmt.Sprintf("%s: it must hold one YAML document with fixed and axes; it has %d", r.file, len(f.Docs))}
	}
	return f.Docs[0].Body, nil
}

// add records a problem with the line it is in and a caret under its place.
func (r *reader) add(n node, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if n == nil || n.GetToken() == nil {
		r.problems = append(r.problems, r.file+": "+text)
		return
	}
	p := n.GetToken().Position
	text = fmt.Sprintf("%s:%d:%d: %s", r.file, p.Line, p.Column, text)
	if p.Line >= 1 && p.Line <= len(r.lines) && p.Column >= 1 {
		text += fmt.Sprintf("\n    %s\n    %s^", strings.TrimRight(r.lines[p.Line-1], "\r"), strings.Repeat(" ", p.Column-1))
	}
	r.problems = append(r.problems, text)
}

func isMap(n node) bool  { _, ok := n.(ast.MapNode); return ok }
func isList(n node) bool { _, ok := n.(*ast.SequenceNode); return ok }

// entries are the keys of a mapping.
func (r *reader) entries(n node, what string) []entry {
	m, ok := n.(ast.MapNode)
	if !ok {
		r.add(n, "%s: must be keys with values, as lr: 0.1", what)
		return nil
	}
	var list []entry
	for i := m.MapRange(); i.Next(); {
		list = append(list, entry{i.Key().GetToken().Value, i.Key(), i.Value()})
	}
	return list
}

// items are the values of a list.
func (r *reader) items(n node, what string) []node {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		r.add(n, "%s: must be a list, as [1, 2]", what)
		return nil
	}
	if len(s.Values) == 0 {
		r.add(n, "%s: the list is empty", what)
	}
	return s.Values
}

// text is a plain value as it was written.
func (r *reader) text(n node) string {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		text := n.GetToken().Value
		if text != run.Printable(text) { // an escape in quotes
			r.add(n, "%s: has characters that cannot be shown", run.Printable(text))
		}
		return text
	}
	r.add(n, "must be one value, as 0.1 or s-fc")
	return ""
}

// number is a number.
func (r *reader) number(n node, what string) float64 {
	text := r.text(n)
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x-x != 0 {
		r.add(n, "%s: %q is not a number", what, text)
		return 1
	}
	return x
}

// whole is a whole number within bounds.
func (r *reader) whole(n node, what string, least, most int) int {
	text := r.text(n)
	x, err := strconv.Atoi(text)
	if err != nil || x < least || x > most {
		r.add(n, "%s: must be a whole number from %d to %d, not %q", what, least, most, text)
		return least
	}
	return x
}

// settings reads a mapping of settings, of those known.
func (r *reader) settings(n node, known []string) Settings {
	s := Settings{}
	for _, e := range r.entries(n, "settings") {
		if r.known(e, known) {
			s[e.key] = r.text(e.value)
		}
	}
	return s
}

// known reports whether an entry's key is a setting, and remembers where it is.
func (r *reader) known(e entry, known []string) bool {
	for _, k := range known {
		if k == e.key {
			r.where[k] = e.at
			return true
		}
	}
	r.unknown(e.at, e.key, known)
	return false
}

// room reports whether n more values may be made, and says it where they may not.
func (r *reader) room(at node, n int) bool {
	before := r.values
	r.values += n
	if r.values > 2*maxTrials && before <= 2*maxTrials {
		r.add(at, "the axes have more than %d values", 2*maxTrials)
	}
	return r.values <= 2*maxTrials
}
