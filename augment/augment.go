// Package augment makes the network's input from a training image: unchanged,
// cropped and flipped, or with Fast AutoAugment. It consists of pure functions on
// square images in planes of bytes, seeded for each example; every byte is the
// same on every machine.
package augment

import (
	"fmt"
	"math"
)

// Pipeline is one way to augment the images of one data set. It does not
// change after New; any number of goroutines may use it at once.
type Pipeline struct {
	channels, side int
	pad            int            // how many black pixels a crop may show at a border
	table          [][256]float32 // by channel: the normalised value of a byte
	crop           bool           // shift and mirror
	policy         []subPolicy    // Fast AutoAugment, or nil
	share          float64        // of the examples that get it and the cutout
	hole           int            // side of the final cutout, in pixels; 0 is none
}

// Scratch holds the two images that Apply works on; a goroutine needs one of
// its own. The zero value is ready.
type Scratch struct {
	a, b []uint8
	work workspace
}

// New gives the pipeline called name for images of channels planes of side x side
// bytes, whose pixels divided by 255 have the given mean and standard deviation,
// one of each per channel.
//
// The reference code is for images of 32 x 32 pixels: crops that show up to four
// black pixels at a border, a final cutout of 16 (policy cifar) or 20 (svhn). At
// other sides they are as large a part of the image, to the nearest pixel; the
// policies' own shifts and cutouts are parts of the side anyway.
//
// fast-autoaugment:P does fast-autoaugment to each example with probability P, from
// epoch to epoch anew, and flip-crop otherwise: a milder policy, for networks that
// cannot fit the whole one.
//
// fast-autoaugment takes images of one channel or three. A grey image is augmented
// as the colour image that it is, with red, green and blue alike: Color leaves it as
// it is, and what Cutout covers becomes 123, the reference's colour in grey.
func New(name, policy string, channels, side int, mean, std []float64) (*Pipeline, error) {
	if channels < 1 || side < 1 {
		return nil, fmt.Errorf("augment: images of %d channels and side %d; want at least 1 of both", channels, side)
	}
	if len(mean) != channels || len(std) != channels {
		return nil, fmt.Errorf("augment: %d means and %d deviations for %d channels; want one of each per channel", len(mean), len(std), channels)
	}
	p := &Pipeline{channels: channels, side: side, pad: part(4, side), table: make([][256]float32, channels)}
	for c := range channels {
		if !(std[c] > 0) || math.IsInf(std[c], 0) || math.IsNaN(mean[c]) || math.IsInf(mean[c], 0) {
			return nil, fmt.Errorf("augment: channel %d has mean %v and deviation %v; want a finite mean and a deviation above 0: are its images all alike?", c, mean[c], std[c])
		}
		for v := range 256 {
			p.table[c][v] = float32((float64(v)/255 - mean[c]) / std[c])
		}
	}
	strength, err := Strength(name)
	if err != nil {
		return nil, err
	}
	p.crop = strength > 0
	if p.share = strength - 1; p.share > 0 {
		if channels != 3 && channels != 1 {
			return nil, fmt.Errorf("augment: %s is for images of one channel or three; these have %d, so use %s", fastAuto, channels, flipCrop)
		}
		p.policy, p.hole, err = policyFor(policy, side)
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

// part scales a number of pixels from images of 32 to images of the given side,
// to the nearest pixel.
func part(n, side int) int { return (2*n*side + 32) / 64 }

// Plain normalises src, an image in planes, into dst: what evaluation sees.
func (p *Pipeline) Plain(dst []float32, src []uint8) {
	p.check(dst, src)
	area := p.side * p.side
	for c := range p.table {
		look(dst[c*area:(c+1)*area], src[c*area:(c+1)*area], &p.table[c])
	}
}

// Apply augments and normalises src, an image in planes, into dst, with the
// random numbers of seed. In this order, as in the reference code of Fast
// AutoAugment: a sub-policy, chosen at random; a crop of the image padded with
// four black pixels; a mirror image, half of the time; normalisation; a square of
// zeros around a random pixel. An example outside of the share of
// fast-autoaugment:P is cropped and mirrored alone. src does not change.
func (p *Pipeline) Apply(dst []float32, src []uint8, seed uint64, s *Scratch) {
	if !p.crop {
		p.Plain(dst, src)
		return
	}
	p.check(dst, src)
	r := random(seed)
	whole := p.share >= 1 || p.share > 0 && r.unit() < p.share
	if whole {
		if n := 3 * p.side * p.side; len(s.a) != n {
			s.a, s.b = make([]uint8, n), make([]uint8, n)
		}
		out := s.a
		grey := p.channels == 1
		if grey {
			for c := range 3 {
				copy(s.b[c*len(src):], src)
			}
			src = s.b
		}
		sub := &p.policy[r.below(len(p.policy))]
		for i := range sub {
			if r.unit() > sub[i].prob {
				continue
			}
			sub[i].apply(out, src, p.side, &r, &s.work)
			src, out = out, s.other(out)
		}
		if grey {
			src = src[len(src)/3:][:len(src)/3]
		}
	}
	dy, dx := r.below(2*p.pad+1)-p.pad, r.below(2*p.pad+1)-p.pad
	p.place(dst, src, dy, dx, r.coin())
	if whole {
		y, x := r.below(p.side), r.below(p.side)
		p.cutout(dst, y, x)
	}
}

// other is the image of s that is not a.
func (s *Scratch) other(a []uint8) []uint8 {
	if &a[0] == &s.a[0] {
		return s.b
	}
	return s.a
}

// place normalises into dst the part of src that starts at row dy and column
// dx, black where that is outside, mirrored if flip.
func (p *Pipeline) place(dst []float32, src []uint8, dy, dx int, flip bool) {
	side := p.side
	lo, hi := max(0, -dx), min(side, side-dx) // columns of dst with image in them, before the flip
	lo, hi = min(lo, side), max(hi, 0)
	for c := range p.table {
		t := &p.table[c]
		for y := range side {
			at := (c*side + y) * side
			out := dst[at : at+side]
			sy := y + dy
			if sy < 0 || sy >= side || lo >= hi {
				fill(out, t[0])
				continue
			}
			from := (c*side+sy)*side + dx
			in := src[from+lo : from+hi]
			if !flip {
				fill(out[:lo], t[0])
				fill(out[hi:], t[0])
				look(out[lo:hi], in, t)
				continue
			}
			fill(out[side-lo:], t[0])
			fill(out[:side-hi], t[0])
			lookBack(out[side-hi:side-lo], in, t)
		}
	}
}

// look sets dst to what t has for the bytes of src, which are as many. Eight at a
// time, so that an element costs its two loads and its store and little else; the
// last eight may overlap those before them.
func look(dst []float32, src []uint8, t *[256]float32) {
	src = src[:len(dst)]
	for len(dst) >= 8 {
		d, s := (*[8]float32)(dst), (*[8]uint8)(src)
		d[0], d[1], d[2], d[3] = t[s[0]], t[s[1]], t[s[2]], t[s[3]]
		d[4], d[5], d[6], d[7] = t[s[4]], t[s[5]], t[s[6]], t[s[7]]
		next := 8
		if n := len(dst); n > 8 {
			next = min(8, n-8)
		}
		dst, src = dst[next:], src[next:]
	}
	for i, v := range src {
		dst[i] = t[v]
	}
}

// lookBack is look with dst from its end.
func lookBack(dst []float32, src []uint8, t *[256]float32) {
	src = src[:len(dst)]
	for len(dst) >= 8 {
		n := len(dst)
		d, s := (*[8]float32)(dst[n-8:]), (*[8]uint8)(src)
		d[7], d[6], d[5], d[4] = t[s[0]], t[s[1]], t[s[2]], t[s[3]]
		d[3], d[2], d[1], d[0] = t[s[4]], t[s[5]], t[s[6]], t[s[7]]
		next := 8
		if n > 8 {
			next = min(8, n-8)
		}
		dst, src = dst[:n-next], src[next:]
	}
	for i, v := range src {
		dst[len(dst)-1-i] = t[v]
	}
}

// cutout sets a square of p.hole pixels around pixel (y, x) to zero, which is
// the mean colour; at a border less of it is left.
func (p *Pipeline) cutout(dst []float32, y, x int) {
	half := p.hole / 2
	y0, y1 := max(0, y-half), min(p.side, y+half)
	x0, x1 := max(0, x-half), min(p.side, x+half)
	for c := range p.channels {
		for y := y0; y < y1; y++ {
			at := (c*p.side + y) * p.side
			clear(dst[at+x0 : at+x1])
		}
	}
}

func fill(s []float32, v float32) {
	for i := range s {
		s[i] = v
	}
}

func (p *Pipeline) check(dst []float32, src []uint8) {
	if n := p.channels * p.side * p.side; len(dst) != n || len(src) != n {
		panic(fmt.Sprintf("augment: %d floats from %d bytes, want %d x %d x %d = %d of both", len(dst), len(src), p.channels, p.side, p.side, n))
	}
}
