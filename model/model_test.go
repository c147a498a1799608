package model

import (
	"math"
	"slices"
	"strings"
	"testing"

	"betalasso/compute"
	"betalasso/compute/ref"
	"betalasso/nn"
)

// tiny is the smallest network of a name for images of 8x8.
func tiny(name string, dropout float64) Size {
	s := Size{Alpha: 1, Channels: 3, Side: 8, Classes: 4, Batch: 6, Dropout: dropout}
	if name == "3-fc" {
		s.Alpha, s.Width = 0, 9
	}
	if name == "resnet18" {
		s.Kernel = 3
	}
	return s
}

// TestNetworks runs every network forward and back, and wants of its weights
// what Count says, of its names that they differ, and of its groups that they
// are the paper's.
func TestNetworks(t *testing.T) {
	dev := ref.New()
	for _, name := range Names() {
		for _, dropout := range []float64{0, 0.5} {
			if name == "resnet18" && dropout > 0 {
				continue // it has none
			}
			size := tiny(name, dropout)
			net, err := New(dev, name, size, 1)
			if err != nil {
				t.Fatal(err)
			}
			list, _, _ := Count(name, size)
			seen := map[string]bool{}
			var weights []*nn.Param
			for _, p := range net.Params() {
				if seen[p.Name] {
					t.Errorf("%s: two tensors are called %s", name, p.Name)
				}
				seen[p.Name] = true
				if p.Group != nn.None {
					weights = append(weights, p)
				}
			}
			if len(weights) != len(list) {
				t.Fatalf("%s: got %d weight matrices, want %d", name, len(weights), len(list))
			}
			for i, l := range list {
				p := weights[i]
				if p.Name != l.Name+".weight" || p.Len() != l.Params {
					t.Errorf("%s: matrix %d is %s of %d, want %s.weight of %d", name, i, p.Name, p.Len(), l.Name, l.Params)
				}
				if want := map[bool]nn.Group{true: nn.Conv, false: nn.FC}[strings.Contains(l.Name, "conv") || strings.Contains(l.Name, "downsample")]; p.Group != want {
					t.Errorf("%s: %s is in group %d, want %d", name, p.Name, p.Group, want)
				}
			}
			drops := 0
			for i, l := range net.Layers {
				if _, ok := l.(*nn.Dropout); ok {
					drops++
					if d, ok := net.Layers[i+1].(*nn.Linear); !ok || d.Kind != nn.Dense || d.W.Group != nn.FC {
						t.Errorf("%s: dropout before %T, want it before a fully connected layer", name, net.Layers[i+1])
					}
				}
			}
			if want := map[bool]int{true: 2, false: 0}[dropout > 0]; drops != want {
				t.Errorf("%s with dropout %v: got %d dropout layers, want %d", name, dropout, drops, want)
			}
			x, dlogits := dev.Alloc(size.Batch, 3*8*8), dev.Alloc(size.Batch, 4)
			for i := range x.Data {
				x.Data[i] = float32(math.Sin(float64(i * i)))
			}
			net.SetSeed(1)
			loss, _ := dev.CrossEntropy(dlogits, net.Forward(x, true), []uint16{0, 1, 2, 3, 0, 1})
			var before [][]float32
			for _, p := range net.Params() {
				before = append(before, p.Values())
			}
			net.Backward(dlogits, func(nn.Group) compute.Update { return compute.Update{LR: 1} })
			if math.IsNaN(loss) {
				t.Errorf("%s: the loss is NaN", name)
			}
			for i, p := range net.Params() {
				if slices.Equal(p.Values(), before[i]) && dropout == 0 {
					t.Errorf("%s: no gradient reaches %s", name, p.Name)
				}
			}
		}
	}
}

func TestLayerNames(t *testing.T) {
	for name, want := range map[string]string{
		"s-fc":   "conv1 fc1 fc2",
		"3-fc":   "fc1 fc2 fc3",
		"d-conv": "conv1 conv2 conv3 conv4 conv5 conv6 conv7 conv8 fc1 fc2",
	} {
		list, _, err := Count(name, tiny(name, 0))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range list {
			got = append(got, l.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", name, got, want)
		}
	}
}

// TestPixelsHaveNoPlace: the fully connected networks give the same answers
// when the pixels of all images are permuted alike, with the weights that meet
// them, through training and evaluation.
func TestPixelsHaveNoPlace(t *testing.T) {
	dev := ref.New()
	const columns = 3 * 8 * 8
	place := func(i int) int { return i * 41 % columns } // 41 and 192 have no common factor
	for _, name := range []string{"s-fc", "d-fc", "3-fc"} {
		plain, err := New(dev, name, tiny(name, 0), 1)
		if err != nil {
			t.Fatal(err)
		}
		permuted, _ := New(dev, name, tiny(name, 0), 1)
		x, px := dev.Alloc(6, columns), dev.Alloc(6, columns)
		w, pw := plain.Params()[0], permuted.Params()[0]
		for i := range columns {
			for r := range 6 {
				x.Row(r)[i] = float32(math.Sin(float64(r*columns + i*i)))
				px.Row(r)[place(i)] = x.Row(r)[i]
			}
		}
		rows, _ := w.Shape()
		row, prow := make([]float32, columns), make([]float32, columns)
		for r := range rows {
			w.Read(row, r)
			for i, v := range row {
				prow[place(i)] = v
			}
			pw.Write(r, prow)
		}
		for _, train := range []bool{true, false} {
			want, got := plain.Forward(x, train), permuted.Forward(px, train)
			for i, v := range want.Data {
				if math.Abs(float64(got.Data[i]-v)) > 1e-4 {
					t.Fatalf("%s, train %v: logit %d is %v, want %v", name, train, i, got.Data[i], v)
				}
			}
		}
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	good := tiny("s-fc", 0)
	with := func(change func(*Size)) Size {
		s := good
		change(&s)
		return s
	}
	for _, c := range []struct {
		name string
		size Size
		want string
	}{
		{"s-fcc", good, "s-conv, s-local, s-fc, 3-fc"},
		{"S_FC", good, "did you mean \"s-fc\"?"},
		{"fc-3", good, "did you mean \"3-fc\"?"},
		{"sconv", good, "did you mean \"s-conv\"?"},
		{"", good, "no network"},
		{"s-fc", with(func(s *Size) { s.Alpha = 0 }), "alpha of 1"},
		{"s-fc", with(func(s *Size) { s.Alpha = 1 << 30 }), "alpha of 1"},
		{"3-fc", with(func(s *Size) { s.Width = 0 }), "width of 1"},
		{"s-fc", with(func(s *Size) { s.Batch = 0 }), "batch"},
		{"s-fc", with(func(s *Size) { s.Classes = 0 }), "0 classes"},
		{"s-fc", with(func(s *Size) { s.Dropout = 1 }), "dropout"},
		{"s-fc", with(func(s *Size) { s.Dropout = math.NaN() }), "dropout"},
	} {
		_, err := New(ref.New(), c.name, c.size, 1)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %+v: got %v, want an error with %q", c.name, c.size, err, c.want)
		}
	}
}
