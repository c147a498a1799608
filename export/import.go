package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"betalasso/compute"
	"betalasso/model"
	"betalasso/nn"
	"betalasso/run"
)

// Weights are those of a safetensors file, with the file's metadata.
type Weights struct {
	Tensors   []run.Tensor
	Known     bool       // Config is what the file says; otherwise run.Default with the size that the shapes say
	Config    run.Config // without a size where the shapes say none
	Epoch     int        // 0: unknown
	Mean, Std []float64  // nil: unknown

	prefixes []string // that were taken off all names, first to last
}

// Read reads a safetensors file. If all names begin with the same word and a
// point, as in "module.conv1.weight", that is removed.
func Read(path string) (*Weights, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe may have nobody at its other end
		return nil, fmt.Errorf("%s is no plain file; give a safetensors file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parse(f, info.Size(), path)
}

// parse is Read of a file of size bytes.
func parse(f io.ReaderAt, size int64, path string) (*Weights, error) {
	if err := notPickle(f, path); err != nil {
		return nil, err
	}
	list, meta, err := run.DecodeTensors(io.NewSectionReader(f, 0, size), size)
	if err != nil {
		return nil, fmt.Errorf("%s is not a usable safetensors file: %w", path, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no tensors", path)
	}
	var prefixes []string
	for {
		prefix, _, _ := strings.Cut(list[0].Name, ".")
		prefix += "."
		if slices.ContainsFunc(list, func(t run.Tensor) bool { return strings.Count(t.Name, ".") < 2 || !strings.HasPrefix(t.Name, prefix) }) {
			break
		}
		for i := range list {
			list[i].Name = list[i].Name[len(prefix):]
		}
		prefixes = append(prefixes, prefix)
	}
	w := &Weights{Tensors: list, Config: run.Default(), prefixes: prefixes}
	for key, to := range map[string]any{"config": &w.Config, "epoch": &w.Epoch, "mean": &w.Mean, "std": &w.Std} {
		text, ok := meta[key]
		if !ok {
			continue
		}
		if err := json.Unmarshal([]byte(text), to); err != nil {
			return nil, fmt.Errorf("%s: its metadata has an unusable %s: %w", path, key, err)
		}
		w.Known = w.Known || key == "config"
	}
	if !w.Known {
		guess(&w.Config, list)
		w.Config.Epochs, w.Config.Precision = 1, "fp32"
	}
	return w, nil
}

// ErrPickle means that a file was written by torch.save. Reading one runs the
// code that it contains, so none is read here.
var ErrPickle = errors.New("this is a file of torch.save (a pickle, which may hold code), not safetensors")

// notPickle is ErrPickle, with how to convert, where the file begins as
// torch.save's do: as a ZIP archive, or in older versions as a pickle.
func notPickle(f io.ReaderAt, path string) error {
	var head [8]byte // of safetensors the length of a header, which is below 4 GB
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return nil // too short for either
	}
	archive := bytes.HasPrefix(head[:], []byte("PK\x03\x04"))
	pickle := head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 && !bytes.Equal(head[4:], make([]byte, 4))
	if !archive && !pickle {
		return nil
	}
	to := strings.TrimSuffix(path, filepath.Ext(path)) + ".safetensors"
	return fmt.Errorf("%s: %w; convert its state_dict with\n    python -c 'import sys, torch, safetensors.torch as s; s.save_file({k: v.contiguous() for k, v in torch.load(sys.argv[1], weights_only=True).items()}, sys.argv[2])' %s %s", path, ErrPickle, path, to)
}

// guess infers network and size from the tensors' names and shapes; it leaves ""
// and 0 if they do not determine them.
func guess(c *run.Config, list []run.Tensor) {
	c.Model, c.Alpha, c.Width = "", 0, 0
	shapes := map[string][]int{}
	for _, t := range list {
		shapes[t.Name] = t.Shape
	}
	first, fc1, fc2 := shapes["conv1.weight"], shapes["fc1.weight"], shapes["fc2.weight"]
	if first == nil && len(fc1) == 2 && shapes["fc3.weight"] != nil {
		c.Model, c.Width = "3-fc", fc1[0]
		return
	}
	if shapes["layer1.0.conv1.weight"] != nil && len(first) == 4 {
		c.Model, c.Alpha, c.Kernel = "resnet18", first[0], first[2]
		return
	}
	kind := map[int]string{2: "fc", 3: "local", 4: "conv"}[len(first)]
	if kind == "" {
		return
	}
	depth, hidden := "s-", 24
	if shapes["conv2.weight"] != nil {
		depth, hidden = "d-", 64
	}
	if len(fc2) == 2 {
		c.Alpha = fc2[1] / hidden
	}
	c.Model = depth + kind
}

// Network is the network of config and size with the weights. All tensors that
// are missing, not expected or of another shape are named in one error. A bias
// before a batch norm, which the networks here do not have, is moved into that
// norm's running mean.
func (w *Weights) Network(dev compute.Device, c run.Config, size model.Size) (*Network, error) {
	_, count, err := model.Count(c.Model, size)
	if err != nil {
		return nil, err
	}
	held := 0
	for _, t := range w.Tensors {
		held += t.Len()
	}
	if count > 100*held { // a slip that would take memory without end
		return nil, fmt.Errorf("the file has %d numbers, %s has %d weights", held, describe(c), count)
	}
	if most, of := run.Memory(); most > 0 && 4*float64(count) > most { // a sparse file may say so in a few bytes
		return nil, fmt.Errorf("%s has %d weights: %.1f GB, where there are %.1f GB, %s", describe(c), count, 4*float64(count)/1e9, most/1e9, of)
	}
	net, err := model.New(dev, c.Model, size, c.Seed)
	if err != nil {
		return nil, err
	}
	n := &Network{Config: c, Size: size, Net: net, Epoch: w.Epoch}
	want, given := n.StateDict(), slices.Clone(w.Tensors)
	for i := range w.prefixes { // the network's own names may begin with one word, too
		prefix := strings.Join(w.prefixes[i:], "")
		if !slices.ContainsFunc(want, func(t run.Tensor) bool { return !strings.HasPrefix(t.Name, prefix) }) {
			for k := range given {
				given[k].Name = prefix + given[k].Name
			}
			break
		}
	}
	if at := slices.IndexFunc(given, func(t run.Tensor) bool { return t.Name == nn.WhiteningName }); at >= 0 && c.Whiten > 0 {
		n.whiten = &given[at]
		given = slices.Concat(given[:at], given[at+1:])
	}
	biases := map[string]run.Tensor{} // by the batch norm's name
	net.Normed(func(linear *nn.Linear, norm *nn.BatchNorm) {
		name := strings.TrimSuffix(linear.W.Name, ".weight") + ".bias"
		units := []int{norm.Gamma.Value.Cols}
		at := slices.IndexFunc(given, func(t run.Tensor) bool { return t.Name == name && slices.Equal(t.Shape, units) })
		if at >= 0 {
			biases[normName(norm)] = given[at]
			given = slices.Delete(given, at, at+1)
		}
	})
	if err := fill(want, given); err != nil {
		return nil, fmt.Errorf("the tensors are not those of %s, %d classes:\n%w", describe(c), size.Classes, err)
	}
	nn.Walk(net.Layers, func(l nn.Layer) {
		if norm, ok := l.(*nn.BatchNorm); ok {
			for i, b := range biases[normName(norm)].Data {
				norm.State.RunMean.Data[i] -= b
			}
		}
	})
	for _, t := range n.Own() {
		if slices.ContainsFunc(t.Values(), func(x float32) bool { return x-x != 0 }) {
			return nil, fmt.Errorf("tensor %s has numbers that are not finite", t.Name)
		}
		if strings.HasSuffix(t.Name, ".var") && slices.ContainsFunc(t.Data, func(x float32) bool { return x < 0 }) {
			return nil, fmt.Errorf("tensor %s has numbers below zero, which no variance is", t.Name)
		}
	}
	return n, nil
}

// describe is a network's name and size in words.
func describe(c run.Config) string {
	if text := c.SizeText(); text != "" {
		return fmt.Sprintf("%s with %s", c.Model, text)
	}
	return c.Model
}

// CheckWhitening is an error if the file that n was imported from has another
// whitening than w, which the images here give. Rounding is no difference.
func (n *Network) CheckWhitening(w *nn.Whitening) error {
	if n.whiten == nil {
		return nil
	}
	rows, cols := w.W.Shape()
	if !slices.Equal(n.whiten.Shape, []int{rows, cols}) {
		return fmt.Errorf("%s is %v, and that of these images %v", n.whiten.Name, n.whiten.Shape, []int{rows, cols})
	}
	most, off := 0.0, 0.0
	theirs, row := n.whiten.Values(), make([]float32, cols)
	for i := range rows {
		w.W.Read(row, i)
		for k, x := range row {
			most = max(most, math.Abs(float64(x)))
			off = max(off, math.Abs(float64(x-theirs[i*cols+k]))) // NaN if theirs is
		}
	}
	if !(off <= 1e-3*most) {
		return fmt.Errorf("%s differs by up to %.2g from that of these images, whose numbers reach %.2g: it was made from other ones, or another number of them; give those with --data, --data-dir and --val", n.whiten.Name, off, most)
	}
	return nil
}

// Renormalise turns a network that was trained on images normalised by n.Mean and
// n.Std into one for images normalised by mean and std: the first layer's weights
// are scaled by channel, and the shift goes into the running mean of the next
// batch norm. The outputs are the same, unless windows move over the image and
// the means differ: beyond the border a window sees zeros, which stand for the
// mean, and a locally connected layer's positions share one running mean. Then
// exact is false.
func (n *Network) Renormalise(mean, std []float64) (exact bool, err error) {
	for _, list := range [][]float64{n.Mean, n.Std, mean, std} {
		if len(list) != n.Size.Channels {
			return false, fmt.Errorf("a normalisation needs a mean and a deviation for each of %d channels, not %v", n.Size.Channels, list)
		}
	}
	for _, s := range slices.Concat(n.Std, std) {
		if !(s > 0) {
			return false, errors.New("a normalisation's deviations must be above 0")
		}
	}
	if slices.Equal(n.Mean, mean) && slices.Equal(n.Std, std) {
		return true, nil
	}
	if n.Config.Whiten > 0 {
		return false, fmt.Errorf("a network of whitened pixels cannot be turned to another normalisation than that of its training, mean %v and deviation %v", n.Mean, n.Std)
	}
	var norm *nn.BatchNorm
	if len(n.Net.Layers) > 1 {
		norm, _ = n.Net.Layers[1].(*nn.BatchNorm)
	}
	if norm == nil {
		return false, fmt.Errorf("%s has no batch norm behind its first layer, which would take up another normalisation than that of its training", n.Config.Model)
	}
	first := n.Net.Layers[0].(*nn.Linear)
	rows, cols := first.W.Shape()
	area, units := cols/n.Size.Channels, norm.Gamma.Value.Cols
	shifts := make([]float64, units) // of each unit's outputs, the mean over its rows
	row := make([]float32, cols)
	for r := range rows {
		first.W.Read(row, r)
		for i, v := range row {
			c := i / area
			shifts[r%units] += float64(v) * (mean[c] - n.Mean[c]) / n.Std[c] * float64(units) / float64(rows)
			row[i] = float32(float64(v) * std[c] / n.Std[c])
		}
		first.W.Write(r, row)
	}
	for i, s := range shifts {
		norm.State.RunMean.Data[i] -= float32(s)
	}
	exact = first.Kind == nn.Dense || slices.Equal(n.Mean, mean)
	n.Mean, n.Std = mean, std
	return exact, nil
}
