package train

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"betalasso/data"
	"betalasso/model"
	"betalasso/run"
)

// shaped is a set of noise in two classes, the second brighter.
func shaped(channels, side int) *data.Set {
	r := rand.New(rand.NewPCG(uint64(channels), uint64(side)))
	im := data.Images{ImageSize: channels * side * side}
	for i := range 48 {
		im.Labels = append(im.Labels, uint16(i%2))
		for range im.ImageSize {
			im.Pix = append(im.Pix, uint8(r.IntN(150)+i%2*80))
		}
	}
	return &data.Set{Name: "digits", Classes: []string{"dark", "bright"}, Channels: channels, Side: side, Policy: "svhn", Train: im, Test: im}
}

// Every network trains on images of other sides, even and odd, of one channel and of
// three, with every augmentation; keeps filters of their shape; and tells them apart
// by what its result says alone.
func TestShapes(t *testing.T) {
	sides := []int{8, 13, 28}
	if testing.Short() {
		sides = []int{13}
	}
	for _, name := range model.Names() {
		for _, channels := range []int{1, 3} {
			for _, side := range sides {
				t.Run(fmt.Sprintf("%s %dx%d", name, channels, side), func(t *testing.T) {
					c := smallConfig()
					c.Model, c.Alpha, c.Augment, c.Epochs, c.Batch, c.Val = name, 1, "fast-autoaugment", 2, 16, 8
					switch name {
					case "3-fc":
						c.Alpha, c.Width = 0, 12
					case "resnet18":
						c.Kernel, c.Dropout = 3, 0
					}
					o := start(t, c, 1)
					o.Set = shaped(channels, side)
					r := mustRun(t, o)
					list, _, err := run.ReadTensors(o.Dir.File(run.FiltersFile))
					if err != nil || list[0].Shape[1] != channels {
						t.Errorf("filters: %v, %v, want %d channels", list[0].Shape, err, channels)
					}
					_, params, err := model.Count(c.Model, sizeOf(c, o.Set))
					if err != nil || params != r.Params {
						t.Errorf("%d weights, counted %d (%v)", r.Params, params, err)
					}
					if need, err := Memory(c, sizeOf(c, o.Set), 48, 48); err != nil || need < 4*float64(params) {
						t.Errorf("memory %v, %v", need, err)
					}
					predictsAsTested(t, o, r)
				})
			}
		}
	}
}

// predictsAsTested wants of a Predictor the confusion matrix of the result.
func predictsAsTested(t *testing.T, o Options, r run.Result) {
	t.Helper()
	_, weights, err := o.Dir.Weights(false)
	if err != nil {
		t.Fatal(err)
	}
	whiten, err := Whiten(o, o.Device, 7)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPredictor(o.Device, o.Config, r.DataSet, weights, whiten, 7)
	if err != nil {
		t.Fatal(err)
	}
	var list [][]uint8
	for i := range o.Set.Test.Len() {
		list = append(list, o.Set.Test.Image(i))
	}
	probs, err := p.Probabilities(list)
	if err != nil {
		t.Fatal(err)
	}
	got := newConfusion(len(r.DataSet.Classes))
	for i, row := range probs {
		best := 0
		sum := 0.0
		for k, v := range row {
			if sum += v; v > row[best] {
				best = k
			}
		}
		if sum < 1-1e-9 || sum > 1+1e-9 {
			t.Errorf("image %d: probabilities add up to %v", i, sum)
		}
		got[o.Set.Test.Labels[i]][best]++
	}
	if fmt.Sprint(got) != fmt.Sprint(r.Confusion) {
		t.Errorf("predicted %v, tested %v", got, r.Confusion)
	}
	right := 0
	for i := range r.Confusion {
		right += r.Confusion[i][i]
	}
	if got := float64(right) / float64(o.Set.Test.Len()); got != r.Last.TestAcc {
		t.Errorf("the matrix has an accuracy of %v, the result %v", got, r.Last.TestAcc)
	}
}

// Images that come with some to validate are validated with these.
func TestOwnValidation(t *testing.T) {
	c := smallConfig()
	sgd(&c)
	c.Epochs, c.Val = 1, 20
	o := start(t, c, 1)
	o.Set = smallSet()
	o.Set.Val = images(20, 9)
	if r := mustRun(t, o); r.DataSet.Train != 150 || r.DataSet.Val != 20 {
		t.Errorf("got %+v, want 150 to train on and 20 to validate", r.DataSet)
	}
	c.Val = 30
	if _, _, err := Split(o.Set, c); err == nil {
		t.Error("another number to validate: got no error")
	}
	if _, err := os.Stat(o.Dir.File(run.ResultFile)); err != nil {
		t.Error(err)
	}
}

// A thousand classes, and as many as there can be, are labels like any other.
func TestManyClasses(t *testing.T) {
	c := smallConfig()
	sgd(&c)
	c.Model, c.Alpha, c.Width, c.Epochs, c.Batch, c.Val = "3-fc", 0, 4, 1, 16, 0
	o := start(t, c, 1)
	o.Set = shaped(1, 8)
	o.Set.Classes = make([]string, 1<<16)
	for i := range o.Set.Classes {
		o.Set.Classes[i] = fmt.Sprint(i)
	}
	o.Set.Train.Labels[3] = 1<<16 - 1
	r := mustRun(t, o)
	if r.Confusion != nil || r.Params != 64*4+4*4+4<<16 || len(r.DataSet.Classes) != 0 {
		t.Errorf("got %d weights, %d names, a matrix of %d rows", r.Params, len(r.DataSet.Classes), len(r.Confusion))
	}
	_, weights, err := o.Dir.Weights(false)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := Evaluate(o, weights); err != nil || s.Confusion != nil || s.TestLoss != r.Last.TestLoss {
		t.Errorf("got %v and %v, want a loss of %v", s.TestLoss, err, r.Last.TestLoss)
	}
}
