package cpu

import (
	"math"
	"time"

	"betalasso/compute"
)

// normMode is what a normJob does.
type normMode int

const (
	normTrain normMode = iota
	normEval
	normGrad
)

// normJob is a batch norm or its gradient, a block of neighbouring units a task.
// Sums are float64, first down each column and then over the columns of a unit,
// whatever the number of threads.
type normJob struct {
	d             *Device
	bn            *compute.BatchNorm
	mode          normMode
	y, x          compute.Mat // y: what is set, dx for the gradient
	dy            compute.Mat
	dgamma, dbeta compute.Mat
	block         int     // units
	limit         float32 // outputs that are ≤ limit become 0
}

// norm runs d.jobs.norm.
func (d *Device) norm(op string, j normJob) {
	defer d.took(Norm, time.Now())
	j.ready(op, d)
	d.jobs.norm = j
	d.pool.run((j.bn.Gamma.Cols+j.block-1)/j.block, pass*len(j.x.Data), &d.jobs.norm)
}

// ready checks shapes and sets what do and row go by.
func (j *normJob) ready(op string, d *Device) {
	bn := j.bn
	check(op, bn.Span > 0 && j.x.Cols == bn.Gamma.Cols*bn.Span && j.y.Rows == j.x.Rows && j.y.Cols == j.x.Cols &&
		j.x.Trans == j.y.Trans, j.y, j.x, bn.Gamma)
	// A few cache lines of each row, and more where there are units for all.
	cols := max(64, min(256, j.x.Cols/16&^63))
	j.d, j.block = d, max(1, cols/bn.Span)
	j.limit = float32(math.NaN()) // nothing is ≤ NaN
	if bn.ReLU {
		j.limit = 0
	}
	if j.x.Trans {
		j.block = max(1, stretch/max(1, j.x.Rows*bn.Span))
	}
}

// BatchNorm implements compute.Device.
func (d *Device) BatchNorm(y, x compute.Mat, bn *compute.BatchNorm) {
	d.norm("BatchNorm", normJob{bn: bn, mode: normTrain, y: y, x: x})
}

// BatchNormEval implements compute.Device.
func (d *Device) BatchNormEval(y, x compute.Mat, bn *compute.BatchNorm) {
	d.norm("BatchNormEval", normJob{bn: bn, mode: normEval, y: y, x: x})
}

// BatchNormGrad implements compute.Device.
func (d *Device) BatchNormGrad(dx, dgamma, dbeta, dy, x compute.Mat, bn *compute.BatchNorm) {
	check("BatchNormGrad", dy.Rows == x.Rows && dy.Cols == x.Cols && dy.Trans == x.Trans, dy, x)
	d.norm("BatchNormGrad", normJob{bn: bn, mode: normGrad, y: dx, x: x, dy: dy, dgamma: dgamma, dbeta: dbeta})
}

func (j *normJob) do(t int, w *worker) {
	lo, hi := t*j.block, min((t+1)*j.block, j.bn.Gamma.Cols)
	if j.x.Trans {
		for u := lo; u < hi; u++ {
			j.row(j.unitOf(&j.y, u), j.unitOf(&j.x, u), j.dyUnit(u), u, w)
		}
		return
	}
	n := (hi - lo) * j.bn.Span
	buf := grow(&w.extra, 5*n)
	c := columns{buf[:n], buf[n : 2*n], buf[2*n : 3*n], buf[3*n : 4*n], buf[4*n:]}
	s := grow(&w.sums, 2*n)
	clear(s)
	switch j.mode {
	case normTrain:
		j.statistics(lo, hi, s[:n], s[n:])
		j.spread(c, lo, hi, j.bn.Mean.Data, j.bn.InvStd.Data)
		j.normalise(lo, hi, c)
	case normEval:
		j.spread(c, lo, hi, j.bn.RunMean.Data, nil)
		j.normalise(lo, hi, c)
	case normGrad:
		j.spread(c, lo, hi, j.bn.Mean.Data, j.bn.InvStd.Data)
		j.gradient(lo, hi, c, s[:n], s[n:])
	}
}

