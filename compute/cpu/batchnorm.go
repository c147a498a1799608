package cpu

import (
	"math"

	"betalasso/compute"
)

// unitBlock is how many units a task takes: for units of one column a run of
// neighbours that fills a few cache lines of each row.
const unitBlock = 64

// sums are two float64 sums for each unit of a block, taken in the order of the
// rows whatever the number of threads.
type sums struct{ s1, s2 [unitBlock]float64 }

// units runs task over blocks of units.
func (d *Device) units(units, span int, task func(lo, hi int)) {
	block := unitBlock
	if span > 1 {
		block = max(1, min(unitBlock, 256/span))
	}
	d.pool.run((units+block-1)/block, func(t int, _ *worker) {
		task(t*block, min((t+1)*block, units))
	})
}

func (d *Device) checkNorm(op string, y, x compute.Mat, bn *compute.BatchNorm) {
	check(op, bn.Span > 0 && x.Cols == bn.Gamma.Cols*bn.Span && y.Rows == x.Rows && y.Cols == x.Cols && !x.Trans && !y.Trans,
		y, x, bn.Gamma)
}

// BatchNorm is compute.Device's.
func (d *Device) BatchNorm(y, x compute.Mat, bn *compute.BatchNorm) {
	d.checkNorm("BatchNorm", y, x, bn)
	span := bn.Span
	count := float64(x.Rows * span)
	d.units(bn.Gamma.Cols, span, func(lo, hi int) {
		var s sums
		for n := range x.Rows {
			row := x.Row(n)[lo*span : hi*span]
			if span == 1 {
				s1, s2 := s.s1[:len(row)], s.s2[:len(row)]
				for i, v := range row {
					f := float64(v)
					s1[i] += f
					s2[i] += f * f
				}
				continue
			}
			for u := range hi - lo {
				var a, b float64
				for _, v := range row[u*span : (u+1)*span] {
					f := float64(v)
					a += f
					b += f * f
				}
				s.s1[u] += a
				s.s2[u] += b
			}
		}
		for u := range hi - lo {
			mean := s.s1[u] / count
			variance := s.s2[u]/count - mean*mean
			if variance < 0 {
				variance = 0
			}
			c := lo + u
			bn.Mean.Data[c] = float32(mean)
			bn.InvStd.Data[c] = float32(1 / math.Sqrt(variance+float64(bn.Epsilon)))
			unbiased := variance * count / max(1, count-1)
			bn.RunMean.Data[c] += bn.Average * (float32(mean) - bn.RunMean.Data[c])
			bn.RunVar.Data[c] += bn.Average * (float32(unbiased) - bn.RunVar.Data[c])
		}
		normalise(y, x, bn, bn.Mean.Data, bn.InvStd.Data, lo, hi)
	})
}

// BatchNormEval is compute.Device's.
func (d *Device) BatchNormEval(y, x compute.Mat, bn *compute.BatchNorm) {
	d.checkNorm("BatchNormEval", y, x, bn)
	d.units(bn.Gamma.Cols, bn.Span, func(lo, hi int) {
		var inv [unitBlock]float32
		for u := range hi - lo {
			inv[u] = float32(1 / math.Sqrt(float64(bn.RunVar.Data[lo+u])+float64(bn.Epsilon)))
		}
		normalise(y, x, bn, bn.RunMean.Data, inv[:], lo, hi)
	})
}

