package main

import (
	"fmt"
	"io"
	"strings"

	"betalasso/filters"
	"betalasso/model"
	"betalasso/run"
	"betalasso/train"
)

// enoughMemory is an error where c cannot be trained in the memory that this
// process may have, and else a note of what it takes and what there is. Where the
// system does not tell, it is nil.
func enoughMemory(c run.Config, notes io.Writer) error {
	_, n, err := model.Count(c.Model, sizeOf(c))
	if err != nil {
		return err
	}
	need := memoryNeed(c)
	have, of := run.Memory()
	if have > 0 && need > have {
		return usageError{fmt.Errorf("%s weights need %.1f GB to be trained, and there are %.1f GB, %s; take a smaller network or a smaller batch, or give it more",
			thousands(n), need/1e9, have/1e9, of)}
	}
	if have > 0 {
		fmt.Fprintf(notes, "memory: about %s of %s, %s\n", bytesText(need), bytesText(have), of)
	}
	return nil
}

// memoryNeed is about the most memory that training c takes, in bytes.
func memoryNeed(c run.Config) float64 {
	n := sourceOf(c).images()
	need, err := train.Memory(c, sizeOf(c), n.train, n.test)
	if err != nil {
		return 0
	}
	return need
}

// diskNeed is the room that c's finished run takes, in bytes: the last weights,
// those of the best epoch, momentum, events, and filters: of whole images, where
// the first layer is not a convolution.
func diskNeed(c run.Config) float64 {
	_, n, err := model.Count(c.Model, sizeOf(c))
	if err != nil {
		return 0
	}
	copies := 2
	if c.Momentum > 0 {
		copies++
	}
	kept, most := 0.34e6, 0.83e6 // a file of an epoch's filters, and of those at the end
	if strings.HasSuffix(c.Model, "-conv") {
		kept, most = 0.07e6, 0.11e6
	}
	rest := 10e3 + 400*float64(c.Epochs) + most
	for epoch := range c.Epochs + 1 {
		if filters.Follow(epoch, c.Epochs) {
			rest += kept
		}
	}
	return 4*float64(n)*float64(copies) + rest
}
