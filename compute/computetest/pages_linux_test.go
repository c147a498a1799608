package computetest

import (
	"runtime/debug"
	"testing"
	"unsafe"
)

// What is beyond a matrix cannot be read.
func TestEndOfPage(t *testing.T) {
	defer release()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, n := range []int{1, 7, 1024, 1025, 100_000} {
		list := endOfPage(n)
		for i, v := range list {
			if v != 0 {
				t.Fatalf("number %d is %v, want 0", i, v)
			}
			list[i] = 1
		}
		if !faults(list) {
			t.Errorf("the number behind %d of them can be read", n)
		}
	}
}

// faults reports whether the number beyond the end of list cannot be read.
func faults(list []float32) (faulted bool) {
	defer func() { faulted = recover() != nil }()
	behind = *(*float32)(unsafe.Add(unsafe.Pointer(&list[0]), 4*len(list)))
	return false
}

var behind float32 // so that the reading is not optimised away
