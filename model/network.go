package model

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"betalasso/run"
	"betalasso/spelling"
)

// Network is a network of any size, as a file describes it: layers in order,
// with sizes that are numbers, or multiples of one that is given later.
type Network struct {
	Name   string `yaml:"name"`
	About  string `yaml:"about"` // one line, for people
	Layers []Node `yaml:"layers"`
}

// Node is one layer of a Network.
type Node struct {
	Layer string `yaml:"layer"` // one of Kinds
	Name  string `yaml:"name"`  // of its tensors, as conv1; of layers with weights and of norm
	Out   string `yaml:"out"`   // channels or units: 64, alpha, 24 alpha, width, classes

	Kernel string `yaml:"kernel"` // side of the window: 9, or kernel; of average-pool 0, the whole image
	Stride int    `yaml:"stride"` // of the window; 0: 1, and for average-pool its side
	Pad    *int   `yaml:"pad"`    // zeros around the image; nil: half the kernel

	Group string `yaml:"group"` // whose λ it has, conv or fc; "": conv where there is a window, else fc
	Bias  bool   `yaml:"bias"`  // of fc
	ReLU  bool   `yaml:"relu"`  // of norm: followed by ReLU

	Body     []Node `yaml:"body"`     // of residual: what is added to the input,
	Shortcut []Node `yaml:"shortcut"` // or to what this makes of it
}

// Kinds are all kinds of layers.
var Kinds = []string{"conv", "local", "spread", "fc", "norm", "relu", "dropout", "average-pool", "residual"}

// A file is no larger, in bytes, has no more keys, is nested no deeper and has
// no more layers.
const (
	maxText   = 32 << 10
	maxKeys   = 5000
	maxNested = 12
	maxNodes  = 1000
)

