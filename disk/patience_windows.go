package disk

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

// patiently does again what Windows refuses for as long as somebody reads the file,
// a virus scanner or a page that shows it; for some seconds.
func patiently(do func() error) error {
	err := do()
	for wait := time.Millisecond; wait < 2*time.Second; wait *= 2 {
		if !errors.Is(err, windows.ERROR_ACCESS_DENIED) && !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
			break
		}
		time.Sleep(wait)
		err = do()
	}
	return err
}
