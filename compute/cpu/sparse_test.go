package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"betalasso/compute"
)

// A layer of this size may be sparse; neither number is a multiple of a tile, and
// the inputs are more than two KC blocks.
const (
	sparseUnits  = 70
	sparseInputs = 1100
)

// normals is a matrix of normal numbers.
func normals(r *rand.Rand, rows, cols int, scale float64) compute.Mat {
	m := compute.Mat{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
	for i := range m.Data {
		m.Data[i] = float32(scale * r.NormFloat64())
	}
	return m
}

// TestSparseEqualsDense trains a layer in both forms on the same batches, with
// steps in which weights become zero, return, and are held, and wants the same
// bits of every number in every step: for each kernel, any number of threads,
// every layout, and batches that fill no vector.
func TestSparseEqualsDense(t *testing.T) {
	batches := []int{64, 96, 45, 3, 512} // of 512 a kernel may take several hundred at a time
	if testing.Short() {                 // as under the race detector
		batches = []int{45}
	}
	for _, bf16 := range []bool{false, true} {
		for _, name := range Kernels(bf16) {
			for _, n := range batches {
				t.Run(fmt.Sprintf("%s, bf16 %v, %d", name, bf16, n), func(t *testing.T) { sparseEqualsDense(t, name, bf16, n) })
			}
		}
	}
}

func sparseEqualsDense(t *testing.T, name string, bf16 bool, n int) {
	dense, err := New(Options{Threads: 1, Kernel: name, BF16: bf16, Dense: true})
	if err != nil {
		t.Fatal(err)
	}
	thin, err := New(Options{Threads: 2, Kernel: name, BF16: bf16})
	if err != nil {
		t.Fatal(err)
	}
	thin.thinBelow, thin.thickenAbove = thinBelow, thickenAbove
	r := rand.New(rand.NewPCG(uint64(n), 1))
	a, b := dense.Dense(sparseUnits, sparseInputs), thin.Dense(sparseUnits, sparseInputs)
	for i, m := 0, normals(r, sparseUnits, sparseInputs, 1); i < sparseUnits; i++ {
		a.Write(i, m.Row(i))
		b.Write(i, m.Row(i))
	}
	row, want := make([]float32, sparseInputs), make([]float32, sparseInputs)
	forms, returned := map[bool]int{}, 0
	before := 0
	for step := range 24 {
		x, dy := normals(r, n, sparseInputs, 1), normals(r, n, sparseUnits, 1/math.Sqrt(float64(n)))
		if step%2 == 1 {
			x, dy = transposed(x, true), transposed(dy, true)
		}
		ya, yb := dense.Alloc(n, sparseUnits), thin.Alloc(n, sparseUnits)
		dxa, dxb := dense.Alloc(n, sparseInputs), thin.Alloc(n, sparseInputs)
		if step%3 == 1 {
			ya, yb = dense.Alloc(sparseUnits, n).T(), thin.Alloc(sparseUnits, n).T()
			dxa, dxb = dense.Alloc(sparseInputs, n).T(), thin.Alloc(sparseInputs, n).T()
		}
		a.Forward(ya, x)
		b.Forward(yb, x)
		sameBits(t, fmt.Sprintf("step %d: y", step), yb, ya)
		if step%4 != 3 { // a first layer needs no gradient
			a.GradInput(dxa, dy)
			b.GradInput(dxb, dy)
			sameBits(t, fmt.Sprintf("step %d: dx", step), dxb, dxa)
		}
		u := compute.Update{LR: 0.1, L1: 0.01, Threshold: 1.8}
		switch {
		case step == 0:
			u.Threshold = 2.2
		case step < 8:
			u.LR = 0.5 // steps of 0.5·N(0, 1): a few return
		case step == 8 || step == 15:
			u.LR, u.Threshold = 3, 1 // most return
		case step == 9 || step == 16:
			u.Threshold = 4
		case step == 20:
			u.Hold, u.LR = true, 3
		}
		na, nb := a.Step(dy, x, u), b.Step(dy, x, u)
		if na != nb || na != b.Nonzero() {
			t.Fatalf("step %d: %d non-zeros, the dense form has %d, counted %d", step, nb, na, b.Nonzero())
		}
		if na > before {
			returned++
		}
		before = na
		for i := range sparseUnits {
			a.Read(want, i)
			b.Read(row, i)
			for k, v := range want {
				if math.Float32bits(row[k]) != math.Float32bits(v) {
					t.Fatalf("step %d: weight %d, %d: got %v, want %v", step, i, k, row[k], v)
				}
			}
		}
		forms[b.Stored() < sparseUnits*sparseInputs]++
	}
	if forms[true] < 6 || forms[false] < 2 || returned < 2 {
		t.Errorf("the test saw %d sparse steps, %d dense ones and %d in which weights returned", forms[true], forms[false], returned)
	}
}
