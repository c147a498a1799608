package model

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"betalasso/compute"
	"betalasso/compute/ref"
	"betalasso/nn"
)

// TestResNetCountsAreTorchvisions: at k = 3 the sum of torchvision's formula for
// BasicBlock with [2, 2, 2, 2], a first convolution of 3x3 and no biases but the
// last; its resnet18 for ten classes has 11,173,962 parameters with such a first
// layer. With other kernels all convolutions but the shortcuts' grow.
func TestResNetCountsAreTorchvisions(t *testing.T) {
	for _, k := range []int{3, 5, 7, 9, 11, 13, 15} {
		for _, a := range []int{1, 8, 64} {
			area := k * k
			want := 3*a*area + 4*a*a*area // conv1 and the first stage
			vectors := 2*a + 4*2*a
			for stage := 1; stage < 4; stage++ {
				in, out := a<<(stage-1), a<<stage
				want += in*out*area + 3*out*out*area + in*out
				vectors += 5 * 2 * out
			}
			want += 8 * a * 10
			vectors += 10
			size := Size{Alpha: a, Kernel: k, Channels: 3, Side: 32, Classes: 10, Batch: 1}
			_, total, err := Count("resnet18", size)
			if err != nil || total != want {
				t.Errorf("k = %d, α = %d: got %d weights, %v, want %d", k, a, total, err, want)
			}
			rows, err := Rows("resnet18", size)
			if err != nil {
				t.Fatal(err)
			}
			weights, others := 0, 0
			for _, r := range rows {
				weights += r.Weights
				others += r.Vectors
			}
			if weights != want || others != vectors {
				t.Errorf("k = %d, α = %d: the listing has %d weights and %d others, want %d and %d", k, a, weights, others, want, vectors)
			}
			if k == 3 && a == 64 && weights+others != 11_173_962 {
				t.Errorf("got %d parameters, want torchvision's 11,173,962", weights+others)
			}
		}
	}
}

// own is a network that no built-in one is, with all kinds of layers.
const own = `name: mine
layers:
  - {layer: conv, name: first, out: alpha, kernel: 3, stride: 2}
  - {layer: norm, name: n1}
  - layer: residual
    body:
      - {layer: relu}
      - {layer: conv, name: inner.a, out: 2 alpha, kernel: kernel, pad: 1, group: fc}
      - {layer: norm, name: inner.n, relu: true}
    shortcut:
      - {layer: conv, name: inner.b, out: 2 alpha, kernel: 1}
  - {layer: average-pool, kernel: 2}
  - {layer: local, name: second, out: 3, kernel: 3}
  - {layer: norm, name: n2, relu: true}
  - {layer: spread, name: third, out: 2, kernel: 3, stride: 2, group: fc}
  - {layer: norm, name: n3, relu: true}
  - layer: residual
    body:
      - {layer: fc, name: fourth, out: 2, bias: true}
  - {layer: dropout}
  - {layer: fc, name: last, out: classes, bias: true}
`

