package run

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// dense is a matrix in full, as Rows.
type dense struct {
	cols int
	data []float32
}

func (d *dense) Shape() (rows, cols int)      { return len(d.data) / d.cols, d.cols }
func (d *dense) Read(dst []float32, row int)  { copy(dst, d.data[row*d.cols:]) }
func (d *dense) Write(row int, src []float32) { copy(d.data[row*d.cols:], src) }

// TestSparseTensors writes matrices with no, few and many non-zeros, wants few
// bytes of the sparse ones, and the same numbers back, in any order of rows.
func TestSparseTensors(t *testing.T) {
	for _, every := range []int{1, 2, 3, 5, 40, 255, 256, 257, 600, 1 << 20} {
		const rows, cols = 90, 17
		m := &dense{cols, make([]float32, rows*cols)}
		left := 0
		for i := every - 1; i < len(m.data); i += every {
			m.data[i] = float32(i) - 100.5
			left++
		}
		path := filepath.Join(t.TempDir(), "x.safetensors")
		list := []Tensor{{Name: "a", Shape: []int{2}, Data: []float32{1, 2}}, {Name: "m", Shape: []int{rows, cols}, Rows: m}, {Name: "z", Shape: []int{1}, Data: []float32{3}}}
		if _, err := WriteTensors(path, list, nil); err != nil {
			t.Fatal(err)
		}
		got, _, err := ReadTensors(path)
		if err != nil || len(got) != 3 || got[1].Name != "m" || !slices.Equal(got[1].Shape, list[1].Shape) || !slices.Equal(got[1].Values(), m.data) {
			t.Fatalf("every %d: got %v (%v), want the matrix", every, got, err)
		}
		if kept := Keep(list[1]); !slices.Equal(kept.Values(), m.data) {
			t.Errorf("every %d: what is kept differs", every)
		}
		back := &dense{cols, make([]float32, rows*cols)}
		Copy(Tensor{Name: "m", Shape: list[1].Shape, Rows: back}, got[1])
		if !slices.Equal(back.data, m.data) {
			t.Errorf("every %d: the copy differs", every)
		}
		row := make([]float32, cols)
		for _, i := range []int{rows - 1, 0, 7, 7, 3, 4, 60} {
			if got[1].Rows != nil {
				if got[1].Rows.Read(row, i); !slices.Equal(row, m.data[i*cols:(i+1)*cols]) {
					t.Errorf("every %d: row %d is %v", every, i, row)
				}
			}
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if most := int64(5*left + rows*cols/255 + 700); every > 1 && info.Size() > most {
			t.Errorf("every %d: %d bytes for %d non-zeros, want at most %d", every, info.Size(), left, most)
		}
	}
}

// TestNegativeZerosAreKept: a mask leaves −0 in weights that are imported, and the
// checksum of what is written has its bits.
func TestNegativeZerosAreKept(t *testing.T) {
	m := &dense{8, make([]float32, 64)}
	m.data[5], m.data[60] = float32(math.Copysign(0, -1)), 1
	path := filepath.Join(t.TempDir(), "x.safetensors")
	list := []Tensor{{Name: "m", Shape: []int{8, 8}, Rows: m}}
	if _, err := WriteTensors(path, list, nil); err != nil {
		t.Fatal(err)
	}
	got, _, err := ReadTensors(path)
	if err != nil || Checksum(got) != Checksum(list) {
		t.Errorf("got %v (%v), want %v", got[0].Values(), err, m.data)
	}
}

// again is a sparse matrix once more, by another name.
func again(parts []Tensor) []Tensor {
	for i := range parts {
		parts[i].Name = "m2" + strings.TrimPrefix(parts[i].Name, "m")
	}
	return parts
}

// TestSparseBfloat16 rounds matrices of few and of many non-zeros, of two, three and
// four dimensions, wants two bytes a number and one a gap, the same numbers back,
// and every tensor at a multiple of four bytes.
func TestSparseBfloat16(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	var list []Tensor
	for i, shape := range [][]int{{60, 301}, {4, 15, 301}, {60, 301, 1, 1}, {60, 301}} {
		m := &dense{301, make([]float32, 60*301)}
		for k := range m.data {
			if i == 3 || k%(3+i) == 1 {
				m.data[k] = 1 / float32(k+1)
			}
		}
		Bfloat16(m.data)
		list = append(list, Tensor{Name: fmt.Sprint("m", i), Shape: shape, Rows: m, DType: "BF16"},
			Tensor{Name: fmt.Sprint("v", i), Shape: []int{2}, Data: []float32{1, 2}})
	}
	if _, err := WriteTensors(path, list, nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parts, _, err := readHeader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, p := range parts {
		if at%4 != 0 && p.DType != "U8" {
			t.Errorf("%s is at byte %d", p.Name, at)
		}
		at += width(p.DType) * p.numbers()
	}
	if most := 60*301*(2+3*(1./3+1./4+1./5)) + 200; float64(at) > most {
		t.Errorf("%d bytes, want at most %g", at, most)
	}
	got, _, err := ReadTensors(path)
	if err != nil || Checksum(got) != Checksum(list) {
		t.Fatalf("read as something else: %v", err)
	}
	for i, g := range got {
		if g.DType != list[i].DType || (g.Rows != nil) != (list[i].Rows != nil && i < 6) {
			t.Errorf("%s: type %q, rows %v", g.Name, g.DType, g.Rows)
		}
		if r, c := g.Size(); g.Rows != nil && (r != 60 || c != 301) {
			t.Errorf("%s: got %d rows of %d", g.Name, r, c)
		}
	}
	list[0].Rows.(*dense).data[1] = 1.0 / 3
	if _, err := WriteTensors(path, list, nil); err == nil || !strings.Contains(err.Error(), `"m0.values": 0.33333334 is no bfloat16`) {
		t.Errorf("what is not rounded: got %v", err)
	}
}

// TestBrokenSparseTensorsAreRefused spoils each part of a sparse matrix.
func TestBrokenSparseTensorsAreRefused(t *testing.T) {
	parts := func(shape []int32, values []float32, gaps ...byte) []Tensor {
		return []Tensor{whole("m.shape", shape), {Name: "m.values", Shape: []int{len(values)}, Data: values},
			{Name: "m.gaps", Shape: []int{len(gaps)}, raw: gaps, DType: "U8"}}
	}
	long := func(list []Tensor) []Tensor { list[1].DType = "I64"; return list }
	ones := []float32{1, 1, 1}
	for _, c := range []struct {
		rule string
		list []Tensor
		want string // "": none, and the matrix
	}{
		{"fits", parts([]int32{2, 4}, ones, 0, 2, 1), ""},
		{"fits, with room for alignment", parts([]int32{2, 4}, ones, 0, 2, 1, far, far, far, far, far, far, far), ""},
		{"a non-zero too far", parts([]int32{2, 4}, ones, 0, 2, 5), "number 10 of 8"},
		{"a non-zero much too far", parts([]int32{2, 4}, ones, 0, 2, far, far, 1), "of 8"},
		{"a gap too many", parts([]int32{2, 4}, ones, 0, 2, 1, 1), "of 4 non-zeros, and it has 3 values"},
		{"a value too many", parts([]int32{2, 4}, ones, 0, 2), "of 2 non-zeros, and it has 3 values"},
		{"bytes without end", parts([]int32{2, 4}, ones, append([]byte{0, 2, 1}, bytes.Repeat([]byte{far}, 8)...)...), "8 bytes follow"},
		{"values of another kind", long(parts([]int32{2, 4}, ones, 0, 2, 1)), "its values are I64"},
		{"gaps that are no bytes", []Tensor{whole("m.shape", []int32{2, 4}), {Name: "m.values", Shape: []int{3}, Data: ones}, whole("m.gaps", []int32{0, 2, 1})}, "its gaps I32"},
		{"a shape of 0", parts([]int32{0, 4}, nil), "shape"},
		{"a negative shape", parts([]int32{-2, -4}, ones, 0, 2, 1), "shape"},
		{"a shape that overflows", parts([]int32{1 << 30, 1 << 30}, ones, 0, 2, 1), "shape"},
		{"a shape of one number", parts([]int32{4}, ones, 0, 0, 0), "dimensions"},
		{"a shape of five", parts([]int32{1, 1, 1, 1, 4}, ones, 0, 0, 0), "dimensions"},
		{"rows without end", parts([]int32{1, 1<<31 - 1}, nil), "rows"},
		{"a matrix twice", append(parts([]int32{2, 4}, ones, 0, 2, 1), Tensor{Name: "m", Shape: []int{1}, Data: ones[:1]}), "in full"},
		{"more than can be read", append(parts([]int32{1 << 10, 1 << 20}, nil), again(parts([]int32{1 << 10, 1 << 20}, nil))...), "more than"},
		{"a part that is missing", parts([]int32{2, 4}, ones, 0, 2, 1)[:2], "m.gaps"},
		{"another part that is missing", slices.Delete(parts([]int32{2, 4}, ones, 0, 2, 1), 1, 2), "m.values"},
		{"gaps by themselves", parts(nil, nil, 0, 2, 1)[2:], "U8"},
	} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if _, err := WriteTensors(path, c.list, nil); err != nil {
			t.Fatal(err)
		}
		got, _, err := ReadTensors(path)
		if c.want == "" {
			if err != nil || !slices.Equal(got[0].Values(), []float32{1, 0, 0, 1, 0, 1, 0, 0}) {
				t.Errorf("%s: got %v (%v)", c.rule, got, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), `"m`) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error that names the tensor, and %q", c.rule, err, c.want)
		}
	}
}

// TestSparseTensorsOfEarlierVersions reads the form that they had, and spoils each
// part of it.
func TestSparseTensorsOfEarlierVersions(t *testing.T) {
	parts := func(shape, counts, columns []int32, values []float32) []Tensor {
		return []Tensor{whole("m.shape", shape), whole("m.counts", counts), whole("m.columns", columns),
			{Name: "m.values", Shape: []int{len(values)}, Data: values}}
	}
	ones := []float32{1, 1, 1}
	for name, list := range map[string][]Tensor{
		"fits":                   parts([]int32{2, 4}, []int32{2, 1}, []int32{0, 3, 1}, ones),
		"a column too far":       parts([]int32{2, 4}, []int32{2, 1}, []int32{0, 4, 1}, ones),
		"a negative column":      parts([]int32{2, 4}, []int32{2, 1}, []int32{-1, 3, 1}, ones),
		"columns that fall":      parts([]int32{2, 4}, []int32{2, 1}, []int32{3, 0, 1}, ones),
		"a column twice":         parts([]int32{2, 4}, []int32{2, 1}, []int32{3, 3, 1}, ones),
		"too few rows":           parts([]int32{2, 4}, []int32{3}, []int32{0, 3, 1}, ones),
		"too many non-zeros":     parts([]int32{2, 4}, []int32{2, 2}, []int32{0, 3, 1}, ones),
		"a negative count":       parts([]int32{2, 4}, []int32{4, -1}, []int32{0, 3, 1}, ones),
		"non-zeros left over":    parts([]int32{2, 4}, []int32{1, 1}, []int32{0, 3, 1}, ones),
		"a value too many":       parts([]int32{2, 4}, []int32{2, 1}, []int32{0, 3, 1}, append(ones, 1)),
		"no rows":                parts([]int32{2, 4}, nil, nil, nil),
		"a shape of 0":           parts([]int32{0, 4}, []int32{2, 1}, []int32{0, 3, 1}, ones),
		"a shape that overflows": parts([]int32{1 << 30, 1 << 30}, []int32{2, 1}, []int32{0, 3, 1}, ones),
		"a shape of one number":  parts([]int32{4}, []int32{2, 1}, []int32{0, 3, 1}, ones),
		"rows without end":       parts([]int32{1, 1<<31 - 1}, []int32{0}, nil, nil),
		"a matrix twice":         append(parts([]int32{2, 4}, []int32{2, 1}, []int32{0, 3, 1}, ones), Tensor{Name: "m", Shape: []int{1}, Data: ones[:1]}),
		"more than can be read":  append(parts([]int32{1 << 10, 1 << 20}, make([]int32, 1<<10), nil, nil), again(parts([]int32{1 << 10, 1 << 20}, make([]int32, 1<<10), nil, nil))...),
		"a part that is missing": parts([]int32{2, 4}, []int32{2, 1}, []int32{0, 3, 1}, ones)[:3],
	} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if _, err := WriteTensors(path, list, nil); err != nil {
			t.Fatal(err)
		}
		got, _, err := ReadTensors(path)
		if name == "fits" {
			if err != nil || !slices.Equal(got[0].Values(), []float32{1, 0, 0, 1, 0, 1, 0, 0}) {
				t.Errorf("got %v (%v)", got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), `"m`) {
			t.Errorf("%s: got %v, want an error that names the tensor", name, err)
		}
	}
}
