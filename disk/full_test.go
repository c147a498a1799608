package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"syscall"
	"testing"
)

func TestFull(t *testing.T) {
	full := []error{syscall.ENOSPC, syscall.EDQUOT}
	if runtime.GOOS == "windows" {
		full = []error{syscall.Errno(112), syscall.Errno(39), syscall.Errno(1295)}
	}
	for _, err := range full {
		if !Full(fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "x", Err: err})) {
			t.Errorf("%v: got no full disk", err)
		}
	}
	for _, err := range []error{nil, fs.ErrPermission, errors.New("disk full"), syscall.Errno(5)} {
		if Full(err) {
			t.Errorf("%v: got a full disk", err)
		}
	}
}
