package main

import (
	"runtime"

	"betalasso/compute"
	"betalasso/compute/cpu"
	"betalasso/run"
)

// newDevice is the device that c asks for. There is one kind so far, the CPU.
func newDevice(c run.Config) (compute.Device, error) {
	return cpu.New(cpu.Options{Threads: threads(c), BF16: precision(c.Precision) == "bf16", Dense: c.Sparse == "off"})
}

// precision settles "auto": bfloat16 where that is faster.
func precision(asked string) string {
	switch {
	case asked != "auto":
		return asked
	case cpu.BFloat16():
		return "bf16"
	}
	return "fp32"
}

// threads is the number of threads that c asks for.
func threads(c run.Config) int {
	if c.Threads > 0 {
		return c.Threads
	}
	return runtime.GOMAXPROCS(0)
}
