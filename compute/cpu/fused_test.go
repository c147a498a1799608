package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"betalasso/compute"
)

// TestFusedEqualsSeparate trains two layers with a batch norm after each, once
// dense and one operation after the other, once sparse and with ForwardNorm and
// StepNorm, and wants the same bits of everything that may be read: in steps in
// which weights become zero, return in bursts, are held, and, in the end, move by
// momentum, with an evaluation in between. In two steps of three the first
// layer's outputs and their gradients are left to StepNorm. Some of its units have
// no weights, and some so many that their outputs are stored all the same.
func TestFusedEqualsSeparate(t *testing.T) {
	for _, bf16 := range []bool{false, true} {
		for _, name := range Kernels(bf16) {
			for _, n := range []int{64, 45} {
				if n == 64 && (testing.Short() || name[:2] == "go") { // slow, as under the race detector
					continue
				}
				t.Run(fmt.Sprintf("%s, bf16 %v, %d", name, bf16, n), func(t *testing.T) { fusedEqualsSeparate(t, name, bf16, n) })
			}
		}
	}
}

// normed is a layer and the batch norm after it.
type normed struct {
	w             compute.Weights
	bn            compute.BatchNorm
	y, z, dz      compute.Mat
	dgamma, dbeta compute.Mat
}

func newNormed(d *Device, w compute.Mat, n int) *normed {
	units := w.Rows
	l := &normed{w: d.Dense(units, w.Cols), dgamma: d.Alloc(1, units), dbeta: d.Alloc(1, units)}
	for i := range units {
		l.w.Write(i, w.Row(i))
	}
	l.bn = compute.BatchNorm{Span: 1, ReLU: true, Epsilon: 1e-5, Momentum: 0.1}
	for _, m := range []*compute.Mat{&l.bn.Gamma, &l.bn.Beta, &l.bn.Mean, &l.bn.InvStd, &l.bn.RunMean, &l.bn.RunVar} {
		*m = d.Alloc(1, units)
	}
	for i := range units {
		l.bn.Gamma.Data[i], l.bn.Beta.Data[i] = 1+float32(i%3), 0.1
	}
	l.y, l.z, l.dz = d.Alloc(units, n).T(), d.Alloc(units, n).T(), d.Alloc(units, n).T()
	return l
}

