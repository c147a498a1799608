package cpu

import (
	"math"

	"betalasso/compute"
)

// passes are the loops beside the products that are worth vector instructions.
// Slices that a loop goes through side by side are at least as long as the
// first, or as what is said to be gone through.
type passes struct {
	// transpose16 lays sixteen rows of 16n numbers, lds apart, into columns:
	//
	//	dst[j*ldd+i] = src[i*lds+j]   // i < 16, j < 16n
	transpose16 func(dst []float32, ldd int, src []float32, lds, n int)

	// transpose8 is the same for eight rows of 8n numbers.
	transpose8 func(dst []float32, ldd int, src []float32, lds, n int)

	// transpose4 is the same for four rows of 4n numbers, with ldd = 4.
	transpose4 func(dst, src []float32, lds, n int)

	// moveTaps copies 8n neighbours for each tap:
	//
	//	dst[p*stride+i] = src[taps[p]+i]   // i < 8n
	moveTaps func(dst []float32, stride int, src []float32, taps []int, n int)

	// moveRows copies n rows of width numbers, a multiple of 8, lds apart:
	//
	//	dst[p*width+i] = src[p*lds+i]   // i < width, p < n
	moveRows func(dst []float32, width int, src []float32, lds, n int)

	// fetch brings s into the cache.
	fetch func(s []float32)

	// round rounds to bfloat16, to nearest with ties to even. NaN stays NaN.
	round func(s []float32)

	// stepRows is compute.Update without momentum on rows x cols weights, whose
	// rows are ldw apart, along dw, whose rows are ldd apart; it gives the
	// non-zeros. Where it is nil, step does row after row.
	stepRows func(w []float32, ldw int, dw []float32, ldd, rows, cols int, u *compute.Update) int

	// fetchRows brings rows of cols numbers, ld apart, into the cache.
	fetchRows func(s []float32, ld, rows, cols int)

	// step is compute.Update without momentum, and gives the non-zeros.
	step func(w, dw []float32, u *compute.Update) int

	// momentumStep is compute.Update with momentum, and gives the non-zeros.
	momentumStep func(w, v, dw []float32, u *compute.Update) int

	// moments adds x and its squares: s1 += x, s2 += x².
	moments func(x []float32, s1, s2 []float64)

	// normalise sets y to scale·(x − mean) + shift, or to 0 where that is ≤ limit.
	normalise func(y, x []float32, c columns, limit float32)

	// gradMoments adds g and g·(x − mean), where g is dy, or 0 where normalise gives 0:
	//
	//	s1 += g
	//	s2 += g·(x − mean)
	gradMoments func(dy, x []float32, c columns, limit float32, s1, s2 []float64)

	// normaliseGrad sets dx to scale·g − k1 − k2·(x − mean), with g as in gradMoments.
	normaliseGrad func(dx, dy, x []float32, c columns, limit float32)

	// The same four for a whole row of one unit, whose factors are all alike. The
	// sums have sixteen lanes: element i is added to lanes i mod 16.
	rowMoments       func(x []float32, s *lanes)
	rowNormalise     func(y, x []float32, c *factors)
	rowGradMoments   func(dy, x []float32, c *factors, s *lanes)
	rowNormaliseGrad func(dx, dy, x []float32, c *factors)
}

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

