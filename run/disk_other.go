//go:build !linux && !darwin

package run

// FreeSpace is not known there.
func FreeSpace(string) (int64, bool) { return 0, false }
