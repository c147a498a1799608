package cpu

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"betalasso/compute"
)

// TestFusedKernelsAgree wants from every kernel with fused multiply-adds, on every
// architecture, the same bits of products and of weights after a step.
func TestFusedKernelsAgree(t *testing.T) {
	for _, name := range Kernels(false) {
		if !slices.Contains([]string{"avx2", "avx512", "neon"}, name) {
			continue
		}
		d := device(t, 1, name, false)
		r := rand.New(rand.NewPCG(11, 12))
		numbers := func(rows, cols int) compute.Mat {
			m := d.Alloc(rows, cols)
			for i := range m.Data {
				m.Data[i] = float32(r.IntN(1<<20)-1<<19) / (1 << 16)
			}
			return m
		}
		x, dy, y, dx := numbers(45, 1100), numbers(45, 53), d.Alloc(45, 53), d.Alloc(45, 1100)
		w := d.Dense(53, 1100)
		for i := range 53 {
			w.Write(i, numbers(1, 1100).Data)
		}
		w.Forward(y, x)
		w.GradInput(dx, dy)
		w.Step(dy, x, compute.Update{LR: 1.0 / 1024, L1: 0.25, Threshold: 0.5})
		win := compute.Window{C: 5, H: 9, W: 7, K: 11, Kernel: 5, Stride: 2, Pad: 2}
		conv, cx, cdy, cy, cdx := d.Conv(win), numbers(50, win.In()), numbers(50, win.Out()), d.Alloc(50, win.Out()), d.Alloc(win.In(), 50).T()
		for i := range win.K {
			conv.Write(i, numbers(1, win.Patch()).Data)
		}
		conv.Forward(cy, cx)
		conv.GradInput(cdx, cdy)
		conv.Step(cdy, cx, compute.Update{LR: 1.0 / 1024, L1: 0.25, Threshold: 0.5})
		row := make([]float32, 1100)
		sum := crc32.NewIEEE()
		add := func(s []float32) {
			if err := binary.Write(sum, binary.LittleEndian, s); err != nil {
				t.Fatal(err)
			}
		}
		add(y.Data)
		add(dx.Data)
		for i := range 53 {
			w.Read(row, i)
			add(row)
		}
		add(cy.Data)
		add(cdx.Data)
		for i := range win.K {
			conv.Read(row[:win.Patch()], i)
			add(row[:win.Patch()])
		}
		if got, want := sum.Sum32(), uint32(0x8ee2cbee); got != want {
			t.Errorf("%s: checksum: got %#08x, want %#08x", name, got, want)
		}
	}
}
