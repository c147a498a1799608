package model

import (
	"math"
	"testing"
)

// cifar is the size of a network for images of CIFAR-10.
func cifar(alpha int) Size { return Size{Alpha: alpha, Channels: 3, Side: 32, Classes: 10} }

// formulas are Tables 3 and 4: the weights of each layer for images of side s
// with three channels, base channels α and c classes.
var formulas = map[string]func(s, a, c int) []int{
	"s-conv":  func(s, a, c int) []int { return []int{243 * a, 6 * s * s * a * a, 24 * c * a} },
	"s-local": func(s, a, c int) []int { return []int{243 * s * s * a / 4, 6 * s * s * a * a, 24 * c * a} },
	"s-fc":    func(s, a, c int) []int { return []int{3 * s * s * s * s * a / 4, 6 * s * s * a * a, 24 * c * a} },
	"d-conv": func(s, a, c int) []int {
		list := []int{27 * a}
		for k := 1; k <= 7; k++ {
			list = append(list, 9<<k*a*a)
		}
		return append(list, 4*s*s*a*a, 64*c*a)
	},
	// Table 3 prints 9s²α²/2ᵏ for conv2 to conv8 of D-LOCAL, which is so for
	// conv2 alone: see TestDLocalErratum.
	"d-local": func(s, a, c int) []int {
		list := []int{27 * s * s * a}
		for k := 1; k <= 7; k++ {
			n := 9 * s * s * a * a
			if k%2 == 1 { // stride 2: half as many positions times channels
				n /= 2
			}
			list = append(list, n)
		}
		return append(list, 4*s*s*a*a, 64*c*a)
	},
	"d-fc": func(s, a, c int) []int {
		list := []int{3 * s * s * s * s * a}
		for k := 1; k <= 7; k++ {
			list = append(list, s*s*s*s*a*a>>k)
		}
		return append(list, 4*s*s*a*a, 64*c*a)
	},
}

func TestCountsAreTables3And4(t *testing.T) {
	for name, formula := range formulas {
		for _, size := range []Size{cifar(1), cifar(15), cifar(150), {Alpha: 7, Channels: 3, Side: 16, Classes: 100}} {
			list, total, err := Count(name, size)
			if err != nil {
				t.Fatal(err)
			}
			want, sum := formula(size.Side, size.Alpha, size.Classes), 0
			if len(list) != len(want) {
				t.Fatalf("%s: got %d layers, want %d", name, len(list), len(want))
			}
			for i, w := range want {
				sum += w
				if list[i].Params != w {
					t.Errorf("%s, α = %d, side %d: %s has %d weights, want %d", name, size.Alpha, size.Side, list[i].Name, list[i].Params, w)
				}
			}
			if total != sum {
				t.Errorf("%s: got %d weights in all, want %d", name, total, sum)
			}
		}
	}
}

// TestSizesOfTable1: the paper's sizes, in millions, are those of α = 150 and,
// for the deep networks, α = 15.
func TestSizesOfTable1(t *testing.T) {
	for _, c := range []struct {
		name     string
		size     Size
		millions float64
	}{
		{"s-conv", cifar(150), 138.31},
		{"s-local", cifar(150), 147.61},
		{"s-fc", cifar(150), 256.24},
		{"d-conv", cifar(15), 1.45},
		{"3-fc", Size{Width: 14533, Channels: 3, Side: 32, Classes: 10}, 256.0},
	} {
		_, total, err := Count(c.name, c.size)
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(total) / 1e6; math.Abs(got-c.millions) > 0.005 {
			t.Errorf("%s: got %.3f M weights, want %.2f M", c.name, got, c.millions)
		}
	}
}

// TestDLocalErratum: the 3.42 M that Tables 1 and 3 give for D-LOCAL at α = 15
// shrink every layer's count by two, as if each halved. Locally connected
// layers of these sizes have 11.7 M.
func TestDLocalErratum(t *testing.T) {
	const s, a, c = 32, 15, 10
	printed := 27*s*s*a + 4*s*s*a*a + 64*c*a
	for k := 1; k <= 7; k++ {
		printed += 9 * s * s * a * a >> k
	}
	if got := float64(printed) / 1e6; math.Abs(got-3.42) > 0.02 {
		t.Errorf("Table 3's formula: got %.3f M, want Table 1's 3.42 M", got)
	}
	_, total, err := Count("d-local", cifar(a))
	if err != nil {
		t.Fatal(err)
	}
	if got := float64(total) / 1e6; math.Abs(got-11.7) > 0.05 {
		t.Errorf("D-LOCAL: got %.3f M weights, want 11.7 M", got)
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name   string
		params int
		want   int
	}{
		{"s-fc", 256_237_000, 150},
		{"s-conv", 138_300_000, 150},
		{"s-local", 147_612_000, 150},
		{"s-fc", 25_600_000, 27},
		{"d-conv", 1_450_000, 15},
		{"3-fc", 256_000_000, 14533},
		{"s-fc", 1, 1},
		{"3-fc", 0, 1},
	} {
		got, err := Nearest(c.name, c.params, cifar(0))
		if err != nil {
			t.Fatal(err)
		}
		if got.Alpha+got.Width != c.want || (got.Alpha == 0) != (c.name == "3-fc") {
			t.Errorf("%s of %d weights: got %+v, want %d", c.name, c.params, got, c.want)
		}
		_, total, _ := Count(c.name, got)
		for _, d := range []int{-1, 1} {
			other := got
			if c.name == "3-fc" {
				other.Width += d
			} else {
				other.Alpha += d
			}
			if _, n, err := Count(c.name, other); err == nil && abs(n-c.params) < abs(total-c.params) {
				t.Errorf("%s: %+v has %d weights, but %+v has %d, nearer to %d", c.name, got, total, other, n, c.params)
			}
		}
	}
	for _, name := range Names() {
		if got, err := Nearest(name, math.MaxInt, cifar(0)); err == nil {
			t.Errorf("%s: got %+v for %d weights, want an error", name, got, math.MaxInt)
		}
	}
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
