package cpu

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkMul runs the three products of a fully connected layer over a batch
// of 512 on all cores, and gives the rate, and its share of the peak: in float32
// and, where that is faster, in bfloat16.
func BenchmarkMul(b *testing.B) {
	benchmarkMul(b, device(b, 0, "", false))
	if BFloat16() {
		benchmarkMul(b, device(b, 0, "", true))
	}
}

func benchmarkMul(b *testing.B, d *Device) {
	peak := d.Peak()
	const n = 512
	for _, s := range []struct{ out, in int }{{7168, 3072}, {672, 7168}} {
		x, w, y := d.Alloc(n, s.in), d.Alloc(s.out, s.in), d.Alloc(n, s.out)
		for _, c := range []struct {
			name string
			run  func()
		}{
			{"forward", func() { d.Mul(y, x, w.T()) }},
			{"dx", func() { d.Mul(x, y, w) }},
			{"dw", func() { d.Mul(w, y.T(), x) }},
		} {
			b.Run(fmt.Sprintf("%s/%s-%dx%dx%d", d.kernel.name, c.name, n, s.in, s.out), func(b *testing.B) {
				c.run() // the first time the system has pages to find
				for b.Loop() {
					c.run()
				}
				rate := 2 * n * float64(s.out) * float64(s.in) * float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(rate/1e9, "GFLOP/s")
				b.ReportMetric(100*rate/peak, "%peak")
			})
		}
	}
}

// TestPeak wants no kernel's product to be much faster than its peak, whatever
// else the machine does meanwhile.
func TestPeak(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for seconds")
	}
	for _, name := range Kernels(true) {
		d := device(t, 1, name, true)
		peak := d.Peak()
		const n = 240
		a, b, c := d.Alloc(n, n), d.Alloc(n, n), d.Alloc(n, n)
		d.Mul(c, a, b)
		began := time.Now()
		d.Mul(c, a, b)
		rate := 2 * n * n * n / time.Since(began).Seconds()
		t.Logf("%s: %.1f GFLOP/s, of a peak of %.1f", name, rate/1e9, peak/1e9)
		if !(rate < 1.5*peak) {
			t.Errorf("%s: peak: got %.3g, want the %.3g of a product at least", name, peak, rate)
		}
	}
}
