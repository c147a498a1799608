//go:build !linux && !darwin

package run

// syncDir does nothing where folders cannot be synced.
func syncDir(string) error { return nil }

// FreeSpace is not known there.
func FreeSpace(string) (int64, bool) { return 0, false }
