package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestAppendSVHN(t *testing.T) {
	for _, n := range []int{1, 11, imagesAtOnce + 1} {
		kinds := []uint32{miUINT8, miINT8, miINT16, miUINT16, miINT32, miUINT32, miSINGLE, miDOUBLE}
		if n > imagesAtOnce {
			kinds = kinds[:1]
		}
		for _, compress := range []bool{false, true} {
			for _, kind := range kinds {
				for _, m := range []*matFile{newMatFile(binary.LittleEndian, compress), newMatFile(binary.BigEndian, compress)} {
					b, want := toyDigits(m, n, kind)
					got, err := appendSVHN(Images{ImageSize: imageSize}, bytes.NewReader(b), int64(len(b)), n)
					name := fmt.Sprintf("%d images, compressed %v, labels of type %d, %v", n, compress, kind, m.order)
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					if !slices.Equal(got.Labels, want.Labels) {
						t.Errorf("%s: got labels %v, want %v", name, got.Labels, want.Labels)
					}
					if !bytes.Equal(got.Pix, want.Pix) {
						t.Errorf("%s: other pixels", name)
					}
				}
			}
		}
	}
}

// Wherever a file ends too early, there is an error.
func TestAppendSVHNTruncated(t *testing.T) {
	for _, compress := range []bool{false, true} {
		b, _ := toyDigits(newMatFile(binary.LittleEndian, compress), 2, miDOUBLE)
		step := 1 + len(b)/500
		for n := 0; n < len(b); n += step {
			im, err := appendSVHN(Images{}, bytes.NewReader(b[:n]), int64(n), 10)
			if err == nil {
				t.Errorf("compressed %v: %d of %d bytes give %d images and no error", compress, n, len(b), im.Len())
			}
		}
	}
}

// A byte that is wrong inside a compressed element is noticed, or has no
// effect: another distance can mean the same run of zeros.
func TestAppendSVHNCorrupt(t *testing.T) {
	b, want := toyDigits(newMatFile(binary.LittleEndian, true), 2, miDOUBLE)
	for n := matHeader; n < len(b); n++ {
		c := slices.Clone(b)
		c[n] ^= 0x10
		im, err := appendSVHN(Images{}, bytes.NewReader(c), int64(len(c)), 10)
		if err == nil && (!bytes.Equal(im.Pix, want.Pix) || !slices.Equal(im.Labels, want.Labels)) {
			t.Errorf("byte %d of %d changed: got other images and no error", n, len(b))
		}
	}
}

func TestAppendSVHNBad(t *testing.T) {
	le := binary.LittleEndian
	x, y := make([]byte, 2*imageSize), []byte{1, 10}
	dims := []int32{side, side, channels, 2}
	build := func(f func(m *matFile)) []byte {
		m := newMatFile(le, true)
		f(m)
		return m.b
	}
	hdf := newMatFile(le, false).b
	copy(hdf, "MATLAB 7.3 MAT-file")
	le.PutUint16(hdf[124:], 0x0200)
	bomb := newMatFile(le, false)
	bomb.b = le.AppendUint32(bomb.b, miMATRIX)
	bomb.b = le.AppendUint32(bomb.b, 0xfffffff0)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "header"},
		{"foreign", bytes.Repeat([]byte("<html>"), 50), "no MATLAB level 5 header"},
		{"version 7.3", hdf, "-v7"},
		{"claims 4 GB", bomb.b, "an element claims 4294967280 bytes where 0 are left"},
		{"nothing in it", newMatFile(le, false).b, "no X and y"},
		{"no labels", build(func(m *matFile) { m.add("X", 9, dims, miUINT8, x) }), "no X and y"},
		{"other labels", build(func(m *matFile) {
			m.add("X", 9, dims, miUINT8, x)
			m.add("y", 9, []int32{3, 1}, miUINT8, []byte{1, 2, 3})
		}), "2 images in X and 3 labels in y"},
		{"label 11", build(func(m *matFile) { m.add("y", 9, []int32{2, 1}, miUINT8, []byte{1, 11}) }), "label 11"},
		{"half a label", build(func(m *matFile) { m.add("y", 6, []int32{1, 1}, miSINGLE, []byte{0, 0, 0, 0x3f}) }), "the number 0.5"},
		{"a negative label", build(func(m *matFile) { m.add("y", 6, []int32{1, 1}, miINT8, []byte{0xff}) }), "the number -1"},
		{"64x64", build(func(m *matFile) { m.add("X", 9, []int32{64, 64, 3, 2}, miUINT8, x) }), "size [64 64 3 2]"},
		{"a text", build(func(m *matFile) { m.add("y", 4, []int32{2, 1}, miUINT8, y) }), "class 4"},
		{"a billion images", build(func(m *matFile) { m.add("X", 9, []int32{32, 32, 3, 1e9}, miUINT8, x) }), "claims 1000000000 images"},
		{"a negative dimension", build(func(m *matFile) { m.add("X", 9, []int32{32, 32, 3, -1}, miUINT8, x) }), "dimension -1"},
		{"too few pixels", build(func(m *matFile) { m.add("X", 9, dims, miUINT8, x[1:]) }), "6143 bytes of numbers, want 6144"},
		{"twice", build(func(m *matFile) {
			m.add("y", 9, []int32{2, 1}, miUINT8, y)
			m.add("y", 9, []int32{2, 1}, miUINT8, y)
		}), "a second y"},
	} {
		_, err := appendSVHN(Images{}, bytes.NewReader(c.b), int64(len(c.b)), 100)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.name, err, c.want)
		}
	}
	if _, err := appendSVHN(Images{}, bytes.NewReader(nil), 1<<40, 100); err == nil || !strings.Contains(err.Error(), "want at most") {
		t.Errorf("a terabyte: got error %v", err)
	}
}

func FuzzMat(f *testing.F) {
	for _, compress := range []bool{false, true} {
		b, _ := toyDigits(newMatFile(binary.LittleEndian, compress), 1, miDOUBLE)
		f.Add(b)
		b, _ = toyDigits(newMatFile(binary.BigEndian, compress), 1, miUINT8)
		f.Add(b)
	}
	f.Add([]byte("MATLAB 5.0 MAT-file"))
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := appendSVHN(Images{ImageSize: imageSize}, bytes.NewReader(b), int64(len(b)), 64)
		if err != nil {
			return
		}
		if im.Len() == 0 || len(im.Pix) != im.Len()*imageSize {
			t.Errorf("got %d pixels for %d images", len(im.Pix), im.Len())
		}
		for i, l := range im.Labels {
			if l > 9 {
				t.Errorf("image %d: got label %d", i, l)
			}
		}
	})
}
