// Package export carries runs into other tools and weights back: networks as
// PyTorch state dicts in safetensors files and as ONNX graphs; events and
// results as CSV, Parquet and TensorBoard files. docs/export.md says what each
// file holds.
package export

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"betalasso/compute"
	"betalasso/model"
	"betalasso/nn"
	"betalasso/run"
)

// Network is a network with its weights and everything needed to use it
// elsewhere.
type Network struct {
	Config    run.Config
	Size      model.Size
	Net       *nn.Net
	Epoch     int       // that the weights are of
	Steps     int       // taken until then
	Classes   []string  // by label; may be empty
	Mean, Std []float64 // by channel, of pixels from 0 to 1: what the network sees is (pixel − Mean)/Std

	whiten *run.Tensor // of an imported file
}

// Open reads the network of a run: of its last checkpoint or, if best, of the
// epoch with the best validation accuracy. It leaves Classes, Mean and Std to
// the caller. The error is fs.ErrNotExist where there are no such weights.
func Open(d *run.Dir, dev compute.Device, size model.Size, best bool) (*Network, error) {
	state, weights, err := d.Weights(best)
	if err != nil {
		return nil, err
	}
	n := &Network{Config: d.Config(), Size: size, Epoch: state.Epoch}
	if best {
		n.Epoch = state.BestEpoch
	}
	events, err := d.Events()
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if e.Epoch == n.Epoch {
			n.Steps = e.Step
		}
	}
	if !best {
		n.Steps += state.Step
	}
	if err := model.Weighs(n.Config.Model, size, run.Lengths(weights)); err != nil {
		return nil, fmt.Errorf("the weights of %s do not fit its %s: %w", d.Path(), run.ConfigFile, err)
	}
	if n.Net, err = model.New(dev, n.Config.Model, size, n.Config.Seed); err != nil {
		return nil, err
	}
	if err := fill(n.Own(), weights); err != nil {
		return nil, fmt.Errorf("the weights of %s do not fit its %s:\n%w", d.Path(), run.ConfigFile, err)
	}
	return n, nil
}

// Own are the network's tensors under the names of a run's files, sharing its
// memory.
func (n *Network) Own() []run.Tensor {
	var list []run.Tensor
	for _, p := range n.Net.Params() {
		rows, cols := p.Shape()
		list = append(list, run.Tensor{Name: p.Name, Shape: []int{rows, cols}, Rows: p})
	}
	for _, b := range n.Net.Buffers() {
		list = append(list, run.Tensor{Name: b.Name, Shape: []int{b.Value.Rows, b.Value.Cols}, Data: b.Value.Data})
	}
	return list
}

// Layers are the network's weight matrices with their counts of non-zeros.
func (n *Network) Layers() []run.Layer {
	var list []run.Layer
	for _, p := range n.Net.Params() {
		if p.Group != nn.None {
			p.Count()
			list = append(list, run.Layer{Name: strings.TrimSuffix(p.Name, ".weight"), Params: p.Len(), Nonzero: p.Nonzero})
		}
	}
	return list
}

// Round rounds the network's weight matrices to bfloat16, sets what is then smaller than
// below in magnitude to 0, and returns Own, with BF16 as the matrices' type. Biases and
// batch norms are few and stay float32.
func (n *Network) Round(below float64) []run.Tensor {
	list := n.Own()
	for i, p := range n.Net.Params() {
		if p.Weights == nil {
			continue
		}
		list[i].DType = "BF16"
		rows, cols := p.Shape()
		row := make([]float32, cols)
		for r := range rows {
			p.Read(row, r)
			run.Bfloat16(row)
			for k, v := range row {
				if math.Abs(float64(v)) < below {
					row[k] = 0
				}
			}
			p.Write(r, row)
		}
	}
	return list
}

// meta is the metadata about the network in a file of weights.
func (n *Network) meta() map[string]string {
	c := n.Config
	c.DataDir, c.From, c.Threads = "", "", 0 // they concern one machine
	m := map[string]string{
		"model":    c.Model,
		"channels": strconv.Itoa(n.Size.Channels),
		"side":     strconv.Itoa(n.Size.Side),
		"classes":  strconv.Itoa(n.Size.Classes),
		"data":     c.Data,
		"epoch":    strconv.Itoa(n.Epoch),
		"config":   text(c),
	}
	for name, n := range map[string]int{"alpha": c.Alpha, "width": c.Width, "kernel": c.Kernel} {
		if n > 0 {
			m[name] = strconv.Itoa(n)
		}
	}
	if n.Mean != nil {
		m["mean"], m["std"] = text(n.Mean), text(n.Std)
	}
	if n.Classes != nil {
		m["class_names"] = text(n.Classes)
	}
	return m
}

// text is v as JSON. No number of a valid Config or data set is infinite.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("export: %v", err))
	}
	return string(b)
}