// TestOwnNetwork: a file's network has the counts, groups and tensors that the
// file says, and learns.
func TestOwnNetwork(t *testing.T) {
	n, err := Parse([]byte(own))
	if err != nil {
		t.Fatal(err)
	}
	if n.Scale() != "alpha" || !n.Uses("kernel") || n.Uses("width") {
		t.Errorf("it grows by %q, uses kernel %v, width %v", n.Scale(), n.Uses("kernel"), n.Uses("width"))
	}
	size := Size{Alpha: 4, Kernel: 3, Channels: 1, Side: 8, Classes: 5, Batch: 6, Dropout: 0.1, Network: own}
	list, total, err := Count("mine", size)
	if err != nil {
		t.Fatal(err)
	}
	// 8x8 becomes 4x4 by the first layer's stride, 2x2 by the pool, 1x1 by third's.
	want := []LayerCount{
		{"first", 4 * 9, 9, true}, {"inner.a", 8 * 4 * 9, 36, false}, {"inner.b", 8 * 4, 4, true},
		{"second", 3 * 4 * 8 * 9, 72, true}, {"third", 12 * 2, 12, false}, {"fourth", 2 * 2, 2, false}, {"last", 2 * 5, 2, false},
	}
	sum := 0
	for _, l := range want {
		sum += l.Params
	}
	if !slices.Equal(list, want) || total != sum {
		t.Errorf("got %v, %d in all, want %v, %d", list, total, want, sum)
	}
	dev := ref.New()
	net, err := New(dev, "mine", size, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range net.Params() {
		name := strings.TrimSuffix(p.Name, ".weight")
		i := slices.IndexFunc(want, func(l LayerCount) bool { return l.Name == name })
		if i < 0 != (p.Group == nn.None) || i >= 0 && (p.Group == nn.Conv) != want[i].Conv {
			t.Errorf("%s is in group %d", p.Name, p.Group)
		}
	}
	x, dlogits, labels := dev.Alloc(6, 64), dev.Alloc(6, 5), []uint16{0, 1, 2, 3, 4, 0}
	for i := range x.Data {
		x.Data[i] = float32(math.Sin(float64(i * i)))
	}
	var first, last float64
	for step := range 60 {
		net.SetSeed(uint64(step))
		last, _ = dev.CrossEntropy(dlogits, net.Forward(x, true), labels)
		if step == 0 {
			first = last
		}
		net.Backward(dlogits, func(nn.Group) compute.Update { return compute.Update{LR: 0.3} })
	}
	if !(last < 0.7*first) {
		t.Errorf("the loss fell from %v to %v in 60 steps on six images, want less than 0.7 of it", first, last)
	}
}

// TestBadNetworks says what is wrong, and where.
func TestBadNetworks(t *testing.T) {
	const head, tail = "name: mine\nlayers:\n", "  - {layer: fc, name: last, out: classes}\n"
	for _, c := range []struct{ layers, want string }{
		{"", "first layer must have weights"},
		{head, "first layer must have weights"},
		{head + "  - {layer: conw, name: a}\n" + tail, `did you mean "conv"?`},
		{head + "  - {layer: conv, name: a, out: 3, kernel: 3}\n  - {layer: conv, name: a, out: 3, kernel: 3}\n" + tail, "a is there twice"},
		{head + "  - {layer: conv, name: a, out: 3 betas, kernel: 3}\n" + tail, "must be a number"},
		{head + "  - {layer: conv, name: a, out: 3}\n" + tail, "kernel: must come to 1"},
		{head + "  - {layer: conv, name: a, kernel: 3}\n" + tail, "out: must come to 1"},
		{head + "  - {layer: conv, name: a, out: 3, kernel: 3, bias: true}\n" + tail, "bias: of no use to conv"},
		{head + "  - {layer: conv, name: a, out: 3, kernel: 3, stride: -1}\n" + tail, "stride: must be above 0"},
		{head + "  - {layer: conv, name: a, out: 3, kernel: 3, pad: 3}\n" + tail, "pad: must be from 0"},
		{head + "  - {layer: conv, name: a, out: 3, kernel: 9, pad: 0}\n" + tail, "more than the image of 8x8"},
		{head + "  - {layer: conv, name: a.weight/b, out: 3, kernel: 3}\n" + tail, "must be words"},
		{head + "  - {layer: fc, name: a, out: 3}\n  - {layer: conv, name: b, out: 3, kernel: 3}\n" + tail, "needs an image"},
		{head + "  - {layer: conv, name: a, out: 3, kernel: 3}\n  - {layer: residual}\n" + tail, "needs a body"},
		{head + "  - {layer: conv, name: a, out: 3, kernel: 3}\n  - layer: residual\n    body: [{layer: conv, name: b, out: 4, kernel: 3}]\n" + tail, "cannot be added"},
		{head + "  - {layer: conv, name: a, out: 3, kernel: 3}\n  - layer: residual\n    body: [{layer: conv, name: b, out: 4, kernel: 3}]\n    shortcut: [{layer: conv, name: s, out: 16, kernel: 3, stride: 2}]\n" + tail, "cannot be added"},
		{head + "  - {layer: conv, name: a, out: 3, kernel: 3}\n  - layer: residual\n    body: [{layer: dropout}]\n" + tail, "another layer than dropout"},
		{head + "  - {layer: fc, name: a, out: 3}\n", "out is classes"},
		{head + "  - {layer: fc, name: a, out: 16777217}\n" + tail, "must come to 1 to"},
		{head + "  - {layer: conv, name: a, out: 16777216, kernel: 1}\n  - {layer: spread, name: b, out: 16777216, kernel: 1}\n" + tail, "more than can be counted"},
		{"name: s-fc\nlayers:\n" + tail, "there is a built-in network"},
		{"name: Mine Own\nlayers:\n" + tail, "name:"},
		{"name: mine\nlayer:\n" + tail, "unknown field"},
		{"name: mine\nlayers: &a\n" + tail, "anchors"},
		{"name: mine\nlayers:\n" + strings.Repeat("  - {layer: relu}\n", 1001) + tail, "more than 1000 layers"},
		{"name: mine\nlayers: " + strings.Repeat("[", 20), "nested more than"},
		{head + strings.Repeat("# long\n", 6000), "KiB"},
	} {
		n, err := Parse([]byte(c.layers))
		if err == nil {
			size := Size{Channels: 1, Side: 8, Classes: 5, Network: c.layers}
			_, _, err = Count(n.Name, size)
		}
		if c.layers == "" {
			continue // an empty text is no file: it asks for a built-in network
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.120q: got %v, want an error with %q", c.layers, err, c.want)
		}
	}
}

// TestFilesKeepWhatTheySay: comments and empty lines fall away, and what is left
// describes the same network.
func TestFilesKeepWhatTheySay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net.yaml")
	text := "# mine\n\n" + strings.Replace(own, "layers:", "layers:   \r\n  # the layers\n", 1)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	n, kept, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSuffix(own, "\n"); kept != want || n.Name != "mine" {
		t.Errorf("got %q, want %q", kept, want)
	}
}

