package augment

import "fmt"

// kind is one of the fifteen operations. What each does is what the Python
// Imaging Library does under that name, byte for byte (tested against Pillow
// 9.4).
type kind uint8

const (
	shearX kind = iota
	shearY
	translateX
	translateY
	rotate
	autoContrast
	invert
	equalize
	solarize
	posterize
	contrast
	colour
	brightness
	sharpness
	cutout
)

// kinds are the operations by the names that the policies use.
var kinds = map[string]kind{
	"ShearX": shearX, "ShearY": shearY, "TranslateX": translateX, "TranslateY": translateY, "Rotate": rotate,
	"AutoContrast": autoContrast, "Invert": invert, "Equalize": equalize,
	"Solarize": solarize, "Posterize": posterize,
	"Contrast": contrast, "Color": colour, "Brightness": brightness, "Sharpness": sharpness,
	"Cutout": cutout,
}

// value is what an operation of this kind takes for a level from 0 to 1.
func (k kind) value(level float64) float64 {
	var lo, hi float64
	switch k {
	case shearX, shearY:
		lo, hi = -0.3, 0.3 // columns a row, or rows a column
	case translateX, translateY:
		lo, hi = -0.45, 0.45 // of the side
	case rotate:
		lo, hi = -30, 30 // degrees
	case solarize:
		lo, hi = 0, 256 // inverted from this brightness on
	case posterize:
		lo, hi = 4, 8 // bits kept
	case contrast, colour, brightness, sharpness:
		lo, hi = 0.1, 1.9 // 1 is the image as it is
	case cutout:
		lo, hi = 0, 0.2 // of the side
	default:
		return 0
	}
	return float64(level*(hi-lo)) + lo // rounded twice, as in Python
}

// operation is one operation with its value, and what can be worked out
// before there is an image.
type operation struct {
	prob  float64
	kind  kind
	value float64
	moves [2]affine   // geometric ones: with the value, with its negative
	lut   *[256]uint8 // the new value of a byte, where that is all
	blend *blend      // contrast, colour, sharpness
}

// workspace is what the operations need besides the two images.
type workspace struct {
	lut  [256]uint8
	hist [4][256]uint32
}

func newOperation(k kind, value float64, side int) operation {
	o := operation{kind: k, value: value}
	switch k {
	case shearX, shearY, translateX, translateY, rotate:
		o.moves = [2]affine{newAffine(k, value, side), newAffine(k, -value, side)}
	case invert, solarize, posterize, brightness:
		o.lut = pointTable(k, value)
	case contrast, colour, sharpness:
		o.blend = newBlend(value)
	}
	return o
}

// apply makes dst of src, both three planes of side x side bytes, not the same
// memory. It draws from r what is left to chance: the sign of a geometric
// operation, the place of a cutout.
func (o *operation) apply(dst, src []uint8, side int, r *random, w *workspace) {
	switch o.kind {
	case shearX, shearY, translateX, translateY, rotate:
		sign := 0
		if r.coin() {
			sign = 1
		}
		o.moves[sign].apply(dst, src, side)
	case autoContrast:
		autoContrastPlanes(dst, src, side*side, w)
	case equalize:
		equalizePlanes(dst, src, side*side, w)
	case invert, solarize, posterize, brightness:
		point(dst, src, o.lut)
	case contrast:
		o.blend.contrast(dst, src, side*side, w)
	case colour:
		o.blend.colour(dst, src, side*side)
	case sharpness:
		o.blend.sharpness(dst, src, side)
	case cutout:
		// The reference draws from uniform(side) of NumPy, which is uniform
		// between side and 1, and so never in the first row or column.
		x := float64(side) - float64(r.unit()*float64(side-1))
		y := float64(side) - float64(r.unit()*float64(side-1))
		cutoutAt(dst, src, side, o.value, x, y)
	default:
		panic(fmt.Sprintf("augment: operation %d", o.kind))
	}
}
