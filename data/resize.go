package data

// scaler resizes square planes by a triangle filter: a pixel of the result is the
// mean of the source's pixels around its centre, which weigh less and less up to
// one pixel's width away, of the result where that is the smaller image and of the
// source where it is the larger one. So a smaller image is smooth, and a larger one
// interpolates between pixels. It is arithmetic in whole numbers, the same on every
// machine.
type scaler struct {
	from, to int
	spans    []span  // of each pixel along a row of the result
	tall     []int64 // rows of the source as wide as the result, 256 a grey level
}

// span are the source's pixels that a pixel of the result is the mean of.
type span struct {
	first  int
	weight []int64
	sum    int64
}

func newScaler(from, to int) *scaler {
	s := &scaler{from: from, to: to}
	if from == to {
		return s
	}
	// The centre of pixel i is at (2i+1)/2to of the side, that of pixel j of the
	// source at (2j+1)/2from. In units of 1/(2·from·to) all is whole.
	reach := 2 * max(from, to)
	for i := range to {
		var p span
		at := (2*i + 1) * from
		p.first = max(0, (at-reach)/(2*to)-1)
		for j := p.first; j < from; j++ {
			w := reach - max(at-(2*j+1)*to, (2*j+1)*to-at)
			switch {
			case w > 0:
				p.weight = append(p.weight, int64(w))
				p.sum += int64(w)
				continue
			case len(p.weight) == 0:
				p.first++
				continue
			}
			break
		}
		s.spans = append(s.spans, p)
	}
	s.tall = make([]int64, from*to)
	return s
}

// plane resizes src, from x from bytes, into dst, to x to.
func (s *scaler) plane(dst, src []uint8) {
	if s.spans == nil {
		copy(dst, src)
		return
	}
	for y := range s.from {
		row := src[y*s.from:][:s.from]
		for x, p := range s.spans {
			sum := p.sum / 2
			for k, w := range p.weight {
				sum += w * int64(row[p.first+k]) << 8
			}
			s.tall[y*s.to+x] = sum / p.sum
		}
	}
	for y, p := range s.spans {
		out := dst[y*s.to:][:s.to]
		for x := range out {
			sum := p.sum << 7
			for k, w := range p.weight {
				sum += w * s.tall[(p.first+k)*s.to+x]
			}
			out[x] = uint8(sum / (p.sum << 8))
		}
	}
}

// greyOf is the grey of three planes, as the Python Imaging Library weighs them.
func greyOf(dst, src []uint8) {
	area := len(src) / 3
	for i := range dst[:area] {
		dst[i] = uint8((int(src[i])*19595 + int(src[area+i])*38470 + int(src[2*area+i])*7471 + 1<<15) >> 16)
	}
}