// part is the columns of units lo..hi in row i of m.
func (j *normJob) part(m compute.Mat, i, lo, hi int) []float32 {
	return m.Row(i)[lo*j.bn.Span : hi*j.bn.Span]
}

// fetch brings what part will be some rows below row i into the cache: it is too
// short for the processor to see where the next one begins.
func (j *normJob) fetch(m compute.Mat, i, lo, hi int) {
	if i += 2; i < m.Rows {
		j.d.kernel.fetch(j.part(m, i, lo, hi))
	}
}

// total is the sum over the columns of a unit, the u-th of a block.
func (j *normJob) total(s []float64, u int) float64 {
	var sum float64
	for _, v := range s[u*j.bn.Span : (u+1)*j.bn.Span] {
		sum += v
	}
	return sum
}

// statistics sets the mean and deviation of units lo..hi, and moves their
// running averages. s1 and s2 are zeros for each column.
func (j *normJob) statistics(lo, hi int, s1, s2 []float64) {
	for i := range j.x.Rows {
		j.fetch(j.x, i, lo, hi)
		j.d.kernel.moments(j.part(j.x, i, lo, hi), s1, s2)
	}
	for u := lo; u < hi; u++ {
		j.settle(u, j.total(s1, u-lo), j.total(s2, u-lo))
	}
}

// count is the number of values that a unit has in the batch.
func (j *normJob) count() float64 { return float64(max(1, j.x.Rows*j.bn.Span)) }

// settle sets the mean and deviation of unit u from the sums of its values and
// their squares, and moves its running averages.
func (j *normJob) settle(u int, s1, s2 float64) {
	bn, count := j.bn, j.count()
	mean := s1 / count
	variance := max(0, s2/count-mean*mean)
	unbiased := variance * count / max(1, count-1)
	bn.Mean.Data[u] = float32(mean)
	bn.InvStd.Data[u] = float32(1 / math.Sqrt(variance+float64(bn.Epsilon)))
	bn.RunMean.Data[u] += bn.Momentum * (float32(mean) - bn.RunMean.Data[u])
	bn.RunVar.Data[u] += bn.Momentum * (float32(unbiased) - bn.RunVar.Data[u])
}

// unit is the mean, the scale and the shift of unit u; without inv, from the
// running variance.
func (j *normJob) unit(u int, mean, inv []float32) (m, scale, shift float32) {
	v := float32(0)
	if inv != nil {
		v = inv[u]
	} else {
		v = float32(1 / math.Sqrt(float64(j.bn.RunVar.Data[u])+float64(j.bn.Epsilon)))
	}
	return mean[u], j.bn.Gamma.Data[u] * v, j.bn.Beta.Data[u]
}

// grads sets the gradients of γ and β of unit u from the sums of g and
// g·(x − mean), and gives the two factors that the input's gradient has of them.
func (j *normJob) grads(u int, s1, s2 float64) (k1, k2 float32) {
	inv := float64(j.bn.InvStd.Data[u])
	scale := float64(j.bn.Gamma.Data[u] * j.bn.InvStd.Data[u])
	j.dbeta.Data[u] = float32(s1)
	j.dgamma.Data[u] = float32(s2 * inv)
	return float32(scale * s1 / j.count()), float32(scale * s2 * inv * inv / j.count())
}

// unit is what is in memory of unit u of m, a transposed view. It copies no Mat: a
// copy waits until all that was stored before is in the cache.
func unit(m *compute.Mat, u int) []float32 { return m.Data[u*m.Rows : (u+1)*m.Rows] }

// unitOf is all columns of unit u of m, a transposed view.
func (j *normJob) unitOf(m *compute.Mat, u int) []float32 {
	n := m.Rows * j.bn.Span
	return m.Data[u*n : (u+1)*n]
}

