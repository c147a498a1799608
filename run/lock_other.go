//go:build !windows

package run

import (
	"errors"
	"os"

	"github.com/gofrs/flock"
)

// tryLock locks f against other processes, unless one has it. unlock closes f, too.
func tryLock(f *os.File) (unlock func() error, ok bool, err error) {
	l := flock.New(f.Name(), flock.SetFlag(os.O_RDWR))
	ok, err = l.TryLock()
	return func() error { return errors.Join(l.Unlock(), f.Close()) }, ok, err
}
