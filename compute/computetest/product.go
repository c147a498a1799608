package computetest

import (
	"fmt"
	"math"
	"testing"

	"betalasso/compute"
)

// product is an operation that sums k products a·b into each element of dst.
type product func(dev compute.Device, dst, a, b compute.Mat)

// check runs a product on the device and on ref. With operands rounded to unit
// u, and sums of k terms rounded to ε = 2⁻²⁴ in any order, an element may be
// off by
//
//	|got − want| ≤ (2u + u² + 2(k+1)·ε)·Σ|aᵢbᵢ|
//
// where ref gives Σ|aᵢbᵢ| as the same product of absolute values.
func (s *suite) check(t *testing.T, what string, op product, rows, cols, k int, a, b compute.Mat) {
	t.Helper()
	s.checkInto(t, what, op, zeros(rows, cols), k, a, b)
}

// checkInto is check with a destination of the shape and layout of to.
func (s *suite) checkInto(t *testing.T, what string, op product, to compute.Mat, k int, a, b compute.Mat) {
	t.Helper()
	dst := like(to)
	ga, gb := guard(a), guard(b) // sources at odd addresses, too
	op(s.dev, dst.Mat, ga.Mat, gb.Mat)
	dst.intact(t, what)
	unchanged(t, what, ga.Mat, a)
	unchanged(t, what, gb.Mat, b)
	want, sum := zerosLike(to), zerosLike(to)
	op(s.ref, want, a, b)
	op(s.ref, sum, absolute(a), absolute(b))
	relative := 2*s.unit + s.unit*s.unit + 2*float64(k+1)*ε
	near(t, what, dst.Mat, want, func(i int) float64 {
		if math.IsNaN(float64(want.Data[i])) || math.IsInf(float64(want.Data[i]), 0) {
			return math.Inf(1)
		}
		return relative * float64(sum.Data[i])
	})
}

func multiply(dev compute.Device, dst, a, b compute.Mat) { dev.Mul(dst, a, b) }

func (s *suite) mul(t *testing.T) {
	var sizes [][3]int // rows, cols, k
	edges := []int{0, 1, 5, 6, 7, 15, 16, 17}
	for _, m := range edges {
		for _, n := range edges {
			for _, k := range edges {
				sizes = append(sizes, [3]int{m, n, k})
			}
		}
	}
	sizes = append(sizes, [][3]int{
		{23, 31, 37}, {97, 131, 257}, {1, 257, 61}, {257, 1, 61}, {2, 3, 2053}, {13, 19, 1031},
		{331, 11, 8}, {8, 1543, 5}, {64, 96, 128}, {48, 33, 512}, {12, 32, 513},
	}...)
	for i, z := range sizes {
		m, n, k := z[0], z[1], z[2]
		a, b := random(m, k, 0, uint64(i)), random(k, n, 0, uint64(i)+1<<20)
		for trans := range 4 {
			what := fmt.Sprintf("Mul %dx%dx%d, transposed %02b", m, n, k, trans)
			s.check(t, what, multiply, m, n, k, view(a, trans&2 != 0), view(b, trans&1 != 0))
		}
		if t.Failed() {
			return
		}
	}
}

// mulNotFinite wants NaN and Inf to reach what they touch, and nothing else:
// also where the other factor is 0.
func (s *suite) mulNotFinite(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, special := range []float32{inf, -inf, float32(math.NaN())} {
		for _, z := range [][3]int{{1, 1, 1}, {7, 17, 5}, {13, 35, 300}} {
			m, n, k := z[0], z[1], z[2]
			for trans := range 4 {
				a, b := normal(random(m, k, 0, 1)), normal(random(k, n, 0, 2))
				a.Data[(m-1)*k+k/2] = special
				b.Data[(k/2)*n] = 0
				what := fmt.Sprintf("Mul %dx%dx%d, transposed %02b, %v on the left", m, n, k, trans, special)
				s.check(t, what, multiply, m, n, k, view(a, trans&2 != 0), view(b, trans&1 != 0))
				a, b = normal(random(m, k, 0, 3)), normal(random(k, n, 0, 4))
				b.Data[(k-1)*n+n-1] = special
				a.Data[k-1] = 0
				what = fmt.Sprintf("Mul %dx%dx%d, transposed %02b, %v on the right", m, n, k, trans, special)
				s.check(t, what, multiply, m, n, k, view(a, trans&2 != 0), view(b, trans&1 != 0))
			}
		}
	}
}

// rows tests AddRow, which is exact, and SumRows.
func (s *suite) rows(t *testing.T) {
	for _, z := range [][2]int{{0, 3}, {1, 1}, {5, 7}, {16, 64}, {17, 65}, {3, 1031}, {515, 10}} {
		for _, trans := range []bool{false, true} {
			n, cols := z[0], z[1]
			what := fmt.Sprintf("AddRow %dx%d, transposed %v", n, cols, trans)
			a, b := random(n, cols, 0, 1), random(1, cols, 0, 2)
			b.Data[cols-1] = float32(math.NaN())
			dst, row := guard(view(a, trans)), guard(b)
			s.dev.AddRow(dst.Mat, row.Mat)
			dst.intact(t, what)
			unchanged(t, what, row.Mat, b)
			want := view(a, trans)
			if !trans {
				want = clone(a)
			}
			s.ref.AddRow(want, b)
			exactly(t, what, dst.Mat, want)

			what = fmt.Sprintf("SumRows %dx%d, transposed %v", n, cols, trans)
			if n > 0 {
				a.Data[n*cols-1] = float32(math.Inf(-1))
			}
			from := view(a, trans)
			sum, src := newGuarded(1, cols), guard(from)
			s.dev.SumRows(sum.Mat, src.Mat)
			sum.intact(t, what)
			unchanged(t, what, src.Mat, from)
			want, abs := zeros(1, cols), zeros(1, cols)
			s.ref.SumRows(want, from)
			s.ref.SumRows(abs, absolute(from))
			near(t, what, sum.Mat, want, func(i int) float64 { // |got − want| ≤ 2n·ε·Σ|aᵢ|
				if math.IsInf(float64(abs.Data[i]), 0) {
					return math.Inf(1)
				}
				return 2 * float64(n+1) * ε * float64(abs.Data[i])
			})
		}
	}
}
