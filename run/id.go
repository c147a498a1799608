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
// digits of the SHA-256 of its settings, one "name value" a line in the order
// of their names. Threads and data-dir change no number and are left out; so is
// a setting at its zero, so that a setting added later renames no run.
func (c Config) ID() string {
	var lines []string
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		name := settingName(v.Type().Field(i))
		if name == "threads" || name == "data-dir" || v.Field(i).IsZero() {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %v\n", name, v.Field(i)))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:6])
}

// Settings are the names of Config's settings, as in YAML and as flags.
func Settings() []string {
	var names []string
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		names = append(names, settingName(t.Field(i)))
	}
	return names
}

// WholeSettings are those of Settings whose values are whole numbers.
func WholeSettings() []string {
	var names []string
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		switch t.Field(i).Type.Kind() {
		case reflect.Int, reflect.Uint64:
			names = append(names, settingName(t.Field(i)))
		}
	}
	return names
}

func settingName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// Setting is the value of one of Settings, or nil for any other name.
func Setting(c Config, name string) any {
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		if settingName(v.Type().Field(i)) == name {
			return v.Field(i).Interface()
		}
	}
	return nil
}
