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

// addRowJob adds a row to one stored row a task, sumRowsJob sums a block of
// columns.
type (
	addRowJob  struct{ dst, b compute.Mat }
	sumRowsJob struct{ dst, a compute.Mat }
)

// AddRow implements compute.Device.
func (d *Device) AddRow(dst, b compute.Mat) {
	check("AddRow", b.Rows == 1 && b.Cols == dst.Cols, dst, b)
	j := &d.jobs.rows
	*j = addRowJob{dst, b}
	rows := dst.Rows
	if dst.Trans {
		rows = dst.Cols
	}
	d.pool.run(rows, pass*len(dst.Data), j)
}

func (j *addRowJob) do(t int, _ *worker) {
	if j.dst.Trans {
		v := j.b.Data[t]
		row := j.dst.T().Row(t)
		for i := range row {
			row[i] += v
		}
		return
	}
	row := j.dst.Row(t)
	for i, v := range j.b.Data[:len(row)] {
		row[i] += v
	}
}

// SumRows implements compute.Device.
func (d *Device) SumRows(dst, a compute.Mat) {
	check("SumRows", dst.Rows == 1 && dst.Cols == a.Cols, dst, a)
	j := &d.jobs.sum
	*j = sumRowsJob{dst, a}
	d.pool.run((a.Cols+sumBlock-1)/sumBlock, pass*len(a.Data), j)
}

func (j *sumRowsJob) do(t int, _ *worker) {
	lo, hi := t*sumBlock, min((t+1)*sumBlock, j.a.Cols)
	var sum [sumBlock]float64
	if j.a.Trans {
		for i := lo; i < hi; i++ {
			for _, v := range j.a.T().Row(i) {
				sum[i-lo] += float64(v)
			}
		}
	} else {
		for n := range j.a.Rows {
			for i, v := range j.a.Row(n)[lo:hi] {
				sum[i] += float64(v)
			}
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

// Dropout implements compute.Device.
func (d *Device) Dropout(dst, src compute.Mat, p float32, seed uint64) {
	check("Dropout", dst.Rows == src.Rows && dst.Cols == src.Cols && dst.Trans == src.Trans, dst, src)
	j := &d.jobs.dropout
	*j = dropoutJob{dst, src, p, seed}
	d.stretches(len(dst.Data), j)
}

func (j *dropoutJob) do(t int, _ *worker) {
	lo, hi := ends(t, len(j.dst.Data))
	scale := 1 / (1 - j.p)
	for i := lo; i < hi; i++ {
		index := i
		if j.dst.Trans {
			index = i%j.dst.Rows*j.dst.Cols + i/j.dst.Rows
		}
		if compute.Keep(j.seed, index, j.p) {
			j.dst.Data[i] = j.src.Data[i] * scale
		} else {
			j.dst.Data[i] = 0
		}
	}
}

// lossRows is how many examples a task of CrossEntropy takes, lossWork how many
// multiply-adds a logit, with its exponentials, is counted for.
const (
	lossRows = 16
	lossWork = 512
)

// lossJob is the cross entropy of some examples.
type lossJob struct {
	dx, logits compute.Mat
	labels     []uint16
	losses     []float64 // of each example
	correct    atomic.Int64
}

// CrossEntropy implements compute.Device.
func (d *Device) CrossEntropy(dx, logits compute.Mat, labels []uint16) (loss float64, correct int) {
	check("CrossEntropy", dx.Rows == logits.Rows && dx.Cols == logits.Cols && len(labels) == logits.Rows, dx, logits)
	j := &d.jobs.loss
	j.dx, j.logits, j.labels = dx, logits, labels
	j.losses = grow(&j.losses, logits.Rows)
	j.correct.Store(0)
	d.pool.run((logits.Rows+lossRows-1)/lossRows, lossWork*len(logits.Data), j)
	for _, l := range j.losses {
		loss += l
	}
	return loss, int(j.correct.Load())
}

func (j *lossJob) do(t int, w *worker) {
	n := float64(j.logits.Rows)
	row := grow(&w.extra, j.logits.Cols)
	for r := t * lossRows; r < min((t+1)*lossRows, j.logits.Rows); r++ {
		best := 0
		for i := range row {
			row[i] = j.logits.At(r, i)
			if row[i] > row[best] {
				best = i
			}
		}
		top := float64(row[best])
		var sum float64
		for _, v := range row {
			sum += math.Exp(float64(v) - top)
		}
		label := int(j.labels[r])
		j.losses[r] = top + math.Log(sum) - float64(row[label])
		if best == label {
			j.correct.Add(1)
		}
		for i, v := range row {
			g := math.Exp(float64(v)-top) / sum
			if i == label {
				g--
			}
			j.dx.Set(r, i, float32(g/n))
		}
	}
}

// updateJob takes the optimiser's step on a stretch a task, and counts.
type updateJob struct {
	d        *Device
	w, v, dw []float32
	u        compute.Update
	nonzero  atomic.Int64
}

// Update implements compute.Device.
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
	var v []float32
	if j.u.Momentum != 0 {
		v = j.v[lo:hi]
	}
	j.nonzero.Add(int64(j.d.kernel.update(j.w[lo:hi], v, 0, j.dw[lo:hi], 0, 1, hi-lo, &j.u)))
}

// nonzeroJob counts a stretch a task.
type nonzeroJob struct {
	m     []float32
	total atomic.Int64
}

// nonzero counts the elements of m that are not 0.
func (d *Device) nonzero(m []float32) int {
	j := &d.jobs.nonzero
	j.m = m
	j.total.Store(0)
	d.stretches(len(m), j)
	return int(j.total.Load())
}

func (j *nonzeroJob) do(t int, _ *worker) {
	lo, hi := ends(t, len(j.m))
	j.total.Add(int64(nonzeros(j.m[lo:hi])))
}

// nonzeros is how many of the numbers are not zero.
func nonzeros(list []float32) (n int) {
	for _, x := range list {
		if x != 0 {
			n++
		}
	}
	return n
}
