package model

import (
	"fmt"
	"testing"

	"betalasso/compute/cpu"
	"betalasso/optim"
)

// BenchmarkStep takes whole training steps of 512 images on all cores, with
// the β-lasso update, and says what share of the time was arithmetic at the
// rate of the products. Sizes of about 25.6 M parameters, and small ones.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name         string
		alpha, width int
	}{
		{"s-fc", 28, 0}, {"s-conv", 64, 0}, {"s-local", 64, 0}, {"3-fc", 0, 3750},
		{"s-fc", 4, 0}, {"s-conv", 9, 0}, {"s-local", 8, 0}, {"3-fc", 0, 158}, {"d-conv", 8, 0},
	} {
		b.Run(fmt.Sprintf("%s-%d", c.name, c.alpha+c.width), func(b *testing.B) {
			const batch = 512
			dev, err := cpu.New(cpu.Options{BF16: cpu.BFloat16()}) // as a training takes it
			if err != nil {
				b.Fatal(err)
			}
			size := Size{Alpha: c.alpha, Width: c.width, Channels: 3, Side: 32, Classes: 10, Batch: batch}
			flops, err := StepFLOPs(c.name, size)
			if err != nil {
				b.Fatal(err)
			}
			net, err := New(dev, c.name, size, 1)
			if err != nil {
				b.Fatal(err)
			}
			rule := optim.At(optim.BetaLasso{Beta: 50, LambdaConv: 1e-5, LambdaFC: 2e-6}, 1e-3)
			x, d, labels := dev.Alloc(batch, 3072), dev.Alloc(batch, 10), make([]uint16, batch)
			for i := range x.Data {
				x.Data[i] = float32(i%17)/8 - 1
			}
			for i := range labels {
				labels[i] = uint16(i % 10)
			}
			step := func() {
				dev.CrossEntropy(d, net.Forward(x, true), labels)
				net.Backward(d, rule)
			}
			step()
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			perStep := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(flops*batch/perStep/1e9, "GFLOP/s")
			b.ReportMetric(batch/perStep, "images/s")
		})
	}
}
