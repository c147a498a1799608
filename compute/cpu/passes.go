package cpu

import "betalasso/compute"

// passes are the loops beside the products that are worth vector instructions.
// The methods take slices of any length; those that a loop goes through side by
// side are at least as long as the first, or as what is said to be gone through.
type passes struct {
	moves
	whole vectors

	// stepRows is compute.Update without momentum on rows x cols weights, whose
	// rows are ldw apart, along dw, whose rows are ldd apart; it gives the
	// non-zeros. Where it is nil, step does row after row.
	stepRows func(w []float32, ldw int, dw []float32, ldd, rows, cols int, u *compute.Update) int
}

// moves copy and change no number.
type moves struct {
	// transpose16 lays sixteen rows of 16n numbers, lds apart, into columns:
	//
	//	dst[j*ldd+i] = src[i*lds+j]   // i < 16, j < 16n
	transpose16 func(dst []float32, ldd int, src []float32, lds, n int)

	// transpose8 is the same for eight rows of 8n numbers, and transpose4 for four
	// of 4n.
	transpose8 func(dst []float32, ldd int, src []float32, lds, n int)
	transpose4 func(dst []float32, ldd int, src []float32, lds, n int)

	// moveRows copies n rows of width numbers, a multiple of 4, lds apart:
	//
	//	dst[p*width+i] = src[p*lds+i]   // i < width, p < n
	moveRows func(dst []float32, width int, src []float32, lds, n int)

	// fetch brings s into the cache, and fetchRows rows of cols numbers, ld apart.
	fetch     func(s []float32)
	fetchRows func(s []float32, ld, rows, cols int)
}

// vectors are loops over whole vectors: the first slice's length is a multiple of
// 16, or 0. What is left over of a slice is for the portable loops below, which also
// say what each of these computes, to the bit. A field that is nil leaves them all.
type vectors struct {
	add           func(dst, a, b []float32)
	relu          func(y, x []float32)
	reluGrad      func(dx, dy, y []float32)
	round         func(s []float32)
	step          func(w, dw []float32, u *compute.Update) int
	momentumStep  func(w, v, dw []float32, u *compute.Update) int
	moments       func(x []float32, s1, s2 []float64)
	normalise     func(y, x []float32, c columns, limit float32)
	gradMoments   func(dy, x []float32, c columns, limit float32, s1, s2 []float64)
	normaliseGrad func(dx, dy, x []float32, c columns, limit float32)

	// reaching sets at to the places in g of numbers whose bits but the sign are limit or
	// more, and gives how many there are; it may write a vector beyond them.
	reaching func(at []int32, g []float32, limit uint32) int

	rowMoments       func(x []float32, s *lanes)
	rowNormalise     func(y, x []float32, c *factors)
	rowGradMoments   func(dy, x []float32, c *factors, s *lanes)
	rowNormaliseGrad func(dx, dy, x []float32, c *factors)
}

// vector is the number of elements that loops over whole vectors take a multiple of.
const vector = 16

// lanes are two sums in sixteen parts.
type lanes [2][16]float64

// totals adds the parts up, always in the same order.
func (s *lanes) totals() (s1, s2 float64) {
	var t [2]float64
	for i := range t {
		l := &s[i]
		for half := 8; half > 0; half /= 2 {
			for j := range half {
				l[j] += l[j+half]
			}
		}
		t[i] = l[0]
	}
	return t[0], t[1]
}

// factors are those of one unit's batch norm.
type factors struct {
	mean, scale, shift, k1, k2 float32
	limit                      float32 // outputs that are ≤ limit become 0
}

// columns are factors of a batch norm, for each column of a block.
type columns struct {
	mean, scale, shift, k1, k2 []float32
}

// from is the columns from the n-th.
func (c columns) from(n int) columns {
	return columns{c.mean[n:], c.scale[n:], c.shift[n:], c.k1[n:], c.k2[n:]}
}

// portable is in Go.
var portable = passes{moves: moves{
	transpose16: transpose16, transpose8: transpose8, transpose4: transpose4, moveRows: moveRows,
	fetch: func([]float32) {}, fetchRows: func([]float32, int, int, int) {},
}}

// reaching sets at to the places in g of numbers whose bits but the sign are limit or more.
func (p *passes) reaching(at []int32, g []float32, limit uint32) (n int) {
	whole := 0
	if p.whole.reaching != nil {
		whole = len(g) &^ (vector - 1)
		n = p.whole.reaching(at, g[:whole], limit)
	}
	for k, v := range g[whole:] {
		if unsigned(v) >= limit {
			at[n] = int32(whole + k)
			n++
		}
	}
	return n
}

// add sets dst = a + b.
func (p *passes) add(dst, a, b []float32) {
	n := 0
	if p.whole.add != nil {
		n = len(dst) &^ (vector - 1)
		p.whole.add(dst[:n], a, b)
	}
	add(dst[n:], a[n:], b[n:])
}

// relu sets y = max(0, x). NaN stays NaN.
func (p *passes) relu(y, x []float32) {
	n := 0
	if p.whole.relu != nil {
		n = len(y) &^ (vector - 1)
		p.whole.relu(y[:n], x)
	}
	relu(y[n:], x[n:])
}

