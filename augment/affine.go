package augment

import (
	"math"
	"strconv"
)

// affine says where in the source a pixel comes from, in 16.16 fixed point as
// in PIL: pixel (x, y) is that at column (x0 + xx·x + xy·y) >> 16 and row
// (y0 + yx·x + yy·y) >> 16, and black where that is outside.
type affine struct{ xx, xy, x0, yx, yy, y0 int }

const one = 1 << 16

// newAffine is a geometric operation on images of the given side.
func newAffine(k kind, v float64, side int) affine {
	// The matrix of PIL's transform, a b c over d e f, is
	//	1 v 0 / 0 1 0   for a shear along the rows
	//	1 0 0 / v 1 0   for one along the columns
	//	1 0 t / 0 1 0   for a shift of t pixels along the rows, and so on.
	switch k {
	case shearX:
		return affine{xx: one, xy: fixed(v), x0: fixed(0.5 + float64(v*0.5)), yy: one, y0: one / 2}
	case shearY:
		return affine{xx: one, x0: one / 2, yx: fixed(v), yy: one, y0: fixed(float64(v*0.5) + 0.5)}
	case translateX:
		return affine{xx: one, x0: whole(float64(v * float64(side))), yy: one}
	case translateY:
		return affine{xx: one, yy: one, y0: whole(float64(v * float64(side)))}
	}
	return rotation(v, side)
}

// rotation turns by v degrees around the middle.
func rotation(v float64, side int) affine {
	turn := math.Mod(v, 360)
	if turn < 0 {
		turn += 360
	}
	if turn == 0 {
		return affine{xx: one, yy: one}
	}
	sin, cos := math.Sincos(-float64(turn * (math.Pi / 180)))
	// Fifteen decimals, as in PIL; whatever the last bit of a machine's sine.
	sin, cos = decimals(sin), decimals(cos)
	half := float64(side) / 2
	c := float64(cos*-half) + float64(sin*-half) + half
	f := float64(-sin*-half) + float64(cos*-half) + half
	return affine{
		xx: fixed(cos), xy: fixed(sin), x0: fixed(c + float64(cos*0.5) + float64(sin*0.5)),
		yx: fixed(-sin), yy: fixed(cos), y0: fixed(f + float64(-sin*0.5) + float64(cos*0.5)),
	}
}

func decimals(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'f', 15, 64), 64)
	if err != nil {
		panic(err) // a finite number prints as one
	}
	return r
}

func fixed(v float64) int { return int(math.Floor(float64(v*one) + 0.5)) }

// whole is a shift by t pixels. PIL has another way for those, in floating
// point: pixel x is that at the whole part of t + 0.5 + x.
func whole(t float64) int { return int(math.Floor(t+0.5)) * one }

func (a affine) apply(dst, src []uint8, side int) {
	switch {
	case a.yx == 0 && a.xx == one && a.yy == one:
		a.rows(dst, src, side)
	default:
		a.pixels(dst, src, side)
	}
}

// rows is apply where each row of dst is one of src, shifted.
func (a affine) rows(dst, src []uint8, side int) {
	area := side * side
	for y := range side {
		sy := y + a.y0>>16
		dx := (a.x0 + y*a.xy) >> 16
		lo, hi := min(side, max(0, -dx)), max(0, min(side, side-dx))
		for c := range 3 {
			out := dst[c*area+y*side:][:side]
			if sy < 0 || sy >= side || lo >= hi {
				clear(out)
				continue
			}
			in := src[c*area+sy*side:][:side]
			clear(out[:lo])
			copy(out[lo:hi], in[lo+dx:hi+dx])
			clear(out[hi:])
		}
	}
}

// pixels is apply, pixel by pixel.
func (a affine) pixels(dst, src []uint8, side int) {
	area := side * side
	r, g, b := src[:area], src[area:][:area], src[2*area:][:area]
	for y := range side {
		at := y * side
		ro, gn, bl := dst[at:][:side], dst[area+at:][:side], dst[2*area+at:][:side]
		sx, sy := a.x0+y*a.xy, a.y0+y*a.yy
		for x := range ro {
			j := uint(0)
			cx, cy := uint(sx>>16), uint(sy>>16)
			sx += a.xx
			sy += a.yx
			if cx >= uint(side) || cy >= uint(side) {
				ro[x], gn[x], bl[x] = 0, 0, 0
				continue
			}
			j = cy*uint(side) + cx
			ro[x], gn[x], bl[x] = r[j], g[j], b[j]
		}
	}
}
