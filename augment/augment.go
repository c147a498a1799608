// Package augment turns the pixels of one training example into the numbers
// a network reads, changing them at random on the way.
//
// The paper trains with the augmentation of Lim et al. (2019), Fast
// AutoAugment. Its searched policies, policies/cifar.csv and
// policies/svhn.csv, are figures published with kakaobrain/fast-autoaugment
// (MIT licence): one sub-policy a row, rounded to six digits. The order of
// the steps is that program's too: policy, crop, flip, normalise, cutout.
package augment

import (
	"fmt"
	"math"
	"strings"
)

// padding is how many black pixels the random crop may bring in at a side.
const padding = 4

const (
	none            = "none"
	flipCrop        = "flip-crop"
	fastAutoAugment = "fast-autoaugment"
)

// Names lists the augmentations New knows, weakest first.
func Names() []string { return []string{none, flipCrop, fastAutoAugment} }

// Pipeline prepares examples of one shape. It never changes after New, so
// any number of goroutines may share it, each with its own Scratch.
type Pipeline struct {
	channels, side int
	random         bool           // crop and flip
	cutout         int            // side of the erased square; 0 for none
	policy         []subpolicy    // empty for no policy
	table          [][256]float32 // (channel, byte) → normalised number
}

// Scratch holds the images Apply works on. The zero value is ready; it grows
// at its first use and is then free of allocations. One goroutine at a time.
type Scratch struct {
	front, back []uint8
}

// New returns the pipeline called name (see Names) for images of
// channels×side×side bytes. set picks the policy: svhn has its own, every
// other set uses CIFAR's. mean and std have one number per channel, in units
// of pixel/255.
func New(name, set string, channels, side int, mean, std []float64) (*Pipeline, error) {
	p := &Pipeline{channels: channels, side: side}
	switch name {
	case none:
	case flipCrop:
		p.random = true
	case fastAutoAugment:
		p.random = true
	default:
		return nil, unknown(name)
	}
	if channels < 1 || side < 1 {
		return nil, fmt.Errorf("augment: images of %d channels, %dx%d pixels: both must be at least 1", channels, side, side)
	}
	if len(mean) != channels || len(std) != channels {
		return nil, fmt.Errorf("augment: %d means and %d deviations for %d channels: give one of each per channel", len(mean), len(std), channels)
	}
	if name == fastAutoAugment {
		if channels != 1 && channels != 3 {
			return nil, fmt.Errorf("augment: %s works on images of 1 or 3 channels, not %d: use %s", name, channels, flipCrop)
		}
		p.cutout, p.policy = 16, cifarPolicy()
		if set == "svhn" {
			p.cutout, p.policy = 20, svhnPolicy()
		}
	}
	p.table = make([][256]float32, channels)
	for c := range p.table {
		if !(std[c] > 0) || math.IsInf(std[c], 0) || math.IsNaN(mean[c]) || math.IsInf(mean[c], 0) {
			return nil, fmt.Errorf("augment: channel %d has mean %v and deviation %v: the mean must be finite, the deviation finite and above zero", c, mean[c], std[c])
		}
		for b := range p.table[c] {
			p.table[c][b] = float32((float64(b)/255 - mean[c]) / std[c])
		}
	}
	return p, nil
}

// unknown says which names there are, and which one was probably meant.
func unknown(name string) error {
	guess := ""
	given := plainName(name)
	for _, n := range Names() {
		m := plainName(n)
		if given != "" && (strings.HasPrefix(m, given) || strings.HasPrefix(given, m)) || distance(given, m) <= len(m)/3 {
			guess = fmt.Sprintf("did you mean %s? ", n)
		}
	}
	if given == "faa" || given == "autoaugment" {
		guess = fmt.Sprintf("did you mean %s? ", fastAutoAugment)
	}
	return fmt.Errorf("augment: no augmentation called %q: %sthere are %s", name, guess, strings.Join(Names(), ", "))
}

// plainName drops case and the marks between words.
func plainName(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// distance counts the letters to insert, delete or replace between a and b.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// size is the length of an example, in bytes and in numbers.
func (p *Pipeline) size() int { return p.channels * p.side * p.side }

func (p *Pipeline) check(dst []float32, src []uint8) {
	if len(dst) != p.size() || len(src) != p.size() {
		panic(fmt.Sprintf("augment: %d bytes into %d numbers, want %dx%dx%d of each", len(src), len(dst), p.channels, p.side, p.side))
	}
}

// Plain writes src, planes of bytes (channels, side, side), normalised to
// dst of the same shape and changes nothing else: what evaluation reads.
func (p *Pipeline) Plain(dst []float32, src []uint8) {
	p.check(dst, src)
	plane := p.side * p.side
	for c := range p.table {
		table := &p.table[c]
		out := dst[c*plane : (c+1)*plane]
		for i, b := range src[c*plane : (c+1)*plane] {
			out[i] = table[b]
		}
	}
}

// Apply writes one augmented example, planes of bytes (channels, side, side)
// to normalised numbers of the same shape. It does the policy's operations,
// the crop from an image padded with black, the flip, the normalisation and,
// with Fast AutoAugment, the cutout: zeros after normalising, which is the
// mean colour. The same seed gives the same numbers on every machine.
func (p *Pipeline) Apply(dst []float32, src []uint8, seed uint64, s *Scratch) {
	if !p.random {
		p.Plain(dst, src)
		return
	}
	p.check(dst, src)
	r := random(seed)
	if len(p.policy) > 0 {
		src = p.transform(src, &r, s)
	}
	dy, dx := r.below(2*padding+1)-padding, r.below(2*padding+1)-padding
	flip := r.next()>>63 == 1
	p.crop(dst, src, dy, dx, flip)
	if p.cutout > 0 {
		p.erase(dst, r.below(p.side), r.below(p.side))
	}
}

// crop normalises the window of src that begins at row dy, column dx; what
// lies outside src is black. With flip the window is then mirrored.
func (p *Pipeline) crop(dst []float32, src []uint8, dy, dx int, flip bool) {
	side := p.side
	// Columns [lo,hi) of the window lie inside src.
	lo, hi := min(side, max(0, -dx)), max(0, min(side, side-dx))
	for c := range p.table {
		table := &p.table[c]
		black := table[0]
		for y := range side {
			at := (c*side + y) * side
			out := dst[at : at+side]
			from := y + dy
			if from < 0 || from >= side || lo >= hi {
				fill(out, black)
				continue
			}
			at = (c*side + from) * side
			in := src[at+lo+dx : at+hi+dx]
			if !flip {
				fill(out[:lo], black)
				window := out[lo:hi]
				for x, b := range in {
					window[x] = table[b]
				}
				fill(out[hi:], black)
				continue
			}
			fill(out[side-lo:], black)
			window := out[side-hi : side-lo]
			last := len(window) - 1
			for x, b := range in {
				window[last-x] = table[b]
			}
			fill(out[:side-hi], black)
		}
	}
}

func fill(row []float32, v float32) {
	for i := range row {
		row[i] = v
	}
}

// erase zeroes the cutout square about row cy, column cx, clipped to the
// image.
func (p *Pipeline) erase(dst []float32, cy, cx int) {
	side, half := p.side, p.cutout/2
	y0, y1 := max(0, cy-half), min(side, cy+half)
	x0, x1 := max(0, cx-half), min(side, cx+half)
	for c := range p.channels {
		for y := y0; y < y1; y++ {
			at := (c*side + y) * side
			clear(dst[at+x0 : at+x1])
		}
	}
}
