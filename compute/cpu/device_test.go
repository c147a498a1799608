package cpu

import (
	"fmt"
	"testing"

	"betalasso/compute/computetest"
)

// TestDevice puts every kernel, every precision and more than one thread
// through the suite; not every combination of them.
func TestDevice(t *testing.T) {
	for i, name := range Kernels() {
		for _, c := range []struct {
			threads int
			bf16    bool
		}{{2, false}, {1 + i%2, true}} {
			d, err := New(c.threads, name, c.bf16)
			if err != nil {
				t.Fatal(err)
			}
			unit := 1.0 / (1 << 24)
			if c.bf16 {
				unit = 1.0 / (1 << 8)
			}
			t.Run(fmt.Sprintf("%s, %d threads, bf16 %v", name, c.threads, c.bf16), func(t *testing.T) {
				computetest.Run(t, d, unit)
			})
		}
	}
}

func TestNewSaysWhatThereIs(t *testing.T) {
	if _, err := New(1, "avx9", false); err == nil {
		t.Error("a kernel that there is not was taken")
	}
	if _, err := New(-1, "", false); err == nil {
		t.Error("−1 threads were taken")
	}
}
