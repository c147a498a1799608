package filters

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func filled(c, h, w int, v float32) []float32 {
	f := make([]float32, c*h*w)
	for i := range f {
		f[i] = v
	}
	return f
}

func TestLocality(t *testing.T) {
	dot := make([]float32, 3*32*32)
	dot[1*1024+5*32+7] = -2
	pair := slices.Clone(dot)
	pair[2*1024+5*32+17] = 2 // another channel, ten pixels to the right
	lone := slices.Clone(pair)
	lone[2*1024+5*32+17] = 2e-9
	twice := slices.Clone(dot)
	twice[5*32+7] = 1 // the same pixel
	for _, c := range []struct {
		rule    string
		filter  []float32
		c, h, w int
		want    Measure
	}{
		{"nothing", make([]float32, 12), 3, 2, 2, Measure{}},
		{"no filter", nil, 3, 0, 0, Measure{}},
		{"one weight", dot, 3, 32, 32, Measure{1, 1, 1, 1, 0}},
		{"two channels of a pixel are one pixel", twice, 3, 32, 32, Measure{2, 1, 1, 1, 0}},
		{"two pixels ten apart", pair, 3, 32, 32, Measure{2, 2, 1, 11, 5}},
		{"a faint weight counts, and hardly widens", lone, 3, 32, 32, Measure{2, 2, 1, 11, 0.00031623}},
		{"even over the image", filled(3, 32, 32, -1), 3, 32, 32, Measure{3072, 1024, 32, 32, 13.05756}},
		{"even over a window", filled(3, 9, 9, 1), 3, 9, 9, Measure{243, 81, 9, 9, 3.65148}},
		{"not finite", []float32{float32(math.NaN()), 1}, 1, 1, 2, Measure{2, 2, 1, 2, 0}},
		{"infinite", []float32{float32(math.Inf(1)), 1}, 1, 1, 2, Measure{2, 2, 1, 2, 0}},
	} {
		got := Locality(c.filter, c.c, c.h, c.w)
		if math.Abs(got.Radius-c.want.Radius) > 1e-5 {
			t.Errorf("%s: got radius %v, want %v", c.rule, got.Radius, c.want.Radius)
		}
		got.Radius = c.want.Radius
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.rule, got, c.want)
		}
	}
}

// The paper's dense filters, read from its figures, have 12.9.
func TestLocalityOfNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	f := make([]float32, 3*32*32)
	for i := range f {
		f[i] = float32(r.NormFloat64())
	}
	if got := Locality(f, 3, 32, 32).Radius; math.Abs(got-13) > 0.2 {
		t.Errorf("got radius %v, want 13.0 ± 0.2", got)
	}
}

func TestSelect(t *testing.T) {
	nonzero := func(u int) int { return u }
	a, eligible := Select(100, nonzero, MinNonzero, 8, 1)
	if eligible != 80 || len(a) != 8 || !slices.IsSorted(a) || len(slices.Compact(slices.Clone(a))) != 8 || a[0] < MinNonzero {
		t.Errorf("got %v of %d, want 8 different ones of 80, from 20 on", a, eligible)
	}
	if b, _ := Select(100, nonzero, MinNonzero, 8, 1); !slices.Equal(a, b) {
		t.Errorf("the same seed: got %v, want %v", b, a)
	}
	if b, _ := Select(100, nonzero, MinNonzero, 8, 2); slices.Equal(a, b) {
		t.Errorf("another seed: got %v again", b)
	}
	if b, n := Select(25, nonzero, MinNonzero, 8, 1); !slices.Equal(b, []int{20, 21, 22, 23, 24}) || n != 5 {
		t.Errorf("fewer than wanted: got %v of %d, want all 5", b, n)
	}
	if b, n := Select(3, nonzero, MinNonzero, 8, 1); len(b) != 0 || n != 0 {
		t.Errorf("none: got %v of %d", b, n)
	}
	if b, n := Select(0, nil, 0, 8, 1); len(b) != 0 || n != 0 {
		t.Errorf("no units: got %v of %d", b, n)
	}
	counts := make([]int, 10) // every unit has its chance
	for seed := range uint64(2000) {
		b, _ := Select(10, nonzero, 0, 3, seed)
		for _, u := range b {
			counts[u]++
		}
	}
	for u, n := range counts {
		if n < 500 || n > 700 {
			t.Errorf("unit %d was chosen %d times of 2000, want about 600", u, n)
		}
	}
}

func TestFollow(t *testing.T) {
	var got []int
	for epoch := -1; epoch <= 4096; epoch++ {
		if Follow(epoch, 4096) {
			got = append(got, epoch)
		}
	}
	if want := []int{0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 4096}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
