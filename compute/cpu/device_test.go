package cpu

import (
	"testing"

	"betalasso/compute/computetest"
)

// TestDevice puts every kernel, every precision and more than one thread
// through the suite; not every combination of them.
func TestDevice(t *testing.T) {
	for bf16, unit := range map[bool]float64{false: 1.0 / (1 << 24), true: 1.0 / (1 << 8)} {
		for i, name := range Kernels(bf16) {
			d := device(t, 1+(i+1)%2, name, bf16)
			t.Run(d.Name(), func(t *testing.T) { computetest.Run(t, d, unit) })
		}
	}
}

func TestNewSaysWhatThereIs(t *testing.T) {
	if _, err := New(Options{Threads: 1, Kernel: "avx9"}); err == nil {
		t.Error("a kernel that there is not was taken")
	}
	if _, err := New(Options{Threads: -1}); err == nil {
		t.Error("−1 threads were taken")
	}
}
