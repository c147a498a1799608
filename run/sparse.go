package run

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Rows is a matrix that is read and written row by row: weights that a device
// keeps in a form of its own, or a sparse matrix.
type Rows interface {
	Shape() (rows, cols int)
	Read(dst []float32, row int)
	Write(row int, src []float32)
}

// Size is the number of rows of t and of numbers in each. A tensor that is held
// in full is one row.
func (t Tensor) Size() (rows, cols int) {
	if t.Rows != nil {
		return t.Rows.Shape()
	}
	return 1, len(t.Data)
}

// Len is the number of numbers of t.
func (t Tensor) Len() int {
	rows, cols := t.Size()
	return rows * cols
}

// each calls f with the rows of t, which it must not keep.
func (t Tensor) each(f func(row []float32) error) error {
	if t.Rows == nil {
		return f(t.Data)
	}
	rows, cols := t.Rows.Shape()
	buf := make([]float32, cols)
	for i := range rows {
		t.Rows.Read(buf, i)
		if err := f(buf); err != nil {
			return err
		}
	}
	return nil
}

// Values are all numbers of t; where it holds them in full, its own.
func (t Tensor) Values() []float32 {
	if t.Rows == nil {
		return t.Data
	}
	list := make([]float32, 0, t.Len())
	t.each(func(row []float32) error { list = append(list, row...); return nil })
	return list
}

// Copy sets the numbers of dst to those of src, of the same length.
func Copy(dst, src Tensor) {
	if dst.Rows == nil {
		at := 0
		src.each(func(row []float32) error { at += copy(dst.Data[at:], row); return nil })
		return
	}
	rows, cols := dst.Rows.Shape()
	if r, c := src.Size(); r == rows && c == cols {
		i := 0
		src.each(func(row []float32) error { dst.Rows.Write(i, row); i++; return nil })
		return
	}
	all := src.Values()
	for i := range rows {
		dst.Rows.Write(i, all[i*cols:(i+1)*cols])
	}
}

// Keep is a copy of t in memory, sparse where few of its numbers are not zero.
func Keep(t Tensor) Tensor {
	if t.Rows == nil {
		t.Data = slices.Clone(t.Data)
		return t
	}
	if s := thin(t); s != nil {
		t.Rows = s
		return t
	}
	return Tensor{Name: t.Name, Shape: t.Shape, DType: t.DType, Data: t.Values()}
}

// sparseShare is the part of a matrix that may be non-zero for it to be written
// as a sparse one, which takes eight bytes a number instead of four: a half would be
// no smaller.
const sparseShare = 0.45

// sparse is a matrix by its non-zeros.
type sparse struct {
	cols    int
	counts  []int32 // of each row
	columns []int32 // row after row, ascending
	values  []float32
	row     int // that starts at place at
	at      int
}

// thin is the matrix of t by its non-zeros, or nil where they are too many.
func thin(t Tensor) *sparse {
	rows, cols := t.Rows.Shape()
	most := int(sparseShare * float64(rows) * float64(cols))
	s := &sparse{cols: cols, counts: make([]int32, 0, rows)}
	err := t.each(func(row []float32) error {
		before := len(s.values)
		for i, v := range row {
			if math.Float32bits(v) != 0 { // a −0, as a mask leaves it, is in checksums
				s.columns, s.values = append(s.columns, int32(i)), append(s.values, v)
			}
		}
		if len(s.values) > most {
			return errTooMany
		}
		s.counts = append(s.counts, int32(len(s.values)-before))
		return nil
	})
	if err != nil {
		return nil
	}
	s.columns, s.values = slices.Clip(s.columns), slices.Clip(s.values)
	return s
}

var errTooMany = errors.New("too many numbers are not zero")

// Shape implements Rows.
func (s *sparse) Shape() (rows, cols int) { return len(s.counts), s.cols }

// Read implements Rows. Rows read one after the other take no search.
func (s *sparse) Read(dst []float32, row int) {
	if row < s.row {
		s.row, s.at = 0, 0
	}
	for ; s.row < row; s.row++ {
		s.at += int(s.counts[s.row])
	}
	clear(dst)
	for k := s.at; k < s.at+int(s.counts[row]); k++ {
		dst[s.columns[k]] = s.values[k]
	}
}

// Write implements Rows: it panics, for what was kept or read does not change.
func (s *sparse) Write(int, []float32) { panic("run: a sparse tensor of a file is not written to") }

// A sparse matrix NAME is four tensors of a file.
const (
	shapeSuffix   = ".shape"   // I32: its shape
	countsSuffix  = ".counts"  // I32, [rows]: the non-zeros of each row
	columnsSuffix = ".columns" // I32: the column of each non-zero, row after row, ascending
	valuesSuffix  = ".values"  // F32: the non-zeros
)

