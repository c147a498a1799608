package augment

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"testing"
)

// The same seed gives the same bytes: in any order, with any scratch, and on
// any machine, which the digests stand for. Normalised to pixel/255, so that
// the digest is that of bytes.
func TestSeedDecidesAll(t *testing.T) {
	zero, unit := []float64{0, 0, 0}, []float64{1, 1, 1}
	images := pictures(t)
	for _, c := range []struct {
		name, set string
		want      uint64
	}{
		{"flip-crop", "cifar", 0x7e9e9f1fc7e59f42},
		{"fast-autoaugment", "cifar", 0x5d32879019c0e47c},
		{"fast-autoaugment", "svhn", 0xbe975c111d7acf54},
	} {
		p, err := New(c.name, c.set, 3, 32, zero, unit)
		if err != nil {
			t.Fatal(err)
		}
		const n = 3000
		run := func(i int, s *Scratch) uint64 {
			src := images[i%len(images)]
			before := bytes.Clone(src)
			dst := make([]float32, len(src))
			for i := range dst {
				dst[i] = float32(math.NaN()) // each is to be written
			}
			p.Apply(dst, src, Seed(5, i/1000, i%1000), s)
			if !bytes.Equal(src, before) {
				t.Fatalf("%s: Apply wrote to the source of example %d", c.name, i)
			}
			h := fnv.New64a()
			for j, v := range dst {
				b := math.Round(float64(v) * 255)
				if !(b >= 0 && b <= 255) {
					t.Fatalf("%s: example %d, number %d: got %v, want 0 to 1", c.name, i, j, v)
				}
				h.Write([]byte{uint8(b)})
			}
			return h.Sum64()
		}
		digests := make([]uint64, n)
		var s Scratch
		for i := range digests {
			digests[i] = run(i, &s)
		}
		for i := n - 1; i >= 0; i -= 7 {
			if got := run(i, &Scratch{}); got != digests[i] {
				t.Fatalf("%s: example %d alone: got %x, want %x as in order", c.name, i, got, digests[i])
			}
		}
		var all uint64
		for _, d := range digests {
			all = mix(all ^ d)
		}
		if all != c.want {
			t.Errorf("%s for %s: got digest %#x, want %#x", c.name, c.set, all, c.want)
		}
	}
}

// An image whose every pixel names its own place tells how it was cut: all 25
// places (a crop shifts by up to two of twelve pixels) and both directions come up, about equally often, and every pixel is
// where the crop puts it.
func TestFlipCropDraws(t *testing.T) {
	const side, n = 12, 40000
	p, err := New("flip-crop", "", 1, side, []float64{0}, []float64{1. / 255})
	if err != nil {
		t.Fatal(err)
	}
	src := make([]uint8, side*side)
	for i := range src {
		src[i] = uint8(i + 1)
	}
	dst := make([]float32, len(src))
	counts := map[[3]int]int{}
	for i := range n {
		p.Apply(dst, src, Seed(3, 1, i), &Scratch{})
		// The middle survives every crop, and its neighbour gives the direction.
		at := side/2*side + side/2
		mid, next := int(dst[at])-1, int(dst[at+1])-1
		flip := 0
		x := side / 2
		if next < mid {
			flip, x = 1, side-1-side/2
		}
		dy, dx := mid/side-side/2, mid%side-x
		counts[[3]int{dy, dx, flip}]++
		for y := range side {
			for x := range side {
				sx := x
				if flip == 1 {
					sx = side - 1 - x
				}
				want := float32(0)
				if sy, sx := y+dy, sx+dx; sy >= 0 && sy < side && sx >= 0 && sx < side {
					want = float32(sy*side + sx + 1)
				}
				if got := dst[y*side+x]; got != want {
					t.Fatalf("shift %d,%d flip %d, pixel %d,%d: got %v, want %v", dy, dx, flip, y, x, got, want)
				}
			}
		}
	}
	if len(counts) != 5*5*2 {
		t.Fatalf("got %d different cuts, want 50", len(counts))
	}
	chi := 0.0
	for _, k := range counts {
		d := float64(k) - n/50.
		chi += d * d / (n / 50.)
	}
	// 49 degrees of freedom: mean 49, deviation 10.
	if chi > 49+5*10 {
		t.Errorf("cuts are uneven: χ² %.0f, want about 49", chi)
	}
}

