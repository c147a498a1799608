package run

import (
	"cmp"
	"encoding/binary"
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

// Lengths gives the number of numbers of the tensor of a name, 0 where there is none.
func Lengths(list []Tensor) func(name string) int {
	return func(name string) int {
		for _, t := range list {
			if t.Name == name {
				return t.Len()
			}
		}
		return 0
	}
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

// sparse is a matrix by its non-zeros, row after row. gaps has one byte for each of
// them: the number of zeros between it and the non-zero before. If they are far or
// more, bytes of far come first, each for far zeros and no non-zero. The zeros after
// the last non-zero have no bytes.
type sparse struct {
	rows, cols int
	gaps       []byte
	values     []float32

	row            int // this row and those after it are read without a search
	gap, value, at int // values[value] is at place at, and gaps[gap:] are after it
}

const far = math.MaxUint8

// thin is the matrix of t by its non-zeros, or nil if that is not smaller. An epoch
// waits for it, so that it has no branches that weights in no order would mislead.
func thin(t Tensor) *sparse {
	size, all := width(t.DType), t.Len()
	n := 0
	t.each(func(row []float32) error {
		for _, v := range row {
			n += nonzero(v)
		}
		return nil
	})
	if (1+size)*n >= size*all {
		return nil
	}
	s := &sparse{}
	s.rows, s.cols = t.Size()
	// What a zero leaves at the end of both is overwritten or cut off.
	gaps, values := make([]byte, n+(all-n)/far+1), make([]float32, n+1)
	gap, value, zeros := 0, 0, 0
	t.each(func(row []float32) error {
		for _, v := range row {
			gaps[gap], values[value] = byte(zeros), v
			one := nonzero(v)
			gap += one
			value += one
			zeros = (zeros + 1) &^ -one
			if zeros == far {
				gaps[gap] = far
				gap++
				zeros = 0
			}
		}
		return nil
	})
	for gap > 0 && gaps[gap-1] == far {
		gap--
	}
	if gap+size*n >= size*all {
		return nil
	}
	s.gaps, s.values = gaps[:gap], values[:n]
	s.rewind()
	return s
}

// nonzero is 1 for all numbers but 0: −0, as a mask leaves it, is in checksums.
func nonzero(v float32) int {
	bits := math.Float32bits(v)
	return int((bits | -bits) >> 31)
}

// add appends a non-zero.
func (s *sparse) add(zeros int, v float32) {
	for ; zeros >= far; zeros -= far {
		s.gaps = append(s.gaps, far)
	}
	s.gaps, s.values = append(s.gaps, byte(zeros)), append(s.values, v)
}

// Shape implements Rows.
func (s *sparse) Shape() (rows, cols int) { return s.rows, s.cols }

// Read implements Rows. Rows read one after the other take no search.
func (s *sparse) Read(dst []float32, row int) {
	if row < s.row {
		s.rewind()
	}
	s.row = row + 1
	clear(dst)
	begin, end := row*s.cols, (row+1)*s.cols
	for s.at < end {
		if s.at >= begin {
			dst[s.at-begin] = s.values[s.value]
		}
		s.next()
	}
}

// rewind goes to the first non-zero.
func (s *sparse) rewind() {
	s.row, s.gap, s.value, s.at = 0, 0, -1, -1
	s.next()
}

// next goes to the next non-zero, or to the end.
func (s *sparse) next() {
	s.at++
	for s.gap < len(s.gaps) {
		zeros := s.gaps[s.gap]
		s.gap++
		s.at += int(zeros)
		if zeros < far {
			s.value++
			return
		}
	}
	s.at = s.rows * s.cols
}

// Write implements Rows: it panics, for what was kept or read does not change.
func (s *sparse) Write(int, []float32) { panic("run: a sparse tensor of a file is not written to") }

// A sparse matrix NAME is three tensors of a file. Files of earlier versions have
// four: countsSuffix and columnsSuffix instead of gapsSuffix.
const (
	shapeSuffix   = ".shape"   // I32: its shape
	valuesSuffix  = ".values"  // F32 or BF16: the non-zeros, row after row
	gapsSuffix    = ".gaps"    // U8: as in sparse, and up to seven bytes of far as padding
	countsSuffix  = ".counts"  // I32, [rows]: the non-zeros of each row
	columnsSuffix = ".columns" // I32: the column of each non-zero, row after row, ascending
)

// spread is list as a file holds it: matrices with few non-zeros become three
// tensors each.
func spread(list []Tensor) []Tensor {
	var out []Tensor
	full := 0
	for _, t := range list {
		var s *sparse
		if n := t.Len(); t.Rows != nil && n > 0 && n <= maxFull-full {
			s = thin(t)
		}
		if s == nil || s.cols > maxColumns {
			out = append(out, t)
			continue
		}
		full += t.Len()
		shape := make([]int32, len(t.Shape))
		for i, n := range t.Shape {
			shape[i] = int32(n)
		}
		for (len(s.gaps)+width(t.DType)*len(s.values))%4 != 0 { // aligns the tensors after it
			s.gaps = append(s.gaps, far)
		}
		out = append(out, whole(t.Name+shapeSuffix, shape),
			Tensor{Name: t.Name + valuesSuffix, Shape: []int{len(s.values)}, Data: s.values, DType: t.DType},
			Tensor{Name: t.Name + gapsSuffix, Shape: []int{len(s.gaps)}, raw: s.gaps, DType: "U8"})
	}
	return out
}

// whole is a tensor of whole numbers.
func whole(name string, list []int32) Tensor {
	t := Tensor{Name: name, Shape: []int{len(list)}, DType: "I32"}
	for _, n := range list {
		t.raw = binary.LittleEndian.AppendUint32(t.raw, uint32(n))
	}
	return t
}

// wholes are the numbers of an I32.
func (t Tensor) wholes() []int32 {
	list := make([]int32, len(t.raw)/4)
	for i := range list {
		list[i] = int32(binary.LittleEndian.Uint32(t.raw[4*i:]))
	}
	return list
}

// A sparse matrix says in a few bytes how large it is in full, and readers go
// through all of it, row by row. These are more than any network here has.
const (
	maxColumns = 1 << 22       // of a matrix: a row is held in full
	maxFull    = math.MaxInt32 // numbers of all sparse matrices of a file
)

// gather is list, as a file held it, with each sparse matrix as one tensor.
func gather(list []Tensor) ([]Tensor, error) {
	var out []Tensor
	full, names := 0, map[string]bool{}
	for _, t := range list {
		names[t.Name] = true
	}
	for i := 0; i < len(list); i++ {
		name, ok := strings.CutSuffix(list[i].Name, shapeSuffix)
		if list[i].DType == "U8" {
			return nil, fmt.Errorf("tensor %q: its type is U8, which only the gaps of a sparse matrix are", list[i].Name)
		}
		if !ok || list[i].DType != "I32" {
			out = append(out, plain(list[i]))
			continue
		}
		suffixes, join := []string{shapeSuffix, valuesSuffix, gapsSuffix}, joinGaps
		if names[name+columnsSuffix] {
			suffixes, join = []string{shapeSuffix, countsSuffix, columnsSuffix, valuesSuffix}, joinColumns
		}
		for k, suffix := range suffixes {
			if i+k >= len(list) || list[i+k].Name != name+suffix {
				return nil, fmt.Errorf("tensor %q: its %s is not where it should be", name, name+suffix)
			}
		}
		t, err := sized(name, list[i])
		if err == nil {
			t, err = join(t, list[i+1:i+len(suffixes)])
		}
		if err == nil && names[name] {
			err = errors.New("it is there in full, too")
		}
		if err == nil && t.Len() > maxFull-full {
			err = fmt.Errorf("with it, the sparse matrices of the file have more than %d numbers", maxFull)
		}
		if err != nil {
			return nil, fmt.Errorf("tensor %q is no sparse matrix: %w; put back a copy of the file", name, err)
		}
		full += t.Len()
		out = append(out, t)
		i += len(suffixes) - 1
	}
	return out, nil
}

// plain is t with its numbers as float32.
func plain(t Tensor) Tensor {
	if t.raw != nil {
		t.Data = make([]float32, t.numbers())
		numbers(t.Data, t.raw, t.DType)
		t.raw = nil
	}
	return t
}

// sized is a tensor of the shape that a sparse matrix's first part has, which, as
// the others, may say anything.
func sized(name string, part Tensor) (Tensor, error) {
	t, size := Tensor{Name: name}, 1
	shape := part.wholes()
	for _, n := range shape {
		if n < 1 || size > maxFull/int(n) {
			return t, fmt.Errorf("its shape is %v", shape)
		}
		size *= int(n)
		t.Shape = append(t.Shape, int(n))
	}
	if len(shape) < 2 || len(shape) > 4 {
		return t, fmt.Errorf("its shape has %d dimensions; a matrix has 2 to 4", len(shape))
	}
	return t, nil
}

// joinGaps makes one tensor of the values and gaps of a sparse matrix.
func joinGaps(t Tensor, parts []Tensor) (Tensor, error) {
	values, gaps := parts[0], parts[1]
	if values.DType != "" && values.DType != "BF16" || gaps.DType != "U8" {
		return t, fmt.Errorf("its values are %s and its gaps %s; F32 or BF16, and U8 are read", cmp.Or(values.DType, "F32"), cmp.Or(gaps.DType, "F32"))
	}
	last := len(t.Shape) - 1
	if len(t.Shape) == 4 { // a convolution's
		last = 1
	}
	s := &sparse{rows: 1, cols: 1, gaps: gaps.raw, values: values.Data}
	for _, n := range t.Shape[:last] {
		s.rows *= n
	}
	for _, n := range t.Shape[last:] {
		s.cols *= n
	}
	if s.cols > maxColumns {
		return t, fmt.Errorf("its rows have %d numbers, and %d are the most", s.cols, maxColumns)
	}
	for n := len(s.gaps); n > 0 && s.gaps[n-1] == far; n-- {
		s.gaps = s.gaps[:n-1]
	}
	if more := len(gaps.raw) - len(s.gaps); more > 7 {
		return t, fmt.Errorf("%d bytes follow the gap of its last non-zero, and 7 are the most", more)
	}
	count, end := 0, int64(0)
	for _, zeros := range s.gaps {
		end += int64(zeros)
		if zeros < far {
			count++
			end++
		}
	}
	if count != len(s.values) {
		return t, fmt.Errorf("its gaps are of %d non-zeros, and it has %d values", count, len(s.values))
	}
	if size := int64(s.rows) * int64(s.cols); end > size {
		return t, fmt.Errorf("its last non-zero is number %d of %d", end, size)
	}
	s.rewind()
	t.Rows, t.DType = s, values.DType
	return t, nil
}

// joinColumns makes one tensor of the counts, columns and values that a sparse
// matrix had in earlier versions.
func joinColumns(t Tensor, parts []Tensor) (Tensor, error) {
	if parts[0].DType != "I32" || parts[1].DType != "I32" || parts[2].DType != "" {
		return t, errors.New("its parts are not those of a sparse matrix")
	}
	counts, columns, values := parts[0].wholes(), parts[1].wholes(), parts[2].Data
	size := 1
	for _, n := range t.Shape {
		size *= n
	}
	if len(counts) == 0 || size%len(counts) != 0 || len(columns) != len(values) {
		return t, fmt.Errorf("%d rows, %d columns and %d values do not fit its shape %v", len(counts), len(columns), len(values), t.Shape)
	}
	s := &sparse{rows: len(counts), cols: size / len(counts)}
	if s.cols > maxColumns {
		return t, fmt.Errorf("its rows have %d numbers, and %d are the most", s.cols, maxColumns)
	}
	at, place := 0, 0
	for r, n := range counts {
		if n < 0 || int(n) > len(columns)-at {
			return t, fmt.Errorf("row %d has %d non-zeros, %d are left", r, n, len(columns)-at)
		}
		for k, c := range columns[at : at+int(n)] {
			if c < 0 || int(c) >= s.cols || k > 0 && c <= columns[at+k-1] {
				return t, fmt.Errorf("row %d: the columns are not ascending below %d", r, s.cols)
			}
			here := r*s.cols + int(c)
			s.add(here-place, values[at+k])
			place = here + 1
		}
		at += int(n)
	}
	if at != len(columns) {
		return t, fmt.Errorf("its rows have %d non-zeros, %d are there", at, len(columns))
	}
	s.rewind()
	t.Rows = s
	return t, nil
}
