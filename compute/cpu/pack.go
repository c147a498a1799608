package cpu

import "math"

// operand is a matrix as one side of a product sees it: [lines, k], where the
// lines are rows of the left or columns of the right side.
type operand struct {
	data  []float32
	ld    int
	lines int
	k     int
	along bool // a line's numbers are neighbours in memory; else those of one k are
}

// pack lays lines from..from+width, k0..k0+kc of o, into a panel:
// dst[p*width+i] = o[from+i, k0+p], with zeros past the last line.
func (d *Device) pack(dst []float32, width int, o operand, from, k0, kc int) {
	have := min(width, o.lines-from)
	if have < width {
		clear(dst[:width*kc])
	}
	if !o.along {
		src := o.data[k0*o.ld+from:]
		switch have {
		case 4:
			for p := range kc {
				*(*[4]float32)(dst[p*width:]) = *(*[4]float32)(src[p*o.ld:])
			}
		case 24:
			for p := range kc {
				*(*[24]float32)(dst[p*width:]) = *(*[24]float32)(src[p*o.ld:])
			}
		default:
			for p := range kc {
				copy(dst[p*width:p*width+have], src[p*o.ld:])
			}
		}
	} else {
		i := 0
		whole := 0
		if width == 4 {
			whole = kc &^ 3
			for ; i+4 <= have && whole > 0; i += 4 {
				d.kernel.transpose4(dst[i:], o.data[(from+i)*o.ld+k0:], o.ld, whole/4)
			}
		} else {
			whole = kc &^ 7
			for ; i+8 <= have && whole > 0; i += 8 {
				d.kernel.transpose8(dst[i:], width, o.data[(from+i)*o.ld+k0:], o.ld, whole/8)
			}
		}
		for l := range have {
			row := o.data[(from+l)*o.ld+k0:]
			first := 0
			if l < i {
				first = whole
			}
			for p := first; p < kc; p++ {
				dst[p*width+l] = row[p]
			}
		}
	}
	if d.bf16 {
		round(dst[:width*kc])
	}
}

// round rounds to bfloat16, to nearest with ties to even. NaN stays NaN.
func round(s []float32) {
	for i, x := range s {
		b := math.Float32bits(x)
		if b&0x7fffffff > 0x7f800000 {
			continue
		}
		b += 0x7fff + b>>16&1
		s[i] = math.Float32frombits(b &^ 0xffff)
	}
}