func fusedEqualsSeparate(t *testing.T, name string, bf16 bool, n int) {
	const inputs, hidden, out = 90, 950, 70 // both layers may be sparse
	separate, err := New(Options{Threads: 1, Kernel: name, BF16: bf16, Dense: true})
	if err != nil {
		t.Fatal(err)
	}
	fused, err := New(Options{Threads: 2, Kernel: name, BF16: bf16})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(uint64(n), 2))
	w1, w2 := normals(r, hidden, inputs, 1), normals(r, out, hidden, 1)
	for i := range w1.Data {
		switch i / inputs % 32 {
		case 3:
			w1.Data[i] *= 0.1
		case 7:
			w1.Data[i] *= 4
		}
	}
	for i := range w2.Data {
		if i%hidden%5 == 0 { // units whose outgoing weights are all zero
			w2.Data[i] = 0
		}
	}
	a1, a2 := newNormed(separate, w1, n), newNormed(separate, w2, n)
	b1, b2 := newNormed(fused, w1, n), newNormed(fused, w2, n)
	n1, n2 := b1.w.(compute.NormWeights), b2.w.(compute.NormWeights)
	sparse, bursts, left, silent, empty, stored, shared := 0, 0, 0, 0, 0, 0, 0
	for step := range 12 {
		fused.thinBelow, fused.thickenAbove = thinBelow, thickenAbove
		fused.near = step % 4 / 2 * nearCache // in two steps of four, units share lines
		leave := step%3 != 1
		x, dz := normals(r, n, inputs, 1), transposed(normals(r, n, out, 0.1), true)
		a1.w.Forward(a1.y, x)
		separate.BatchNorm(a1.z, a1.y, &a1.bn)
		a2.w.Forward(a2.y, a1.z)
		separate.BatchNorm(a2.z, a2.y, &a2.bn)

		n1.ForwardNorm(b1.z, b1.y, x, &b1.bn, n2, leave)
		n2.ForwardNorm(b2.z, b2.y, b1.z, &b2.bn, nil, false)
		at := func(what string) string { return fmt.Sprintf("step %d: %s", step, what) }
		for _, w := range []compute.Weights{n1, n2} {
			if s := w.(*full).s; s != nil && s.shares() {
				shared++
			}
		}
		if s := b1.w.(*full).s; s != nil && s.left {
			for u := range hidden {
				if s.start[u] == s.start[u+1] {
					empty++
				} else if !s.leaves(u) {
					stored++
				}
			}
		}
		if b1.w.(*full).s == nil || !b1.w.(*full).s.left {
			sameBits(t, at("y1"), b1.y, a1.y)
		} else {
			left++
		}
		sameBits(t, at("y2"), b2.y, a2.y)
		sameBits(t, at("z2"), b2.z, a2.z)

		u := compute.Update{LR: 0.01, L1: 0.01, Threshold: 1.8}
		switch {
		case step == 0:
			u.Threshold = 2.2
		case step == 2 || step == 3:
			u.LR = 12 // bursts
		case step == 5:
			u.Threshold = 40
		case step == 7:
			u.Hold, u.LR = true, 30
		case step == 9:
			u.LR = 8
		case step == 10:
			u.Momentum = 0.5
		}
		separate.BatchNormGrad(a2.dz, a2.dgamma, a2.dbeta, dz, a2.y, &a2.bn)
		a2.w.GradInput(a1.dz, a2.dz)
		fused.BatchNormGrad(b2.dz, b2.dgamma, b2.dbeta, dz, b2.y, &b2.bn)
		if leave {
			n2.GradInputFor(n1, b1.dz, b2.dz)
		} else {
			b2.w.GradInput(b1.dz, b2.dz)
			sameBits(t, at("dz1"), b1.dz, a1.dz)
		}
		if s := b1.w.(*full).s; s != nil && s.owed.lines != nil {
			for u := range hidden {
				if s.owed.silent(u) {
					silent++
				}
			}
		}
		if m2, k2 := b2.w.Step(b2.dz, b1.z, u), a2.w.Step(a2.dz, a1.z, u); m2 != k2 {
			t.Fatalf("step %d: layer 2: %d non-zeros, want %d", step, m2, k2)
		}
		separate.BatchNormGrad(a1.dz, a1.dgamma, a1.dbeta, a1.dz, a1.y, &a1.bn)
		k1 := a1.w.Step(a1.dz, x, u)
		if m1 := n1.StepNorm(b1.dgamma, b1.dbeta, b1.dz, b1.y, x, &b1.bn, u); m1 != k1 {
			t.Fatalf("step %d: layer 1: %d non-zeros, want %d", step, m1, k1)
		}
		for i, l := range [][2]*normed{{a1, b1}, {a2, b2}} {
			sameBits(t, at(fmt.Sprintf("dgamma %d", i+1)), l[1].dgamma, l[0].dgamma)
			sameBits(t, at(fmt.Sprintf("dbeta %d", i+1)), l[1].dbeta, l[0].dbeta)
			sameBits(t, at(fmt.Sprintf("running variance %d", i+1)), l[1].bn.RunVar, l[0].bn.RunVar)
			rows, cols := l[0].w.Shape()
			got, want := fused.Alloc(rows, cols), fused.Alloc(rows, cols)
			for j := range rows {
				l[0].w.Read(want.Row(j), j)
				l[1].w.Read(got.Row(j), j)
			}
			sameBits(t, at(fmt.Sprintf("weights %d", i+1)), got, want)
		}
		if s := b1.w.(*full).s; s != nil && b2.w.(*full).s != nil {
			sparse++
			if s.search.bursting {
				bursts++
			}
		}
		if step == 6 { // an evaluation takes the same memory
			b1.w.Forward(b1.y, x)
			fused.BatchNormEval(b1.z, b1.y, &b1.bn)
			b2.w.Forward(b2.y, b1.z)
			a1.w.Forward(a1.y, x)
			separate.BatchNormEval(a1.z, a1.y, &a1.bn)
			a2.w.Forward(a2.y, a1.z)
			sameBits(t, at("y2 of an evaluation"), b2.y, a2.y)
		}
	}
	if sparse < 6 || sparse > 11 || bursts == 0 || left < 4 || silent < 100 || empty < 50 || stored < 50 || shared < 6 {
		t.Errorf("%d steps ended with both layers sparse, %d in a burst of the first's; outputs were left in %d, but for %d units; %d units had no weights, %d none behind them; %d layers shared lines", sparse, bursts, left, stored, empty, silent, shared)
	}
}
