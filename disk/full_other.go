//go:build !windows

package disk

import (
	"errors"
	"syscall"
)

// Full reports whether err is that the disk, or the user's share of it, is full.
func Full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