// reluGrad sets dx = dy where y > 0, else 0.
func (p *passes) reluGrad(dx, dy, y []float32) {
	n := 0
	if p.whole.reluGrad != nil {
		n = len(dx) &^ (vector - 1)
		p.whole.reluGrad(dx[:n], dy, y)
	}
	reluGrad(dx[n:], dy[n:], y[n:])
}

// round rounds to bfloat16, to nearest with ties to even. NaN stays NaN.
func (p *passes) round(s []float32) {
	n := 0
	if p.whole.round != nil {
		n = len(s) &^ (vector - 1)
		p.whole.round(s[:n])
	}
	round(s[n:])
}

// step is compute.Update without momentum, and gives the non-zeros.
func (p *passes) step(w, dw []float32, u *compute.Update) (nonzero int) {
	if p.stepRows != nil {
		return p.stepRows(w, 0, dw, 0, 1, len(w), u)
	}
	n := 0
	if p.whole.step != nil {
		n = len(w) &^ (vector - 1)
		nonzero = p.whole.step(w[:n], dw, u)
	}
	return nonzero + step(w[n:], dw[n:], u)
}

// momentumStep is compute.Update with momentum, and gives the non-zeros.
func (p *passes) momentumStep(w, v, dw []float32, u *compute.Update) (nonzero int) {
	n := 0
	if p.whole.momentumStep != nil {
		n = len(w) &^ (vector - 1)
		nonzero = p.whole.momentumStep(w[:n], v, dw, u)
	}
	return nonzero + momentumStep(w[n:], v[n:], dw[n:], u)
}

// moments adds x and its squares: s1 += x, s2 += x².
func (p *passes) moments(x []float32, s1, s2 []float64) {
	n := 0
	if p.whole.moments != nil {
		n = len(x) &^ (vector - 1)
		p.whole.moments(x[:n], s1, s2)
	}
	moments(x[n:], s1[n:], s2[n:])
}

// normalise sets y to scale·(x − mean) + shift, or to 0 where that is ≤ limit.
func (p *passes) normalise(y, x []float32, c columns, limit float32) {
	n := 0
	if p.whole.normalise != nil {
		n = len(y) &^ (vector - 1)
		p.whole.normalise(y[:n], x, c, limit)
	}
	normalise(y[n:], x[n:], c.from(n), limit)
}

// gradMoments adds g and g·(x − mean), where g is dy, or 0 where normalise gives 0:
//
//	s1 += g
//	s2 += g·(x − mean)
func (p *passes) gradMoments(dy, x []float32, c columns, limit float32, s1, s2 []float64) {
	n := 0
	if p.whole.gradMoments != nil {
		n = len(dy) &^ (vector - 1)
		p.whole.gradMoments(dy[:n], x, c, limit, s1, s2)
	}
	gradMoments(dy[n:], x[n:], c.from(n), limit, s1[n:], s2[n:])
}

// normaliseGrad sets dx to scale·g − k1 − k2·(x − mean), with g as in gradMoments.
func (p *passes) normaliseGrad(dx, dy, x []float32, c columns, limit float32) {
	n := 0
	if p.whole.normaliseGrad != nil {
		n = len(dx) &^ (vector - 1)
		p.whole.normaliseGrad(dx[:n], dy, x, c, limit)
	}
	normaliseGrad(dx[n:], dy[n:], x[n:], c.from(n), limit)
}

// rowMoments and the three below are the same four for a whole row of one unit,
// whose factors are all alike. The sums have sixteen lanes: element i is added to
// lanes i mod 16.
func (p *passes) rowMoments(x []float32, s *lanes) {
	n := 0
	if p.whole.rowMoments != nil {
		n = len(x) &^ (vector - 1)
		p.whole.rowMoments(x[:n], s)
	}
	rowMoments(x[n:], s)
}

func (p *passes) rowNormalise(y, x []float32, c *factors) {
	n := 0
	if p.whole.rowNormalise != nil {
		n = len(y) &^ (vector - 1)
		p.whole.rowNormalise(y[:n], x, c)
	}
	rowNormalise(y[n:], x[n:], c)
}

func (p *passes) rowGradMoments(dy, x []float32, c *factors, s *lanes) {
	n := 0
	if p.whole.rowGradMoments != nil {
		n = len(dy) &^ (vector - 1)
		p.whole.rowGradMoments(dy[:n], x, c, s)
	}
	rowGradMoments(dy[n:], x[n:], c, s)
}

func (p *passes) rowNormaliseGrad(dx, dy, x []float32, c *factors) {
	n := 0
	if p.whole.rowNormaliseGrad != nil {
		n = len(dx) &^ (vector - 1)
		p.whole.rowNormaliseGrad(dx[:n], dy, x, c)
	}
	rowNormaliseGrad(dx[n:], dy[n:], x[n:], c)
}

// update takes the step u on rows x cols weights, whose rows are ldw apart, along
// g, whose rows are ldg apart, and gives the non-zeros. v is nil without momentum.
func (p *passes) update(w, v []float32, ldw int, g []float32, ldg, rows, cols int, u *compute.Update) (nonzero int) {
	if v == nil && p.stepRows != nil {
		return p.stepRows(w, ldw, g, ldg, rows, cols, u)
	}
	for i := range rows {
		row, grad := w[i*ldw:][:cols], g[i*ldg:][:cols]
		if v != nil {
			nonzero += p.momentumStep(row, v[i*ldw:][:cols], grad, u)
		} else {
			nonzero += p.step(row, grad, u)
		}
	}
	return nonzero
}
