package ref

import (
	"math"

	"betalasso/compute"
)

// Dropout implements compute.Device.
func (*Device) Dropout(dst, src compute.Mat, p float32, seed uint64) {
	want("Dropout", dst, src.Rows, src.Cols, src.Trans)
	for i := range src.Rows {
		for j := range src.Cols {
			var v float32
			if compute.Keep(seed, i*src.Cols+j, p) {
				v = float32(at(src, i, j) / (1 - float64(p)))
			}
			dst.Set(i, j, v)
		}
	}
}

// CrossEntropy implements compute.Device.
func (*Device) CrossEntropy(dx, logits compute.Mat, labels []uint16) (loss float64, correct int) {
	want("CrossEntropy", dx, len(labels), logits.Cols, true)
	row := make([]float64, logits.Cols)
	for r, label := range labels {
		best := 0
		for i := range row {
			row[i] = at(logits, r, i)
			if row[i] > row[best] {
				best = i
			}
		}
		var sum float64
		for _, v := range row {
			sum += math.Exp(v - row[best])
		}
		for i, v := range row {
			g := math.Exp(v-row[best]) / sum
			if i == int(label) {
				g--
			}
			dx.Set(r, i, float32(g/float64(len(labels))))
		}
		loss += row[best] + math.Log(sum) - row[label]
		if best == int(label) {
			correct++
		}
	}
	return loss, correct
}

// Update implements compute.Device, in the order and the precision of its loop.
func (*Device) Update(w, v, dw compute.Mat, u compute.Update) (nonzero int) {
	want("Update", dw, w.Rows, w.Cols, false)
	for i, x := range w.Data {
		if u.Hold && x == 0 {
			continue
		}
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
		if math.Abs(float64(x)) < float64(u.Threshold) {
			x = 0
		}
		if x != 0 {
			nonzero++
		}
		w.Data[i] = x
	}
	return nonzero
}
