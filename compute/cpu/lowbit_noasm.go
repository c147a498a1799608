//go:build purego || !(amd64 || arm64)

package cpu

func archLowbits() []lowbit { return nil }
