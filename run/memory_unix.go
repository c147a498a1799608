//go:build unix

package run

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// PeakRSS is the most memory that this process has held, in bytes; 0 where the
// system does not tell.
func PeakRSS() int64 {
	// Linux's own count begins when the program does; getrusage's takes over that of
	// the process that started it.
	if text, err := os.ReadFile("/proc/self/status"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "\nVmHWM:"); ok {
			var kilobytes int64
			if _, err := fmt.Sscan(rest, &kilobytes); err == nil {
				return kilobytes * 1024
			}
		}
	}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) * 1024
}

// addressSpace is the limit of the address space (ulimit -v) in bytes, or
// math.MaxUint64.
func addressSpace() uint64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_AS, &l) != nil || uint64(l.Cur) >= math.MaxInt64 {
		return math.MaxUint64
	}
	return uint64(l.Cur)
}