// Without a policy's operations the cutout is all that Fast AutoAugment adds:
// its square is where it should be, of the right size, its centre uniform.
func TestCutoutDraws(t *testing.T) {
	for set, hole := range map[string]int{"cifar": 16, "svhn": 20} {
		p, err := New("fast-autoaugment", set, 3, 32, []float64{-1, -1, -1}, []float64{1, 1, 1})
		if err != nil {
			t.Fatal(err)
		}
		p.policy = slices.Clone(p.policy) // pipelines share it
		for i := range p.policy {
			p.policy[i][0].prob, p.policy[i][1].prob = -1, -1
		}
		src, dst := noise(3, 32), make([]float32, 3*32*32)
		const n = 20000
		sum := 0.0
		for i := range n {
			p.Apply(dst, src, Seed(1, 0, i), &Scratch{})
			k := 0
			for j, v := range dst[:1024] { // no pixel is 0 with a mean of -1
				if v == 0 {
					k++
				}
				if (v == 0) != (dst[1024+j] == 0) || (v == 0) != (dst[2048+j] == 0) {
					t.Fatalf("%s: the channels' squares differ at pixel %d", set, j)
				}
			}
			if k < hole*hole/4 || k > hole*hole {
				t.Fatalf("%s: %d pixels are zero, want from %d to %d", set, k, hole*hole/4, hole*hole)
			}
			sum += float64(k)
		}
		// Along one side a centre at c leaves min(32, c+hole/2) - max(0, c-hole/2).
		mean := 0.0
		for c := range 32 {
			mean += float64(min(32, c+hole/2)-max(0, c-hole/2)) / 32
		}
		if got, want := sum/n, mean*mean; math.Abs(got-want) > 3 {
			t.Errorf("%s: %.1f pixels are zero on average, want %.1f", set, got, want)
		}
	}
}

// Each sub-policy is drawn about equally often, each operation with its
// probability, each sign half of the time.
func TestPolicyDraws(t *testing.T) {
	o := newOperation(translateX, 0.25, 32)
	src, dst := make([]uint8, 3*32*32), make([]uint8, 3*32*32)
	src[0], src[31] = 1, 2
	var w workspace
	left := 0
	const n = 20000
	r := random(9)
	for range n {
		o.apply(dst, src, 32, &r, &w)
		switch {
		case dst[8] == 1:
		case dst[23] == 2:
			left++
		default:
			t.Fatalf("the row is moved by neither 8 nor -8: %v", dst[:32])
		}
	}
	if math.Abs(float64(left)-n/2) > 5*math.Sqrt(n)/2 {
		t.Errorf("%d of %d to the left, want half", left, n)
	}
	rows := make([]int, 493)
	for i := range 493 * 100 {
		r := random(Seed(0, 2, i))
		rows[r.below(len(rows))]++
	}
	if lo, hi := slices.Min(rows), slices.Max(rows); lo < 50 || hi > 150 {
		t.Errorf("rows come up %d to %d times, want about 100", lo, hi)
	}
}

// The seeds of neighbours share nothing: a whole epoch without a collision,
// and each bit set half of the time.
func TestSeedsDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	var bits [64]int
	for seed := range uint64(3) {
		for epoch := range 3 {
			for example := range 5000 {
				s := Seed(seed, epoch, example)
				if seen[s] {
					t.Fatalf("seed %d, epoch %d, example %d: its seed came up before", seed, epoch, example)
				}
				seen[s] = true
				for b := range bits {
					bits[b] += int(s >> b & 1)
				}
			}
		}
	}
	for b, k := range bits {
		if math.Abs(float64(k)-22500) > 5*math.Sqrt(45000)/2 {
			t.Errorf("bit %d is set in %d of 45000 seeds", b, k)
		}
	}
}

// Images of any side go through every operation, and grow the scratch once.
func TestSides(t *testing.T) {
	for _, side := range []int{1, 2, 3, 4, 5, 17, 28, 64} {
		p, err := New("fast-autoaugment", "svhn", 3, side, mean3, std3)
		if err != nil {
			t.Fatal(err)
		}
		src, dst := noise(3, side), make([]float32, 3*side*side)
		var s Scratch
		for i := range 2000 {
			p.Apply(dst, src, Seed(0, 0, i), &s)
		}
	}
	p := make3(t, "fast-autoaugment", "cifar")
	src, dst := noise(3, 32), make([]float32, 3*32*32)
	var s Scratch
	i := 0
	if n := testing.AllocsPerRun(2000, func() { p.Apply(dst, src, Seed(0, 0, i), &s); i++ }); n != 0 {
		t.Errorf("%v allocations an example, want 0", n)
	}
}

// A grey image is augmented as the colour image that it is: what comes out is the
// green plane of that.
func TestGrey(t *testing.T) {
	for _, policy := range []string{"cifar", "svhn"} {
		const side = 28
		grey, err := New("fast-autoaugment", policy, 1, side, mean3[:1], std3[:1])
		if err != nil {
			t.Fatal(err)
		}
		mean, std := []float64{mean3[0], mean3[0], mean3[0]}, []float64{std3[0], std3[0], std3[0]}
		colour, err := New("fast-autoaugment", policy, 3, side, mean, std)
		if err != nil {
			t.Fatal(err)
		}
		one := noise(1, side)
		three := slices.Concat(one, one, one)
		got, want := make([]float32, len(one)), make([]float32, len(three))
		var a, b Scratch
		for i := range 3000 {
			grey.Apply(got, one, Seed(7, 0, i), &a)
			colour.Apply(want, three, Seed(7, 0, i), &b)
			if !slices.Equal(got, want[len(one):2*len(one)]) {
				t.Fatalf("%s: example %d: grey differs from colour", policy, i)
			}
		}
	}
}