// FuzzParse: a text is a network or an error, in little time, and of a network
// the counts and the listing agree at whatever size.
func FuzzParse(f *testing.F) {
	f.Add(own, 4, 0, 3)
	for _, name := range Names() {
		text, err := Source(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.Replace(string(text), "name: ", "name: my-", 1), 2, 3, 5)
	}
	f.Fuzz(func(t *testing.T, text string, alpha, width, kernel int) {
		n, err := Parse([]byte(text))
		if err != nil {
			return
		}
		size := Size{Alpha: alpha, Width: width, Kernel: kernel, Channels: 3, Side: 16, Classes: 10, Batch: 4, Network: text}
		list, total, err := Count(n.Name, size)
		if err != nil {
			return
		}
		rows, err := Rows(n.Name, size)
		if err != nil {
			t.Fatal(err)
		}
		sum, named := 0, 0
		for _, r := range rows {
			sum += r.Weights
			if r.Weights > 0 {
				named++
			}
		}
		if sum != total || named != len(list) {
			t.Errorf("%d layers of %d weights in the listing, %d of %d counted", named, sum, len(list), total)
		}
		if outputs, copies, err := Buffers(n.Name, size); err != nil || !(outputs > 0) || !(copies >= 0) {
			t.Error(fmt.Sprint(outputs, copies, err))
		}
	})
}

// TestDocumentedNetwork: the file in docs/networks.md is one.
func TestDocumentedNetwork(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "networks.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	file, _, _ := strings.Cut(rest, "```")
	if _, total, err := Count("mine", Size{Alpha: 4, Kernel: 3, Channels: 3, Side: 32, Classes: 10, Network: file}); err != nil || total != 99_516 {
		t.Errorf("got %d weights, %v, want 99,516", total, err)
	}
}
