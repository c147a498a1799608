package export

import (
	"fmt"
	"strings"

	"betalasso/compute"
	"betalasso/nn"
)

// layers adds layers one after the other. The value of the last layer of the
// network is the logits.
func (g *graph) layers(list []nn.Layer, last nn.Layer) {
	for _, l := range list {
		switch l := l.(type) {
		case *nn.Linear:
			switch l.Kind {
			case nn.Conv2D:
				g.conv(l)
			case nn.Local:
				g.local(l)
			default:
				g.flatten()
				g.dense(l, l == last)
			}
		case *nn.BatchNorm:
			g.norm(l)
		case *nn.ReLU:
			g.node("Relu", g.fresh("relu"), nil)
		case *nn.AveragePool:
			g.node("AveragePool", g.fresh("pool"), nil, wholes("kernel_shape", l.Win.Kernel, l.Win.Kernel), wholes("strides", l.Win.Stride, l.Win.Stride))
		case *nn.Residual:
			g.residual(l, last)
		case *nn.Dropout: // does nothing to a network in use
		default:
			panic(fmt.Sprintf("export: no ONNX for a layer of type %T", l))
		}
	}
}

// fresh is a name for a value: the word and, but for the first, a number. Layers'
// names have no /, so that it is none of theirs.
func (g *graph) fresh(word string) string {
	g.count[word]++
	if n := g.count[word]; n > 1 {
		return fmt.Sprintf("/%s_%d", word, n)
	}
	return "/" + word
}

// flatten makes [N, numbers] of an image.
func (g *graph) flatten() {
	if !g.flat {
		g.node("Flatten", g.fresh("flat"), nil, whole("axis", 1))
		g.flat = true
	}
}

// residual adds both branches and their sum.
func (g *graph) residual(l *nn.Residual, last nn.Layer) {
	at, flat := g.at, g.flat
	g.layers(l.Body, last)
	body, bodyFlat := g.at, g.flat
	g.at, g.flat = at, flat
	g.layers(l.Shortcut, last)
	if bodyFlat {
		g.flatten()
	} else if g.flat { // the sum is an image, as the body is
		flat := g.at
		g.at = body
		g.node("Shape", g.fresh("shape"), nil)
		shape := g.at
		g.at = flat
		g.node("Reshape", g.fresh("image"), []string{shape})
		g.flat = false
	}
	g.node("Add", g.fresh("sum"), []string{body})
}

// output is the name of a layer's output, by that of its weights: the layer's, unless
// something else may be called that.
func output(weights string) string {
	name := strings.TrimSuffix(weights, ".weight")
	if name == "image" || name == "logits" || strings.HasSuffix(name, ".weight") || strings.HasSuffix(name, ".bias") || strings.Contains(name, ".running_") {
		return name + "/out"
	}
	return name
}

// window are the attributes of a convolution over w.
func window(w compute.Window) []message {
	return []message{
		wholes("kernel_shape", w.Kernel, w.Kernel),
		wholes("strides", w.Stride, w.Stride),
		wholes("pads", w.Pad, w.Pad, w.Pad, w.Pad),
	}
}

// conv adds a convolution.
func (g *graph) conv(l *nn.Linear) {
	g.weights(l.W.Name, l.W.Values(), l.Win.K, l.Win.C, l.Win.Kernel, l.Win.Kernel)
	g.node("Conv", output(l.W.Name), []string{l.W.Name}, window(l.Win)...)
}

// local adds a locally connected layer, which ONNX does not have: a convolution
// with one-hot kernels, one for each tap of the window, collects the input of
// each position, and a product with the weights of each position does the rest.
func (g *graph) local(l *nn.Linear) {
	w, name := l.Win, strings.TrimSuffix(l.W.Name, ".weight")
	positions, patch, taps := w.Positions(), w.Patch(), w.Kernel*w.Kernel
	ones := make([]float32, patch*taps) // [patch, 1, size, size]
	for p := range patch {
		ones[p*taps+p%taps] = 1
	}
	g.weights(name+"/taps", ones, patch, 1, w.Kernel, w.Kernel)
	g.node("Conv", name+"/seen", []string{name + "/taps"}, append(window(w), whole("group", w.C))...)
	g.shape(name+"/rows", 0, patch, positions)
	g.node("Reshape", name+"/by_row", []string{name + "/rows"})            // [N, patch, positions]
	g.node("Transpose", name+"/by_position", nil, wholes("perm", 2, 0, 1)) // [positions, N, patch]
	g.weights(l.W.Name, transposed(l.W.Values(), w.K, patch), positions, patch, w.K)
	g.node("MatMul", name+"/product", []string{l.W.Name})             // [positions, N, k]
	g.node("Transpose", name+"/planes", nil, wholes("perm", 1, 2, 0)) // [N, k, positions]
	g.shape(name+"/image", 0, w.K, w.OutH(), w.OutW())
	g.node("Reshape", output(l.W.Name), []string{name + "/image"})
}

// transposed transposes matrices [rows, cols], stored one after another.
func transposed(data []float32, rows, cols int) []float32 {
	out := make([]float32, len(data))
	for at := 0; at < len(data); at += rows * cols {
		for i := range rows {
			for j := range cols {
				out[at+j*rows+i] = data[at+i*cols+j]
			}
		}
	}
	return out
}

// dense adds a fully connected layer; the last one gives the logits.
func (g *graph) dense(l *nn.Linear, last bool) {
	out := output(l.W.Name)
	if last {
		out = "logits"
	}
	rows, cols := l.W.Shape()
	g.weights(l.W.Name, l.W.Values(), rows, cols)
	weights := []string{l.W.Name}
	if l.HasBias() {
		g.weights(l.B.Name, l.B.Value.Data, l.B.Value.Cols)
		weights = append(weights, l.B.Name)
	}
	g.node("Gemm", out, weights, whole("transB", 1))
}

// norm adds a batch norm by its running averages, and its ReLU.
func (g *graph) norm(l *nn.BatchNorm) {
	name := normName(l)
	units := l.Gamma.Value.Cols
	var weights []string
	for _, t := range []struct {
		name string
		data []float32
	}{
		{".weight", l.Gamma.Value.Data}, {".bias", l.Beta.Value.Data},
		{".running_mean", l.State.RunMean.Data}, {".running_var", l.State.RunVar.Data},
	} {
		g.weights(name+t.name, t.data, units)
		weights = append(weights, name+t.name)
	}
	g.node("BatchNormalization", output(name+".weight"), weights, real("epsilon", l.State.Epsilon))
	if l.State.ReLU {
		g.node("Relu", name+"/relu", nil)
	}
}
