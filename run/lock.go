package run

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"betalasso/disk"
)

// ErrInUse means that another process writes in a run's directory.
var ErrInUse = errors.New("in use")

// maxLock is more bytes than a lock file's text ever has.
const maxLock = 4 << 10

// acquire takes the lock, which ends with the process however that ends. If the
// file system has no locks, it does without: studies do not rely on them.
func (d *Dir) acquire() error {
	f, err := disk.OpenToWrite(d.File(LockFile)) // for its errors: no link, no pipe
	if err != nil {
		return full(err, d.File(LockFile))
	}
	unlock, ok, err := tryLock(f)
	if err != nil || !ok {
		defer f.Close()
		unlock = nil
	}
	if err != nil && !errors.Is(err, syscall.ENOLCK) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("lock %s: %w", d.path, err)
	}
	if !ok && err == nil {
		holder := "another process"
		if text, err := disk.ReadFile(d.File(LockFile), maxLock); err == nil && len(text) > 0 {
			holder = Printable(strings.TrimSpace(string(text)))
		}
		return fmt.Errorf("%s is %w by %s; wait for it, or stop it first", d.path, ErrInUse, holder)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "process %d on %s\n", os.Getpid(), host), 0)
	}
	if err != nil {
		if unlock != nil {
			unlock()
		}
		return full(err, d.File(LockFile))
	}
	d.unlock = unlock
	return nil
}

// Close gives up the lock, if there is one.
func (d *Dir) Close() error {
	if d.unlock == nil {
		return nil
	}
	unlock := d.unlock
	d.unlock = nil
	return unlock()
}
