package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkGather sums up units' inputs, batches of 512, on one core: so many lines
// in all, and so many of them a unit. 32 lines fit a first-level cache, 512 a second, 65,536 none.
func BenchmarkGather(b *testing.B) {
	d := device(b, 1, "", BFloat16())
	for _, c := range [][2]int{{32, 4}, {32, 50}, {512, 4}, {512, 50}, {512, 400}, {672, 3}, {672, 60},
		{3072, 4}, {3072, 12}, {3072, 50}, {7168, 12}, {7168, 27}, {7168, 400}, {16384, 25}, {16384, 600}, {65536, 100}} {
		lines, each := c[0], c[1]
		r := rand.New(rand.NewPCG(1, 2))
		x := d.Alloc(lines, 512).T()
		for i := range x.Data {
			x.Data[i] = float32(r.NormFloat64())
		}
		const units = 256
		s := newSparse(d, units, lines, func(int) (cols []int32, vals []float32) {
			for i := range lines {
				if r.IntN(lines) < each {
					cols, vals = append(cols, int32(i)), append(vals, 1.5)
				}
			}
			return cols, vals
		})
		s.d.layOut(&s.x, &s.xRoom, x)
		y := make([]float32, 512)
		b.Run(fmt.Sprintf("%d/%d", lines, each), func(b *testing.B) {
			total := 0
			for b.Loop() {
				for u := range units {
					lo, hi := s.start[u], s.start[u+1]
					d.kernel.sparse.gather(y, s.x.data, s.x.ld, s.idx[lo:hi], s.val[lo:hi])
				}
				total += len(s.val)
			}
			b.ReportMetric(float64(total)*512/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}
