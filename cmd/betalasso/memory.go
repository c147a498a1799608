package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"betalasso/filters"
	"betalasso/model"
	"betalasso/run"
	"betalasso/train"
)

// enoughMemory is an error where c cannot be trained in this machine's memory.
// Where the system does not tell, it is nil.
func enoughMemory(c run.Config) error {
	_, n, err := model.Count(c.Model, sizeOf(c))
	if err != nil {
		return err
	}
	need, have := memoryNeed(c), totalMemory()
	if have > 0 && need > have {
		return usageError{fmt.Errorf("%s weights need %.1f GB to be trained, this machine has %.1f GB; take a smaller network or a smaller batch",
			thousands(n), need/1e9, have/1e9)}
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

// totalMemory is the machine's memory in bytes, or 0.
func totalMemory() float64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kb float64
		if n, _ := fmt.Sscanf(s.Text(), "MemTotal: %f kB", &kb); n == 1 {
			return 1024 * kb
		}
	}
	return 0
}
