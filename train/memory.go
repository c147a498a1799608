package train

import (
	"betalasso/model"
	"betalasso/run"
)

// Memory estimates the peak memory of training c, in bytes, with a network of the
// given size and a data set of the given numbers of images.
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
	each := 1.0 // a weight and, if they are kept in memory, the best epoch's
	if weights <= mostKept {
		each++
	}
	if c.Momentum > 0 {
		each++
	}
	batches := float64((ahead+1)*size.Batch) * image
	need := 4*(each*float64(weights)+outputs+copies+batches) + image*float64(trainImages+testImages)
	if c.Whiten > 0 { // its matrix, and what that is computed from
		need += 4 * (7*image + float64(size.Batch) + whitened) * image
	}
	return 1.05*need + program, nil // for garbage not yet collected
}

// program is the memory of a process that trains a tiny network, in bytes.
const program = 20e6
