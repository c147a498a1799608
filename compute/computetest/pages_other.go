//go:build !linux && !darwin

package computetest

// endOfPage is n numbers, all 0; nothing guards them there.
func endOfPage(n int) []float32 { return make([]float32, n) }

func release() {}