var (
	networkName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	layerName   = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$`)
	size        = regexp.MustCompile(`^([0-9]{1,8})?(?: ?\*? ?(alpha|width|kernel|classes))?$`)
)

// IsFile reports whether a model is given by the path of its file, and not by
// name: names have no points and no slashes.
func IsFile(model string) bool { return strings.ContainsAny(model, `./\`) }

// ReadFile reads the file of a network, and gives its text beside it, without
// comments and empty lines, which change no network.
func ReadFile(path string) (*Network, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil {
		return nil, "", err
	}
	n, err := Parse(text)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, " \t\r\n")
		if t := strings.TrimSpace(line); t != "" && t[0] != '#' {
			lines = append(lines, line)
		}
	}
	return n, strings.Join(lines, "\n"), nil
}

//go:embed networks
var files embed.FS

// named are the networks that are built in, once one is asked for.
var named = sync.OnceValue(func() map[string]*Network {
	m := map[string]*Network{}
	for _, name := range Names() {
		text, err := files.ReadFile("networks/" + name + ".yaml")
		if err == nil {
			m[name], err = decode(text)
		}
		if err != nil {
			panic(fmt.Sprintf("model: %s: %v", name, err))
		}
	}
	return m
})

// Source is the file of a network that is built in.
func Source(name string) ([]byte, error) {
	if named()[name] == nil {
		return nil, unknown(name)
	}
	return files.ReadFile("networks/" + name + ".yaml")
}

// Lookup is the network that text describes or, where that is "", the one that is
// built in under this name.
func Lookup(name, text string) (*Network, error) {
	if text != "" {
		return Parse([]byte(text))
	}
	if n := named()[name]; n != nil {
		return n, nil
	}
	return nil, unknown(name)
}

func unknown(name string) error {
	return fmt.Errorf("there is no network %q%s; use one of %s, or a file", name, spelling.Hint(name, Names()), strings.Join(Names(), ", "))
}

// Parse reads the file of a network. The size is not known yet; see New.
func Parse(text []byte) (*Network, error) {
	n, err := decode(text)
	if err != nil {
		return nil, err
	}
	if slices.Contains(Names(), n.Name) {
		return nil, fmt.Errorf("name: there is a built-in network %q; call it otherwise", n.Name)
	}
	return n, nil
}

func decode(text []byte) (*Network, error) {
	if err := run.SmallYAML(text, maxText, maxKeys, maxNested); err != nil {
		return nil, err
	}
	var n Network
	err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&n)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(yaml.FormatError(err, false, true))
	}
	if !networkName.MatchString(n.Name) {
		return nil, fmt.Errorf("name: %q must be up to 40 of a-z, 0-9, - and _", run.Printable(n.Name))
	}
	if len(n.About) > 200 || n.About != run.Printable(n.About) {
		return nil, errors.New("about: must be one line of at most 200 bytes")
	}
	seen := map[string]bool{}
	count := 0
	if err := check(n.Layers, "layers", seen, &count); err != nil {
		return nil, err
	}
	return &n, nil
}

// check finds what is wrong with layers whatever their size.
func check(list []Node, where string, seen map[string]bool, count *int) error {
	for i, l := range list {
		if *count++; *count > maxNodes {
			return fmt.Errorf("%s: more than %d layers", where, maxNodes)
		}
		if err := l.check(seen); err != nil {
			return fmt.Errorf("%s, layer %d: %w", where, i+1, err)
		}
		if l.Layer == "residual" {
			if !slices.ContainsFunc(l.Body, func(n Node) bool { return n.Layer != "dropout" }) {
				return fmt.Errorf("%s, layer %d: a residual needs a body, with another layer than dropout", where, i+1)
			}
			if err := check(l.Body, where+", body of layer "+strconv.Itoa(i+1), seen, count); err != nil {
				return err
			}
			if err := check(l.Shortcut, where+", shortcut of layer "+strconv.Itoa(i+1), seen, count); err != nil {
				return err
			}
		}
	}
	return nil
}

// takes says which keys a kind of layer has beside its own name.
var takes = map[string][]string{
	"conv":         {"name", "out", "kernel", "stride", "pad", "group"},
	"local":        {"name", "out", "kernel", "stride", "pad", "group"},
	"spread":       {"name", "out", "kernel", "stride", "pad", "group"},
	"fc":           {"name", "out", "group", "bias"},
	"norm":         {"name", "relu"},
	"relu":         {},
	"dropout":      {},
	"average-pool": {"kernel", "stride"},
	"residual":     {"body", "shortcut"},
}

func (l Node) check(seen map[string]bool) error {
	may, ok := takes[l.Layer]
	if !ok {
		return fmt.Errorf("layer: there is no %q%s; use one of %s", run.Printable(l.Layer), spelling.Hint(l.Layer, Kinds), strings.Join(Kinds, ", "))
	}
	for _, k := range []struct {
		name  string
		given bool
	}{
		{"name", l.Name != ""}, {"out", l.Out != ""}, {"kernel", l.Kernel != ""}, {"stride", l.Stride != 0}, {"pad", l.Pad != nil},
		{"group", l.Group != ""}, {"bias", l.Bias}, {"relu", l.ReLU}, {"body", l.Body != nil}, {"shortcut", l.Shortcut != nil},
	} {
		if k.given && !slices.Contains(may, k.name) {
			return fmt.Errorf("%s: of no use to %s, which takes %s", k.name, l.Layer, strings.Join(append([]string{"layer"}, may...), ", "))
		}
	}
	if slices.Contains(may, "name") {
		if len(l.Name) > 60 || !layerName.MatchString(l.Name) {
			return fmt.Errorf("name: %q must be words of a-z, 0-9 and _, with points between, as layer1.0.conv1", run.Printable(l.Name))
		}
		if seen[l.Name] {
			return fmt.Errorf("name: %s is there twice", l.Name)
		}
		seen[l.Name] = true
	}
	for _, k := range []struct{ name, value string }{{"out", l.Out}, {"kernel", l.Kernel}} {
		if k.value != "" && !size.MatchString(k.value) {
			return fmt.Errorf("%s: %q must be a number, one of alpha, width, kernel, classes, or both, as 24 alpha", k.name, run.Printable(k.value))
		}
	}
	if l.Stride < 0 {
		return fmt.Errorf("stride: must be above 0, not %d", l.Stride)
	}
	if l.Group != "" && l.Group != "conv" && l.Group != "fc" {
		return fmt.Errorf("group: there is no %q; use conv or fc", run.Printable(l.Group))
	}
	return nil
}

// Uses reports whether sizes of n are multiples of alpha, width, kernel or
// classes, by name.
func (n *Network) Uses(word string) bool { return uses(n.Layers, word) }

func uses(list []Node, word string) bool {
	return slices.ContainsFunc(list, func(l Node) bool {
		return strings.HasSuffix(l.Out, word) || strings.HasSuffix(l.Kernel, word) || uses(l.Body, word) || uses(l.Shortcut, word)
	})
}

// Scale is the size by which n grows: alpha, width, or "" where it has but one.
func (n *Network) Scale() string {
	for _, word := range []string{"alpha", "width"} {
		if n.Uses(word) {
			return word
		}
	}
	return ""
}

// number is the value of a size.
func (s Size) number(text string) int {
	m := size.FindStringSubmatch(text)
	if m == nil || text == "" {
		return 0
	}
	n := 1
	if m[1] != "" {
		n, _ = strconv.Atoi(m[1]) // at most eight digits
	}
	switch m[2] {
	case "alpha":
		n *= s.Alpha
	case "width":
		n *= s.Width
	case "kernel":
		n *= s.Kernel
	case "classes":
		n *= s.Classes
	}
	return n
}
