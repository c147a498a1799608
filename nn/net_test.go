package nn

import (
	"hash/fnv"
	"math"
	"testing"

	"betalasso/compute"
	"betalasso/compute/ref"
)

func smallNet(dev compute.Device, batch int) *Net {
	win := compute.Window{C: 2, H: 6, W: 6, K: 3, Kernel: 3, Stride: 2, Pad: 1}
	return NewNet(dev, batch,
		NewConv2D(dev, "conv1", Conv, win, 1), NewBatchNormReLU(dev, "bn1", win.Out(), win.Positions()),
		&Dropout{P: 0.5, Columns: win.Out()},
		NewDense(dev, "fc1", FC, win.Out(), 8, false, 1), NewBatchNormReLU(dev, "bn2", 8, 1),
		&Dropout{P: 0.5, Columns: 8},
		NewDense(dev, "fc2", FC, 8, 4, true, 1))
}

// TestEvaluation: an example's logits do not depend on what else is in the
// batch, nor on dropout, and leave the network as it is.
func TestEvaluation(t *testing.T) {
	dev := ref.New()
	net := smallNet(dev, 10)
	for i := range uint64(5) {
		net.SetSeed(i)
		net.Forward(random(dev, 10, 72, i), true)
	}
	var before []float32
	for _, b := range net.Buffers() {
		before = append(before, b.Value.Data...)
	}
	x := random(dev, 10, 72, 9)
	var all []float32
	for y, i := net.Forward(x, false), 0; i < 10; i++ {
		for j := range 4 {
			all = append(all, y.At(i, j))
		}
	}
	for i := range 10 {
		net.SetSeed(uint64(100 + i))
		one := net.Forward(compute.Mat{Rows: 1, Cols: 72, Data: x.Row(i)}, false)
		equal(t, "logits of one example", one, compute.Mat{Rows: 1, Cols: 4, Data: all[i*4 : i*4+4]}, 0)
	}
	var after []float32
	for _, b := range net.Buffers() {
		after = append(after, b.Value.Data...)
	}
	equal(t, "running averages", compute.Mat{Data: after}, compute.Mat{Data: before}, 0)
}

// TestRunningAverages: many forwards of the same batch bring them to that
// batch's own mean and unbiased variance.
func TestRunningAverages(t *testing.T) {
	dev := ref.New()
	l := NewBatchNormReLU(dev, "bn", 2, 1)
	x := compute.Mat{Rows: 3, Cols: 2, Data: []float32{1, 10, 2, 10, 6, 40}}
	y := dev.Alloc(3, 2)
	for range 300 {
		l.Forward(dev, y, x, true)
	}
	equal(t, "mean", l.State.RunMean, compute.Mat{Data: []float32{3, 20}}, 1e-5)
	equal(t, "variance", l.State.RunVar, compute.Mat{Data: []float32{7, 300}}, 1e-5)
}

func TestNames(t *testing.T) {
	net := smallNet(ref.New(), 1)
	var got []string
	for _, p := range net.Params() {
		got = append(got, p.Name)
	}
	for _, b := range net.Buffers() {
		got = append(got, b.Name)
	}
	want := []string{"conv1.weight", "bn1.gamma", "bn1.beta", "fc1.weight", "bn2.gamma", "bn2.beta", "fc2.weight", "fc2.bias",
		"bn1.mean", "bn1.var", "bn2.mean", "bn2.var"}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestLayersMustFit(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("layers of 5 and 6 columns were connected")
		}
	}()
	dev := ref.New()
	NewNet(dev, 1, NewDense(dev, "a", FC, 4, 5, false, 1), NewDense(dev, "b", FC, 6, 2, false, 1))
}

// masks gives what two dropout layers of 64 columns keep of 8 rows.
func masks(seed uint64) [2]compute.Mat {
	dev := ref.New()
	net := NewNet(dev, 8, NewDense(dev, "a", FC, 64, 64, false, 1), &Dropout{P: 0.5, Columns: 64},
		NewDense(dev, "b", FC, 64, 64, false, 1), &Dropout{P: 0.5, Columns: 64})
	net.SetSeed(seed)
	ones := dev.Alloc(8, 64)
	for i := range ones.Data {
		ones.Data[i] = 1
	}
	var m [2]compute.Mat
	for i := range m {
		m[i] = dev.Alloc(8, 64)
		net.drops[i].Forward(dev, m[i], ones, true)
	}
	return m
}

