package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
)

// ReadConfig reads a Config from a YAML file. What the file leaves out is as in
// Default. A key that does not exist and a value of the wrong kind are errors
// that show the line. It does not validate.
func ReadConfig(path string) (Config, error) {
	c := Default()
	return c, ReadYAML(path, &c)
}

// ReadYAML reads a YAML file into v, as ReadConfig does.
func ReadYAML(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return parseYAML(path, text, v)
}

// ParseConfig is ReadConfig of the text of the file at path.
func ParseConfig(path string, text []byte) (Config, error) {
	c := Default()
	return c, parseYAML(path, text, &c)
}

func parseYAML(path string, text []byte, v any) error {
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(v)
	if err != nil && !errors.Is(err, io.EOF) { // EOF: the file is empty, which says nothing
		return fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, true))
	}
	return nil
}

// WriteConfig writes c as YAML, replacing the file whole.
func WriteConfig(path string, c Config) error {
	text, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return replace(path, func(w io.Writer) error { _, err := w.Write(text); return err })
}