// normalise sets units lo..hi of y to γ·(x − mean)·inv + β, with ReLU if bn
// says so. inv begins at unit lo if it is short, else at unit 0.
func normalise(y, x compute.Mat, bn *compute.BatchNorm, mean, inv []float32, lo, hi int) {
	span := bn.Span
	if len(inv) == bn.Gamma.Cols {
		inv = inv[lo:]
	}
	var scale, shift [unitBlock]float32
	for u := range hi - lo {
		scale[u] = bn.Gamma.Data[lo+u] * inv[u]
		shift[u] = bn.Beta.Data[lo+u]
	}
	mean = mean[lo:hi]
	for n := range x.Rows {
		src, dst := x.Row(n)[lo*span:hi*span], y.Row(n)[lo*span:hi*span]
		if span == 1 {
			a, b, m := scale[:len(src)], shift[:len(src)], mean[:len(src)]
			for i, v := range src {
				v = a[i]*(v-m[i]) + b[i]
				if bn.ReLU && v <= 0 {
					v = 0
				}
				dst[i] = v
			}
			continue
		}
		for u, m := range mean {
			a, b := scale[u], shift[u]
			out := dst[u*span : (u+1)*span]
			for i, v := range src[u*span : (u+1)*span] {
				v = a*(v-m) + b
				if bn.ReLU && v <= 0 {
					v = 0
				}
				out[i] = v
			}
		}
	}
}

// BatchNormGrad is compute.Device's.
func (d *Device) BatchNormGrad(dx, dgamma, dbeta, dy, x compute.Mat, bn *compute.BatchNorm) {
	d.checkNorm("BatchNormGrad", dx, x, bn)
	d.checkNorm("BatchNormGrad", dy, x, bn)
	span := bn.Span
	count := float64(x.Rows * span)
	d.units(bn.Gamma.Cols, span, func(lo, hi int) {
		var s sums
		var scale [unitBlock]float32
		mean, inv, beta := bn.Mean.Data[lo:hi], bn.InvStd.Data[lo:hi], bn.Beta.Data[lo:hi]
		for u := range hi - lo {
			scale[u] = bn.Gamma.Data[lo+u] * inv[u]
		}
		for n := range x.Rows {
			src, g := x.Row(n)[lo*span:hi*span], dy.Row(n)[lo*span:hi*span]
			if span == 1 {
				for i, v := range src {
					c := v - mean[i]
					if bn.ReLU && scale[i]*c+beta[i] <= 0 {
						continue
					}
					s.s1[i] += float64(g[i])
					s.s2[i] += float64(g[i]) * float64(c)
				}
				continue
			}
			for u, m := range mean {
				var a, b float64
				gu := g[u*span : (u+1)*span]
				for i, v := range src[u*span : (u+1)*span] {
					c := v - m
					if bn.ReLU && scale[u]*c+beta[u] <= 0 {
						continue
					}
					a += float64(gu[i])
					b += float64(gu[i]) * float64(c)
				}
				s.s1[u] += a
				s.s2[u] += b
			}
		}
		var k1, k2 [unitBlock]float32 // dx = scale·dy − k1 − k2·(x − mean)
		for u := range hi - lo {
			dbeta.Data[lo+u] = float32(s.s1[u])
			dgamma.Data[lo+u] = float32(s.s2[u] * float64(inv[u]))
			k1[u] = float32(float64(scale[u]) * s.s1[u] / count)
			k2[u] = float32(float64(scale[u]) * s.s2[u] * float64(inv[u]) * float64(inv[u]) / count)
		}
		for n := range x.Rows {
			src, g, dst := x.Row(n)[lo*span:hi*span], dy.Row(n)[lo*span:hi*span], dx.Row(n)[lo*span:hi*span]
			if span == 1 {
				for i, v := range src {
					c := v - mean[i]
					r := -k1[i] - k2[i]*c
					if !bn.ReLU || !(scale[i]*c+beta[i] <= 0) {
						r += scale[i] * g[i]
					}
					dst[i] = r
				}
				continue
			}
			for u, m := range mean {
				a, b, k, l := scale[u], beta[u], k1[u], k2[u]
				gu, du := g[u*span:(u+1)*span], dst[u*span:(u+1)*span]
				for i, v := range src[u*span : (u+1)*span] {
					c := v - m
					r := -k - l*c
					if !bn.ReLU || !(a*c+b <= 0) {
						r += a * gu[i]
					}
					du[i] = r
				}
			}
		}
	})
}
