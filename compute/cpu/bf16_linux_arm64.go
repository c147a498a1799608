package cpu

import (
	"encoding/binary"
	"os"
)

// hasBF16 reports whether the CPU has FEAT_BF16, by what Linux hands every
// process. Where that cannot be read, it has not.
func hasBF16() bool {
	const (
		hwcap2 = 26      // AT_HWCAP2
		bf16   = 1 << 14 // HWCAP2_BF16
	)
	words, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return false
	}
	for ; len(words) >= 16; words = words[16:] {
		if binary.LittleEndian.Uint64(words) == hwcap2 {
			return binary.LittleEndian.Uint64(words[8:])&bf16 != 0
		}
	}
	return false
}
