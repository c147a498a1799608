package run

import "golang.org/x/sys/unix"

// blockSize is what a file system's blocks are counted in.
func blockSize(s *unix.Statfs_t) int64 { return int64(s.Bsize) }
