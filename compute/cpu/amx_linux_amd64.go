//go:build !purego

package cpu

import (
	"sync"
	"syscall"

	xcpu "golang.org/x/sys/cpu"
)

// hasAMX reports whether the CPU has AMX with bfloat16, and Linux lets this
// process use its tiles, which it must be asked for.
var hasAMX = sync.OnceValue(func() bool {
	const (
		requestPermission = 0x1023 // ARCH_REQ_XCOMP_PERM
		tileData          = 18     // XFEATURE_XTILEDATA
	)
	if x := &xcpu.X86; !x.HasAMXTile || !x.HasAMXBF16 {
		return false
	}
	_, _, err := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return err == 0
})
