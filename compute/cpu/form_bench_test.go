package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"betalasso/compute"
)

// BenchmarkForms takes steps of the second layer of S-FC, batches of 512, in both
// forms by turns, with so large a part of its weights left, zeros staying: what thinBelow
// and thickenAbove go by. It reports milliseconds.
func BenchmarkForms(b *testing.B) {
	for _, alpha := range []int{28, 64} {
		for _, share := range []float64{0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.3} {
			b.Run(fmt.Sprintf("%d/%g", alpha, share), func(b *testing.B) {
				benchmarkForms(b, 24*alpha, 256*alpha, share)
			})
		}
	}
}

func benchmarkForms(b *testing.B, rows, cols int, share float64) {
	const n = 512
	d := device(b, 2, "", BFloat16())
	r := rand.New(rand.NewPCG(1, 2))
	x, y := d.Alloc(cols, n).T(), d.Alloc(rows, n).T()
	dx, dy := d.Alloc(cols, n).T(), d.Alloc(rows, n).T()
	for i := range x.Data {
		x.Data[i] = max(0, float32(r.NormFloat64()))
	}
	for i := range dy.Data {
		dy.Data[i] = float32(r.NormFloat64()) * 1e-3
	}
	var forms [2]*full
	row := make([]float32, cols)
	for k := range forms {
		forms[k] = d.Dense(rows, cols).(*full)
	}
	for i := range rows {
		clear(row)
		for j := range row {
			if r.Float64() < share {
				row[j] = float32(r.NormFloat64()) * 0.02
			}
		}
		for _, f := range forms {
			f.Write(i, row)
		}
	}
	forms[0].thicken()
	forms[1].thicken()
	forms[1].thin()
	var took [2][3]time.Duration
	u := compute.Update{LR: 1e-9, Threshold: 1e-12, L1: 1e-15, Hold: true}
	steps := 0
	for b.Loop() {
		for k, f := range forms {
			d.dense = true // or the first would turn sparse
			t0 := time.Now()
			f.Forward(y, x)
			t1 := time.Now()
			f.GradInput(dx, dy)
			t2 := time.Now()
			f.Step(dy, x, u)
			t3 := time.Now()
			for p, t := range []time.Duration{t1.Sub(t0), t2.Sub(t1), t3.Sub(t2)} {
				took[k][p] += t
			}
		}
		steps++
	}
	b.ReportMetric(0, "ns/op")
	for k, form := range []string{"dense", "sparse"} {
		for p, part := range []string{"forward", "input", "step"} {
			b.ReportMetric(took[k][p].Seconds()*1e3/float64(steps), form+"-"+part)
		}
	}
}
