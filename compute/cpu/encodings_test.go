package cpu

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestEncodings wants the words of the macros in neon_arm64.h to be what LLVM's
// assembler makes of the instruction beside each.
func TestEncodings(t *testing.T) {
	tool, err := exec.LookPath("llvm-mc")
	if err != nil {
		t.Skip("needs llvm-mc, of Debian's llvm")
	}
	header, err := os.ReadFile("neon_arm64.h")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^#define (\w+)\([^)]*\) (THREE|TWO|ELEMENT)\((0x[0-9a-f]+), .* // (.*)$`)
	var source, want strings.Builder
	found := line.FindAllStringSubmatch(string(header), -1)
	if len(found) < 15 {
		t.Fatalf("neon_arm64.h: got %d instructions", len(found))
	}
	for _, m := range found {
		base, err := strconv.ParseUint(m[3], 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range [][4]uint64{{1, 2, 4, 0}, {31, 30, 29, 3}, {8, 16, 23, 1}, {0, 0, 0, 2}} {
			word := base | r[1]<<5 | r[0]
			switch m[2] {
			case "THREE":
				word |= r[2] << 16
			case "ELEMENT":
				word |= r[2]<<16 | r[3]&1<<21 | r[3]>>1<<11
			}
			fmt.Fprintf(&want, "[0x%02x,0x%02x,0x%02x,0x%02x]\n", byte(word), byte(word>>8), byte(word>>16), byte(word>>24))
			asm := m[4]
			for i, name := range []string{"vd.", "vn.", "vm."} {
				asm = strings.ReplaceAll(asm, name, fmt.Sprintf("v%d.", r[i]))
			}
			fmt.Fprintln(&source, strings.ReplaceAll(asm, "[i]", fmt.Sprintf("[%d]", r[3])))
		}
	}
	cmd := exec.Command(tool, "--arch=aarch64", "-mattr=+bf16,+dotprod,+i8mm", "--show-encoding")
	cmd.Stdin = strings.NewReader(source.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got strings.Builder
	for _, m := range regexp.MustCompile(`encoding: (\[.*\])`).FindAllStringSubmatch(string(out), -1) {
		fmt.Fprintln(&got, m[1])
	}
	if got.String() != want.String() {
		t.Errorf("LLVM encodes\n%s\nthe macros\n%s", got.String(), want.String())
	}
}
