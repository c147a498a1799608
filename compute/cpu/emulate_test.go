//go:build emulate

package cpu

import "golang.org/x/sys/cpu"

// The emulated CPU of the script emulate has the instruction, and its CPUID has
// no leaf to say so.
func init() { cpu.X86.HasAVX512BF16 = true }
