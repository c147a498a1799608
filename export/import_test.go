package export

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"betalasso/model"
	"betalasso/nn"
	"betalasso/run"
)

// written is n's file, read back.
func written(t *testing.T, n *Network) *Weights {
	t.Helper()
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := n.WriteSafetensors(path, false); err != nil {
		t.Fatal(err)
	}
	w, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRoundTrip: every network comes back from its file with the same logits.
func TestRoundTrip(t *testing.T) {
	for _, name := range run.Models {
		n := made(t, name)
		w := written(t, n)
		if !w.Known || w.Config.ID() != n.Config.ID() || w.Epoch != n.Epoch || !slices.Equal(w.Mean, n.Mean) || !slices.Equal(w.Std, n.Std) {
			t.Errorf("%s: the file says %+v, epoch %d, mean %v, std %v", name, w.Config, w.Epoch, w.Mean, w.Std)
		}
		back, err := w.Network(device(t), w.Config, n.Size)
		if err != nil {
			t.Fatal(err)
		}
		back.Mean, back.Std = w.Mean, w.Std
		if !slices.Equal(logits(t, back), logits(t, n)) {
			t.Errorf("%s: the logits differ", name)
		}
	}
}

// dotted is a network whose own names begin with one word.
const dotted = `name: dotted
layers:
  - {layer: conv, name: net.conv1, out: 2, kernel: 3, stride: 2}
  - {layer: norm, name: net.bn1, relu: true}
  - {layer: fc, name: net.fc, out: classes}
`

// branches has a body that ends in weights, and a shortcut that begins with a norm.
const branches = `name: branches
layers:
  - {layer: conv, name: conv1, out: 2, kernel: 3, stride: 2}
  - layer: residual
    body: [{layer: conv, name: conv2, out: 2, kernel: 3}]
    shortcut: [{layer: norm, name: bn1}]
  - {layer: fc, name: fc1, out: classes}
`

// TestOwnNamesMayHaveOneWord: a word before all names is taken off, but for the
// network's own.
func TestOwnNamesMayHaveOneWord(t *testing.T) {
	n := made(t, "dotted")
	w := written(t, n)
	for _, more := range []string{"", "module."} {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		list := n.StateDict()
		for i := range list {
			list[i].Name = more + list[i].Name
		}
		if _, err := run.WriteTensors(path, list, nil); err != nil {
			t.Fatal(err)
		}
		other, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		back, err := other.Network(device(t), w.Config, n.Size)
		if err != nil {
			t.Fatalf("%q: %v", more, err)
		}
		back.Mean, back.Std = n.Mean, n.Std
		if !slices.Equal(logits(t, back), logits(t, n)) {
			t.Errorf("%q: the logits differ", more)
		}
	}
}

// TestBiasOfAnotherBranch: a bias goes into the norm behind its layer, and into no
// other.
func TestBiasOfAnotherBranch(t *testing.T) {
	n := made(t, "branches")
	w := written(t, n)
	w.Tensors = append(w.Tensors, run.Tensor{Name: "conv2.bias", Shape: []int{2}, Data: []float32{1, 2}})
	if _, err := w.Network(device(t), w.Config, n.Size); err == nil || !strings.Contains(err.Error(), "conv2.bias") {
		t.Errorf("got %v, want that it is not expected", err)
	}
}

// TestNamesAndShapesTellTheSize: of a file without metadata, with every name
// behind a module's.
func TestNamesAndShapesTellTheSize(t *testing.T) {
	for _, name := range run.Models {
		n := made(t, name)
		path := filepath.Join(t.TempDir(), "w.safetensors")
		list := n.StateDict()
		for i := range list {
			list[i].Name = "module.net." + list[i].Name
		}
		if _, err := run.WriteTensors(path, list, nil); err != nil {
			t.Fatal(err)
		}
		w, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if c := w.Config; w.Known || c.Model != name || c.Alpha != n.Config.Alpha || c.Width != n.Config.Width || c.Kernel != n.Config.Kernel {
			t.Errorf("%s: got %s with α = %d, width %d, want α = %d, width %d", name, c.Model, c.Alpha, c.Width, n.Config.Alpha, n.Config.Width)
		}
		if _, err := w.Network(device(t), w.Config, n.Size); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAllThatDoesNotFitIsNamed in one error.
func TestAllThatDoesNotFitIsNamed(t *testing.T) {
	n := made(t, "s-fc")
	w := written(t, n)
	w.Tensors = slices.DeleteFunc(w.Tensors, func(t run.Tensor) bool { return t.Name == "fc2.bias" || strings.HasSuffix(t.Name, tracked) })
	w.Tensors = append(w.Tensors, run.Tensor{Name: "fc9.weight", Shape: []int{1}, Data: []float32{1}})
	for i := range w.Tensors {
		if w.Tensors[i].Name == "fc1.weight" {
			w.Tensors[i].Shape = []int{512, 48}
		}
	}
	_, err := w.Network(device(t), n.Config, n.Size)
	want := `the tensors are not those of s-fc with α = 2, 10 classes:
  of another shape: fc1.weight, expected [48 512], found [512 48]
  missing: fc2.bias [10]
  not expected: fc9.weight [1]`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}

	w = written(t, n)
	w.Tensors[slices.IndexFunc(w.Tensors, func(t run.Tensor) bool { return t.Name == "bn1.bias" })].Data[3] /= 0.0 * w.Tensors[0].Data[0]
	if _, err := w.Network(device(t), n.Config, n.Size); err == nil || !strings.Contains(err.Error(), "bn1.beta has numbers that are not finite") {
		t.Errorf("a weight that is not finite: got %v", err)
	}
	other := n.Size
	other.Classes = 100
	if _, err := w.Network(device(t), n.Config, other); err == nil || !strings.Contains(err.Error(), "fc2.weight, expected [100 48], found [10 48]") {
		t.Errorf("weights for other classes: got %v", err)
	}
}

// TestBiasBeforeBatchNorm: a layer with a bias gives what it gave before its
// running mean took the bias in.
func TestBiasBeforeBatchNorm(t *testing.T) {
	for _, name := range []string{"s-conv", "s-local", "3-fc"} {
		n := made(t, name)
		w := written(t, n)
		want := logits(t, n)
		for _, l := range n.Net.Layers {
			norm, ok := l.(*nn.BatchNorm)
			if !ok {
				continue
			}
			mean := w.Tensors[slices.IndexFunc(w.Tensors, func(t run.Tensor) bool { return t.Name == normName(norm)+".running_mean" })]
			bias := run.Tensor{Name: strings.Replace(strings.Replace(normName(norm), "bnfc", "fc", 1), "bn", "conv", 1) + ".bias", Shape: mean.Shape}
			for i := range mean.Data {
				bias.Data = append(bias.Data, float32(i%7)/4)
				mean.Data[i] += bias.Data[i]
			}
			w.Tensors = append(w.Tensors, bias)
		}
		back, err := w.Network(device(t), n.Config, n.Size)
		if err != nil {
			t.Fatal(err)
		}
		back.Mean, back.Std = n.Mean, n.Std
		near(t, name, logits(t, back), want)
	}
}

// TestRenormalise: the same images, normalised otherwise, give the same logits;
// where windows reach over the border only as long as the means are the same.
func TestRenormalise(t *testing.T) {
	for _, c := range []struct {
		name  string
		mean  []float64
		exact bool
	}{
		{"s-fc", []float64{0.5, 0.4, 0.3}, true},
		{"d-fc", []float64{0.1, 0.4, 0.3}, true},
		{"3-fc", []float64{0.5, 0.4, 0.3}, true},
		{"s-conv", nil, true},
		{"s-local", nil, true},
		{"s-conv", []float64{0.5, 0.4, 0.3}, false},
		{"s-local", []float64{0.5, 0.4, 0.3}, false},
	} {
		n := made(t, c.name)
		want := logits(t, n)
		if c.mean == nil {
			c.mean = slices.Clone(n.Mean)
		}
		exact, err := n.Renormalise(c.mean, []float64{0.2, 0.25, 1})
		if err != nil || exact != c.exact {
			t.Errorf("%s: got exact %v, %v, want %v", c.name, exact, err, c.exact)
		}
		if exact {
			near(t, c.name, logits(t, n), want)
		}
	}
	n := made(t, "3-fc")
	n.Net.Layers = n.Net.Layers[:1]
	if _, err := n.Renormalise([]float64{0.5, 0.5, 0.5}, []float64{1, 1, 1}); err == nil || !strings.Contains(err.Error(), "no batch norm") {
		t.Errorf("a network of one layer: got %v", err)
	}
	n = made(t, "3-fc")
	params := 0
	for _, l := range n.Layers() {
		params += l.Params
	}
	if got := inONNX(n.Own()); got < 4*params || got > 5*params {
		t.Errorf("got a size of %d bytes for %d weights", got, params)
	}
	for _, std := range [][]float64{{1, 1}, {1, 1, 0}, nil} {
		if _, err := n.Renormalise([]float64{0, 0, 0}, std); err == nil {
			t.Errorf("deviations of %v were taken", std)
		}
	}
}

// TestInsideIsExact: away from the border, a convolution's outputs stay the same
// with other means too.
func TestInsideIsExact(t *testing.T) {
	n := made(t, "s-conv")
	inside := func() []float32 {
		x := input(t, n)
		conv, norm := n.Net.Layers[0].(*nn.Linear), n.Net.Layers[1]
		y := device(t).Alloc(x.Rows, conv.Win.Out())
		conv.Forward(device(t), y, x, false)
		norm.Forward(device(t), y, y, false)
		var list []float32
		for r := range y.Rows {
			for i, v := range y.Row(r) {
				if p := i / 16 % 16; p >= 2 && p < 14 && i%16 >= 2 && i%16 < 14 {
					list = append(list, v)
				}
			}
		}
		return list
	}
	want := inside()
	if _, err := n.Renormalise([]float64{0.5, 0.4, 0.3}, []float64{0.2, 0.25, 1}); err != nil {
		t.Fatal(err)
	}
	near(t, "inside", inside(), want)
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.safetensors")
	one := []run.Tensor{{Name: "weight", Shape: []int{1}, Data: []float32{1}}}
	for _, c := range []struct {
		list []run.Tensor
		meta map[string]string
		want string
	}{
		{nil, nil, "holds no tensors"},
		{one, map[string]string{"mean": "0.5"}, "unusable mean"},
		{one, map[string]string{"config": "{"}, "unusable config"},
	} {
		if _, err := run.WriteTensors(path, c.list, c.meta); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want an error with %q", err, c.want)
		}
	}
	if _, err := run.WriteTensors(path, one, nil); err != nil {
		t.Fatal(err)
	}
	w, err := Read(path)
	if err != nil || w.Config.Model != "" {
		t.Errorf("a tensor called weight: got %+v, %v", w, err)
	}
	if _, err := w.Network(device(t), w.Config, model.Size{Channels: 3, Side: 32, Classes: 10, Batch: 1}); err == nil {
		t.Error("a network without a name was made")
	}
}

// nothing is a matrix of 3 rows of zeros.
type nothing struct{}

func (nothing) Shape() (rows, cols int)   { return 3, 48 }
func (nothing) Read(dst []float32, _ int) { clear(dst) }
func (nothing) Write(int, []float32)      {}

// FuzzRead: whatever a file holds, it is read or refused, and what is read makes
// a network or an error.
func FuzzRead(f *testing.F) {
	for _, header := range []string{
		`{"__metadata__":{"config":"{\"model\":\"3-fc\",\"width\":3}","mean":"[1]"},"fc1.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`,
		`{"a.b.fc1.weight":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]},"a.b.fc3.weight":{"dtype":"BF16","shape":[2],"data_offsets":[4,8]}}`,
		`{"conv1.weight":{"dtype":"F32","shape":[0,0,0,0],"data_offsets":[0,0]},"fc2.weight":{"dtype":"F32","shape":[0,2400000],"data_offsets":[0,0]}}`,
		`{"..":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}`,
	} {
		f.Add(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+"12345678"...))
	}
	sparse := filepath.Join(f.TempDir(), "sparse.safetensors")
	if _, err := run.WriteTensors(sparse, []run.Tensor{{Name: "fc1.weight", Shape: []int{3, 48}, Rows: nothing{}}}, nil); err != nil {
		f.Fatal(err)
	}
	text, err := os.ReadFile(sparse)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	dev := device(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		w, err := parse(bytes.NewReader(file), int64(len(file)), "w.safetensors")
		if err != nil || w.Config.Validate() != nil {
			return
		}
		for _, t := range w.Tensors {
			if t.Len() > 1<<16 { // a sparse one may say that it is large
				return
			}
		}
		n, err := w.Network(dev, w.Config, model.Size{Alpha: w.Config.Alpha, Width: w.Config.Width, Channels: 3, Side: 4, Classes: 2, Batch: 1})
		if (n == nil) == (err == nil) {
			t.Errorf("got a network %v and the error %v", n, err)
		}
	})
}
