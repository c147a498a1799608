package cpu

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// BenchmarkMul runs the three products of a fully connected layer over a batch
// of 512 on all cores, and gives the rate, and its share of what the kernel
// alone reaches on panels that stay in the first-level cache.
func BenchmarkMul(b *testing.B) {
	d, err := New(0, "", false)
	if err != nil {
		b.Fatal(err)
	}
	peak := peak(d)
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
			b.Run(fmt.Sprintf("%s-%dx%dx%d", c.name, n, s.in, s.out), func(b *testing.B) {
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

// peakJob multiplies panels that stay in the first-level cache.
type peakJob struct{ kernel kernel }

const (
	peakDepth = 256
	peakTiles = 20000
)

func (j *peakJob) do(int, *worker) {
	kn := &j.kernel
	a, b, c := make([]float32, peakDepth*kn.mr), make([]float32, peakDepth*kn.nr), make([]float32, kn.mr*kn.nr)
	for range peakTiles {
		kn.mul(peakDepth, a, b, c, kn.nr, true)
	}
}

// peak is the rate of d's kernel on all threads, in operations a second: the
// best of some short trials.
func peak(d *Device) float64 {
	work := peakTiles * peakDepth * d.kernel.mr * d.kernel.nr * d.threads
	best := math.Inf(1)
	for range 5 {
		began := time.Now()
		d.pool.run(d.threads, work, &peakJob{d.kernel})
		best = min(best, time.Since(began).Seconds())
	}
	return 2 * float64(work) / best
}
