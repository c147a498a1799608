package spelling

import (
	"strings"
	"testing"
)

func TestHint(t *testing.T) {
	words := []string{"s-conv", "s-local", "s-fc", "3-fc"}
	for _, c := range []struct{ got, want string }{
		{"s-fcc", `; did you mean "s-fc"?`},
		{"S_CONV", `; did you mean "s-conv"?`},
		{"slocl", `; did you mean "s-local"?`},
		{"fc-3", `; did you mean "3-fc"?`},
		{"loca", `; did you mean "s-local"?`},
		{"resnet", ""},
		{"", ""},
		{strings.Repeat("s", 1<<20), ""},
	} {
		if got := Hint(c.got, words); got != c.want {
			t.Errorf("%.20q: got %q, want %q", c.got, got, c.want)
		}
	}
}
