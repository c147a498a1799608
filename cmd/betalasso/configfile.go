package main

import (
	"fmt"
	"strconv"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"betalasso/run"
)

// configFile is the flag --config: a YAML file whose keys are flags. Flags on
// the command line win over it.
type configFile string

// BeforeResolve reads the file and takes the flags not given from it.
func (configFile) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	path := string(ctx.FlagValue(trace.Flag).(configFile))
	var known struct {
		run.Config `yaml:",inline"`
		Params     string `yaml:"params"`
		Out        string `yaml:"out"`
		JSON       bool   `yaml:"json"`
	}
	text, err := run.ReadYAML(path, &known) // for its errors, which show the line
	if err != nil {
		return err
	}
	if known.Imported != "" {
		return fmt.Errorf("%s: these weights were imported from %s: there is no training to repeat; take the line out to train such a network", path, known.Imported)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		switch v := values[f.Name].(type) {
		case nil:
			return nil, nil
		case float64:
			return strconv.FormatFloat(v, 'g', -1, 64), nil
		default:
			return fmt.Sprint(v), nil
		}
	}))
	return nil
}
