package explain

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"betalasso/compute"
	"betalasso/compute/ref"
	"betalasso/model"
	"betalasso/nn"
)

// made is a network of a name whose weights are mostly zero, and where ReLU is open
// everywhere: batch norms add much, and behind the first layer no weight is below 0.
func made(t *testing.T, name string) *nn.Net {
	t.Helper()
	size := model.Size{Alpha: 1, Channels: 2, Side: 6, Classes: 3, Batch: 1}
	if name == "3-fc" {
		size.Alpha, size.Width = 0, 7
	}
	net, err := model.New(ref.New(), name, size, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for n, p := range net.Params() {
		if p.Group == nn.None {
			continue
		}
		rows, cols := p.Shape()
		row := make([]float32, cols)
		for i := range rows {
			clear(row)
			for k := range row {
				if r.IntN(12) == 0 {
					row[k] = 0.5 + r.Float32()
				}
				if n == 0 && r.IntN(2) == 0 {
					row[k] = -row[k]
				}
			}
			p.Write(i, row)
		}
	}
	for _, l := range net.Layers {
		if n, ok := l.(*nn.BatchNorm); ok {
			for i := range n.Gamma.Value.Data {
				n.Gamma.Value.Data[i] = 0.5 + r.Float32()
				n.Beta.Value.Data[i] = 1000
				n.State.RunVar.Data[i] = 0.5 + r.Float32()
			}
		}
	}
	return net
}

// TestExplanationIsWhatTheNetworkDoes asks the network itself: an input on which a
// class depends moves its logit, and no other does; and what all filters say for a
// class together is what an image moves it by.
func TestExplanationIsWhatTheNetworkDoes(t *testing.T) {
	const inputs = 2 * 6 * 6
	for _, name := range []string{"s-conv", "s-local", "s-fc", "3-fc"} {
		net := made(t, name)
		e, err := Of(net, 2, 6)
		if err != nil {
			t.Fatal(err)
		}
		x := compute.Mat{Rows: 1, Cols: inputs, Data: make([]float32, inputs)}
		logits := func() (list [3]float64) {
			y := net.Forward(x, false)
			for c := range list {
				list[c] = float64(y.At(0, c))
			}
			return list
		}
		zero := logits()
		var moved [3]int
		pixels := [3]map[int]bool{{}, {}, {}}
		for i := range inputs {
			x.Data[i] = 100
			for c, v := range logits() {
				if math.Abs(v-zero[c]) > 0.5 {
					moved[c]++
					pixels[c][i%36] = true
				}
			}
			x.Data[i] = 0
		}
		for c := range 3 {
			if e.Inputs[c] != moved[c] || e.Pixels[c] != len(pixels[c]) {
				t.Errorf("%s, class %d: it depends on %d inputs of %d pixels, and %d of %d move it", name, c, e.Inputs[c], e.Pixels[c], moved[c], len(pixels[c]))
			}
		}
		share := 0.0
		for i, f := range e.Filters {
			share += f.Use
			if i > 0 && f.Use > e.Filters[i-1].Use {
				t.Errorf("%s: filter %d is used more than the one before it", name, i)
			}
		}
		if math.Abs(share-1) > 1e-9 {
			t.Errorf("%s: the uses add up to %v", name, share)
		}
		if name == "s-conv" || name == "s-local" {
			continue // whose batch norms are shared by positions
		}
		f := e.Filters[0] // its output alone, moved by 1
		net.Layers[1].(*nn.BatchNorm).State.RunMean.Data[f.Unit]--
		for c, v := range logits() {
			if math.Abs(v-zero[c]-f.Classes[c]) > 1e-2*(1+math.Abs(f.Classes[c])) {
				t.Errorf("%s: unit %d moves class %d by %v, want %v", name, f.Unit, c, v-zero[c], f.Classes[c])
			}
		}
	}
}

// TestHeatCountsWeights: of a fully connected layer every weight that is not 0
// counts once, at its pixel.
func TestHeatCountsWeights(t *testing.T) {
	net := made(t, "s-fc")
	e, err := Of(net, 2, 6)
	if err != nil {
		t.Fatal(err)
	}
	w := net.Params()[0]
	rows, cols := w.Shape()
	want, row := make([]float64, 36), make([]float32, cols)
	for r := range rows {
		w.Read(row, r)
		for i, v := range row {
			if v != 0 {
				want[i%36]++
			}
		}
	}
	for i, v := range want {
		if e.Heat[i] != v {
			t.Errorf("pixel %d: got %v, want %v", i, e.Heat[i], v)
		}
	}
}

// straight makes a network linear for images that are not negative: no weight is
// below 0, one of the given number is above it, and batch norms scale and add nothing.
func straight(net *nn.Net, one int) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, p := range net.Params() {
		if p.Group == nn.None {
			clear(p.Value.Data)
			continue
		}
		rows, cols := p.Shape()
		row := make([]float32, cols)
		for i := range rows {
			for k := range row {
				if row[k] = 0; r.IntN(one) == 0 {
					row[k] = 0.5 + r.Float32()
				}
			}
			p.Write(i, row)
		}
	}
	nn.Walk(net.Layers, func(l nn.Layer) {
		if n, ok := l.(*nn.BatchNorm); ok {
			for i := range n.Gamma.Value.Data {
				n.Gamma.Value.Data[i] = 0.5 + r.Float32()
				n.State.RunVar.Data[i] = 0.5 + r.Float32()
			}
		}
	})
}

