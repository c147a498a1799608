package run

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"testing"
)

func TestNumbersOfOtherTypes(t *testing.T) {
	for _, c := range []struct {
		dtype string
		bytes []byte
		want  []float32
	}{
		{"F64", []byte{0, 0, 0, 0, 0, 0, 0xf8, 0xbf}, []float32{-1.5}},
		{"I64", []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0}, []float32{-2, 256}},
		{"BF16", []byte{0x80, 0x3f, 0x48, 0xc1}, []float32{1, -12.5}},
		{"F16", []byte{0, 0x3c, 1, 0, 0xff, 3, 0, 0xc4, 0xff, 0x7b, 0, 0x7c, 0, 0xfc, 0, 0x80},
			[]float32{1, 0x1p-24, 1023 * 0x1p-24, -4, 65504, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.Copysign(0, -1))}},
	} {
		text := file(fmt.Sprintf(`{"a":{"dtype":%q,"shape":[%d],"data_offsets":[0,%d]}}`, c.dtype, len(c.want), len(c.bytes)), len(c.bytes))
		copy(text[len(text)-len(c.bytes):], c.bytes)
		got, _, err := DecodeTensors(bytes.NewReader(text), int64(len(text)))
		if err != nil || got[0].DType != c.dtype {
			t.Errorf("%s: got %v, %v", c.dtype, got, err)
			continue
		}
		for i, want := range c.want {
			if x := got[0].Data[i]; math.Float32bits(x) != math.Float32bits(want) {
				t.Errorf("%s: number %d is %v, want %v", c.dtype, i, x, want)
			}
		}
	}
	if x := half(0x7e00); x == x {
		t.Errorf("half of a NaN is %v", x)
	}
}

func TestWholeNumbersComeBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	want := []Tensor{
		{Name: "n", Shape: []int{}, Data: []float32{5220}, DType: "I64"},
		{Name: "w", Shape: []int{2}, Data: []float32{1, -1}},
	}
	if _, err := WriteTensors(path, want, nil); err != nil {
		t.Fatal(err)
	}
	if got, _, err := ReadTensors(path); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	want[0].DType = "F16"
	if _, err := WriteTensors(path, want, nil); err == nil {
		t.Error("a type that cannot be written was written")
	}
}

// TestBfloat16: to the nearest, of two to the even one; nothing becomes zero, or
// infinite.
func TestBfloat16(t *testing.T) {
	for from, want := range map[uint32]uint32{
		0: 0, 0x80000000: 0x80000000, 0x3f800000: 0x3f800000,
		0x3f808000: 0x3f800000, 0x3f808001: 0x3f810000, 0x3f818000: 0x3f820000, 0xbf818000: 0xbf820000, 0x3f817fff: 0x3f810000,
		0x3fffffff: 0x40000000,                         // into the next exponent
		1:          0x00010000, 0x80000001: 0x80010000, // the smallest
		0x00008001: 0x00010000, 0x00018000: 0x00020000,
		0x7f7fffff: 0x7f7f0000, 0xff7fffff: 0xff7f0000, // the largest
	} {
		list := []float32{math.Float32frombits(from)}
		if Bfloat16(list); math.Float32bits(list[0]) != want {
			t.Errorf("%#08x: got %#08x, want %#08x", from, math.Float32bits(list[0]), want)
		}
	}
}
