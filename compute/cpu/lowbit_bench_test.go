package cpu

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// screenJob quantises both sides of a product, or screens it, some lines a task.
type screenJob struct {
	rows, cols *side
	x, y       []float32 // to be quantised; or nil
	screeners  []screener
	out        [][]int32
	thr        float32
}

const screenBlock = 128

func (j *screenJob) do(t int, _ *worker) {
	if j.x != nil {
		for _, s := range []struct {
			side  *side
			lines []float32
		}{{j.rows, j.x}, {j.cols, j.y}} {
			if first := t * screenBlock; first < s.side.lines {
				s.side.set(first, s.lines[first*s.side.n:min(first+screenBlock, s.side.lines)*s.side.n])
			}
		}
		return
	}
	first := t * screenBlock
	out := j.out[first:min(first+screenBlock, j.rows.lines)]
	for i := range out {
		out[i] = out[i][:0]
	}
	j.screeners[t].screen(out, j.rows, j.cols, first, lowBound(j.rows, j.cols), j.thr)
}

// BenchmarkScreen runs the products of small integers that stand for a weight
// gradient, with the search for those that a threshold does not exclude, and the
// product of float32 with the same vectors beside them. It gives the rate, its
// share of the peak and what is left. The peak of integers is four times that of
// float32: an instruction does four times as much.
func BenchmarkScreen(b *testing.B) {
	const n, in, out = 512, 3072, 7168
	r := rand.New(rand.NewPCG(31, 1))
	x, y := gauss(r, out*n), gauss(r, in*n)
	for threads := 1; threads <= 2; threads++ {
		var d *Device
		for _, l := range lowbits() {
			float, _, _ := strings.Cut(l.name, "vnni")
			switch l.name {
			case "avxvnni", "avx2wide":
				float = "avx2"
			}
			if float == "go" {
				continue // half a minute
			}
			if d == nil || d.kernel.name != float {
				d = device(b, threads, float, false)
			}
			peak := d.Peak() / 2
			report := func(b *testing.B, peak float64) {
				rate := n * float64(in) * float64(out) * float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(rate/1e9, "GMAC/s")
				b.ReportMetric(100*rate/peak, "%peak")
			}
			b.Run(fmt.Sprintf("threads=%d/%s/float32", threads, l.name), func(b *testing.B) {
				dw, dy, dx := d.Alloc(out, in), d.Alloc(n, out), d.Alloc(n, in)
				d.Mul(dw, dy.T(), dx)
				for b.Loop() {
					d.Mul(dw, dy.T(), dx)
				}
				report(b, peak)
			})
			for _, bits := range []int{6, 8} {
				if bits > l.rowBits {
					continue
				}
				j := &screenJob{rows: new(side), cols: new(side), x: x, y: y, out: make([][]int32, out), thr: 5 * 22.6}
				j.rows.resetRows(&l, bits, out, n)
				j.cols.resetColumns(&l, bits, in, n, 1e-6)
				tasks := (out + screenBlock - 1) / screenBlock
				j.screeners = make([]screener, tasks)
				b.Run(fmt.Sprintf("threads=%d/%s/quantise=%d", threads, l.name, bits), func(b *testing.B) {
					for b.Loop() {
						d.pool.run(tasks, alone, j)
					}
				})
				j.x, j.y = nil, nil
				d.pool.run(tasks, alone, j)
				b.Run(fmt.Sprintf("threads=%d/%s/bits=%d", threads, l.name, bits), func(b *testing.B) {
					for b.Loop() {
						d.pool.run(tasks, alone, j)
					}
					report(b, 4*peak)
					left := 0
					for _, c := range j.out {
						left += len(c)
					}
					b.ReportMetric(100*float64(left)/(in*out), "%left")
				})
			}
		}
	}
}
