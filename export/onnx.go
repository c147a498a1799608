package export

import (
	"fmt"
	"maps"
	"slices"

	"betalasso/run"
)

// ONNX's operator set 13 (2020) has all that the graphs need and is read by
// every runtime since; files of it are of version 7 of the format.
const (
	opset     = 13
	irVersion = 7
)

// maxONNX is less than the 2 GiB that a protocol buffer may have, in bytes.
const maxONNX = 2_000_000_000

// ONNX is n as an ONNX model. Its input "image" is [N, channels, side, side],
// pixels from 0 to 1; its first two nodes normalise them by Mean and Std. Its
// output "logits" is [N, classes]. The metadata is that of WriteSafetensors.
// Networks of 2 GB or more are an error.
func (n *Network) ONNX() ([]byte, error) {
	size := inONNX(n.Own())
	if w := n.Net.Whiten; w != nil {
		size += 4 * w.W.Len()
	}
	if size > maxONNX {
		return nil, fmt.Errorf("the weights have %.1f GB, and an ONNX file of one piece holds 2 GB; use safetensors", float64(size)/1e9)
	}
	var m, set message
	m.whole(1, irVersion)
	m.text(2, "betalasso")
	m.text(3, run.Version())
	m.bytes(7, n.graph())
	set.text(1, "") // the standard operators
	set.whole(2, opset)
	m.bytes(8, set)
	meta := n.meta()
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		var entry message
		entry.text(1, k)
		entry.text(2, meta[k])
		m.bytes(14, entry)
	}
	return m, nil
}

// inONNX is the size of tensors in a file, in bytes.
func inONNX(list []run.Tensor) (size int) {
	for _, t := range list {
		size += 4 * t.Len()
	}
	return size
}

// graph is n as a GraphProto.
func (n *Network) graph() message {
	g := graph{at: "image", count: map[string]int{}}
	g.weights("/mean", single(n.Mean), 1, n.Size.Channels, 1, 1)
	g.weights("/std", single(n.Std), 1, n.Size.Channels, 1, 1)
	g.node("Sub", "/centred", []string{"/mean"})
	g.node("Div", "/normalised", []string{"/std"})
	if w := n.Net.Whiten; w != nil {
		g.flatten()
		g.dense(&w.Linear, false)
		g.shape("/whiten_image", 0, n.Size.Channels, n.Size.Side, n.Size.Side)
		g.node("Reshape", "/whitened", []string{"/whiten_image"})
		g.flat = false
	}
	g.layers(n.Net.Layers, n.Net.Layers[len(n.Net.Layers)-1])
	g.body.text(2, n.Config.Model)
	g.body.bytes(11, tensorType("image", n.Size.Channels, n.Size.Side, n.Size.Side))
	g.body.bytes(12, tensorType("logits", n.Size.Classes))
	return g.body
}

func single(list []float64) []float32 {
	out := make([]float32, len(list))
	for i, v := range list {
		out[i] = float32(v)
	}
	return out
}

// graph is a GraphProto in the making: nodes one after the other, each taking the
// output of the one before.
type graph struct {
	body  message
	at    string         // the value that the next node takes
	flat  bool           // it is no image any more
	count map[string]int // of values that bear no layer's name
}

// node adds a node with the last value and the named weights as inputs and the
// value out as output.
func (g *graph) node(op, out string, weights []string, attributes ...message) {
	var n message
	n.text(1, g.at)
	for _, w := range weights {
		n.text(1, w)
	}
	n.text(2, out)
	n.text(3, out)
	n.text(4, op)
	for _, a := range attributes {
		n.bytes(5, a)
	}
	g.body.bytes(1, n)
	g.at = out
}

// whole is an attribute of one whole number.
func whole(name string, v int) message {
	var a message
	a.text(1, name)
	a.whole(3, v)
	a.whole(20, 2)
	return a
}

// wholes is an attribute of several whole numbers.
func wholes(name string, list ...int) message {
	var a message
	a.text(1, name)
	for _, v := range list {
		a.whole(8, v)
	}
	a.whole(20, 7)
	return a
}

// real is an attribute of one number.
func real(name string, v float32) message {
	var a message
	a.text(1, name)
	a.float(2, v)
	a.whole(20, 1)
	return a
}

// weights adds a tensor of numbers.
func (g *graph) weights(name string, data []float32, shape ...int) {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = appendFloat(raw, v)
	}
	g.tensor(name, 1, raw, shape)
}

// shape adds a tensor of whole numbers that is a shape for Reshape: 0 is the
// size that was there.
func (g *graph) shape(name string, sizes ...int) {
	var raw []byte
	for _, v := range sizes {
		raw = appendWhole(raw, v)
	}
	g.tensor(name, 7, raw, []int{len(sizes)})
}

func (g *graph) tensor(name string, kind int, raw []byte, shape []int) {
	var t message
	for _, s := range shape {
		t.whole(1, s)
	}
	t.whole(2, kind)
	t.text(8, name)
	t.bytes(9, raw)
	g.body.bytes(5, t)
}

// tensorType is the ValueInfoProto of a value of float32: N of the given shape.
func tensorType(name string, shape ...int) message {
	var dims, dim, tensor, kind, v message
	dim.text(2, "N")
	dims.bytes(1, dim)
	for _, s := range shape {
		dim = nil
		dim.whole(1, s)
		dims.bytes(1, dim)
	}
	tensor.whole(1, 1)
	tensor.bytes(2, dims)
	kind.bytes(1, tensor)
	v.text(1, name)
	v.bytes(2, kind)
	return v
}
