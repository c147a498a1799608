//go:build linux || darwin

package run

import "golang.org/x/sys/unix"

// FreeSpace is the number of bytes that can still be written in a folder, where
// the system tells.
func FreeSpace(path string) (int64, bool) {
	var s unix.Statfs_t
	if unix.Statfs(path, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * blockSize(&s), true
}
