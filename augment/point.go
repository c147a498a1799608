package augment

import "math"

// pointTable is the new value of each byte, for the operations where the value
// of a pixel is all that counts.
func pointTable(k kind, v float64) *[256]uint8 {
	t := new([256]uint8)
	for i := range t {
		b := uint8(i)
		switch k {
		case invert:
			t[i] = 255 - b
		case solarize:
			if t[i] = b; float64(i) >= v {
				t[i] = 255 - b
			}
		case posterize:
			t[i] = b &^ (1<<(8-int(v)) - 1)
		case brightness:
			t[i] = clipped(float32(v), 0, i)
		}
	}
	return t
}

// point maps the bytes of src by t.
func point(dst, src []uint8, t *[256]uint8) {
	dst = dst[:len(src)]
	for len(src) >= 8 {
		d, s := dst[:8], src[:8]
		d[0], d[1], d[2], d[3] = t[s[0]], t[s[1]], t[s[2]], t[s[3]]
		d[4], d[5], d[6], d[7] = t[s[4]], t[s[5]], t[s[6]], t[s[7]]
		dst, src = dst[8:], src[8:]
	}
	for i, v := range src {
		dst[i] = t[v]
	}
}

// autoContrastPlanes stretches each plane to the range 0..255.
func autoContrastPlanes(dst, src []uint8, area int, w *workspace) {
	for c := range 3 {
		in, out := src[c*area:][:area], dst[c*area:][:area]
		lo, hi := extremes(in)
		if hi <= lo {
			copy(out, in)
			continue
		}
		scale := 255 / float64(hi-lo)
		offset := float64(-float64(lo) * scale)
		for i := lo; i <= hi; i++ {
			w.lut[i] = uint8(min(255, max(0, int(float64(float64(i)*scale)+offset))))
		}
		point(out, in, &w.lut)
	}
}

// extremes are the least and the greatest byte: those first seen from both
// ends of a table of the bytes present, as marks wait for nothing, while each
// comparison waits for the one before.
func extremes(in []uint8) (lo, hi int) {
	var seen [256]bool
	for _, v := range in {
		seen[v] = true
	}
	for lo < 255 && !seen[lo] {
		lo++
	}
	for hi = 255; hi > lo && !seen[hi]; hi-- {
	}
	return lo, hi
}

// equalizePlanes gives each plane as flat a histogram as a table can.
func equalizePlanes(dst, src []uint8, area int, w *workspace) {
	for c := range 3 {
		in, out := src[c*area:][:area], dst[c*area:][:area]
		h := w.histogram(in)
		last := 255
		for last > 0 && h[last] == 0 {
			last--
		}
		// A plane of one value has no other pixels, hence no step either.
		step := (uint32(area) - h[last]) / 255
		if step == 0 {
			copy(out, in)
			continue
		}
		n := step / 2
		for i := range last + 1 {
			w.lut[i] = uint8(min(255, n/step))
			n += h[i]
		}
		point(out, in, &w.lut)
	}
}

// histogram counts the bytes. Four counts at once, as the same byte often
// follows itself and would wait for its own count.
func (w *workspace) histogram(in []uint8) *[256]uint32 {
	clear(w.hist[:])
	h0, h1, h2, h3 := &w.hist[0], &w.hist[1], &w.hist[2], &w.hist[3]
	for len(in) >= 4 {
		h0[in[0]]++
		h1[in[1]]++
		h2[in[2]]++
		h3[in[3]]++
		in = in[4:]
	}
	for _, v := range in {
		h0[v]++
	}
	for i := range h0 {
		h0[i] += h1[i] + h2[i] + h3[i]
	}
	return h0
}

// cutoutAt covers a square with the grey of the reference, side v of the
// image's, around (x, y), both in pixels from the top left corner.
func cutoutAt(dst, src []uint8, side int, v, x, y float64) {
	copy(dst, src)
	if v <= 0 {
		return
	}
	v = float64(v * float64(side))
	x0, y0 := int(math.Max(0, x-v/2)), int(math.Max(0, y-v/2))
	// PIL draws the last row and column too.
	x1 := min(side-1, int(math.Min(float64(side), float64(x0)+v)))
	y1 := min(side-1, int(math.Min(float64(side), float64(y0)+v)))
	if x0 > x1 {
		return
	}
	for c, grey := range [3]uint8{125, 123, 114} {
		for y := y0; y <= y1; y++ {
			row := dst[(c*side+y)*side:][:side]
			for x := x0; x <= x1; x++ {
				row[x] = grey
			}
		}
	}
}
