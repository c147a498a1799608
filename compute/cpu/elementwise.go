package cpu

import (
	"math"
	"sync/atomic"

	"betalasso/compute"
)

// stretch is how many neighbouring numbers a task takes.
const stretch = 1 << 14

// stretches runs task over [lo, hi) of n numbers.
func (d *Device) stretches(n int, task func(lo, hi int)) {
	d.pool.run((n+stretch-1)/stretch, func(t int, _ *worker) {
		task(t*stretch, min((t+1)*stretch, n))
	})
}

// AddRow is compute.Device's.
func (d *Device) AddRow(dst, b compute.Mat) {
	check("AddRow", b.Rows == 1 && b.Cols == dst.Cols && !dst.Trans, dst, b)
	for n := range dst.Rows {
		row := dst.Row(n)
		for i, v := range b.Data[:len(row)] {
			row[i] += v
		}
	}
}

// SumRows is compute.Device's.
func (d *Device) SumRows(dst, a compute.Mat) {
	check("SumRows", dst.Rows == 1 && dst.Cols == a.Cols && !a.Trans, dst, a)
	d.pool.run((a.Cols+unitBlock-1)/unitBlock, func(t int, _ *worker) {
		lo, hi := t*unitBlock, min((t+1)*unitBlock, a.Cols)
		var sum [unitBlock]float64
		for n := range a.Rows {
			for i, v := range a.Row(n)[lo:hi] {
				sum[i] += float64(v)
			}
		}
		for i := range hi - lo {
			dst.Data[lo+i] = float32(sum[i])
		}
	})
}

// Dropout is compute.Device's.
func (d *Device) Dropout(dst, src compute.Mat, p float32, seed uint64) {
	check("Dropout", dst.Rows == src.Rows && dst.Cols == src.Cols && !dst.Trans && !src.Trans, dst, src)
	scale := 1 / (1 - p)
	d.stretches(len(dst.Data), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if compute.Keep(seed, i, p) {
				dst.Data[i] = src.Data[i] * scale
			} else {
				dst.Data[i] = 0
			}
		}
	})
}

// CrossEntropy is compute.Device's.
func (d *Device) CrossEntropy(dx, logits compute.Mat, labels []uint8) (loss float64, correct int) {
	check("CrossEntropy", dx.Rows == logits.Rows && dx.Cols == logits.Cols && len(labels) == logits.Rows, dx, logits)
	n := float64(logits.Rows)
	for r := range logits.Rows {
		row, out := logits.Row(r), dx.Row(r)
		best := 0
		for i, v := range row {
			if v > row[best] {
				best = i
			}
		}
		top := float64(row[best])
		var sum float64
		for _, v := range row {
			sum += math.Exp(float64(v) - top)
		}
		label := int(labels[r])
		loss += top + math.Log(sum) - float64(row[label])
		if best == label {
			correct++
		}
		for i, v := range row {
			g := math.Exp(float64(v)-top) / sum
			if i == label {
				g--
			}
			out[i] = float32(g / n)
		}
	}
	return loss, correct
}

// Update is compute.Device's.
func (d *Device) Update(w, v, dw compute.Mat, u compute.Update) (nonzero int) {
	check("Update", len(w.Data) == len(dw.Data) && (u.Momentum == 0 || len(v.Data) == len(w.Data)), w, v, dw)
	var total atomic.Int64
	d.stretches(len(w.Data), func(lo, hi int) {
		g := dw.Data[lo:hi]
		if u.Momentum != 0 {
			total.Add(int64(momentumStep(w.Data[lo:hi], v.Data[lo:hi], g, u)))
		} else {
			total.Add(int64(plainStep(w.Data[lo:hi], g, u)))
		}
	})
	return int(total.Load())
}

// signed is l with the sign of x, and 0 for a zero.
func signed(l, x float32) float32 {
	if x == 0 {
		return 0
	}
	return math.Float32frombits(math.Float32bits(l) | math.Float32bits(x)&(1<<31))
}

func plainStep(w, dw []float32, u compute.Update) (nonzero int) {
	dw = dw[:len(w)]
	for i, x := range w {
		g := dw[i] + u.WeightDecay*x + signed(u.L1, x)
		x -= u.LR * g
		if float32(math.Abs(float64(x))) < u.Cut {
			x = 0
		}
		if x != 0 {
			nonzero++
		}
		w[i] = x
	}
	return nonzero
}

func momentumStep(w, v, dw []float32, u compute.Update) (nonzero int) {
	dw, v = dw[:len(w)], v[:len(w)]
	for i, x := range w {
		g := u.Momentum*v[i] + (dw[i] + u.WeightDecay*x + signed(u.L1, x))
		v[i] = g
		x -= u.LR * g
		if float32(math.Abs(float64(x))) < u.Cut {
			x = 0
		}
		if x != 0 {
			nonzero++
		}
		w[i] = x
	}
	return nonzero
}

// Nonzero is compute.Device's.
func (d *Device) Nonzero(m compute.Mat) int {
	var total atomic.Int64
	d.stretches(len(m.Data), func(lo, hi int) {
		n := 0
		for _, x := range m.Data[lo:hi] {
			if x != 0 {
				n++
			}
		}
		total.Add(int64(n))
	})
	return int(total.Load())
}
