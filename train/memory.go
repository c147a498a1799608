package train

import (
	"betalasso/model"
	"betalasso/run"
)

// Memory is about the most memory that training c holds, in bytes, where its
// data set has so many training and test images and its network is of that
// size.
func Memory(c run.Config, size model.Size, trainImages, testImages int) (float64, error) {
	_, weights, err := model.Count(c.Model, size)
	if err != nil {
		return 0, err
	}
	outputs, copies, err := model.Buffers(c.Model, size)
	if err != nil {
		return 0, err
	}
	image := float64(size.Channels * size.Side * size.Side)
	held := float64(trainImages + testImages)
	var split, kept float64 // images that Split copies, and those of them that stay
	if c.Val > 0 {
		split, kept = float64(trainImages), float64(trainImages)
	}
	if c.Train > 0 && c.Train < trainImages-c.Val {
		split, kept = split+float64(c.Train), float64(c.Val+c.Train)
	}
	first := 2 * float64(weights) // with their gradients, made before the split
	if c.Momentum > 0 {
		first += float64(weights)
	}
	then := float64(weights) + copies + float64((ahead+1)*size.Batch)*image // the best epoch's, batches
	need := 4*(first+outputs) + image*held + max(image*split, image*kept+4*then)
	return 1.05*need + program, nil // the collector lets garbage pile up
}

// program is what a process takes that trains next to nothing, in bytes.
const program = 20e6
