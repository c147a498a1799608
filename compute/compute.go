// Package compute defines the arithmetic that the networks need: matrices and a
// Device with about twenty-five operations, each documented by the loop it
// equals.
//
// A batch is a matrix with one example per row, [n, c·h·w]; a row holds planes as
// in the CIFAR files, channel by channel, each channel row by row. After the
// first layer it is stored unit by unit, the batch innermost: it is then a
// transposed view of a [units, n] matrix, so that the values of a unit, or of a
// channel, are contiguous.
//
// A shape that does not fit is a bug in the caller: operations panic with the
// shapes in the text. Results never depend on the number of threads.
package compute

import "fmt"

// Mat is a matrix of float32. As stored it is dense and row-major; T gives a
// transposed view of the same numbers, at no cost.
type Mat struct {
	Rows, Cols int
	Data       []float32 // Rows·Cols numbers
	Trans      bool      // the stored matrix is [Cols, Rows]
}

// T is the transposed view of m.
func (m Mat) T() Mat {
	return Mat{Rows: m.Cols, Cols: m.Rows, Data: m.Data, Trans: !m.Trans}
}

// Row is row i of m, which must not be a transposed view.
func (m Mat) Row(i int) []float32 {
	if m.Trans {
		panic("compute: Row of a transposed view")
	}
	return m.Data[i*m.Cols : (i+1)*m.Cols]
}

// Top is a matrix of n rows, at most m's, in the memory and the layout of m. Of
// a transposed view it keeps the memory, not the numbers: its columns are n
// numbers apart.
func (m Mat) Top(n int) Mat {
	if n > m.Rows {
		panic(fmt.Sprintf("compute: the top %d rows of %v", n, m))
	}
	return Mat{Rows: n, Cols: m.Cols, Data: m.Data[:n*m.Cols], Trans: m.Trans}
}

// At is the element in row i and column j.
func (m Mat) At(i, j int) float32 {
	if m.Trans {
		return m.Data[j*m.Rows+i]
	}
	return m.Data[i*m.Cols+j]
}

// Set sets the element in row i and column j.
func (m Mat) Set(i, j int, v float32) {
	if m.Trans {
		m.Data[j*m.Rows+i] = v
	} else {
		m.Data[i*m.Cols+j] = v
	}
}

// String gives the shape, for error texts.
func (m Mat) String() string {
	if m.Trans {
		return fmt.Sprintf("[%d, %d]ᵀ", m.Cols, m.Rows)
	}
	return fmt.Sprintf("[%d, %d]", m.Rows, m.Cols)
}

// Window is the geometry of a convolution or a locally connected layer: a
// Kernel x Kernel window that moves by Stride over a C x H x W image with Pad
// zeros around it, giving K channels of OutH x OutW.
type Window struct {
	C, H, W             int
	K                   int
	Kernel, Stride, Pad int
}

// OutH is the height of the output.
func (w Window) OutH() int { return (w.H+2*w.Pad-w.Kernel)/w.Stride + 1 }

// OutW is the width of the output.
func (w Window) OutW() int { return (w.W+2*w.Pad-w.Kernel)/w.Stride + 1 }

// In is the number of columns of the input, C·H·W.
func (w Window) In() int { return w.C * w.H * w.W }

// Out is the number of columns of the output, K·OutH·OutW.
func (w Window) Out() int { return w.K * w.OutH() * w.OutW() }

// Positions is OutH·OutW.
func (w Window) Positions() int { return w.OutH() * w.OutW() }

// Patch is the number of inputs that one window sees, C·Kernel·Kernel.
func (w Window) Patch() int { return w.C * w.Kernel * w.Kernel }

// BatchNorm is the state of a batch normalisation over units, each owning
// Span neighbouring columns: 1 for the outputs of a fully connected layer,
// OutH·OutW for the planes of a convolution. All matrices are [1, units].
type BatchNorm struct {
	Span              int
	ReLU              bool // follow with max(0, ·)
	Gamma, Beta       Mat
	Mean, InvStd      Mat // of the last batch: set by BatchNorm, read by BatchNormGrad
	RunMean, RunVar   Mat // running averages: set by BatchNorm, read by BatchNormEval
	Epsilon, Momentum float32
}

