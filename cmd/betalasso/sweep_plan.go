package main

import (
	"betalasso/data"
	"betalasso/model"
	"betalasso/run"
)

// trainingSize is the number of training examples of an epoch of c.
func trainingSize(c run.Config) int {
	info, err := data.Describe(c.Data)
	if err != nil {
		return 0
	}
	n := max(0, info.Train-c.Val)
	if c.Train > 0 {
		n = min(n, c.Train)
	}
	return n
}

// examplesWork is the arithmetic of training c to its end, in multiplications
// and additions: three times that of its forward passes.
func examplesWork(c run.Config) float64 {
	n, err := model.Work(c.Model, sizeOf(c))
	if err != nil {
		return 0
	}
	return 6 * n * float64(trainingSize(c)) * float64(c.Epochs)
}
