//go:build !windows

package disk

// patiently does what is done at once: an open file can be replaced.
func patiently(do func() error) error { return do() }
