//go:build !linux && !darwin

package run

// syncDir does nothing where folders cannot be synced.
func syncDir(string) error { return nil }

func freeSpace(string) (int64, bool) { return 0, false }