// Update is one step of the optimiser on one matrix of weights. For each weight
// w with the gradient dw and, with momentum, the velocity v:
//
//	g = dw + WeightDecay·w + L1·sign(w)   // sign 0 = 0
//	v = Momentum·v + g
//	w = w − LR·v                          // g in place of v without momentum
//	if |w| < Threshold { w = 0 }
//
// With Hold a weight that is 0 stays 0, whatever its gradient; Hold takes a step
// without momentum.
type Update struct {
	LR          float32 // η
	Momentum    float32
	WeightDecay float32
	L1          float32 // λ
	Threshold   float32 // βλ for β-lasso
	Hold        bool
}

// Weights are the weights of one linear layer. They belong to their device, which
// chooses their form: other code sees a matrix only through Read and Write. The
// form changes no number.
//
// x is [n, in], y is [n, out]. Each of x, y and their gradients may be a
// transposed view.
type Weights interface {
	// Shape is the shape of the matrix of weights.
	Shape() (rows, cols int)

	// Forward sets y to the layer's output for x. x must not change before the
	// Step that belongs to it.
	Forward(y, x Mat)

	// GradInput sets dx to the gradient of Σ dy·Forward(x) with respect to x.
	GradInput(dx, dy Mat)

	// Step takes one step along the gradient of Σ dy·Forward(x) with respect to
	// the weights, which is never stored as a whole, and returns the number of
	// weights that are then not 0. x is that of the last Forward.
	Step(dy, x Mat, u Update) (nonzero int)

	// Nonzero counts the weights that are not 0.
	Nonzero() int

	// Read copies a row into dst, Write sets it to src. Both have cols numbers.
	Read(dst []float32, row int)
	Write(row int, src []float32)

	// Velocity is the momentum buffer, [rows, cols]: zeros before the first step.
	// A caller that writes there must do so before the next step.
	Velocity() Mat

	// Stored is the number of weights that the present form keeps: rows·cols
	// for a dense one, about the non-zeros for a sparse one.
	Stored() int

	// MACs is the number of multiply-adds (MACs) that the last Forward, GradInput and
	// Step did together.
	MACs() float64
}

// NormWeights are Weights that can include the batch norm after them, one unit
// after the other, which saves passes over memory. The numbers are the same.
type NormWeights interface {
	Weights

	// ForwardNorm is Forward(y, x) and then Device.BatchNorm(z, y, bn). If next is
	// not nil, nothing but its Forward, which comes next, and its Step read z: its
	// device may leave z as it is and keep what they need in next. With back,
	// nothing but this layer's StepNorm reads y, and y may be left likewise.
	ForwardNorm(z, y, x Mat, bn *BatchNorm, next Weights, back bool)

	// GradInputFor is GradInput(dx, dy) where nothing but the StepNorm of before,
	// which takes dx as its dz, reads dx: it may be left for that to compute, from
	// the weights as they are now.
	GradInputFor(before Weights, dx, dy Mat)

	// StepNorm is Device.BatchNormGrad(dz, dgamma, dbeta, dz, y, bn) and then
	// Step(dz, x, u), except for what it leaves in dz.
	StepNorm(dgamma, dbeta, dz, y, x Mat, bn *BatchNorm, u Update) (nonzero int)
}

