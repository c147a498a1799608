package run

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Alive guesses whether a process writes to a run, from the text of its lock
// file, when one of its files last changed and how long an epoch takes: the
// process that the lock names, where that was on this machine; elsewhere, one
// that wrote lately. The lock itself is not tried, because a run that starts at
// that moment would find it taken.
func Alive(lock string, changed, now time.Time, epoch time.Duration) bool {
	quiet := now.Sub(changed)
	var id int
	var host string
	if _, err := fmt.Sscanf(lock, "process %d on %s", &id, &host); err == nil {
		if here, err := os.Hostname(); err == nil && host == here {
			return quiet < max(time.Hour, 10*epoch) && exists(id) // another process may have got its number by then
		}
	}
	return quiet < max(2*time.Minute, 3*epoch)
}

// exists reports whether there is a process of this number.
func exists(id int) bool {
	p, err := os.FindProcess(id)
	if err != nil {
		return false
	}
	defer p.Release()
	err = p.Signal(syscall.Signal(0))
	return !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH)
}