// portable is in Go.
var portable = passes{
	transpose16: transpose16, transpose8: transpose8, transpose4: transpose4, moveTaps: moveTaps, moveRows: moveRows,
	fetch: func([]float32) {}, fetchRows: func([]float32, int, int, int) {}, round: round, step: step, momentumStep: momentumStep,
	moments: moments, normalise: normalise, gradMoments: gradMoments, normaliseGrad: normaliseGrad,
	rowMoments: rowMoments, rowNormalise: rowNormalise, rowGradMoments: rowGradMoments, rowNormaliseGrad: rowNormaliseGrad,
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

func transpose16(dst []float32, ldd int, src []float32, lds, n int) {
	transpose(dst, ldd, src, lds, 16, n)
}

func transpose8(dst []float32, ldd int, src []float32, lds, n int) {
	transpose(dst, ldd, src, lds, 8, n)
}

func transpose4(dst, src []float32, lds, n int) { transpose(dst, 4, src, lds, 4, n) }

func transpose(dst []float32, ldd int, src []float32, lds, rows, n int) {
	for j := range rows * n {
		for i := range rows {
			dst[j*ldd+i] = src[i*lds+j]
		}
	}
}

func moveTaps(dst []float32, stride int, src []float32, taps []int, n int) {
	for p, t := range taps {
		copy(dst[p*stride:p*stride+8*n], src[t:])
	}
}

func moveRows(dst []float32, width int, src []float32, lds, n int) {
	for p := range n {
		copy(dst[p*width:(p+1)*width], src[p*lds:])
	}
}

func round(s []float32) {
	for i, x := range s {
		b := math.Float32bits(x)
		if b&0x7fffffff > 0x7f800000 {
			continue
		}
		b += 0x7fff + b>>16&1
		s[i] = math.Float32frombits(b &^ 0xffff)
	}
}

// signed is l with the sign of x, and 0 for a zero.
func signed(l, x float32) float32 {
	if x == 0 {
		return 0
	}
	return math.Float32frombits(math.Float32bits(l) | math.Float32bits(x)&(1<<31))
}

func step(w, dw []float32, u *compute.Update) (nonzero int) {
	dw = dw[:len(w)]
	for i, x := range w {
		if u.Hold && x == 0 {
			w[i] = 0 // not −0
			continue
		}
		g := dw[i] + float32(u.WeightDecay*x) + signed(u.L1, x)
		x -= float32(u.LR * g)
		if float32(math.Abs(float64(x))) < u.Threshold {
			x = 0
		}
		if x != 0 {
			nonzero++
		}
		w[i] = x
	}
	return nonzero
}

func momentumStep(w, v, dw []float32, u *compute.Update) (nonzero int) {
	dw, v = dw[:len(w)], v[:len(w)]
	for i, x := range w {
		g := float32(u.Momentum*v[i]) + (dw[i] + float32(u.WeightDecay*x) + signed(u.L1, x))
		v[i] = g
		x -= float32(u.LR * g)
		if float32(math.Abs(float64(x))) < u.Threshold {
			x = 0
		}
		if x != 0 {
			nonzero++
		}
		w[i] = x
	}
	return nonzero
}

func moments(x []float32, s1, s2 []float64) {
	s1, s2 = s1[:len(x)], s2[:len(x)]
	for i, v := range x {
		f := float64(v)
		s1[i] += f
		s2[i] += f * f
	}
}

func normalise(y, x []float32, c columns, limit float32) {
	for i, v := range x[:len(y)] {
		v = float32(c.scale[i]*(v-c.mean[i])) + c.shift[i]
		if v <= limit {
			v = 0
		}
		y[i] = v
	}
}

func gradMoments(dy, x []float32, c columns, limit float32, s1, s2 []float64) {
	for i, g := range dy {
		d := x[i] - c.mean[i]
		if float32(c.scale[i]*d)+c.shift[i] <= limit {
			continue
		}
		s1[i] += float64(g)
		s2[i] += float64(g) * float64(d)
	}
}

func normaliseGrad(dx, dy, x []float32, c columns, limit float32) {
	for i := range dx {
		d := x[i] - c.mean[i]
		var r float32
		if !(float32(c.scale[i]*d)+c.shift[i] <= limit) {
			r = c.scale[i] * dy[i]
		}
		dx[i] = r - (c.k1[i] + float32(c.k2[i]*d))
	}
}

func rowMoments(x []float32, s *lanes) {
	for i, v := range x {
		f := float64(v)
		s[0][i&15] += f
		s[1][i&15] += f * f
	}
}

func rowNormalise(y, x []float32, c *factors) {
	for i, v := range x[:len(y)] {
		v = float32(c.scale*(v-c.mean)) + c.shift
		if v <= c.limit {
			v = 0
		}
		y[i] = v
	}
}

func rowGradMoments(dy, x []float32, c *factors, s *lanes) {
	for i, g := range dy {
		d := x[i] - c.mean
		if float32(c.scale*d)+c.shift <= c.limit {
			continue
		}
		s[0][i&15] += float64(g)
		s[1][i&15] += float64(g) * float64(d)
	}
}

func rowNormaliseGrad(dx, dy, x []float32, c *factors) {
	for i := range dx {
		d := x[i] - c.mean
		var r float32
		if !(float32(c.scale*d)+c.shift <= c.limit) {
			r = c.scale * dy[i]
		}
		dx[i] = r - (c.k1 + float32(c.k2*d))
	}
}
