package export

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"betalasso/nn"
	"betalasso/run"
)

// tracked ends the name of a batch norm's count of batches in PyTorch.
const tracked = ".num_batches_tracked"

// StateDict are the tensors of the state_dict of the same network in PyTorch,
// sharing n's memory. Convolutions have [out, in, k, k], fully connected layers
// [out, in], locally connected ones [outH·outW, out, in·k·k], positions row by
// row. A whitening is a fully connected layer before the first. The counts of batches
// are I64 and come first, as they need alignment.
func (n *Network) StateDict() []run.Tensor {
	var counts, list []run.Tensor
	if w := n.Net.Whiten; w != nil {
		list = append(list, run.Tensor{Name: w.W.Name, Shape: weightShape(&w.Linear), Rows: &w.W})
	}
	nn.Walk(n.Net.Layers, func(l nn.Layer) {
		switch l := l.(type) {
		case *nn.Linear:
			list = append(list, run.Tensor{Name: l.W.Name, Shape: weightShape(l), Rows: &l.W})
			if l.HasBias() {
				list = append(list, vector(l.B.Name, l.B.Value.Data))
			}
		case *nn.BatchNorm:
			name := normName(l)
			list = append(list,
				vector(name+".weight", l.Gamma.Value.Data), vector(name+".bias", l.Beta.Value.Data),
				vector(name+".running_mean", l.State.RunMean.Data), vector(name+".running_var", l.State.RunVar.Data))
			counts = append(counts, run.Tensor{Name: name + tracked, Shape: []int{}, Data: []float32{float32(n.Steps)}, DType: "I64"})
		}
	})
	return append(counts, list...)
}

// weightShape is the shape that PyTorch gives a layer's weights.
func weightShape(l *nn.Linear) []int {
	w := l.Win
	switch l.Kind {
	case nn.Conv2D:
		return []int{w.K, w.C, w.Kernel, w.Kernel}
	case nn.Local:
		return []int{w.Positions(), w.K, w.Patch()}
	}
	rows, cols := l.W.Shape()
	return []int{rows, cols}
}

func vector(name string, data []float32) run.Tensor {
	return run.Tensor{Name: name, Shape: []int{len(data)}, Data: data}
}

// normName is the name of a batch norm, as bn1.
func normName(l *nn.BatchNorm) string { return strings.TrimSuffix(l.Gamma.Name, ".gamma") }

// WriteSafetensors writes StateDict as a safetensors file; if sparse, matrices with
// few non-zeros by these. Its metadata has the network's name and size, the
// normalisation of its input, and the run's Config.
func (n *Network) WriteSafetensors(path string, sparse bool) error {
	meta := n.meta()
	meta["format"] = "pt"
	list := n.StateDict()
	for i, t := range list {
		if !sparse {
			list[i] = run.Tensor{Name: t.Name, Shape: t.Shape, DType: t.DType, Data: t.Values()}
		}
	}
	_, err := run.WriteTensors(path, list, meta)
	return err
}

// fill copies the tensors of from into those of to with the same names. All that
// are missing, unexpected or of another shape are named in one error, and then
// nothing is copied. Counts of batches may be missing.
func fill(to, from []run.Tensor) error {
	given := map[string]run.Tensor{}
	for _, t := range from {
		given[t.Name] = t
	}
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf("  "+format, args...)) }
	for _, t := range to {
		g, ok := given[t.Name]
		switch {
		case !ok && !strings.HasSuffix(t.Name, tracked):
			add("missing: %s %v", t.Name, t.Shape)
		case ok && !slices.Equal(g.Shape, t.Shape):
			add("of another shape: %s, expected %v, found %v", t.Name, t.Shape, g.Shape)
		}
		delete(given, t.Name)
	}
	for _, t := range from {
		if _, left := given[t.Name]; left {
			add("not expected: %s %v", t.Name, t.Shape)
		}
	}
	if problems != nil {
		return errors.Join(problems...)
	}
	for _, t := range from {
		given[t.Name] = t
	}
	for _, t := range to {
		if g, ok := given[t.Name]; ok {
			run.Copy(t, g)
		}
	}
	return nil
}
