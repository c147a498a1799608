package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"betalasso/compute"
)

// op is an operation of a device with operands of its own.
type op struct {
	name string
	run  func() (numbers []float64) // what it returns beside what it writes
	out  []compute.Mat              // what it writes
}

// ops are all operations of d with the same random operands for any device:
// sizes over several tasks, none a multiple of a tile.
func ops(d *Device) []op {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(rows, cols int) compute.Mat {
		m := d.Alloc(rows, cols)
		for i := range m.Data {
			m.Data[i] = float32(r.NormFloat64())
		}
		return m
	}
	var list []op
	add := func(name string, run func() []float64, out ...compute.Mat) { list = append(list, op{name, run, out}) }
	do := func(name string, run func(), out ...compute.Mat) {
		add(name, func() []float64 { run(); return nil }, out...)
	}

	layer := func(name string, w compute.Weights, x, dy compute.Mat) {
		rows, cols := w.Shape()
		for i, m := 0, random(rows, cols); i < rows; i++ {
			w.Write(i, m.Row(i))
		}
		y, dx, now := dy, x, d.Alloc(rows, cols)
		y.Data, dx.Data = d.Alloc(y.Rows, y.Cols).Data, d.Alloc(x.Rows, x.Cols).Data
		do(name+", forward", func() { w.Forward(y, x) }, y)
		do(name+", input gradient", func() { w.GradInput(dx, dy) }, dx)
		returned := make([]float64, 1)
		add(name+", step", func() []float64 {
			returned[0] = float64(w.Step(dy, x, compute.Update{LR: 0.01, L1: 0.2, Threshold: 0.3}))
			for i := range rows {
				w.Read(now.Row(i), i)
			}
			return returned
		}, now)
	}
	for _, s := range [][3]int{{530, 101, 270}, {37, 211, 530}, {67, 10, 31}} {
		m, n, k := s[0], s[1], s[2]
		a, b, c := random(m, k), random(k, n), random(m, n)
		name := fmt.Sprintf("Mul %dx%dx%d", m, n, k)
		do(name, func() { d.Mul(c, a, b) }, c)
		da, db := d.Alloc(m, k), d.Alloc(k, n)
		do(name+", left gradient", func() { d.Mul(da, c, b.T()) }, da)
		do(name+", right gradient", func() { d.Mul(db, a.T(), c) }, db)
	}
	for _, win := range []compute.Window{
		{C: 3, H: 17, W: 15, K: 7, Kernel: 9, Stride: 2, Pad: 4},
		{C: 5, H: 8, W: 8, K: 9, Kernel: 3, Stride: 1, Pad: 1},
	} {
		const n = 67
		x, y := random(n, win.In()), random(n, win.Out())
		layer(fmt.Sprintf("Conv, stride %d", win.Stride), d.Conv(win), x, y)
		layer(fmt.Sprintf("Local, stride %d", win.Stride), d.Local(win), x, y)
	}
	for _, stride := range []int{1, 2} {
		win := compute.Window{C: 9, H: 8, W: 8, K: 16, Kernel: 5, Stride: stride, Pad: 2}
		layer(fmt.Sprintf("Conv, batch innermost, stride %d", stride), d.Conv(win), random(win.In(), 101).T(), random(win.Out(), 101).T())
	}
	for _, n := range []int{37, 64, 530} {
		layer(fmt.Sprintf("Dense, %d", n), d.Dense(203, 311), random(n, 311), random(203, n).T())
	}
	for i, span := range []int{1, 9, 9} {
		const n, units = 37, 203
		x, dy := random(n, units*span), random(n, units*span)
		y, z, dx := d.Alloc(n, x.Cols), d.Alloc(n, x.Cols), d.Alloc(n, x.Cols)
		for _, m := range []*compute.Mat{&x, &dy, &y, &z, &dx} {
			if i == 2 {
				m.Trans = true
			}
		}
		dgamma, dbeta := d.Alloc(1, units), d.Alloc(1, units)
		bn := &compute.BatchNorm{Span: span, ReLU: true, Epsilon: 1e-5, Momentum: 0.1,
			Gamma: random(1, units), Beta: random(1, units), Mean: d.Alloc(1, units), InvStd: d.Alloc(1, units),
			RunMean: d.Alloc(1, units), RunVar: d.Alloc(1, units)}
		name := fmt.Sprintf(", span %d, transposed %v", span, x.Trans)
		do("BatchNorm"+name, func() { d.BatchNorm(y, x, bn) }, y, bn.Mean, bn.InvStd, bn.RunMean, bn.RunVar)
		do("BatchNormGrad"+name, func() { d.BatchNormGrad(dx, dgamma, dbeta, dy, x, bn) }, dx, dgamma, dbeta)
		do("BatchNormEval"+name, func() { d.BatchNormEval(z, x, bn) }, z)
	}
	const rows, cols = 301, 277 // several stretches
	x, y, sum, logits := random(rows, cols), d.Alloc(rows, cols), d.Alloc(1, cols), random(rows, 10)
	row, dlogits, labels := random(1, cols), d.Alloc(rows, 10), make([]uint16, rows)
	do("AddRow", func() { d.AddRow(y, row) }, y)
	do("SumRows", func() { d.SumRows(sum, x) }, sum)
	do("Dropout", func() { d.Dropout(y, x, 0.3, 5) }, y)
	returned := make([]float64, 2)
	add("CrossEntropy", func() []float64 {
		loss, correct := d.CrossEntropy(dlogits, logits, labels)
		returned[0], returned[1] = loss, float64(correct)
		return returned
	}, dlogits)
	w, v, dw := random(rows, cols), random(rows, cols), random(rows, cols)
	add("Update", func() []float64 {
		returned[0] = float64(d.Update(w, compute.Mat{}, dw, compute.Update{LR: 0.1, L1: 0.2, Threshold: 0.3}))
		return returned[:1]
	}, w)
	add("Update, momentum", func() []float64 {
		u := compute.Update{LR: 0.1, Momentum: 0.9, WeightDecay: 1e-3, L1: 0.2, Threshold: 0.3}
		returned[0] = float64(d.Update(w, v, dw, u))
		return returned[:1]
	}, w, v)
	return list
}

