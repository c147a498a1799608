package ref

import (
	"math"

	"betalasso/compute"
)

// column is the elements of unit u in m, which has span columns a unit.
func column(m compute.Mat, u, span int) []float64 {
	var s []float64
	for n := range m.Rows {
		for i := range span {
			s = append(s, at(m, n, u*span+i))
		}
	}
	return s
}

func setColumn(m compute.Mat, u, span int, s []float64) {
	for n := range m.Rows {
		for i := range span {
			m.Set(n, u*span+i, float32(s[n*span+i]))
		}
	}
}

func relu(on bool, v float64) float64 {
	if on && v <= 0 {
		return 0
	}
	return v
}

func checkNorm(op string, y, x compute.Mat, bn *compute.BatchNorm) {
	want(op, x, x.Rows, bn.Gamma.Cols*bn.Span, true)
	want(op, y, x.Rows, x.Cols, x.Trans)
	if y.Trans != x.Trans {
		panic("ref: " + op + ": one side is a transposed view, the other is not")
	}
}

// BatchNorm implements compute.Device.
func (*Device) BatchNorm(y, x compute.Mat, bn *compute.BatchNorm) {
	checkNorm("BatchNorm", y, x, bn)
	for u := range bn.Gamma.Cols {
		s := column(x, u, bn.Span)
		n := float64(len(s))
		var mean, variance float64
		for _, v := range s {
			mean += v / n
		}
		for _, v := range s {
			variance += (v - mean) * (v - mean) / n
		}
		inv := 1 / math.Sqrt(variance+float64(bn.Epsilon))
		for i, v := range s {
			s[i] = relu(bn.ReLU, float64(bn.Gamma.Data[u])*(v-mean)*inv+float64(bn.Beta.Data[u]))
		}
		setColumn(y, u, bn.Span, s)
		bn.Mean.Data[u], bn.InvStd.Data[u] = float32(mean), float32(inv)
		a := float64(bn.Momentum)
		bn.RunMean.Data[u] = float32((1-a)*float64(bn.RunMean.Data[u]) + a*mean)
		bn.RunVar.Data[u] = float32((1-a)*float64(bn.RunVar.Data[u]) + a*variance*n/max(1, n-1))
	}
}

// BatchNormEval implements compute.Device.
func (*Device) BatchNormEval(y, x compute.Mat, bn *compute.BatchNorm) {
	checkNorm("BatchNormEval", y, x, bn)
	for u := range bn.Gamma.Cols {
		s := column(x, u, bn.Span)
		inv := 1 / math.Sqrt(float64(bn.RunVar.Data[u])+float64(bn.Epsilon))
		for i, v := range s {
			s[i] = relu(bn.ReLU, float64(bn.Gamma.Data[u])*(v-float64(bn.RunMean.Data[u]))*inv+float64(bn.Beta.Data[u]))
		}
		setColumn(y, u, bn.Span, s)
	}
}

// BatchNormGrad implements compute.Device.
func (*Device) BatchNormGrad(dx, dgamma, dbeta, dy, x compute.Mat, bn *compute.BatchNorm) {
	checkNorm("BatchNormGrad", dy, x, bn)
	checkNorm("BatchNormGrad", dx, x, bn)
	for u := range bn.Gamma.Cols {
		s, g := column(x, u, bn.Span), column(dy, u, bn.Span)
		n := float64(len(s))
		gamma, beta := float64(bn.Gamma.Data[u]), float64(bn.Beta.Data[u])
		mean, inv := float64(bn.Mean.Data[u]), float64(bn.InvStd.Data[u])
		var sum, dot float64
		for i, v := range s {
			s[i] = (v - mean) * inv
			if bn.ReLU && gamma*s[i]+beta <= 0 {
				g[i] = 0
			}
			sum += g[i]
			dot += g[i] * s[i]
		}
		for i := range s {
			s[i] = gamma * inv * (g[i] - sum/n - s[i]*dot/n)
		}
		setColumn(dx, u, bn.Span, s)
		dgamma.Data[u], dbeta.Data[u] = float32(dot), float32(sum)
	}
}
