package train

import (
	"fmt"
	"math"

	"betalasso/augment"
	"betalasso/compute"
	"betalasso/data"
	"betalasso/model"
	"betalasso/nn"
	"betalasso/run"
)

// Predictor classifies images with a trained network.
type Predictor struct {
	net    *nn.Net
	pipe   *augment.Pipeline
	x      compute.Mat
	labels int
}

// NewPredictor is the network of c with the given weights, for images of the shape
// and the normalisation that s says, at most batch at a time. whiten is
// what Whiten makes for c.
func NewPredictor(dev compute.Device, c run.Config, s run.DataSet, weights []run.Tensor, whiten *nn.Whitening, batch int) (*Predictor, error) {
	size := model.Size{Alpha: c.Alpha, Width: c.Width, Kernel: c.Kernel, Network: c.Network, Channels: s.Channels, Side: s.Side, Classes: len(s.Classes), Batch: batch}
	if err := sized(c, size, weights); err != nil {
		return nil, err
	}
	net, err := model.New(dev, c.Model, size, c.Seed)
	if err != nil {
		return nil, err
	}
	if err := load(tensors(net), weights); err != nil {
		return nil, err
	}
	net.Whiten = whiten
	pipe, err := augment.New("none", "", s.Channels, s.Side, s.Mean, s.Std)
	if err != nil {
		return nil, err
	}
	return &Predictor{net, pipe, dev.Alloc(batch, s.Channels*s.Side*s.Side), len(s.Classes)}, nil
}

// sized is an error where weights are not of a network of that size, or where its
// outputs do not fit in memory, before any is taken: a downloaded config.yaml may say
// what it likes.
func sized(c run.Config, size model.Size, weights []run.Tensor) error {
	if err := model.Weighs(c.Model, size, run.Lengths(weights)); err != nil {
		return err
	}
	outputs, copies, err := model.Buffers(c.Model, size)
	if most, of := run.Memory(); err == nil && most > 0 && 4*(outputs+copies) > most {
		return fmt.Errorf("its outputs take %.1f GB, and there are %.1f GB, %s", 4*(outputs+copies)/1e9, most/1e9, of)
	}
	return err
}

// Probabilities are those of each class, for each image in planes of bytes.
func (p *Predictor) Probabilities(images [][]uint8) ([][]float64, error) {
	var list [][]float64
	for at := 0; at < len(images); at += p.x.Rows {
		part := images[at:min(at+p.x.Rows, len(images))]
		x := p.x.Top(len(part))
		for i, pix := range part {
			p.pipe.Plain(x.Row(i), pix)
		}
		logits := p.net.Forward(x, false)
		for i := range part {
			probs := softmax(logits, i)
			if probs == nil {
				return nil, fmt.Errorf("image %d: the network's answer is no number; its weights have diverged", at+i+1)
			}
			list = append(list, probs)
		}
	}
	return list, nil
}

// softmax makes probabilities of the logits of row i; nil where they are no numbers.
func softmax(logits compute.Mat, i int) []float64 {
	top, sum := float64(logits.At(i, likeliest(logits, i))), 0.0
	probs := make([]float64, logits.Cols)
	for k := range probs {
		probs[k] = math.Exp(float64(logits.At(i, k)) - top)
		sum += probs[k]
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil
	}
	for k := range probs {
		probs[k] /= sum
	}
	return probs
}

// DescribeData says what a run was trained on, and what its network takes.
func DescribeData(set *data.Set, train, val data.Images) run.DataSet {
	d := run.DataSet{
		Name: set.Name, Train: train.Len(), Val: val.Len(), Test: set.Test.Len(),
		Channels: set.Channels, Side: set.Side, Skipped: set.Skipped,
	}
	d.Mean, d.Std = data.MeanStd(train, set.Channels)
	letters := 0
	for _, name := range set.Classes {
		letters += len(name)
	}
	if letters < mostLetters {
		d.Classes = set.Classes
	}
	if n := len(set.Skipped); n > mostSkipped {
		d.Skipped, d.SkippedMore = set.Skipped[:mostSkipped], n-mostSkipped
	}
	return d
}

// What a result holds of names at most, and of skipped files.
const (
	mostLetters = 1 << 17
	mostSkipped = 100
)
