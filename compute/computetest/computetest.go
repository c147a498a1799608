// Package computetest is the suite that every compute.Device must pass. What is
// right is what compute/ref computes; how far from it an answer may lie is said
// by a formula beside each operation.
package computetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"betalasso/compute"
	"betalasso/compute/ref"
)

// ulp is float32's rounding unit, 2⁻²⁴.
const ulp = 1.0 / (1 << 24)

// suite is one device on trial.
type suite struct {
	*testing.T
	dev  compute.Device
	ref  compute.Device
	unit float64 // rounding unit of a product's operands
	rng  *rand.Rand
}

// Run tries dev. unit is the rounding unit of the operands of its products:
// 2⁻²⁴ for float32, 2⁻⁸ for bfloat16.
func Run(t *testing.T, dev compute.Device, unit float64) {
	s := suite{dev: dev, ref: ref.New(), unit: unit, rng: rand.New(rand.NewPCG(1, 2))}
	for _, c := range []struct {
		name string
		run  func(suite)
	}{
		{"Mul", suite.mul}, {"MulCarriesNaN", suite.mulCarriesNaN}, {"MulNothing", suite.mulNothing},
		{"Windows", suite.windows}, {"BatchNorm", suite.batchNorm}, {"Rows", suite.rows},
		{"Dropout", suite.dropout}, {"CrossEntropy", suite.crossEntropy}, {"Update", suite.update}, {"Nonzero", suite.nonzero},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s
			s.T = t
			c.run(s)
		})
	}
}

const guard = 12345.678

// around is how many guard words stand on either side of a matrix.
const around = 16

// mat is a matrix with guard words on both sides, which guarded checks.
func mat(rows, cols int) compute.Mat {
	buf := make([]float32, rows*cols+2*around)
	for i := range buf {
		buf[i] = guard
	}
	return compute.Mat{Rows: rows, Cols: cols, Data: buf[around : around+rows*cols]}
}

// guarded wants the guard words after m, a mat, as they were. (Those before it
// cannot be reached from m; the suite's matrices lie beside one another often
// enough for a stray write to show.)
func (s suite) guarded(op string, m compute.Mat) {
	s.Helper()
	if cap(m.Data) < len(m.Data)+around {
		return
	}
	for i, v := range m.Data[len(m.Data) : len(m.Data)+around] {
		if v != guard {
			s.Fatalf("%s wrote %g %d past the end of %v", op, v, i+1, m)
		}
	}
}

// random fills a new matrix from a normal distribution, with a few zeros and
// numbers too small to be normal.
func (s suite) random(rows, cols int) compute.Mat {
	m := mat(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(s.rng.NormFloat64())
		switch s.rng.IntN(50) {
		case 0:
			m.Data[i] = 0
		case 1:
			m.Data[i] = 1e-42
		}
	}
	return m
}

// copied is a copy of m.
func copied(m compute.Mat) compute.Mat {
	c := mat(m.Rows, m.Cols)
	copy(c.Data, m.Data)
	return c
}

// magnitude is m with the absolute values of its elements.
func magnitude(m compute.Mat) compute.Mat {
	c := m
	c.Data = make([]float32, len(m.Data))
	for i, v := range m.Data {
		c.Data[i] = float32(math.Abs(float64(v)))
	}
	return c
}

// near wants |got − want| ≤ bound + 1e-37 for every element.
func (s suite) near(op string, got, want compute.Mat, bound func(i int) float64) {
	s.Helper()
	for i, w := range want.Data {
		g := got.Data[i]
		if !(math.Abs(float64(g)-float64(w)) <= bound(i)+1e-37) {
			s.Fatalf("%s: element %d (row %d, column %d) is %g, want %g ± %.3g", op, i, i/want.Cols, i%want.Cols, g, w, bound(i))
		}
	}
	s.guarded(op, got)
}

// relative is the bound a·|want| + b.
func relative(want compute.Mat, a, b float64) func(i int) float64 {
	return func(i int) float64 { return a*math.Abs(float64(want.Data[i])) + b }
}

