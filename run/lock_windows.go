package run

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock locks f against other processes, unless one has it. unlock closes f, too.
// Windows keeps everybody else from what is locked, other handles of this process
// among them, so that is a byte far beyond the text that the file has.
func tryLock(f *os.File) (unlock func() error, ok bool, err error) {
	far := windows.Overlapped{OffsetHigh: 1 << 30}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &far)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return nil, false, nil
	}
	return f.Close, err == nil, err
}
