package computetest

import (
	"math"
	"math/rand/v2"
	"testing"

	"betalasso/compute"
)

// guardWords lie on both sides of every guarded matrix. They are odd in number,
// so that the matrix does not begin where a vector would.
const guardWords = 67

const guardValue = -7654.321

// guarded is a matrix with words around it that nothing may touch, or, where its
// numbers are odd in number, with a page after it instead that nothing may even
// read; see endOfPage, which makes all other matrices. It begins full of NaN: an
// operation must set all of it and add to none of it.
type guarded struct {
	compute.Mat
	all []float32
}

func newGuarded(rows, cols int) guarded {
	behind := guardWords
	if rows*cols%2 == 1 {
		behind = 0
	}
	all := endOfPage(guardWords + rows*cols + behind)
	for i := range all {
		all[i] = guardValue
	}
	g := guarded{compute.Mat{Rows: rows, Cols: cols, Data: all[guardWords : guardWords+rows*cols]}, all}
	for i := range g.Data {
		g.Data[i] = float32(math.NaN())
	}
	return g
}

// guard is a guarded copy of m.
func guard(m compute.Mat) guarded {
	g := like(m)
	copy(g.Data, m.Data)
	return g
}

// like is a guarded matrix of m's shape and layout.
func like(m compute.Mat) guarded {
	g := newGuarded(m.Rows, m.Cols)
	g.Trans = m.Trans
	return g
}

// zerosLike is a matrix of zeros of m's shape and layout.
func zerosLike(m compute.Mat) compute.Mat {
	z := zeros(m.Rows, m.Cols)
	z.Trans = m.Trans
	return z
}

// column is the column of element i of m.Data.
func column(m compute.Mat, i int) int {
	if m.Trans {
		return i / m.Rows
	}
	return i % m.Cols
}

// view gives m as it is or, with the same shape, as a view of its transpose.
func view(m compute.Mat, trans bool) compute.Mat {
	if !trans {
		return m
	}
	v := zeros(m.Cols, m.Rows)
	for i := range m.Rows {
		for j := range m.Cols {
			v.Data[j*m.Rows+i] = m.Data[i*m.Cols+j]
		}
	}
	return v.T()
}

// intact reports a guard word that was written.
func (g guarded) intact(t *testing.T, what string) {
	t.Helper()
	for i := range guardWords {
		if g.all[i] != guardValue {
			t.Errorf("%s: wrote %d before the matrix %v", what, guardWords-i, g.Mat)
			return
		}
		if at := guardWords + len(g.Data) + i; at < len(g.all) && g.all[at] != guardValue {
			t.Errorf("%s: wrote %d past the end of the matrix %v", what, i+1, g.Mat)
			return
		}
	}
}

// random fills a new matrix with normal numbers about mean, some zeros and some
// numbers too small to be normal; the same sizes and seed give the same numbers.
func random(rows, cols int, mean float32, seed uint64) compute.Mat {
	r := rand.New(rand.NewPCG(seed, uint64(rows)<<32+uint64(cols)))
	m := zeros(rows, cols)
	for i := range m.Data {
		switch r.IntN(64) {
		case 0: // stays 0
		case 1:
			m.Data[i] = 1e-42
		default:
			m.Data[i] = mean + float32(r.NormFloat64())
		}
	}
	return m
}

// normal is m with 1 for what is too small to be normal: rounded to bfloat16 that
// is 0, and Inf·0 is NaN.
func normal(m compute.Mat) compute.Mat {
	for i, v := range m.Data {
		if v == 1e-42 {
			m.Data[i] = 1
		}
	}
	return m
}

func zeros(rows, cols int) compute.Mat {
	return compute.Mat{Rows: rows, Cols: cols, Data: endOfPage(rows * cols)}
}

func clone(m compute.Mat) compute.Mat {
	data := endOfPage(len(m.Data))
	copy(data, m.Data)
	m.Data = data
	return m
}

// absolute is m without its signs.
func absolute(m compute.Mat) compute.Mat {
	m = clone(m)
	for i, v := range m.Data {
		m.Data[i] = float32(math.Abs(float64(v)))
	}
	return m
}

// unchanged reports a source that an operation wrote to.
func unchanged(t *testing.T, what string, now, before compute.Mat) {
	t.Helper()
	for i, v := range before.Data {
		if math.Float32bits(now.Data[i]) != math.Float32bits(v) {
			t.Errorf("%s: changed element %d of a source from %v to %v", what, i, v, now.Data[i])
			return
		}
	}
}
