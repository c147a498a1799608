package main

import (
	"fmt"
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

// float32Device multiplies in float32, for what c computes once; nil if there is nothing
// of the kind.
func float32Device(c run.Config) compute.Device {
	if c.Whiten == 0 {
		return nil
	}
	dev, err := cpu.New(cpu.Options{Threads: threads(c)})
	if err != nil {
		return nil
	}
	return dev
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

// whiten is the whitening of c's network for single images, by the images of set, which is
// loaded if it is nil; nil where c whitens nothing.
func (s *session) whiten(dev compute.Device, c run.Config, set *data.Set) (*nn.Whitening, error) {
	if c.Whiten == 0 {
		return nil, nil
	}
	if set == nil {
		var err error
		if set, err = s.load(c); err != nil {
			return nil, fmt.Errorf("the network sees whitened pixels, which takes the images that it was trained on: %w", err)
		}
	}
	return train.Whiten(train.Options{Config: c, Device: dev, Float32: float32Device(c), Set: set}, 1)
}
