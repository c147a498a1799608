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

// TestDeepNetworksAreRefused with a reason.
func TestDeepNetworksAreRefused(t *testing.T) {
	for _, name := range []string{"d-conv", "resnet18"} {
		size := model.Size{Alpha: 1, Channels: 3, Side: 8, Classes: 3, Batch: 1}
		if name == "resnet18" {
			size.Kernel = 3
		}
		net, err := model.New(ref.New(), name, size, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Of(net, 3, 8); err == nil || !strings.Contains(err.Error(), "s-conv, s-local, s-fc and 3-fc") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