// mul: |got − want| ≤ 2(k·ε + u)·Σ|aᵢbᵢ|, ε for the sums, u for the operands.
func (s suite) mul() {
	sizes := []int{1, 3, 4, 5, 7, 8, 23, 24, 25, 31, 49, 97}
	depths := []int{1, 2, 7, 8, 9, 31, 255, 256, 257, 300}
	try := func(m, n, k int) {
		for view := range 4 {
			a, b := s.random(m, k), s.random(k, n)
			if view&1 != 0 {
				a = s.random(k, m).T()
			}
			if view&2 != 0 {
				b = s.random(n, k).T()
			}
			got, want, sum := mat(m, n), mat(m, n), mat(m, n)
			s.dev.Mul(got, a, b)
			s.ref.Mul(want, a, b)
			s.ref.Mul(sum, magnitude(a), magnitude(b))
			s.near(fmt.Sprintf("Mul %v·%v", a, b), got, want, func(i int) float64 {
				return 2 * (float64(k)*ulp + s.unit) * float64(sum.Data[i])
			})
		}
	}
	for _, m := range sizes {
		for _, n := range sizes {
			try(m, n, depths[s.rng.IntN(len(depths))])
		}
	}
	for _, k := range depths {
		try(5, 25, k)
	}
	try(131, 101, 37)
	try(513, 29, 17) // more rows than one block
	try(19, 211, 5)  // more columns than one block
}

func (s suite) mulNothing() {
	dst := mat(3, 5)
	s.dev.Mul(dst, mat(3, 0), mat(0, 5))
	for _, v := range dst.Data {
		if v != 0 {
			s.Fatalf("a product over nothing is %g, want 0", v)
		}
	}
	s.dev.Mul(mat(0, 5), mat(0, 3), s.random(3, 5))
}

func (s suite) mulCarriesNaN() {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		a, b := s.random(9, 40), s.random(40, 30)
		a.Data[4*40+7] = bad
		got := mat(9, 30)
		s.dev.Mul(got, a, b)
		for i, v := range got.Data {
			finite := !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
			if b.Data[7*30+i%30] != 0 && math.Abs(float64(b.Data[7*30+i%30])) > 1e-30 && finite == (i/30 == 4) {
				s.Fatalf("Mul with %g in row 4: element (%d, %d) is %g", bad, i/30, i%30, v)
			}
		}
	}
}

// windows: the bound of mul, with what the sum has as k.
func (s suite) windows() {
	for _, win := range []compute.Window{
		{C: 3, H: 32, W: 32, K: 5, Size: 9, Stride: 2, Pad: 4},
		{C: 3, H: 8, W: 8, K: 25, Size: 9, Stride: 2, Pad: 4},
		{C: 2, H: 9, W: 7, K: 4, Size: 3, Stride: 1, Pad: 1},
		{C: 5, H: 6, W: 10, K: 7, Size: 3, Stride: 2, Pad: 1},
		{C: 1, H: 5, W: 5, K: 1, Size: 5, Stride: 3, Pad: 0},
		{C: 30, H: 4, W: 4, K: 26, Size: 3, Stride: 2, Pad: 1},
	} {
		for _, n := range []int{1, 3, 17} {
			s.window(n, win)
		}
	}
}

func (s suite) window(n int, win compute.Window) {
	for _, o := range []struct {
		name        string
		rows        int
		fwd, gw, gx func(d compute.Device, dst, a, b compute.Mat)
	}{
		{"Conv", win.K,
			func(d compute.Device, y, x, w compute.Mat) { d.Conv(y, x, w, win) },
			func(d compute.Device, dw, dy, x compute.Mat) { d.ConvGradW(dw, dy, x, win) },
			func(d compute.Device, dx, dy, w compute.Mat) { d.ConvGradX(dx, dy, w, win) }},
		{"Local", win.K * win.Positions(),
			func(d compute.Device, y, x, w compute.Mat) { d.Local(y, x, w, win) },
			func(d compute.Device, dw, dy, x compute.Mat) { d.LocalGradW(dw, dy, x, win) },
			func(d compute.Device, dx, dy, w compute.Mat) { d.LocalGradX(dx, dy, w, win) }},
	} {
		x, w, dy := s.random(n, win.In()), s.random(o.rows, win.Patch()), s.random(n, win.Out())
		check := func(op string, f func(d compute.Device, dst, a, b compute.Mat), rows, cols, k int, a, b compute.Mat) {
			got, want, sum := mat(rows, cols), mat(rows, cols), mat(rows, cols)
			f(s.dev, got, a, b)
			f(s.ref, want, a, b)
			f(s.ref, sum, magnitude(a), magnitude(b))
			s.near(fmt.Sprintf("%s%s of %d images, %+v", o.name, op, n, win), got, want, func(i int) float64 {
				return 2 * (float64(k)*ulp + s.unit) * float64(sum.Data[i])
			})
		}
		check("", o.fwd, n, win.Out(), win.Patch(), x, w)
		check("GradW", o.gw, o.rows, win.Patch(), n*win.Positions(), dy, x)
		check("GradX", o.gx, n, win.In(), win.Patch()*win.K, dy, w)
	}
}
