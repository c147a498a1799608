package cpu

import (
	"fmt"
	"testing"

	"betalasso/compute/computetest"
)

func TestDevice(t *testing.T) {
	for _, name := range Kernels() {
		for _, threads := range []int{1, 2} {
			for _, bf16 := range []bool{false, true} {
				d, err := New(threads, name, bf16)
				if err != nil {
					t.Fatal(err)
				}
				unit := 1.0 / (1 << 24)
				if bf16 {
					unit = 1.0 / (1 << 8)
				}
				t.Run(fmt.Sprintf("%s, %d threads, bf16 %v", name, threads, bf16), func(t *testing.T) {
					computetest.Run(t, d, unit)
				})
			}
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
