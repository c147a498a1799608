package cpu

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a huge page, and hugeLeast of the smallest buffers
// that are worth some.
const (
	hugePage  = 2 << 20
	hugeLeast = 2 * hugePage
)

// huge asks the system for huge pages for a buffer that nothing has been written
// to yet. A product strides over megabytes: with small pages it needs more
// address translations than the TLB holds. It is a hint: if it is not taken, only
// time is lost.
func huge[T float32 | float64](s []T) []T {
	size := int(unsafe.Sizeof(*new(T)))
	if len(s)*size < hugeLeast {
		return s
	}
	first := uintptr(unsafe.Pointer(&s[0]))
	skip := int((hugePage-first%hugePage)%hugePage) / size
	n := (len(s) - skip) / (hugePage / size) * hugePage
	unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(&s[skip])), n), unix.MADV_HUGEPAGE)
	return s
}
