package main

import (
	"runtime"

	"betalasso/compute"
	"betalasso/compute/cpu"
	"betalasso/data"
	"betalasso/nn"
	"betalasso/run"
	"betalasso/train"
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

// whiten is the whitening of c's network for batches of at most batch images, by the
// images of set; nil where c whitens nothing.
func whiten(dev compute.Device, c run.Config, set *data.Set, batch int) (*nn.Whitening, error) {
	if c.Whiten == 0 {
		return nil, nil
	}
	float32s := dev
	if precision(c.Precision) != "fp32" {
		var err error
		if float32s, err = cpu.New(cpu.Options{Threads: threads(c)}); err != nil {
			return nil, err
		}
	}
	return train.Whiten(train.Options{Config: c, Device: dev, Set: set}, float32s, batch)
}
