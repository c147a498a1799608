package cpu

import (
	"math"

	"betalasso/compute"
)

func transpose16(dst []float32, ldd int, src []float32, lds, n int) {
	transpose(dst, ldd, src, lds, 16, n)
}

func transpose8(dst []float32, ldd int, src []float32, lds, n int) {
	transpose(dst, ldd, src, lds, 8, n)
}

func transpose4(dst []float32, ldd int, src []float32, lds, n int) {
	transpose(dst, ldd, src, lds, 4, n)
}

func transpose(dst []float32, ldd int, src []float32, lds, rows, n int) {
	for j := range rows * n {
		for i := range rows {
			dst[j*ldd+i] = src[i*lds+j]
		}
	}
}

func moveRows(dst []float32, width int, src []float32, lds, n int) {
	for p := range n {
		copy(dst[p*width:(p+1)*width], src[p*lds:])
	}
}

func add(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func relu(y, x []float32) {
	for i, v := range x[:len(y)] {
		y[i] = max(v, 0) // NaN where v is
	}
}

func reluGrad(dx, dy, y []float32) {
	dy, y = dy[:len(dx)], y[:len(dx)]
	for i, v := range y {
		g := dy[i]
		if !(v > 0) {
			g = 0
		}
		dx[i] = g
	}
}

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

// signed is l with the sign of x, and 0 for a zero.
func signed(l, x float32) float32 {
	if x == 0 {
		return 0
	}
	return math.Float32frombits(math.Float32bits(l) | math.Float32bits(x)&(1<<31))
}

func step(w, dw []float32, u *compute.Update) (nonzero int) {
	dw = dw[:len(w)]
	for i, x := range w {
		if u.Hold && x == 0 {
			w[i] = 0 // not −0
			continue
		}
		g := dw[i] + float32(u.WeightDecay*x) + signed(u.L1, x)
		x -= float32(u.LR * g)
		if float32(math.Abs(float64(x))) < u.Threshold {
			x = 0
		}
		if x != 0 {
			nonzero++
		}
		w[i] = x
	}
	return nonzero
}

func momentumStep(w, v, dw []float32, u *compute.Update) (nonzero int) {
	dw, v = dw[:len(w)], v[:len(w)]
	for i, x := range w {
		g := float32(u.Momentum*v[i]) + (dw[i] + float32(u.WeightDecay*x) + signed(u.L1, x))
		v[i] = g
		x -= float32(u.LR * g)
		if float32(math.Abs(float64(x))) < u.Threshold {
			x = 0
		}
		if x != 0 {
			nonzero++
		}
		w[i] = x
	}
	return nonzero
}

func moments(x []float32, s1, s2 []float64) {
	s1, s2 = s1[:len(x)], s2[:len(x)]
	for i, v := range x {
		f := float64(v)
		s1[i] += f
		s2[i] += f * f
	}
}

func normalise(y, x []float32, c columns, limit float32) {
	for i, v := range x[:len(y)] {
		v = float32(c.scale[i]*(v-c.mean[i])) + c.shift[i]
		if v <= limit {
			v = 0
		}
		y[i] = v
	}
}

func gradMoments(dy, x []float32, c columns, limit float32, s1, s2 []float64) {
	for i, g := range dy {
		d := x[i] - c.mean[i]
		if float32(c.scale[i]*d)+c.shift[i] <= limit {
			continue
		}
		s1[i] += float64(g)
		s2[i] += float64(g) * float64(d)
	}
}

func normaliseGrad(dx, dy, x []float32, c columns, limit float32) {
	for i := range dx {
		d := x[i] - c.mean[i]
		var r float32
		if !(float32(c.scale[i]*d)+c.shift[i] <= limit) {
			r = c.scale[i] * dy[i]
		}
		dx[i] = r - (c.k1[i] + float32(c.k2[i]*d))
	}
}

func rowMoments(x []float32, s *lanes) {
	for i, v := range x {
		f := float64(v)
		s[0][i&15] += f
		s[1][i&15] += f * f
	}
}

func rowNormalise(y, x []float32, c *factors) {
	for i, v := range x[:len(y)] {
		v = float32(c.scale*(v-c.mean)) + c.shift
		if v <= c.limit {
			v = 0
		}
		y[i] = v
	}
}

func rowGradMoments(dy, x []float32, c *factors, s *lanes) {
	for i, g := range dy {
		d := x[i] - c.mean
		if float32(c.scale*d)+c.shift <= c.limit {
			continue
		}
		s[0][i&15] += float64(g)
		s[1][i&15] += float64(g) * float64(d)
	}
}

func rowNormaliseGrad(dx, dy, x []float32, c *factors) {
	for i := range dx {
		d := x[i] - c.mean
		var r float32
		if !(float32(c.scale*d)+c.shift <= c.limit) {
			r = c.scale * dy[i]
		}
		dx[i] = r - (c.k1 + float32(c.k2*d))
	}
}
