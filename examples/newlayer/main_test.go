package main

import (
	"testing"

	"betalasso/compute/cpu"
)

func TestLayer(t *testing.T) {
	dev, err := cpu.New(cpu.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if worst := check(dev); worst > 1e-2 {
		t.Errorf("the gradient is off by %g", worst)
	}
	if first, last := train(dev); !(last < 0.8*first) { // not a number is no success
		t.Errorf("the loss goes from %g to %g, want less", first, last)
	}
}
