package train

import (
	"context"
	"math"

	"betalasso/augment"
	"betalasso/compute"
	"betalasso/data"
	"betalasso/run"
)

// evaluate is the mean loss and the accuracy (0 to 1) over images as they are,
// without augmentation, by the network's running averages. Where confusion is not
// nil it counts there what each class's images are taken for.
func (t *trainer) evaluate(im data.Images, confusion []run.Counts) (loss, acc float64) {
	if im.Len() == 0 {
		return 0, 0
	}
	idx := make([]int32, im.Len())
	for i := range idx {
		idx[i] = int32(i)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stream := t.loader.batches(ctx, im, idx, t.Config.Batch, 0, func(dst []float32, pix []uint8, _ int, _ *augment.Scratch) {
		t.pipe.Plain(dst, pix)
	})
	defer t.loader.drain(stream, cancel)
	var correct int
	for b := range stream {
		b.ready.Wait()
		logits := t.net.Forward(b.x, false)
		l, c := t.Device.CrossEntropy(t.dlogits.Top(b.x.Rows), logits, b.labels)
		if confusion != nil {
			for i, label := range b.labels {
				confusion[label][likeliest(logits, i)]++
			}
		}
		t.loader.free <- b
		loss += l
		correct += c
	}
	n := float64(im.Len())
	return loss / n, float64(correct) / n
}

// likeliest is the class of row i's largest logit, the first of equals.
func likeliest(logits compute.Mat, i int) int {
	class := 0
	for k := range logits.Cols {
		if logits.At(i, k) > logits.At(i, class) {
			class = k
		}
	}
	return class
}

// mostCounted is up to how many classes Evaluate counts what is taken for what.
const mostCounted = 2000

// newConfusion is an empty matrix for the given number of classes.
func newConfusion(classes int) []run.Counts {
	m := make([]run.Counts, classes)
	for i := range m {
		m[i] = make(run.Counts, classes)
	}
	return m
}

// Scores are a network's loss and accuracy (0 to 1) on the two sets that it was
// not trained on. Without validation images theirs are 0.
type Scores struct {
	ValLoss  float64 `json:"val_loss"`
	ValAcc   float64 `json:"val_acc"`
	TestLoss float64 `json:"test_loss"`
	TestAcc  float64 `json:"test_acc"`

	// Confusion counts the test images of each class (row) by what they are taken for
	// (column); nil where there are more than 2,000 classes.
	Confusion []run.Counts `json:"-"`
}

// Evaluate scores the network of o.Config with the given weights. It writes
// nothing; o.Dir may be nil.
func Evaluate(o Options, weights []run.Tensor) (Scores, error) {
	var s Scores
	if err := sized(o.Config, sizeOf(o.Config, o.Set), weights); err != nil {
		return s, err
	}
	t, err := newTrainer(o)
	if err != nil {
		return s, err
	}
	defer t.loader.close()
	if err := load(tensors(t.net), weights); err != nil {
		return s, err
	}
	s.ValLoss, s.ValAcc = t.evaluate(t.val, nil)
	if n := len(t.Set.Classes); n <= mostCounted {
		s.Confusion = newConfusion(n)
	}
	s.TestLoss, s.TestAcc = t.evaluate(t.Set.Test, s.Confusion)
	return s, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
