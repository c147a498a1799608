//go:build purego || !amd64

package cpu

func archKernels() []kernel { return nil }
