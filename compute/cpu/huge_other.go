//go:build !linux

package cpu

// huge leaves a buffer as it is.
func huge[T float32 | float64](s []T) []T { return s }
