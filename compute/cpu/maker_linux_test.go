//go:build amd64 && !purego

package cpu

import (
	"os"
	"strings"
	"testing"
)

// Linux spells the maker as CPUID does.
func TestMaker(t *testing.T) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "vendor_id" {
			if want := strings.TrimSpace(value); maker() != want {
				t.Errorf("got %q, want %q", maker(), want)
			}
			return
		}
	}
	t.Skip("/proc/cpuinfo names no maker")
}