// TestThreadsDoNotMatter wants the same bits from one thread and from several, which
// multiply less at once.
func TestThreadsDoNotMatter(t *testing.T) {
	for _, bf16 := range []bool{false, true} {
		for _, name := range Kernels(bf16) {
			if bf16 && testing.Short() {
				continue
			}
			var numbers [][]float64  // what each returned
			var mats [][]compute.Mat // and wrote
			for _, o := range ops(device(t, 1, name, bf16)) {
				numbers = append(numbers, slices.Clone(o.run()))
				var written []compute.Mat
				for _, m := range o.out {
					m.Data = slices.Clone(m.Data)
					written = append(written, m)
				}
				mats = append(mats, written)
			}
			for _, threads := range []int{2, 3, 64} {
				d := device(t, threads, name, bf16)
				d.tiled = 1 << 12
				for i, o := range ops(d) {
					what := fmt.Sprintf("%s, bf16 %v, %d threads: %s", name, bf16, threads, o.name)
					if got := o.run(); !slices.Equal(got, numbers[i]) {
						t.Errorf("%s: returned %v, want %v", what, got, numbers[i])
					}
					for j, m := range o.out {
						sameBits(t, what, m, mats[i][j])
					}
				}
			}
		}
	}
}

// TestNoAllocation wants operations to allocate nothing once they have run.
func TestNoAllocation(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector has nothing to find here")
	}
	for _, name := range Kernels(true) {
		for _, threads := range []int{1, 2} {
			for _, o := range ops(device(t, threads, name, true)) {
				// The first run makes the threads' memory. Which thread runs what is
				// left to chance, so that another run may still make some.
				got := 1.0
				for range 20 {
					if got = testing.AllocsPerRun(2, func() { o.run() }); got == 0 {
						break
					}
				}
				if got != 0 {
					t.Errorf("%s, %d threads: %s: %v allocations", name, threads, o.name, got)
				}
			}
		}
	}
}

func device(t testing.TB, threads int, name string, bf16 bool) *Device {
	t.Helper()
	d, err := New(Options{Threads: threads, Kernel: name, BF16: bf16})
	if err != nil {
		t.Fatal(err)
	}
	d.thinBelow, d.thickenAbove = thinBelow, thickenAbove // also where few weights must be left for the sparse form
	return d
}

func sameBits(t *testing.T, what string, got, want compute.Mat) {
	t.Helper()
	for i, g := range got.Data {
		if w := want.Data[i]; math.Float32bits(g) != math.Float32bits(w) {
			t.Errorf("%s: element %d: got %v, want %v", what, i, g, w)
			return
		}
	}
}
