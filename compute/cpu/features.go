package cpu

import (
	"runtime"

	xcpu "golang.org/x/sys/cpu"
)

// Features are the instruction sets that this machine's processor has, of those
// that kernels for training are made of, by their makers' names. A build with
// the purego tag uses none of them.
func Features() []string {
	names := []string{}
	x, arm := &xcpu.X86, &xcpu.ARM64
	for _, f := range []struct {
		arch, name string
		has        bool
	}{
		{"amd64", "AVX2", x.HasAVX2},
		{"amd64", "FMA", x.HasFMA},
		{"amd64", "AVX512F", x.HasAVX512F},
		{"amd64", "AVX512BW", x.HasAVX512BW},
		{"amd64", "AVX512DQ", x.HasAVX512DQ},
		{"amd64", "AVX512VL", x.HasAVX512VL},
		{"amd64", "AVX512_BF16", x.HasAVX512BF16},
		{"amd64", "AVX512_VNNI", x.HasAVX512VNNI},
		{"amd64", "AVX-VNNI", x.HasAVXVNNI},
		{"amd64", "AMX-TILE", x.HasAMXTile},
		{"amd64", "AMX-BF16", x.HasAMXBF16},
		{"arm64", "ASIMD", arm.HasASIMD},
		{"arm64", "ASIMDHP", arm.HasASIMDHP},
		{"arm64", "ASIMDDP", arm.HasASIMDDP},
		{"arm64", "BF16", hasBF16()},
		{"arm64", "I8MM", arm.HasI8MM},
		{"arm64", "SVE", arm.HasSVE},
		{"arm64", "SVE2", arm.HasSVE2},
		{"riscv64", "V", xcpu.RISCV64.HasV},
	} {
		if f.arch == runtime.GOARCH && f.has {
			names = append(names, f.name)
		}
	}
	return names
}
