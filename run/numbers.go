package run

import (
	"encoding/binary"
	"math"
)

// width is the number of bytes of one number; 0 for a type that is not read.
func width(dtype string) int {
	switch dtype {
	case "F64", "I64":
		return 8
	case "", "F32", "I32":
		return 4
	case "F16", "BF16":
		return 2
	case "U8":
		return 1
	}
	return 0
}

// numbers sets dst from the bytes of len(dst) numbers of the given type.
func numbers(dst []float32, text []byte, dtype string) {
	little := binary.LittleEndian
	switch dtype {
	case "F64":
		for i := range dst {
			dst[i] = float32(math.Float64frombits(little.Uint64(text[8*i:])))
		}
	case "I64":
		for i := range dst {
			dst[i] = float32(int64(little.Uint64(text[8*i:])))
		}
	case "I32":
		for i := range dst {
			dst[i] = float32(int32(little.Uint32(text[4*i:])))
		}
	case "BF16":
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(little.Uint16(text[2*i:])) << 16)
		}
	case "F16":
		for i := range dst {
			dst[i] = half(little.Uint16(text[2*i:]))
		}
	default:
		for i := range dst {
			dst[i] = math.Float32frombits(little.Uint32(text[4*i:]))
		}
	}
}

// Bfloat16 rounds the numbers of list to bfloat16, to the nearest and of two to the
// even one, as products in bfloat16 do. What is not zero does not become zero, and
// what is finite stays so.
func Bfloat16(list []float32) {
	for i, x := range list {
		bits := math.Float32bits(x)
		near := (bits + 0x7fff + bits>>16&1) >> 16 << 16
		switch {
		case near<<1 == 0 && bits<<1 != 0: // below half of the smallest
			near |= 1 << 16
		case near<<1>>24 == 0xff: // beyond the largest
			near = bits >> 16 << 16
		}
		list[i] = math.Float32frombits(near)
	}
}

// half is the number that 16 bits of IEEE 754's binary16 stand for.
func half(bits uint16) float32 {
	exponent, fraction := int(bits>>10&31), float64(bits&1023)
	x := math.Ldexp(1024+fraction, exponent-25)
	switch {
	case exponent == 0:
		x = math.Ldexp(fraction, -24)
	case exponent == 31 && fraction == 0:
		x = math.Inf(1)
	case exponent == 31:
		x = math.NaN()
	}
	if bits>>15 == 1 {
		x = -x
	}
	return float32(x)
}
