package cpu

import (
	"math"
	"sync/atomic"

	"betalasso/compute"
)

// stretch is how many neighbouring numbers a task takes.
const stretch = 1 << 14

// stretches runs a job whose tasks are stretches of n numbers.
func (d *Device) stretches(n int, j job) { d.pool.run((n+stretch-1)/stretch, pass*n, j) }

// ends are the numbers lo..hi of stretch t.
func ends(t, n int) (lo, hi int) { return t * stretch, min((t+1)*stretch, n) }

// sumBlock is how many columns a task of SumRows takes.
const sumBlock = 64

// addRowJob adds a row to one row a task, sumRowsJob sums a block of columns.
type (
	addRowJob  struct{ dst, b compute.Mat }
	sumRowsJob struct{ dst, a compute.Mat }
)

// AddRow is compute.Device's.
func (d *Device) AddRow(dst, b compute.Mat) {
	check("AddRow", b.Rows == 1 && b.Cols == dst.Cols && !dst.Trans, dst, b)
	j := &d.jobs.rows
	*j = addRowJob{dst, b}
	d.pool.run(dst.Rows, pass*len(dst.Data), j)
}

func (j *addRowJob) do(t int, _ *worker) {
	row := j.dst.Row(t)
	for i, v := range j.b.Data[:len(row)] {
		row[i] += v
	}
}

// SumRows is compute.Device's.
func (d *Device) SumRows(dst, a compute.Mat) {
	check("SumRows", dst.Rows == 1 && dst.Cols == a.Cols && !a.Trans, dst, a)
	j := &d.jobs.sum
	*j = sumRowsJob{dst, a}
	d.pool.run((a.Cols+sumBlock-1)/sumBlock, pass*len(a.Data), j)
}

func (j *sumRowsJob) do(t int, _ *worker) {
	lo, hi := t*sumBlock, min((t+1)*sumBlock, j.a.Cols)
	var sum [sumBlock]float64
	for n := range j.a.Rows {
		for i, v := range j.a.Row(n)[lo:hi] {
			sum[i] += float64(v)
		}
	}
	for i := range hi - lo {
		j.dst.Data[lo+i] = float32(sum[i])
	}
}

// dropoutJob drops a stretch a task.
type dropoutJob struct {
	dst, src compute.Mat
	p        float32
	seed     uint64
}

// Dropout is compute.Device's.
func (d *Device) Dropout(dst, src compute.Mat, p float32, seed uint64) {
	check("Dropout", dst.Rows == src.Rows && dst.Cols == src.Cols && !dst.Trans && !src.Trans, dst, src)
	j := &d.jobs.dropout
	*j = dropoutJob{dst, src, p, seed}
	d.stretches(len(dst.Data), j)
}

func (j *dropoutJob) do(t int, _ *worker) {
	lo, hi := ends(t, len(j.dst.Data))
	scale := 1 / (1 - j.p)
	for i := lo; i < hi; i++ {
		if compute.Keep(j.seed, i, j.p) {
			j.dst.Data[i] = j.src.Data[i] * scale
		} else {
			j.dst.Data[i] = 0
		}
	}
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

// updateJob takes the optimiser's step on a stretch a task, and counts.
type updateJob struct {
	d        *Device
	w, v, dw []float32
	u        compute.Update
	nonzero  atomic.Int64
}

// Update is compute.Device's.
func (d *Device) Update(w, v, dw compute.Mat, u compute.Update) (nonzero int) {
	check("Update", len(w.Data) == len(dw.Data) && (u.Momentum == 0 || len(v.Data) == len(w.Data)), w, v, dw)
	j := &d.jobs.update
	j.d, j.w, j.v, j.dw, j.u = d, w.Data, v.Data, dw.Data, u
	j.nonzero.Store(0)
	d.stretches(len(w.Data), j)
	return int(j.nonzero.Load())
}

func (j *updateJob) do(t int, _ *worker) {
	lo, hi := ends(t, len(j.w))
	kn, u, n := &j.d.kernel, &j.u, 0
	if u.Momentum != 0 {
		n = kn.momentumStep(j.w[lo:hi], j.v[lo:hi], j.dw[lo:hi], u.LR, u.Momentum, u.WeightDecay, u.L1, u.Cut)
	} else {
		n = kn.step(j.w[lo:hi], j.dw[lo:hi], u.LR, u.WeightDecay, u.L1, u.Cut)
	}
	j.nonzero.Add(int64(n))
}

// nonzeroJob counts a stretch a task.
type nonzeroJob struct {
	m     []float32
	total atomic.Int64
}

// Nonzero is compute.Device's.
func (d *Device) Nonzero(m compute.Mat) int {
	j := &d.jobs.nonzero
	j.m = m.Data
	j.total.Store(0)
	d.stretches(len(m.Data), j)
	return int(j.total.Load())
}

func (j *nonzeroJob) do(t int, _ *worker) {
	lo, hi := ends(t, len(j.m))
	n := 0
	for _, x := range j.m[lo:hi] {
		if x != 0 {
			n++
		}
	}
	j.total.Add(int64(n))
}
