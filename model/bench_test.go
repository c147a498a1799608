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
			dev, err := cpu.New(0, "", false)
			if err != nil {
				b.Fatal(err)
			}
			size := Size{Alpha: c.alpha, Width: c.width, Channels: 3, Side: 32, Classes: 10, Batch: batch}
			net, err := New(dev, c.name, size, 1)
			if err != nil {
				b.Fatal(err)
			}
			opt := optim.New(dev, optim.BetaLasso{Beta: 50, LambdaConv: 1e-5, LambdaFC: 2e-6}, net.Params())
			x, d, labels := dev.Alloc(batch, 3072), dev.Alloc(batch, 10), make([]uint8, batch)
			for i := range x.Data {
				x.Data[i] = float32(i%17)/8 - 1
			}
			for i := range labels {
				labels[i] = uint8(i % 10)
			}
			nonzero := make([]int, len(opt.Params))
			step := func() {
				dev.CrossEntropy(d, net.Forward(x, true), labels)
				net.Backward(d)
				opt.Step(dev, 1e-3, nonzero)
			}
			step()
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			perStep := b.Elapsed().Seconds() / float64(b.N)
			b.ReportMetric(flops(c.name, size)*batch/perStep/1e9, "GFLOP/s")
			b.ReportMetric(batch/perStep, "images/s")
		})
	}
}

// flops is the arithmetic of one example's step in the products: two for each
// weight and place it is used, three times over, but for the first layer's
// input gradient, which nobody needs.
func flops(name string, s Size) float64 {
	plan, err := layers(name, s)
	if err != nil {
		panic(err)
	}
	var sum float64
	for i, l := range plan {
		uses := float64(l.params())
		if l.kind == conv {
			uses *= float64(l.win.Positions())
		}
		times := 6.0
		if i == 0 {
			times = 4
		}
		sum += times * uses
	}
	return sum
}