// dyUnit is unit u of dy, in a gradient.
func (j *normJob) dyUnit(u int) []float32 {
	if j.mode != normGrad {
		return nil
	}
	return j.unitOf(&j.dy, u)
}

// row does all of unit u, whose values x, and in a gradient dy, are one row in
// memory, and sets y: they are still in the first-level cache when they are read
// again.
func (j *normJob) row(y, x, dy []float32, u int, w *worker) {
	switch j.mode {
	case normTrain:
		w.lanes = lanes{}
		j.d.kernel.rowMoments(x, &w.lanes)
		s1, s2 := w.lanes.totals()
		j.settle(u, s1, s2)
		j.d.kernel.rowNormalise(y, x, j.factors(u, w))
	case normEval:
		w.unit = factors{limit: j.limit}
		w.unit.mean, w.unit.scale, w.unit.shift = j.unit(u, j.bn.RunMean.Data, nil)
		j.d.kernel.rowNormalise(y, x, &w.unit)
	case normGrad:
		j.d.kernel.rowNormaliseGrad(y, dy, x, j.sums(x, dy, u, w))
	}
}

// constant is row in training for a unit of which all values are 0.
func (j *normJob) constant(y, zeros []float32, u int, w *worker) {
	j.settle(u, 0, 0)
	j.d.kernel.rowNormalise(y, zeros, j.factors(u, w))
}

// sums sets the gradients of γ and β of unit u, and gives the factors of its input's.
func (j *normJob) sums(x, dy []float32, u int, w *worker) *factors {
	c := j.factors(u, w)
	w.lanes = lanes{}
	j.d.kernel.rowGradMoments(dy, x, c, &w.lanes)
	s1, s2 := w.lanes.totals()
	c.k1, c.k2 = j.grads(u, s1, s2)
	return c
}

// factors are those of unit u by the batch's statistics, in memory of w.
func (j *normJob) factors(u int, w *worker) *factors {
	w.unit = factors{limit: j.limit}
	w.unit.mean, w.unit.scale, w.unit.shift = j.unit(u, j.bn.Mean.Data, j.bn.InvStd.Data)
	return &w.unit
}

// spread sets the factors of the columns of units lo..hi; without inv, from the
// running variance.
func (j *normJob) spread(c columns, lo, hi int, mean, inv []float32) {
	span := j.bn.Span
	for u := lo; u < hi; u++ {
		m, scale, shift := j.unit(u, mean, inv)
		for i := (u - lo) * span; i < (u-lo+1)*span; i++ {
			c.mean[i], c.scale[i], c.shift[i] = m, scale, shift
		}
	}
}

func (j *normJob) normalise(lo, hi int, c columns) {
	for i := range j.x.Rows {
		j.fetch(j.y, i, lo, hi)
		j.d.kernel.normalise(j.part(j.y, i, lo, hi), j.part(j.x, i, lo, hi), c, j.limit)
	}
}

// gradient sets the gradients of units lo..hi. s1 and s2 are zeros for each
// column.
func (j *normJob) gradient(lo, hi int, c columns, s1, s2 []float64) {
	span := j.bn.Span
	for i := range j.x.Rows {
		j.fetch(j.dy, i, lo, hi)
		j.fetch(j.x, i, lo, hi)
		j.d.kernel.gradMoments(j.part(j.dy, i, lo, hi), j.part(j.x, i, lo, hi), c, j.limit, s1, s2)
	}
	for u := lo; u < hi; u++ {
		k1, k2 := j.grads(u, j.total(s1, u-lo), j.total(s2, u-lo))
		for i := (u - lo) * span; i < (u-lo+1)*span; i++ {
			c.k1[i], c.k2[i] = k1, k2
		}
	}
	for i := range j.x.Rows {
		j.fetch(j.y, i, lo, hi)
		j.d.kernel.normaliseGrad(j.part(j.y, i, lo, hi), j.part(j.dy, i, lo, hi), j.part(j.x, i, lo, hi), c, j.limit)
	}
}