// What is 4, 16 and 20 of 32 pixels is as large a part of other sides.
func TestSidesScale(t *testing.T) {
	for side, want := range map[int][2]int{8: {1, 4}, 28: {4, 14}, 32: {4, 16}, 96: {12, 48}} {
		p, err := New("fast-autoaugment", "cifar", 3, side, mean3, std3)
		if err != nil || p.pad != want[0] || p.hole != want[1] {
			t.Errorf("side %d: got %+v, %v, want %v", side, p, err, want)
		}
	}
}

func TestUnknownName(t *testing.T) {
	for given, want := range map[string]string{
		"flipcrop": "flip-crop", "Flip_Crop": "flip-crop", "flip": "flip-crop", "flipcorp": "flip-crop",
		"fastautoaugment": "fast-autoaugment", "autoaugment": "fast-autoaugment", "fast-auto-augmnt": "fast-autoaugment",
		"none ": "none", "non": "none", "mixup": "", "": "",
	} {
		_, err := New(given, "cifar", 3, 32, mean3, std3)
		if err == nil {
			t.Errorf("%q: got no error", given)
			continue
		}
		if got := err.Error(); want == "" && strings.Contains(got, "mean") || want != "" && !strings.Contains(got, fmt.Sprintf("did you mean %q?", want)) {
			t.Errorf("%q: got %q, want %q meant", given, got, want)
		}
	}
	if _, err := New("fast-autoaugment", "mnist", 3, 32, mean3, std3); err == nil {
		t.Error("a set without a policy: got no error")
	}
}

// A broken policy is refused with the place and the cause.
func TestParseRefuses(t *testing.T) {
	const header = "op1,prob1,level1,op2,prob2,level2\n"
	for text, want := range map[string]string{
		"":                                   "want the line",
		header:                               "want the line",
		header + "Invert,1,0\n":              "line 2",
		header + "Invert,1,0,Blur,1,0\n":     `line 2: no operation "Blur"`,
		header + "Invert,1.5,0,Invert,1,0\n": "line 2: probability",
		header + "Invert,1,0,Invert,1,NaN\n": "line 2: level",
		header + "Invert,1,0,Invert,1,0\na,1,0\n": "line 3",
	} {
		_, err := parse(text, 32)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", text, err, want)
		}
	}
	for set, want := range map[string]int{"cifar": 493, "svhn": 497} {
		policy, _, err := policyFor(set, 32)
		if err != nil || len(policy) != want {
			t.Errorf("%s: got %d sub-policies, %v; want %d", set, len(policy), err, want)
		}
	}
}

// fast-autoaugment:P is fast-autoaugment for a share P of the examples, and
// flip-crop for the others.
func TestShare(t *testing.T) {
	whole, mild := make3(t, "fast-autoaugment", "cifar"), make3(t, "flip-crop", "cifar")
	src := pictures(t)[0]
	got, want := make([]float32, len(src)), make([]float32, len(src))
	var s Scratch
	for _, share := range []float64{0.1, 0.5, 0.75} {
		p := make3(t, fmt.Sprintf("fast-autoaugment:%g", share), "cifar")
		const n = 2000
		times := 0.0
		for i := range n {
			seed := Seed(3, 1, i)
			r := random(seed)
			other := mild
			if r.unit() < share {
				other = whole
				times++
			}
			p.Apply(got, src, seed, &s)
			other.Apply(want, src, uint64(r), &s)
			if !slices.Equal(got, want) {
				t.Fatalf("share %g, example %d: got another image", share, i)
			}
		}
		if off := math.Abs(times-share*n) / math.Sqrt(n*share*(1-share)); off > 4 {
			t.Errorf("share %g: got %g of %d, %.1f standard deviations off", share, times, n, off)
		}
	}
	for _, name := range []string{"fast-autoaugment:", "fast-autoaugment:0", "fast-autoaugment:1", "fast-autoaugment:-0.5", "fast-autoaugment:2", "fast-autoaugment:NaN",
		"fast-autoaugment:.5", "fast-autoaugment:0.50", "fast-autoaugment:half", "flip-crop:0.5"} {
		if _, err := New(name, "cifar", 3, 32, mean3, std3); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestStrength(t *testing.T) {
	last := -1.0
	for _, name := range []string{"none", "flip-crop", "fast-autoaugment:0.25", "fast-autoaugment:0.5", "fast-autoaugment"} {
		s, err := Strength(name)
		if err != nil || s <= last {
			t.Errorf("%s: got %v, %v, want above %v", name, s, err, last)
		}
		last = s
	}
}