// own has every kind of layer, with windows that do not divide their images.
const own = "name: mine\nlayers:\n" +
	"  - {layer: local, name: a, out: 2, kernel: 3, stride: 2}\n" +
	"  - {layer: norm, name: bna, relu: true}\n" +
	"  - layer: residual\n    body:\n      - {layer: conv, name: b, out: 3, kernel: 2, stride: 2}\n      - {layer: norm, name: bnb}\n" +
	"    shortcut:\n      - {layer: conv, name: c, out: 3, kernel: 1, stride: 2, pad: 0}\n" +
	"  - {layer: relu}\n" +
	"  - {layer: average-pool, kernel: 2, stride: 1}\n" +
	"  - {layer: dropout}\n" +
	"  - {layer: fc, name: d, out: classes, bias: true}\n"

// TestReachIsWhatTheNetworkDoes asks linear networks of every kind: a pixel's share
// of the paths to a class is what its inputs add to the logit, of all that they
// could; without a path they add nothing. What the filters say adds up to what
// the first layer's outputs add.
func TestReachIsWhatTheNetworkDoes(t *testing.T) {
	const side = 6
	for _, name := range []string{"s-conv", "s-local", "s-fc", "3-fc", "d-conv", "d-local", "d-fc", "resnet18", "mine"} {
		size, one := model.Size{Alpha: 2, Channels: 2, Side: side, Classes: 3, Batch: 1}, 8
		switch name {
		case "3-fc":
			size.Alpha, size.Width = 0, 9
		case "resnet18":
			size.Kernel = 3
		case "mine":
			size.Alpha, size.Network, one = 0, own, 2
		}
		net, err := model.New(ref.New(), name, size, 1)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		straight(net, one)
		e, err := Of(net, 2, side)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		x := compute.Mat{Rows: 1, Cols: 2 * side * side, Data: make([]float32, 2*side*side)}
		var adds [3][side * side]float64
		var all [3]float64
		var inputs, pixels [3]int
		for p := range side * side {
			for k := range 2 {
				x.Data[k*side*side+p] = 1
				y := net.Forward(x, false)
				for c := range 3 {
					v := float64(y.At(0, c))
					adds[c][p] += v
					all[c] += v
					if v > 0 {
						inputs[c]++
					}
				}
				x.Data[k*side*side+p] = 0
			}
			for c := range 3 {
				if adds[c][p] > 0 {
					pixels[c]++
				}
			}
		}
		if all == [3]float64{} {
			t.Errorf("%s: no input adds anything", name)
		}
		for c := range 3 {
			if e.Inputs[c] != inputs[c] || e.Pixels[c] != pixels[c] {
				t.Errorf("%s, class %d: it depends on %d inputs of %d pixels, and %d of %d move it", name, c, e.Inputs[c], e.Pixels[c], inputs[c], pixels[c])
			}
			for p, got := range e.Reach[c] {
				if want := adds[c][p] / max(all[c], 1e-30); math.Abs(got-want) > 1e-5 {
					t.Errorf("%s, class %d, pixel %d: got a share of %v, want %v", name, c, p, got, want)
				}
			}
		}
		share := 0.0
		for _, f := range e.Filters {
			share += f.Use
		}
		if math.Abs(share-1) > 1e-9 {
			t.Errorf("%s: the uses add up to %v", name, share)
		}
	}
}

