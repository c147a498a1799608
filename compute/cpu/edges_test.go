package cpu

import (
	"fmt"
	"testing"

	"betalasso/compute"
)

// TestMulEdges multiplies around the edges of tiles, of blocks and of a KC block
// of panels, between guard words. The numbers are small integers, so that every
// sum is exact, in bfloat16 too.
func TestMulEdges(t *testing.T) {
	const guard, words = 77, 9
	for _, bf16 := range []bool{false, true} {
		for _, name := range Kernels(bf16) {
			d := device(t, 2, name, bf16)
			mr, nr := d.kernel.mr, d.kernel.nr
			var sizes [][3]int
			for _, m := range []int{mr - 1, mr, mr + 1, 3*mr + 1} {
				for _, n := range []int{1, 7, 8, 9, nr - 1, nr, nr + 1, 2*nr + 9} {
					for _, k := range []int{1, 3, 8, 13} {
						sizes = append(sizes, [3]int{m, n, k})
					}
				}
			}
			sizes = append(sizes, [][3]int{
				{5, 9, maxKC - 1}, {5, 9, maxKC}, {5, 9, maxKC + 1}, {3, 50, 2*maxKC + 9},
				{maxMC - 1, 31, 9}, {maxMC, 31, 9}, {maxMC + 1, 31, maxKC + 3}, {2*maxMC + 3, 26, 17},
				{7, maxNC - 1, 9}, {7, maxNC, 9}, {7, maxNC + 1, maxKC + 3}, {7, 40*maxNC + 5, 9},
			}...)
			for _, s := range sizes {
				m, n, k := s[0], s[1], s[2]
				a, b, want := d.Alloc(m, k), d.Alloc(k, n), d.Alloc(m, n)
				for i := range a.Data {
					a.Data[i] = float32(i*7%11 - 5)
				}
				for i := range b.Data {
					b.Data[i] = float32(i*5%13 - 6)
				}
				for i := range m {
					row := want.Row(i)
					for p, x := range a.Row(i) {
						for j, y := range b.Row(p) {
							row[j] += x * y
						}
					}
				}
				for trans := range 4 {
					what := fmt.Sprintf("%s, bf16 %v: %dx%dx%d, transposed %02b", name, bf16, m, n, k, trans)
					buf := make([]float32, m*n+2*words)
					for i := range buf {
						buf[i] = guard
					}
					dst := compute.Mat{Rows: m, Cols: n, Data: buf[words : words+m*n]}
					d.Mul(dst, transposed(a, trans&2 != 0), transposed(b, trans&1 != 0))
					sameBits(t, what, dst, want)
					for i := range words {
						if buf[i] != guard || buf[words+m*n+i] != guard {
							t.Fatalf("%s: wrote beside the destination", what)
						}
					}
				}
			}
		}
	}
}

// transposed is m, or the same matrix as a view of its stored transpose.
func transposed(m compute.Mat, trans bool) compute.Mat {
	if !trans {
		return m
	}
	v := compute.Mat{Rows: m.Cols, Cols: m.Rows, Data: make([]float32, len(m.Data))}
	for i := range m.Rows {
		for j, x := range m.Row(i) {
			v.Data[j*m.Rows+i] = x
		}
	}
	return v.T()
}

// TestNoRows wants an empty batch to do no harm.
func TestNoRows(t *testing.T) {
	for _, name := range Kernels(false) {
		d := device(t, 2, name, false)
		const units = 11
		one := func() compute.Mat {
			m := d.Alloc(1, units)
			for i := range m.Data {
				m.Data[i] = 1
			}
			return m
		}
		bn := &compute.BatchNorm{Span: 1, Epsilon: 1e-5, Momentum: 0.1, Gamma: one(), Beta: one(),
			Mean: one(), InvStd: one(), RunMean: one(), RunVar: one()}
		x, dgamma, dbeta := d.Alloc(0, units), one(), one()
		d.BatchNorm(x, x, bn)
		d.BatchNormEval(x, x, bn)
		d.BatchNormGrad(x, dgamma, dbeta, x, x, bn)
		for what, m := range map[string]compute.Mat{"mean": bn.Mean, "dgamma": dgamma, "dbeta": dbeta} {
			sameBits(t, name+": "+what, m, d.Alloc(1, units))
		}
		for i, v := range bn.RunVar.Data {
			if v != 0.9 {
				t.Errorf("%s: running variance %d: got %v, want 0.9", name, i, v)
			}
		}
		if loss, correct := d.CrossEntropy(x, x, nil); loss != 0 || correct != 0 {
			t.Errorf("%s: CrossEntropy of nothing: got %v, %d", name, loss, correct)
		}
		w, dw := d.Alloc(units, 5), d.Alloc(units, 5)
		dw.Data[7] = 3
		d.Mul(dw, x.T(), d.Alloc(0, 5))
		sameBits(t, name+": gradient of no rows", dw, w)
	}
}
