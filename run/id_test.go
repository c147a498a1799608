package run

import (
	"reflect"
	"slices"
	"testing"
)

// The names of runs on people's disks must not change.
func TestIDsStay(t *testing.T) {
	plain := Default()
	plain.Alpha, plain.Precision = 1, "fp32"
	for _, c := range []struct {
		config Config
		want   string
	}{
		{plain, "686685c79a42"},
		{someConfig(), "95530accd9e6"},
	} {
		if got := c.config.ID(); got != c.want {
			t.Errorf("%+v: got ID %s, want %s", c.config, got, c.want)
		}
	}
}

func TestIDIsOfWhatDecidesTheNumbers(t *testing.T) {
	c := someConfig()
	for i := range reflect.TypeFor[Config]().NumField() {
		d := c
		name, f := Settings()[i], reflect.ValueOf(&d).Elem().Field(i)
		switch f.Kind() {
		case reflect.String:
			f.SetString(f.String() + "x")
		case reflect.Bool:
			f.SetBool(!f.Bool())
		case reflect.Int:
			f.SetInt(f.Int() + 1)
		case reflect.Uint64:
			f.SetUint(f.Uint() + 1)
		case reflect.Float64:
			f.SetFloat(f.Float() + 1e-9)
		default:
			t.Fatalf("%s: a setting of a kind that this test does not change", name)
		}
		same := slices.Contains([]string{"threads", "data-dir", "from", "skip-bad", "sparse", "returns", "name", "note"}, name)
		if (d.ID() == c.ID()) != same {
			t.Errorf("%s changed: got the IDs %s and %s, want same: %t", name, c.ID(), d.ID(), same)
		}
	}
}