// byHand is a network on images of 3x3 with known answers. Its convolution has two
// filters: the first is its middle tap, 2; the second its right one, −3. A residual
// adds 4 times the second's map to the first's: its body is a 1x1 convolution that
// writes 4 times channel 2 into channel 1. The mean over all positions goes to two classes: class 0
// reads channel 1 by 9, class 1 reads channel 2 by 18.
func byHand(t *testing.T) *nn.Net {
	t.Helper()
	file := "name: mine\nlayers:\n  - {layer: conv, name: a, out: 2, kernel: 3}\n" +
		"  - layer: residual\n    body:\n      - {layer: conv, name: b, out: 2, kernel: 1}\n" +
		"  - {layer: relu}\n  - {layer: average-pool}\n  - {layer: fc, name: d, out: classes}\n"
	net, err := model.New(ref.New(), "mine", model.Size{Channels: 1, Side: 3, Classes: 2, Batch: 1, Network: file}, 1)
	if err != nil {
		t.Fatal(err)
	}
	p := net.Params()
	p[0].Write(0, []float32{0, 0, 0, 0, 2, 0, 0, 0, 0})
	p[0].Write(1, []float32{0, 0, 0, 0, 0, -3, 0, 0, 0})
	p[1].Write(0, []float32{0, 4})
	p[1].Write(1, []float32{0, 0})
	p[2].Write(0, []float32{9, 0})
	p[2].Write(1, []float32{0, 18})
	return net
}

// The right tap meets no pixel of the left column, and the zeros beside the image
// at the last position of a row. Class 0: each pixel by 2·9/9 = 2, those of the two
// right columns by 3·4·9/9 = 12 more; class 1: those by 3·18/9 = 6.
func TestAnswersByHand(t *testing.T) {
	e, err := Of(byHand(t), 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want []float64
	}{
		{"heat", e.Heat, []float64{1, 2, 2, 1, 2, 2, 1, 2, 2}},
		{"class 0", e.Reach[0], []float64{2. / 90, 14. / 90, 14. / 90, 2. / 90, 14. / 90, 14. / 90, 2. / 90, 14. / 90, 14. / 90}},
		{"class 1", e.Reach[1], []float64{0, 1. / 6, 1. / 6, 0, 1. / 6, 1. / 6, 0, 1. / 6, 1. / 6}},
		{"inputs", []float64{float64(e.Inputs[0]), float64(e.Inputs[1])}, []float64{9, 6}},
		{"pixels", []float64{float64(e.Pixels[0]), float64(e.Pixels[1])}, []float64{9, 6}},
		// At 9 positions filter 1 adds 4·9/9 to class 0 and 18/9 to class 1, filter 0 adds 9/9 to class 0.
		{"filter 1", append(e.Filters[0].Classes, e.Filters[0].Use), []float64{36, 18, 54. / 63}},
		{"filter 0", append(e.Filters[1].Classes, e.Filters[1].Use), []float64{9, 0, 9. / 63}},
	} {
		for i, want := range c.want {
			if math.Abs(c.got[i]-want) > 1e-12 {
				t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
				break
			}
		}
	}
	if e.Filters[0].Unit != 1 || e.Filters[0].Nonzero != 1 {
		t.Errorf("the filter that is used most: got %+v, want unit 1 with one weight", e.Filters[0])
	}
}

// odd is a layer that package explain has not seen.
type odd struct{ nn.ReLU }

func TestUnknownLayersAreRefused(t *testing.T) {
	net := byHand(t)
	net.Layers[2] = &odd{nn.ReLU{Columns: 18}}
	if _, err := Of(net, 1, 3); err == nil || !strings.Contains(err.Error(), "explain.odd cannot be explained") {
		t.Errorf("got %v", err)
	}
	net.Layers = net.Layers[1:]
	if _, err := Of(net, 1, 3); err == nil || !strings.Contains(err.Error(), "the first layer is a *nn.Residual") {
		t.Errorf("got %v", err)
	}
}
