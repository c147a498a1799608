package data

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Digits makes a set of house-number-like images of the given sizes: 32×32
// colour images of a digit among parts of its neighbours, set in the Go fonts
// at varied size, slant, place, colour and contrast, blurred and noisy. Labels
// are balanced, in random order. The same arguments give the same bytes on
// every machine, as all of it is integer arithmetic; training and test images
// come from different random streams. A negative size counts as 0.
func Digits(train, test int, seed uint64) *Set {
	return &Set{
		Name: "digits", Classes: slices.Clone(digitClasses), Channels: channels, Side: side, Policy: "cifar",
		Train: drawDigits(max(train, 0), seed, 1), Test: drawDigits(max(test, 0), seed, 2),
	}
}

// drawDigits draws n images of one random stream, in parallel: each image has
// a generator of its own, so the order of drawing does not matter.
func drawDigits(n int, seed, stream uint64) Images {
	im := Images{Pix: make([]uint8, n*imageSize), Labels: make([]uint16, n), ImageSize: imageSize}
	for i := range im.Labels {
		im.Labels[i] = uint16(i % len(digitClasses))
	}
	order := digitRand(seed, stream, 0)
	order.Shuffle(n, func(i, j int) { im.Labels[i], im.Labels[j] = im.Labels[j], im.Labels[i] })
	faces := digitFaces()
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			var s scene
			for i := w; i < n; i += workers {
				s.rng = digitRand(seed, stream, uint64(i)+1)
				s.draw(faces, int(im.Labels[i]), im.Image(i))
			}
		})
	}
	wg.Wait()
	return im
}

// digitRand is the generator of image i-1 of a stream; 0 is for the labels.
func digitRand(seed, stream, i uint64) *rand.Rand {
	return rand.New(rand.NewPCG(scramble(seed)+stream, scramble(i)))
}

// scramble spreads neighbouring numbers over all 64 bits (the finaliser of
// SplitMix64), so that neighbouring images have unlike generators.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// scene is one image in the making, and its buffers.
type scene struct {
	rng   *rand.Rand
	strip [stripHigh * stripWide]uint8   // left neighbour, digit, right neighbour
	ink   [side * side]int32             // how much of each pixel the digits cover, 0-255
	pix   [channels * side * side]int32  // the image, 16 a grey level
	blur  [side * side]int32             // one plane, half blurred
	knots [channels][knots * knots]int32 // of the background's texture
	back  [channels]gradient
}

// gradient is a colour plane: a value at the image's corner and its change
// from pixel to pixel, all in sixteenths.
type gradient struct{ at, dx, dy int32 }

// knots of the background's texture are 8 pixels apart.
const (
	knotGap = 8
	knots   = side/knotGap + 1
)

// draw makes the image of a label.
func (s *scene) draw(faces []face, label int, out []uint8) {
	s.compose(&faces[s.rng.IntN(len(faces))], label)
	s.warp()
	s.background()
	s.paint()
	for range s.between(0, 2) {
		s.soften()
	}
	s.finish(out)
}

// between is a random number from lo to hi, both included.
func (s *scene) between(lo, hi int) int32 { return int32(lo + s.rng.IntN(hi-lo+1)) }

// oneIn is true once in n times.
func (s *scene) oneIn(n int) bool { return s.rng.IntN(n) == 0 }

// compose sets the digit in the middle of the strip, and mostly a neighbour on
// either side of it.
func (s *scene) compose(f *face, label int) {
	clear(s.strip[:])
	middle := &f[label]
	gap := int(s.between(2, 9))
	left := (stripWide - middle.wide) / 2
	s.set(middle, left)
	if !s.oneIn(3) {
		g := &f[s.rng.IntN(len(f))]
		s.set(g, left-gap-g.wide)
	}
	if !s.oneIn(3) {
		s.set(&f[s.rng.IntN(len(f))], left+middle.wide+gap)
	}
}

// set lays a glyph into the strip at column x, cut off at the strip's ends.
func (s *scene) set(g *glyph, x int) {
	top := (stripHigh - g.high) / 2
	from, to := max(0, -x), min(g.wide, stripWide-x)
	for r := range g.high {
		copy(s.strip[(top+r)*stripWide+x+from:], g.mask[r*g.wide+from:r*g.wide+to])
	}
}

// Sines and cosines of 0 to 15 degrees, 1<<14 being one.
var (
	sines   = [16]int32{0, 286, 572, 857, 1143, 1428, 1713, 1997, 2280, 2563, 2845, 3126, 3406, 3686, 3964, 4240}
	cosines = [16]int32{16384, 16382, 16374, 16362, 16344, 16322, 16294, 16262, 16225, 16182, 16135, 16083, 16026, 15964, 15897, 15826}
)

// warp turns, shears, scales and shifts the strip into ink: it samples the
// strip four times a pixel, between its points, in 16.16 fixed point.
func (s *scene) warp() {
	high := s.between(16*15, 16*26) // of the digit, in sixteenths of a pixel
	scaleY := int32(glyphHigh<<16) / high * 16
	scaleX := scaleY / 100 * s.between(75, 115)
	degrees := s.between(-15, 15)
	sin, cos := sines[max(degrees, -degrees)], cosines[max(degrees, -degrees)]
	if degrees < 0 {
		sin = -sin
	}
	shear := int64(s.between(-16384/4, 16384/4))
	// A step of a pixel right or down in the image is this one in the strip.
	ux, uy := int64(cos)*int64(scaleX)>>14, int64(sin)*int64(scaleX)>>14
	vx, vy := -int64(sin)*int64(scaleY)>>14, int64(cos)*int64(scaleY)>>14
	ux, uy = ux+shear*vx>>14, uy+shear*vy>>14
	// Up to 3.5 pixels, but never so far that a neighbour is as near the middle.
	far := int(min(high/6, 56))
	shiftX, shiftY := int64(s.between(-far, far)), int64(s.between(-56, 56))
	for y := range side {
		for x := range side {
			var sum int32
			for k := range 4 {
				// The sample's place from the digit's middle, in sixteenths.
				dx := int64(16*x+4+8*(k&1)-16*side/2) - shiftX
				dy := int64(16*y+4+8*(k>>1)-16*side/2) - shiftY
				u := int32((ux*dx+uy*dy)>>4) + stripWide<<15 - 1<<15
				v := int32((vx*dx+vy*dy)>>4) + stripHigh<<15 - 1<<15
				sum += s.sample(u, v)
			}
			s.ink[y*side+x] = (sum + 2) >> 2
		}
	}
}

// sample is the strip at (u, v), between its points; 0 outside.
func (s *scene) sample(u, v int32) int32 {
	x, y := u>>16, v>>16
	if uint32(x) >= stripWide-1 || uint32(y) >= stripHigh-1 {
		return 0
	}
	fx, fy := u>>8&255, v>>8&255
	p := s.strip[y*stripWide+x:]
	a := int32(p[0])<<8 + (int32(p[1])-int32(p[0]))*fx
	b := int32(p[stripWide])<<8 + (int32(p[stripWide+1])-int32(p[stripWide]))*fx
	return (a<<8 + (b-a)*fy) >> 16
}
