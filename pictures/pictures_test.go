package pictures

import (
	"fmt"
	"image/color"
	"strings"
	"testing"
)

func TestSheet(t *testing.T) {
	pix := make([]uint8, 3*64)
	pix[0], pix[64], pix[128] = 200, 100, 50
	m := Sheet([]string{"as it is", "augmented"}, []Row{{"a cat whose name is far too long to be shown", [][]uint8{pix, pix}}, {"dog", [][]uint8{pix}}}, 3, 8, 3)
	for _, x := range []int{130, 132, 130 + 28} {
		if got := m.At(x, 23); got != (color.NRGBA{200, 100, 50, 255}) {
			t.Errorf("at %d: got %v, want the image's first pixel", x, got)
		}
	}
	if got := m.At(133, 23); got != (color.NRGBA{0, 0, 0, 255}) {
		t.Errorf("got %v, want the second pixel", got)
	}
	grey := Sheet(nil, []Row{{"", [][]uint8{{9}}}}, 1, 1, 1)
	if got := grey.At(20, 23); got != (color.NRGBA{9, 9, 9, 255}) {
		t.Errorf("grey: got %v", got)
	}
}

// What is right is blue, what is wrong red, and darker the more of it there is.
func TestConfusion(t *testing.T) {
	for _, n := range []int{2, 10, 30, 100, 300} {
		counts, names := make([][]int, n), make([]string, n)
		for i := range counts {
			counts[i], names[i] = make([]int, n), fmt.Sprintf("class %d, with a long name", i)
			counts[i][i], counts[i][(i+1)%n] = 90, 10
		}
		counts[n-1] = make([]int, n) // of a class without images
		m := Confusion(names, counts)
		b := m.Bounds()
		if b.Dx() > 1600 || b.Dy() > 1600 {
			t.Errorf("%d classes: a picture of %v", n, b)
		}
		blue, red := 0, 0
		for y := range b.Dy() {
			for x := range b.Dx() {
				r, _, bl, _ := m.At(x, y).RGBA()
				if bl > r+0x2000 {
					blue++
				}
				if r > bl+0x0800 {
					red++
				}
			}
		}
		if blue == 0 || red == 0 {
			t.Errorf("%d classes: %d blue and %d red pixels", n, blue, red)
		}
	}
}

// A name of a million letters is cut, in no time that one would notice.
func TestLongNames(t *testing.T) {
	m := Sheet([]string{strings.Repeat("A", 1_000_000)}, []Row{{Label: strings.Repeat("é", 1_000_000), Images: [][]uint8{make([]uint8, 64)}}}, 1, 8, 2)
	if size := m.Bounds().Size(); size.X > 500 {
		t.Errorf("got a picture of %v", size)
	}
}
