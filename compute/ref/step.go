package ref

import (
	"math"

	"betalasso/compute"
)

// Dropout is compute.Device's.
func (*Device) Dropout(dst, src compute.Mat, p float32, seed uint64) {
	want("Dropout", dst, src.Rows, src.Cols, false)
	for i, v := range src.Data {
		if compute.Keep(seed, i, p) {
			dst.Data[i] = float32(float64(v) / (1 - float64(p)))
		} else {
			dst.Data[i] = 0
		}
	}
}

// CrossEntropy is compute.Device's.
func (*Device) CrossEntropy(dx, logits compute.Mat, labels []uint8) (loss float64, correct int) {
	want("CrossEntropy", dx, len(labels), logits.Cols, false)
	for r, label := range labels {
		row := logits.Row(r)
		best := 0
		for i, v := range row {
			if v > row[best] {
				best = i
			}
		}
		var sum float64
		for _, v := range row {
			sum += math.Exp(float64(v) - float64(row[best]))
		}
		for i, v := range row {
			g := math.Exp(float64(v)-float64(row[best])) / sum
			if i == int(label) {
				g--
			}
			dx.Row(r)[i] = float32(g / float64(len(labels)))
		}
		loss += float64(row[best]) + math.Log(sum) - float64(row[label])
		if best == int(label) {
			correct++
		}
	}
	return loss, correct
}

// Update is compute.Device's, in the order and the precision of its loop.
func (*Device) Update(w, v, dw compute.Mat, u compute.Update) (nonzero int) {
	want("Update", dw, w.Rows, w.Cols, false)
	for i, x := range w.Data {
		var sign float32
		switch {
		case x > 0:
			sign = 1
		case x < 0:
			sign = -1
		}
		g := dw.Data[i] + float32(u.WeightDecay*x) + float32(u.L1*sign)
		if u.Momentum != 0 {
			g += float32(u.Momentum * v.Data[i])
			v.Data[i] = g
		}
		x -= float32(u.LR * g)
		if math.Abs(float64(x)) < float64(u.Cut) {
			x = 0
		}
		if x != 0 {
			nonzero++
		}
		w.Data[i] = x
	}
	return nonzero
}

// Nonzero is compute.Device's.
func (*Device) Nonzero(m compute.Mat) (n int) {
	for _, v := range m.Data {
		if v != 0 {
			n++
		}
	}
	return n
}