// TestDropoutMasksDiffer: those of two layers, of neighbouring steps and of
// neighbouring runs agree on about half of their elements, also when shifted.
func TestDropoutMasksDiffer(t *testing.T) {
	const golden = 0x9e3779b97f4a7c15 // a caller's stride
	base := masks(7)
	others := map[string]compute.Mat{
		"another layer": base[1], "the next step": masks(8)[0], "the next run": masks(7 + golden)[0],
		"the next step's other layer": masks(8)[1],
	}
	for name, m := range others {
		for shift := -2; shift <= 2; shift++ {
			same, total := 0, 0
			for i, v := range base[0].Data {
				if j := i + shift; j >= 0 && j < len(m.Data) {
					total++
					if m.Data[j] == v {
						same++
					}
				}
			}
			if share := float64(same) / float64(total); math.Abs(share-0.5) > 0.1 { // 4.5 deviations
				t.Errorf("%s, shifted by %d: %.0f %% of the mask is the same, want about half", name, shift, 100*share)
			}
		}
	}
	equal(t, "the same step again", masks(7)[1], base[1], 0)
}

// TestFirstWeights: their bounds, a stream for every name, and the same bytes
// on every machine.
func TestFirstWeights(t *testing.T) {
	dev := ref.New()
	win := compute.Window{C: 3, H: 8, W: 8, K: 4, Kernel: 9, Stride: 2, Pad: 4}
	dense := NewDense(dev, "fc1", FC, 100, 30, true, 1)
	for _, c := range []struct {
		p     *Param
		fanIn int
	}{{&dense.W, 100}, {&dense.B, 100}, {&NewConv2D(dev, "conv1", Conv, win, 1).W, 243}, {&NewLocal(dev, "conv1", Conv, win, 1).W, 243}} {
		bound, largest, sum := 1/math.Sqrt(float64(c.fanIn)), 0.0, 0.0
		for _, v := range c.p.Values() {
			largest = max(largest, math.Abs(float64(v)))
			sum += float64(v)
		}
		n := float64(c.p.Len())
		if largest > bound || largest < 0.8*bound {
			t.Errorf("%s: the largest of %v is %v, want just below %v", c.p.Name, n, largest, bound)
		}
		if mean := sum / n; math.Abs(mean) > 4*bound/math.Sqrt(3*n) {
			t.Errorf("%s: the mean of %v is %v, want about 0", c.p.Name, n, mean)
		}
	}
	if other := NewDense(dev, "fc2", FC, 100, 30, true, 1); other.W.Values()[0] == dense.W.Values()[0] {
		t.Error("tensors of different names begin alike")
	}
	if other := NewDense(dev, "fc1", FC, 100, 30, true, 2); other.W.Values()[0] == dense.W.Values()[0] {
		t.Error("tensors of different seeds begin alike")
	}
	h := fnv.New64a()
	for _, v := range dense.W.Values() {
		b := math.Float32bits(v)
		h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
	}
	if got, want := h.Sum64(), uint64(0x9f26dee9aaea797d); got != want {
		t.Errorf("the weights of fc1, seed 1: got the sum %#x, want %#x", got, want)
	}
}

// idle is a device whose operations do nothing.
type idle struct{ compute.Device }

// lazy are weights that do nothing.
type lazy struct{ compute.Weights }

func (lazy) Forward(_, _ compute.Mat)                    {}
func (lazy) GradInput(_, _ compute.Mat)                  {}
func (lazy) Step(_, _ compute.Mat, _ compute.Update) int { return 0 }

func (d idle) Dense(out, in int) compute.Weights                           { return lazy{d.Device.Dense(out, in)} }
func (d idle) Conv(win compute.Window) compute.Weights                     { return lazy{d.Device.Conv(win)} }
func (idle) AddRow(_, _ compute.Mat)                                       {}
func (idle) SumRows(_, _ compute.Mat)                                      {}
func (idle) BatchNorm(_, _ compute.Mat, _ *compute.BatchNorm)              {}
func (idle) BatchNormGrad(_, _, _, _, _ compute.Mat, _ *compute.BatchNorm) {}
func (idle) Dropout(_, _ compute.Mat, _ float32, _ uint64)                 {}
func (idle) Update(_, _, _ compute.Mat, _ compute.Update) int              { return 0 }

func TestStepAllocatesNothing(t *testing.T) {
	dev := idle{ref.New()}
	net := smallNet(dev, 8)
	x, d := dev.Alloc(5, 72), dev.Alloc(5, 4)
	if n := testing.AllocsPerRun(10, func() {
		net.SetSeed(1)
		net.Forward(x, true)
		net.Backward(d, unit)
	}); n != 0 {
		t.Errorf("a step allocates %v times, want 0", n)
	}
}
