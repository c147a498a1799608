//go:build purego || !(amd64 || arm64)

package cpu

func archKernels() []kernel { return nil }
