package train

import (
	"context"
	"math"

	"betalasso/augment"
	"betalasso/data"
	"betalasso/run"
)

// evaluate is the mean loss and the accuracy (0 to 1) over images as they are,
// without augmentation, by the network's running averages.
func (t *trainer) evaluate(im data.Images, phase string) (loss, acc float64) {
	if im.Len() == 0 {
		return 0, 0
	}
	idx := make([]int32, im.Len())
	for i := range idx {
		idx[i] = int32(i)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stream := t.feed.batches(ctx, im, idx, t.Config.Batch, 0, func(dst []float32, pix []uint8, _ int, _ *augment.Scratch) {
		t.pipe.Plain(dst, pix)
	})
	defer t.feed.drain(stream, cancel)
	var correct int
	for b := range stream {
		b.ready.Wait()
		logits := t.net.Forward(b.x, false)
		l, c := t.Device.CrossEntropy(t.dlogits.Top(b.x.Rows), logits, b.labels)
		t.feed.free <- b
		loss += l
		correct += c
	}
	n := float64(im.Len())
	return loss / n, float64(correct) / n
}

// Scores are a network's loss and accuracy (0 to 1) on the two sets that it was
// not trained on. Without validation images theirs are 0.
type Scores struct {
	ValLoss  float64 `json:"val_loss"`
	ValAcc   float64 `json:"val_acc"`
	TestLoss float64 `json:"test_loss"`
	TestAcc  float64 `json:"test_acc"`
}

// Evaluate scores the network of o.Config with the given weights. It writes
// nothing; o.Dir may be nil.
func Evaluate(o Options, weights []run.Tensor) (Scores, error) {
	var s Scores
	t, err := newTrainer(o)
	if err != nil {
		return s, err
	}
	defer t.feed.close()
	if err := load(tensors(t.net), weights); err != nil {
		return s, err
	}
	s.ValLoss, s.ValAcc = t.evaluate(t.val, "validate")
	s.TestLoss, s.TestAcc = t.evaluate(t.Set.Test, "test")
	return s, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
