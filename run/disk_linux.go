package run

import "golang.org/x/sys/unix"

// blockSize is what a file system's blocks are counted in. Bsize is the size of a
// good transfer, which some file systems make larger.
func blockSize(s *unix.Statfs_t) int64 {
	if s.Frsize > 0 {
		return int64(s.Frsize)
	}
	return int64(s.Bsize)
}
