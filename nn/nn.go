// Package nn has the layers of the paper's networks, as arithmetic on a
// compute.Device, and Net, which runs them forward and back.
//
// A layer is a pair of functions over matrices with one example a row. Backward
// assigns gradients and never accumulates them, so there is nothing to clear
// between steps.
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

// Param is one matrix that is learned, with its gradient.
type Param struct {
	Name        string // as in "conv1.weight", "bn1.gamma", "fc2.bias"
	Group       Group
	Value, Grad compute.Mat
}

// Buffer is one matrix that is kept with a network but not learned: a running
// average.
type Buffer struct {
	Name  string
	Value compute.Mat
}

// Layer is one layer of a Net. x is [n, in], y is [n, out].
type Layer interface {
	// Size is the number of columns of the input and of the output.
	Size() (in, out int)

	// Forward sets y from x. It may keep x, which must not change before
	// Backward. With train false the layer behaves as in evaluation.
	Forward(dev compute.Device, y, x compute.Mat, train bool)

	// Backward sets the gradients of the parameters, and dx unless it is the
	// zero Mat, from dy. dx may be dy where InPlace.
	Backward(dev compute.Device, dx, dy compute.Mat)

	// InPlace says whether dx may be dy.
	InPlace() bool

	Params() []*Param
	Buffers() []Buffer
}

// newParam is a matrix of zeros with its gradient.
func newParam(dev compute.Device, name string, g Group, rows, cols int) Param {
	return Param{Name: name, Group: g, Value: dev.Alloc(rows, cols), Grad: dev.Alloc(rows, cols)}
}

// uniform fills p from U(−b, b) with b = 1/√fanIn, PyTorch's default for linear
// layers and convolutions. Every tensor has a stream of its own, so its values
// depend only on the seed, its name and its size.
func (p *Param) uniform(seed uint64, fanIn int) {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	r := rand.New(rand.NewPCG(seed, h.Sum64()))
	b := 1 / math.Sqrt(float64(fanIn))
	for i := range p.Value.Data {
		p.Value.Data[i] = float32(b * (2*r.Float64() - 1))
	}
}
