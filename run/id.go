package run

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// ID names a Config by all that decides its numbers: the first 12 hexadecimal
// digits of the SHA-256 of its settings, one "name value" a line in the order of
// their names. Those that change no number are left out (among them the names of
// the user's own images, whose content counts); so is a setting at zero, so that
// a setting added later renames no run.
func (c Config) ID() string {
	var lines []string
	v := reflect.ValueOf(c)
	for i, name := range settings {
		if !Material(name) || v.Field(i).IsZero() || name == "data" && c.DataSum != "" {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %v\n", name, v.Field(i)))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:6])
}

// settings are the yaml names of Config's fields, in their order.
var settings = func() (names []string) {
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		names = append(names, name)
	}
	return names
}()

// Settings are the names of Config's settings, as in YAML and, but for imported,
// as flags.
func Settings() []string { return slices.Clone(settings) }

// Material reports whether a setting decides a run's numbers.
func Material(name string) bool {
	switch name {
	case "threads", "data-dir", "from", "skip-bad", "sparse", "returns", "name", "note":
		return false
	}
	return true
}

// WholeSettings are those of Settings whose values are whole numbers.
func WholeSettings() []string {
	var names []string
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		switch t.Field(i).Type.Kind() {
		case reflect.Int, reflect.Uint64:
			names = append(names, settings[i])
		}
	}
	return names
}

// Setting is the value of one of Settings, or nil for any other name. Of a
// network's text, which is long, it is the beginning of its SHA-256.
func Setting(c Config, name string) any {
	if name == "network" && c.Network != "" {
		sum := sha256.Sum256([]byte(c.Network))
		return hex.EncodeToString(sum[:6])
	}
	if i := slices.Index(settings, name); i >= 0 {
		return reflect.ValueOf(c).Field(i).Interface()
	}
	return nil
}
