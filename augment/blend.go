package augment

// clipped is PIL's blend of two bytes, from + alpha·(to − from), in single
// precision, truncated to whole numbers and clipped to a byte.
func clipped(alpha float32, from, to int) uint8 {
	v := float32(from) + float32(alpha*float32(to-from))
	switch {
	case v <= 0:
		return 0
	case v >= 255:
		return 255
	}
	return uint8(v)
}

// blend leads from a duller image to the image itself (alpha 1) and beyond.
//
// step is the whole part of alpha·d, rounded down, for d from -255 to 255. As
// from is whole, from + step[d+255] is clipped(alpha, from, from+d) but for
// the cut to a byte — unless alpha·d is so little below a whole number that
// the sum rounds up to it, which is where exact is false.
type blend struct {
	alpha float32
	exact bool
	step  [512]int16
}

func newBlend(v float64) *blend {
	b := &blend{alpha: float32(v), exact: true}
	for d := -255; d <= 255; d++ {
		f := float32(b.alpha * float32(d))
		n := int(f)
		if float32(n) > f {
			n--
		}
		b.step[d+255] = int16(n)
		// Sums below 512 are rounded by at most 2^-16.
		if float64(f)-float64(n) > 1-0x1p-15 {
			b.exact = false
		}
	}
	return b
}

// of is clipped by the table.
func (b *blend) of(from, to int) uint8 {
	if !b.exact {
		return clipped(b.alpha, from, to)
	}
	return clip(from + int(b.step[(to-from+255)&511]))
}

// clip cuts v to a byte, from a table: pixels that need it come and go, and a
// branch would be guessed wrong too often. Blends lie between -485 and 740.
func clip(v int) uint8 { return clips[(v+512)&2047] }

var clips = func() (t [2048]uint8) {
	for i := range t {
		t[i] = uint8(min(255, max(0, i-512)))
	}
	return t
}()

// luma is the grey of a colour.
func luma(r, g, b uint8) int {
	return (int(r)*19595 + int(g)*38470 + int(b)*7471 + 1<<15) >> 16
}

// contrast blends from the mean grey of the image.
func (b *blend) contrast(dst, src []uint8, area int, w *workspace) {
	red, green, blue := src[:area], src[area:][:area], src[2*area:][:area]
	sum := 0
	for i, r := range red {
		sum += luma(r, green[i], blue[i])
	}
	mean := int(float64(sum)/float64(area) + 0.5)
	for i := range w.lut {
		w.lut[i] = b.of(mean, i)
	}
	point(dst, src, &w.lut)
}

// colour blends from the grey image.
func (b *blend) colour(dst, src []uint8, area int) {
	red, green, blue := src[:area], src[area:][:area], src[2*area:][:area]
	dr, dg, db := dst[:area], dst[area:][:area], dst[2*area:][:area]
	if !b.exact {
		for i, r := range red {
			g, bl := green[i], blue[i]
			l := luma(r, g, bl)
			dr[i], dg[i], db[i] = clipped(b.alpha, l, int(r)), clipped(b.alpha, l, int(g)), clipped(b.alpha, l, int(bl))
		}
		return
	}
	for i, r := range red {
		g, bl := green[i], blue[i]
		l := luma(r, g, bl)
		k := 255 - l
		dr[i] = clip(l + int(b.step[(int(r)+k)&511]))
		dg[i] = clip(l + int(b.step[(int(g)+k)&511]))
		db[i] = clip(l + int(b.step[(int(bl)+k)&511]))
	}
}

// sharpness blends from the image smoothed by the kernel 1 1 1 / 1 5 1 / 1 1 1
// over 13, whose border is the image's own.
func (b *blend) sharpness(dst, src []uint8, side int) {
	copy(dst, src)
	if side < 3 {
		return
	}
	for c := range 3 {
		in, out := src[c*side*side:][:side*side], dst[c*side*side:][:side*side]
		for y := 1; y < side-1; y++ {
			row := in[y*side:][:side]
			above, below, o := in[(y-1)*side:][:len(row)], in[(y+1)*side:][:len(row)], out[y*side:][:len(row)]
			// The sums of three columns, and the middle one's own pixel.
			left := uint32(above[0]) + uint32(row[0]) + uint32(below[0])
			own := uint32(row[1])
			here := uint32(above[1]) + own + uint32(below[1])
			for x := 2; x < len(row); x++ {
				next := uint32(row[x])
				right := uint32(above[x]) + next + uint32(below[x])
				// A 13th to the nearest: there are no ties, and PIL's floats
				// err by far less than the 1/26 to the nearest one. The
				// product is (2s+13)/26 for all s up to 13·255.
				smooth := int(((2*(left+here+right+4*own) + 13) * 161320) >> 22)
				if b.exact {
					o[x-1] = clip(smooth + int(b.step[(int(own)-smooth+255)&511]))
				} else {
					o[x-1] = clipped(b.alpha, smooth, int(own))
				}
				left, here, own = here, right, next
			}
		}
	}
}
