package augment

import (
	"slices"
	"testing"
)

var (
	mean3 = []float64{0.4914, 0.4822, 0.4465}
	std3  = []float64{0.2023, 0.1994, 0.2010}
)

// noise is an image without two equal neighbours.
func noise(channels, side int) []uint8 {
	img := make([]uint8, channels*side*side)
	r := random(7)
	for i := range img {
		img[i] = uint8(r.next())
	}
	return img
}

func make3(t testing.TB, name, set string) *Pipeline {
	t.Helper()
	p, err := New(name, set, 3, 32, mean3, std3)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlainNormalises(t *testing.T) {
	p := make3(t, "none", "cifar")
	src := noise(3, 32)
	plain, applied := make([]float32, len(src)), make([]float32, len(src))
	p.Plain(plain, src)
	for i, b := range src {
		c := i / 1024
		if want := float32((float64(b)/255 - mean3[c]) / std3[c]); plain[i] != want {
			t.Fatalf("number %d: got %v, want %v", i, plain[i], want)
		}
	}
	p.Apply(applied, src, 1, &Scratch{})
	if !slices.Equal(plain, applied) {
		t.Error("none: Apply differs from Plain")
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name           string
		channels, side int
		mean, std      []float64
	}{
		{"", 3, 32, mean3, std3},
		{"flip", 0, 32, nil, nil},
		{"flip-crop", 3, 0, mean3, std3},
		{"flip-crop", 3, 32, mean3[:2], std3},
		{"flip-crop", 3, 32, mean3, []float64{1, 0, 1}},
		{"fast-autoaugment", 2, 32, mean3[:2], std3[:2]},
	} {
		if _, err := New(c.name, "cifar", c.channels, c.side, c.mean, c.std); err == nil {
			t.Errorf("%+v: got no error", c)
		}
	}
}
