//go:build unix

package disk

import "syscall"

// guarded are the flags with which a file is opened: a link at the end of its
// path is an error, and a pipe is not waited for.
const guarded = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
