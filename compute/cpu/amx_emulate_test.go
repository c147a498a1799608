//go:build emulate && !purego

package cpu

import (
	"debug/elf"
	"encoding/binary"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	xcpu "golang.org/x/sys/cpu"
)

var amxDir = flag.String("amx", "", "the folder of emulate_amx's files")

const amxRows = 48 // of panels

// amxOperands are words of panels as they are packed: a and b.
func amxOperands() (a, b []float32) {
	r := rand.New(rand.NewPCG(13, 14))
	words := func() []float32 {
		s := make([]float32, amxRows*32)
		for i := range s {
			s[i] = pair(float32(r.NormFloat64()), float32(r.NormFloat64()))
		}
		return s
	}
	return words(), words()
}

// TestAMXWrite writes the kernel's code, followed by the tile shapes that it
// refers to, and its operands.
func TestAMXWrite(t *testing.T) {
	if *amxDir == "" {
		t.Skip("emulate_amx runs it")
	}
	a, b := amxOperands()
	arranged := make([]float32, len(a))
	for p := range amxRows {
		for i := range 32 {
			arranged[p/16*512+i*16+p%16] = a[p*32+i]
		}
	}
	if xcpu.X86.HasAVX512F {
		arrangeAMX(a, leftEdge, amxRows)
		if !slices.Equal(a, arranged) {
			t.Error("arrangeAMX: not sixteen words of a line after the other")
		}
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := func(address, n uint64) []byte {
		for _, s := range f.Sections {
			if address >= s.Addr && address+n <= s.Addr+s.Size {
				bytes := make([]byte, n)
				if _, err := s.ReadAt(bytes, int64(address-s.Addr)); err != nil {
					t.Fatal(err)
				}
				return bytes
			}
		}
		t.Fatalf("no section has address %#x", address)
		return nil
	}
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == "betalasso/compute/cpu.mulsAMX.abi0" })
	if i < 0 {
		t.Fatal("the test binary has no symbol mulsAMX")
	}
	// The code begins with LEAQ shapes(RIP), AX: seven bytes, the last four the distance.
	code := at(symbols[i].Value, symbols[i].Size)
	if !slices.Equal(code[:3], []byte{0x48, 0x8d, 0x05}) {
		t.Fatalf("the kernel begins with % x", code[:8])
	}
	shapes := at(symbols[i].Value+7+uint64(int64(int32(binary.LittleEndian.Uint32(code[3:])))), 64)
	code = append(code, make([]byte, -len(code)&63)...)
	binary.LittleEndian.PutUint32(code[3:], uint32(len(code)-7))
	write := func(name string, data any) {
		bytes, err := binary.Append(nil, binary.LittleEndian, data)
		if err == nil {
			err = os.WriteFile(filepath.Join(*amxDir, name), bytes, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write("code", append(code, shapes...))
	write("a", arranged)
	write("b", b)
}

// TestAMXRead wants the emulated kernel's tile to be what TDPBF16PS is defined to
// give, and then with a second product added to it.
func TestAMXRead(t *testing.T) {
	if *amxDir == "" {
		t.Skip("emulate_amx runs it")
	}
	got, err := os.ReadFile(filepath.Join(*amxDir, "serial"))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2*32*32*4 {
		t.Fatalf("got %d bytes from the emulator, want two tiles of 32 x 32", len(got))
	}
	a, b := amxOperands()
	want := make([]float32, 32*32)
	for range 2 {
		for i := range 32 {
			for j := range 32 {
				c := &want[i*32+j]
				*c = sumAMX(amxRows, *c, func(p int) (x, y float32) { return a[p*32+i], b[p*32+j] })
				if v := math.Float32frombits(binary.LittleEndian.Uint32(got)); !identical(v, *c) {
					t.Errorf("row %d, column %d: got %v, want %v", i, j, v, *c)
				}
				got = got[4:]
			}
		}
	}
	t.Logf("%d numbers of mulsAMX are what they should be", 2*len(want))
}
