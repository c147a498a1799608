//go:build purego || !amd64

package cpu

func archLowbits() []lowbit { return nil }