// spread is list as a file holds it: matrices with few non-zeros become four
// tensors each.
func spread(list []Tensor) []Tensor {
	var out []Tensor
	for _, t := range list {
		if t.Rows == nil {
			out = append(out, t)
			continue
		}
		s := thin(t)
		if s == nil {
			out = append(out, t)
			continue
		}
		shape := make([]int32, len(t.Shape))
		for i, n := range t.Shape {
			shape[i] = int32(n)
		}
		out = append(out, whole(t.Name+shapeSuffix, shape), whole(t.Name+countsSuffix, s.counts),
			whole(t.Name+columnsSuffix, s.columns), Tensor{Name: t.Name + valuesSuffix, Shape: []int{len(s.values)}, Data: s.values})
	}
	return out
}

// whole is a tensor of whole numbers.
func whole(name string, list []int32) Tensor {
	return Tensor{Name: name, Shape: []int{len(list)}, Ints: list, DType: "I32"}
}

// A sparse matrix says in a few bytes how large it is in full, and readers go
// through all of it, row by row. These are more than any network here has.
const (
	maxColumns = 1 << 22       // of a matrix: a row is held in full
	maxFull    = math.MaxInt32 // numbers of all sparse matrices of a file
)

// gather is list, as a file held it, with its sparse matrices as one tensor each.
func gather(list []Tensor) ([]Tensor, error) {
	var out []Tensor
	full, names := 0, map[string]bool{}
	for _, t := range list {
		names[t.Name] = true
	}
	for i := 0; i < len(list); i++ {
		name, ok := strings.CutSuffix(list[i].Name, shapeSuffix)
		if !ok || list[i].DType != "I32" {
			out = append(out, plain(list[i]))
			continue
		}
		parts := make([]Tensor, 4)
		for k, suffix := range []string{shapeSuffix, countsSuffix, columnsSuffix, valuesSuffix} {
			if i+k >= len(list) || list[i+k].Name != name+suffix {
				return nil, fmt.Errorf("tensor %q: its %s is not where it should be", name, name+suffix)
			}
			parts[k] = list[i+k]
		}
		t, err := join(name, parts)
		if err == nil && names[name] {
			err = errors.New("it is there in full, too")
		}
		if err == nil && t.Len() > maxFull-full {
			err = fmt.Errorf("with it, the sparse matrices of the file have more than %d numbers", maxFull)
		}
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		full += t.Len()
		out = append(out, t)
		i += 3
	}
	return out, nil
}

// plain is t with its numbers as float32.
func plain(t Tensor) Tensor {
	for _, v := range t.Ints {
		t.Data = append(t.Data, float32(v))
	}
	t.Ints = nil
	return t
}

// join makes one tensor of a sparse matrix's parts, which may say anything.
func join(name string, parts []Tensor) (Tensor, error) {
	shape, counts, columns, values := parts[0].Ints, parts[1].Ints, parts[2].Ints, parts[3].Data
	if parts[1].DType != "I32" || parts[2].DType != "I32" || parts[3].DType != "" || len(shape) < 2 || len(shape) > 4 {
		return Tensor{}, fmt.Errorf("its parts are not those of a sparse matrix")
	}
	t := Tensor{Name: name}
	size := 1
	for _, n := range shape {
		if n < 1 || size > math.MaxInt32/int(n) {
			return t, fmt.Errorf("its shape is %v", shape)
		}
		size *= int(n)
		t.Shape = append(t.Shape, int(n))
	}
	if len(counts) == 0 || size%len(counts) != 0 || len(columns) != len(values) {
		return t, fmt.Errorf("%d rows, %d columns and %d values do not fit its shape %v", len(counts), len(columns), len(values), shape)
	}
	s := &sparse{cols: size / len(counts), counts: counts, columns: columns, values: values}
	if s.cols > maxColumns {
		return t, fmt.Errorf("its rows have %d numbers, and %d are the most", s.cols, maxColumns)
	}
	at := 0
	for r, n := range counts {
		if n < 0 || int(n) > len(columns)-at {
			return t, fmt.Errorf("row %d has %d non-zeros, %d are left", r, n, len(columns)-at)
		}
		for k, c := range columns[at : at+int(n)] {
			if c < 0 || int(c) >= s.cols || k > 0 && c <= columns[at+k-1] {
				return t, fmt.Errorf("row %d: the columns are not ascending below %d", r, s.cols)
			}
		}
		at += int(n)
	}
	if at != len(columns) {
		return t, fmt.Errorf("its rows have %d non-zeros, %d are there", at, len(columns))
	}
	t.Rows = s
	return t, nil
}
