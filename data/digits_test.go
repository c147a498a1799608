package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"runtime"
	"slices"
	"testing"
)

// digitsSum is the checksum of a set's images and labels, training first.
func digitsSum(s *Set) string {
	h := sha256.New()
	for _, im := range []Images{s.Train, s.Test} {
		h.Write(im.Pix)
		for _, l := range im.Labels {
			h.Write([]byte{byte(l)})
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// The digits of runs already trained must stay as they are: a change here is a
// change of the data set.
func TestDigitsStayTheSame(t *testing.T) {
	const want = "935e9f83128b8d751938f6ef6e1159442b34f94ae4feedd08c724d52641a21ce"
	for _, workers := range []int{1, 3} {
		before := runtime.GOMAXPROCS(workers)
		got := digitsSum(Digits(200, 50, 1))
		runtime.GOMAXPROCS(before)
		if got != want {
			t.Errorf("%d workers: got sha256 %s, want %s", workers, got, want)
		}
	}
}

func TestDigitsShape(t *testing.T) {
	s := Digits(200, 50, 1)
	if s.Name != "digits" || s.Channels != 3 || s.Side != 32 || len(s.Classes) != 10 || s.Classes[7] != "7" {
		t.Errorf("got %q, %d channels, side %d, classes %q", s.Name, s.Channels, s.Side, s.Classes)
	}
	for _, part := range []struct {
		im   Images
		want int
	}{{s.Train, 200}, {s.Test, 50}} {
		if part.im.Len() != part.want || part.im.ImageSize != 3*32*32 || len(part.im.Pix) != part.want*3*32*32 {
			t.Errorf("got %d images of %d bytes, %d in all; want %d images", part.im.Len(), part.im.ImageSize, len(part.im.Pix), part.want)
		}
	}
	for _, n := range []int{0, -1} {
		if e := Digits(n, n, 1); e.Train.Len() != 0 || e.Test.Len() != 0 {
			t.Errorf("size %d: got %d and %d images, want none", n, e.Train.Len(), e.Test.Len())
		}
	}
}

func TestDigitsLabels(t *testing.T) {
	s := Digits(203, 50, 1)
	for _, part := range []struct {
		im     Images
		lo, hi int
	}{{s.Train, 20, 21}, {s.Test, 5, 5}} {
		var count [10]int
		for _, l := range part.im.Labels {
			count[l]++
		}
		for label, n := range count {
			if n < part.lo || n > part.hi {
				t.Errorf("label %d: got %d of %d images, want %d to %d", label, n, part.im.Len(), part.lo, part.hi)
			}
		}
	}
	if slices.Equal(s.Train.Labels[:10], []uint16{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Error("the labels are not shuffled")
	}
}

// No image comes twice: not in a set, not in training and test, not under
// another seed.
func TestDigitsDiffer(t *testing.T) {
	seen := map[string]string{}
	for seed, name := range []string{"seed 0", "seed 1", "seed 2"} {
		s := Digits(100, 100, uint64(seed))
		for _, im := range []Images{s.Train, s.Test} {
			for i := range im.Len() {
				key := string(im.Image(i))
				if other, ok := seen[key]; ok {
					t.Errorf("image %d of %s is also one of %s", i, name, other)
				}
				seen[key] = name
			}
		}
	}
}

// Every image shows something: the middle is not all one shade, and little is
// clipped to black or white for all.
func TestDigitsAreVisible(t *testing.T) {
	s := Digits(500, 0, 3)
	clipped := 0
	for i := range s.Train.Len() {
		pix := s.Train.Image(i)
		widest := 0
		for c := range channels {
			var middle []uint8
			for y := 6; y < 26; y++ {
				middle = append(middle, pix[c*side*side+y*side+6:][:20]...)
			}
			slices.Sort(middle)
			// The darkest and lightest twentieths are left to noise.
			n := len(middle)
			widest = max(widest, int(middle[n-n/20])-int(middle[n/20]))
		}
		if widest < 20 {
			t.Errorf("image %d, a %d: got %d grey levels between dark and light, want 20 at least", i, s.Train.Labels[i], widest)
		}
		clipped += bytes.Count(pix, []byte{0}) + bytes.Count(pix, []byte{255})
	}
	if part := 100 * clipped / len(s.Train.Pix); part > 20 {
		t.Errorf("got %d %% of all bytes black or white, want 20 %% at most", part)
	}
}

// A face's digits are upright, of one height, filled and empty where they
// should be.
func TestDigitFaces(t *testing.T) {
	for i, f := range digitFaces() {
		for d, g := range f {
			if len(g.mask) != g.wide*g.high || g.high < glyphHigh-3 || g.high > glyphHigh+3 || g.wide < 8 || g.wide > 40 {
				t.Errorf("face %d: got a %d of %d×%d points, want one about %d high", i, d, g.wide, g.high, glyphHigh)
			}
			ink := 0
			for _, m := range g.mask {
				ink += int(m)
			}
			if part := 100 * ink / (255 * len(g.mask)); part < 12 || part > 75 {
				t.Errorf("face %d: got %d %% of the %d's box inked, want 12 to 75", i, part, d)
			}
		}
		// A 7 has its bar at the top, and nothing low at the right.
		seven := f[7]
		if top, low := seven.mask[3*seven.wide+seven.wide/2], seven.mask[seven.high*seven.wide-seven.wide/8-1]; top < 200 || low > 50 {
			t.Errorf("face %d: got cover %d in a 7's bar and %d under it, want full and none", i, top, low)
		}
	}
}

func BenchmarkDigits(b *testing.B) {
	for b.Loop() {
		Digits(1000, 0, 1)
	}
}
