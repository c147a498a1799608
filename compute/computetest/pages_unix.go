//go:build linux || darwin

package computetest

import (
	"sync"
	"syscall"
	"unsafe"
)

// pages are what endOfPage has mapped since release last gave it back.
var pages struct {
	sync.Mutex
	list [][]byte
}

// endOfPage is n numbers, all 0, of which the last is the last of its page, and
// the page after it may not be touched: an operation that reads or writes beyond
// them ends the test with the address and its own line.
func endOfPage(n int) []float32 {
	if n == 0 {
		return nil
	}
	page := syscall.Getpagesize()
	size := (4*n + page - 1) / page * page
	all, err := syscall.Mmap(-1, 0, size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic("computetest: no memory to guard: " + err.Error())
	}
	if err := syscall.Mprotect(all[size:], syscall.PROT_NONE); err != nil {
		panic("computetest: no page can be guarded: " + err.Error())
	}
	pages.Lock()
	defer pages.Unlock()
	pages.list = append(pages.list, all)
	return unsafe.Slice((*float32)(unsafe.Pointer(&all[size-4*n])), n)
}

// release gives back what endOfPage has given; nothing of it may be used again.
func release() {
	pages.Lock()
	defer pages.Unlock()
	for _, all := range pages.list {
		syscall.Munmap(all)
	}
	pages.list = nil
}
