// Package nn has the layers of the paper's networks, as arithmetic on a
// compute.Device, and Net, which runs them forward and back.
//
// A layer is a pair of functions on matrices with one example per row. The
// backward one also takes the optimiser's step: a layer computes its input's
// gradient first and then lets its weights take a step, so that no gradient of a
// matrix of weights need be stored.
package nn

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"betalasso/compute"
)

// Group says how an optimiser treats a parameter.
type Group int

const (
	None Group = iota // biases and batch norm: neither penalised nor decayed
	Conv              // weights of a layer that is, or corresponds to, a convolution
	FC                // weights of the other fully connected layers
)

// Rule says what one step does to the parameters of a group.
type Rule func(Group) compute.Update

// Param is one matrix that is learned: weights, which belong to the device, or
// a vector such as a bias.
type Param struct {
	Name     string // as in "conv1.weight", "bn1.gamma", "fc2.bias"
	Group    Group
	Weights  compute.Weights // nil for a vector
	Value    compute.Mat     // of a vector, [1, n]
	Grad     compute.Mat     // of a vector: what the last Backward set
	velocity compute.Mat     // of a vector, once it is needed
	Nonzero  int             // values that were not 0 after the last Backward or Count
}

// Shape is the shape of p.
func (p *Param) Shape() (rows, cols int) {
	if p.Weights != nil {
		return p.Weights.Shape()
	}
	return p.Value.Rows, p.Value.Cols
}

// Len is the number of values of p.
func (p *Param) Len() int {
	rows, cols := p.Shape()
	return rows * cols
}

// Read copies a row of p into dst.
func (p *Param) Read(dst []float32, row int) {
	if p.Weights != nil {
		p.Weights.Read(dst, row)
		return
	}
	copy(dst, p.Value.Row(row))
}

// Write sets a row of p to src.
func (p *Param) Write(row int, src []float32) {
	if p.Weights != nil {
		p.Weights.Write(row, src)
		return
	}
	copy(p.Value.Row(row), src)
}

// Values are all values of p, row after row: a copy.
func (p *Param) Values() []float32 {
	rows, cols := p.Shape()
	list := make([]float32, rows*cols)
	for i := range rows {
		p.Read(list[i*cols:(i+1)*cols], i)
	}
	return list
}

// Velocity is the momentum buffer of p, in its shape; zeros before the first
// step.
func (p *Param) Velocity() compute.Mat {
	if p.Weights != nil {
		return p.Weights.Velocity()
	}
	if p.velocity.Data == nil {
		p.velocity = compute.Mat{Rows: 1, Cols: p.Value.Cols, Data: make([]float32, p.Value.Cols)}
	}
	return p.velocity
}

// Count counts the non-zeros again.
func (p *Param) Count() {
	if p.Weights != nil {
		p.Nonzero = p.Weights.Nonzero()
		return
	}
	p.Nonzero = 0
	for _, v := range p.Value.Data {
		if v != 0 {
			p.Nonzero++
		}
	}
}

// step takes a vector's step along its gradient.
func (p *Param) step(dev compute.Device, rule Rule) {
	u := rule(p.Group)
	u.Hold = false // a bias of 0 was not set to zero by the threshold
	if u.Momentum != 0 {
		p.Velocity()
	}
	p.Nonzero = dev.Update(p.Value, p.velocity, p.Grad, u)
}

// Buffer is one matrix that is kept with a network but not learned: a running
// average.
type Buffer struct {
	Name  string
	Value compute.Mat
}

// Layer is one layer of a Net. x is [n, in], y is [n, out].
type Layer interface {
	// Features is the number of columns of the input and of the output.
	Features() (in, out int)

	// Forward sets y from x. It may keep x, which must not change before
	// Backward. With train false the layer behaves as in evaluation.
	Forward(dev compute.Device, y, x compute.Mat, train bool)

	// Backward sets dx, unless it is the zero Mat, from dy, and lets the
	// parameters take a step by rule. dx may be dy if InPlace.
	Backward(dev compute.Device, dx, dy compute.Mat, rule Rule)

	// InPlace reports whether dx may be dy. Such a layer gives its output the
	// layout of its input.
	InPlace() bool

	Params() []*Param
	Buffers() []Buffer
}

// newVector is a vector of n zeros with its gradient.
func newVector(dev compute.Device, name string, n int) Param {
	return Param{Name: name, Value: dev.Alloc(1, n), Grad: dev.Alloc(1, n)}
}

// uniform fills p from U(−b, b) with b = 1/√fanIn, PyTorch's default for linear
// layers and convolutions. Every tensor has its own random stream, so its values
// depend only on the seed, its name and its size.
func (p *Param) uniform(seed uint64, fanIn int) {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	r := rand.New(rand.NewPCG(seed, h.Sum64()))
	b := 1 / math.Sqrt(float64(fanIn))
	rows, cols := p.Shape()
	row := make([]float32, cols)
	for i := range rows {
		for k := range row {
			row[k] = float32(b * (2*r.Float64() - 1))
		}
		p.Write(i, row)
	}
	p.Nonzero = p.Len()
}
