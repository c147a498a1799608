//go:build !linux && !darwin

package disk

// syncDir does nothing where folders cannot be synced.
func syncDir(string) error { return nil }