// Device does the arithmetic. dst is never a transposed view unless the operation
// says that it may, and never shares memory with a source unless the operation
// says so.
type Device interface {
	// Name describes the device: "cpu avx2, 2 threads, fp32".
	Name() string

	// Alloc gives a matrix of zeros.
	Alloc(rows, cols int) Mat

	// Dense gives the weights of a fully connected layer, zeros:
	//
	//	y[n, j] = Σ_i w[j, i]·x[n, i]
	Dense(out, in int) Weights

	// Conv gives the weights of a convolution (cross-correlation), zeros:
	// w [K, C·Kernel·Kernel], x [n, C·H·W], y [n, K·OutH·OutW], and
	//
	//	y[n, k, p, q] = Σ_{c,u,v} w[k, c, u, v] · x[n, c, p·Stride+u−Pad, q·Stride+v−Pad]
	//
	// where x outside the image is 0.
	Conv(win Window) Weights

	// Local gives those of a Conv with weights of its own at every position:
	// w is [OutH·OutW·K, C·Kernel·Kernel], row (p·OutW+q)·K + k.
	Local(win Window) Weights

	// Mul sets dst = a·b. Both may be transposed views.
	//
	//	dst[i,j] = Σ_k a[i,k]·b[k,j]
	Mul(dst, a, b Mat)

	// AddRow adds the row b, [1, cols], to every row of dst, which may be a
	// transposed view.
	AddRow(dst, b Mat)

	// SumRows sets dst, [1, cols], to the sum of the rows of a, which may be a
	// transposed view.
	SumRows(dst, a Mat)

	// BatchNorm normalises x by the mean and the (biased) variance of each
	// unit over the batch, scales, and applies ReLU if bn says so:
	//
	//	y = γ·(x − mean)/√(var + ε) + β
	//
	// It sets bn.Mean and bn.InvStd, and moves the running averages by
	// bn.Momentum (the running variance is the unbiased one, as in PyTorch).
	// x and y may both be transposed views.
	BatchNorm(y, x Mat, bn *BatchNorm)

	// BatchNormGrad is the gradient of BatchNorm. It sets dx, which may be
	// dy itself, and dgamma and dbeta, [1, units]. x is the input that
	// BatchNorm saw; where bn.ReLU, dy counts only where the output is > 0.
	// x, dx and dy may all be transposed views.
	BatchNormGrad(dx, dgamma, dbeta, dy, x Mat, bn *BatchNorm)

	// BatchNormEval is BatchNorm with the running averages in place of the
	// batch's; it does not change them. y may be x.
	BatchNormEval(y, x Mat, bn *BatchNorm)

	// Dropout sets dst = src·keep/(1−p), which may be in place, where keep
	// is 0 with probability p, by Keep(seed, index, p) of the element's
	// index, row·cols + column. The same call on the gradient is the backward
	// pass. dst and src may both be transposed views.
	Dropout(dst, src Mat, p float32, seed uint64)

	// Add sets dst = a + b, which may be in place. Each of the three may be a
	// transposed view.
	Add(dst, a, b Mat)

	// ReLU sets y = max(0, x), which may be in place; NaN stays NaN. Both may be
	// transposed views, if both are.
	ReLU(y, x Mat)

	// ReLUGrad is the gradient of ReLU: dx = dy where y > 0, else 0. dx may be dy.
	// All may be transposed views, if all are.
	ReLUGrad(dx, dy, y Mat)

	// AveragePool sets y [n, C·OutH·OutW] to the mean of each window of x,
	// [n, C·H·W]; win.K is win.C and win.Pad is 0. Both may be transposed views, if
	// both are:
	//
	//	y[n, c, p, q] = Σ_{u,v} x[n, c, p·Stride+u, q·Stride+v] / Kernel²
	AveragePool(y, x Mat, win Window)

	// AveragePoolGrad sets dx to the gradient of Σ dy·AveragePool(x) with respect
	// to x.
	AveragePoolGrad(dx, dy Mat, win Window)

	// CrossEntropy takes logits [n, classes] and labels, sets dx to the gradient
	// of the mean loss with respect to the logits, and returns the sum of the
	// losses and the number of rows whose largest logit (the first of equals) is
	// the label's. Both matrices may be transposed views.
	CrossEntropy(dx, logits Mat, labels []uint16) (loss float64, correct int)

	// Update takes one step on a matrix that the caller keeps, such as a bias,
	// with the gradient dw and the velocity v (used only if u.Momentum is not
	// 0; else v may be the zero Mat), and returns the number of its elements
	// that are then not zero.
	Update(w, v, dw Mat, u Update) (nonzero int)
}

// Keep reports whether dropout with probability p keeps element i. It is a fixed
// hash (splitmix64) so that every device drops the same elements.
func Keep(seed uint64, i int, p float32) bool {
	z := seed + (uint64(i)+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float32(z>>40)*(1.0/(1<<24)) >= p
}
