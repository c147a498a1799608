package data

import (
	"math"
	"slices"
	"testing"
)

// numbered is n one-pixel images, image i of pixel i%256 and of label
// i%classes.
func numbered(n, classes int) Images {
	im := Images{ImageSize: 1}
	for i := range n {
		im.Pix = append(im.Pix, uint8(i))
		im.Labels = append(im.Labels, uint16(i%classes))
	}
	return im
}

// pixels are those of im, image by image.
func pixels(im Images) (all []uint8) {
	for i := range im.Len() {
		all = append(all, im.Image(i)...)
	}
	return all
}

func perClass(im Images, classes int) []int {
	h := make([]int, classes)
	for _, l := range im.Labels {
		h[l]++
	}
	return h
}

func TestSplit(t *testing.T) {
	im := numbered(103, 10) // labels 0 to 2 eleven times, the others ten
	train, val, err := Split(im, 10, 24, 7)
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 79 || val.Len() != 24 {
		t.Errorf("got %d and %d images, want 79 and 24", train.Len(), val.Len())
	}
	// A share of 2.56 for three classes and of 2.33 for seven: the three get
	// one more, and the first of the seven the last.
	if got, want := perClass(val, 10), []int{3, 3, 3, 3, 2, 2, 2, 2, 2, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v validation images a class, want %v", got, want)
	}
	trained, held := pixels(train), pixels(val)
	all := slices.Concat(trained, held)
	slices.Sort(all)
	if !slices.Equal(all, im.Pix) {
		t.Errorf("the parts hold %v, want each image once", all)
	}
	if !slices.IsSorted(trained) || !slices.IsSorted(held) {
		t.Error("a part is not in the order of the whole")
	}
	_, again, _ := Split(im, 10, 24, 7)
	if !slices.Equal(pixels(again), held) {
		t.Error("the same seed gives another split")
	}
	_, other, _ := Split(im, 10, 24, 8)
	if slices.Equal(pixels(other), held) {
		t.Error("another seed gives the same split")
	}
}

func TestSplitEdges(t *testing.T) {
	im := numbered(20, 10)
	for _, val := range []int{0, 1, 19, 20} {
		a, b, err := Split(im, 10, val, 1)
		if err != nil || a.Len() != 20-val || b.Len() != val {
			t.Errorf("val %d: got %d and %d images, error %v", val, a.Len(), b.Len(), err)
		}
	}
	for _, val := range []int{-1, 21} {
		if _, _, err := Split(im, 10, val, 1); err == nil {
			t.Errorf("val %d: got no error", val)
		}
	}
	if _, _, err := Split(im, 9, 5, 1); err == nil {
		t.Error("a label that is no class: got no error")
	}
}

func TestLimit(t *testing.T) {
	im := numbered(200, 10)
	some, err := Limit(im, 10, 30, 3)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := perClass(some, 10), []int{3, 3, 3, 3, 3, 3, 3, 3, 3, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v images a class, want %v", got, want)
	}
	for _, n := range []int{0, 200, 201} {
		if all, err := Limit(im, 10, n, 3); err != nil || all.Len() != 200 {
			t.Errorf("limit %d: got %d images, error %v, want 200", n, all.Len(), err)
		}
	}
	if _, err := Limit(im, 10, -1, 3); err == nil {
		t.Error("limit -1: got no error")
	}
}

// The order is part of what a seed means, so it may never change.
func TestOrderGolden(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		epoch int
		want  []int32
	}{
		{1, 0, []int32{3, 1, 7, 6, 5, 8, 9, 0, 4, 2}},
		{1, 1, []int32{7, 0, 4, 5, 3, 2, 6, 1, 9, 8}},
		{2, 0, []int32{5, 4, 3, 8, 7, 9, 0, 2, 1, 6}},
	} {
		if got := Order(10, c.seed, c.epoch); !slices.Equal(got, c.want) {
			t.Errorf("seed %d, epoch %d: got %v, want %v", c.seed, c.epoch, got, c.want)
		}
	}
}

func TestOrderIsFair(t *testing.T) {
	const n, epochs = 8, 8000
	var counts [n][n]int
	for e := range epochs {
		order := Order(n, 5, e)
		for place, i := range order {
			counts[i][place]++
		}
		slices.Sort(order)
		for i, v := range order {
			if int(v) != i {
				t.Fatalf("epoch %d: got %v, want each of 0 to %d once", e, order, n-1)
			}
		}
	}
	// Each place 1000 times, within five standard deviations.
	for i := range n {
		for place, got := range counts[i] {
			if math.Abs(float64(got)-epochs/n) > 5*math.Sqrt(epochs/n) {
				t.Errorf("%d comes to place %d in %d epochs of %d, want about %d", i, place, got, epochs, epochs/n)
			}
		}
	}
}

func TestMeanStd(t *testing.T) {
	// Channel 0: 0, 255, 0, 255; channel 1: always 51.
	im := Images{Pix: []uint8{0, 255, 51, 51, 0, 255, 51, 51}, Labels: []uint16{0, 1}, ImageSize: 4}
	mean, std := MeanStd(im, 2)
	if want := []float64{0.5, 0.2}; !slices.Equal(mean, want) {
		t.Errorf("got means %v, want %v", mean, want)
	}
	if want := []float64{0.5, 0}; !slices.Equal(std, want) {
		t.Errorf("got deviations %v, want %v", std, want)
	}
	mean, std = MeanStd(Images{ImageSize: 4}, 2)
	if want := []float64{0, 0}; !slices.Equal(mean, want) || !slices.Equal(std, want) {
		t.Errorf("no images: got %v and %v, want %v", mean, std, want)
	}
}
