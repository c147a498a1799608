package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"betalasso/disk"
)

// ReadConfig reads a Config from the YAML file of a run. What the file leaves
// out is as in Default. A key that does not exist and a value of the wrong kind
// are errors that show the line. It does not validate.
func ReadConfig(path string) (Config, error) {
	text, err := disk.ReadFile(path, maxConfig)
	if err != nil {
		return Config{}, err
	}
	c := Default()
	return c, parseYAML(path, text, &c)
}

// ReadYAML reads a YAML file of the user's own, no larger than one of a run, and
// into v as ReadConfig does. It returns the text too.
func ReadYAML(path string, v any) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, err
	}
	return text, parseYAML(path, text, v)
}

// ParseConfig reads the text of the config of a run, which came from the file at
// path, and validates it. It gives no Config beside an error.
func ParseConfig(path string, text []byte) (Config, error) {
	c := Default()
	err := parseYAML(path, text, &c)
	if err == nil {
		if err = c.Validate(); err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}
	if err != nil {
		return Config{}, err
	}
	return c, nil
}

func parseYAML(path string, text []byte, v any) error {
	if err := SmallYAML(text, maxConfig, 100, 3); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(v)
	if err != nil && !errors.Is(err, io.EOF) { // EOF: the file is empty, which says nothing
		return fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, true))
	}
	return nil
}

// SmallYAML is an error where text is not the small and plain YAML that settings
// are written in: within the given bytes, keys and depth of nesting; without aliases, merges, tags and the like, by
// which a few bytes become gigabytes or never end. It takes a time in proportion
// to the text.
func SmallYAML(text []byte, most, keys, depth int) error {
	if len(text) > most {
		return fmt.Errorf("more than %d KiB are no settings", most>>10)
	}
	for i, line := range bytes.Split(text, []byte("\n")) {
		shown := bytes.ReplaceAll(bytes.TrimSuffix(line, []byte("\r")), []byte("\t"), []byte(" "))
		if Printable(string(shown)) != string(shown) {
			return fmt.Errorf("line %d has characters that cannot be shown: %.80s", i+1, Printable(string(shown)))
		}
	}
	var n nesting
	found := 0
	for _, t := range lexer.Tokenize(string(text)) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.MappingKeyType:
			return fmt.Errorf("line %d: %q: anchors, aliases, merges, tags, directives and keys that are not words have no place in settings", t.Position.Line, t.Value)
		case token.MappingValueType:
			found++
		}
		if found > keys {
			return fmt.Errorf("line %d: more than %d keys are no settings", t.Position.Line, keys)
		}
		if n.add(t) > depth {
			return fmt.Errorf("line %d: it is nested more than %d deep", t.Position.Line, depth)
		}
	}
	return nil
}

// nesting follows how deep a document is nested.
type nesting struct {
	columns []int // of the lines' beginnings, each further in than the one before
	line    int
	dashes  int // of this line
	flow    int // brackets that are open
}

// add takes the next token and gives the depth there.
func (n *nesting) add(t *token.Token) int {
	p := t.Position
	if p.Line != n.line && n.flow == 0 && t.Type != token.CommentType {
		n.line, n.dashes = p.Line, 0
		for len(n.columns) > 0 && n.columns[len(n.columns)-1] >= p.Column {
			n.columns = n.columns[:len(n.columns)-1]
		}
		n.columns = append(n.columns, p.Column)
	}
	switch t.Type {
	case token.SequenceEntryType:
		n.dashes++
	case token.SequenceStartType, token.MappingStartType:
		n.flow++
	case token.SequenceEndType, token.MappingEndType:
		n.flow = max(0, n.flow-1)
	}
	return len(n.columns) + max(0, n.dashes-1) + n.flow
}

// WriteConfig writes c as YAML, replacing the file whole.
func WriteConfig(path string, c Config) error {
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return replace(path, func(w io.Writer) error { _, err := w.Write(text); return err })
}
