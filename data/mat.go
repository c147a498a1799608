package data

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Element types and array classes of MATLAB level 5 files.
const (
	miINT8       = 1
	miUINT8      = 2
	miINT16      = 3
	miUINT16     = 4
	miINT32      = 5
	miUINT32     = 6
	miSINGLE     = 7
	miDOUBLE     = 9
	miMATRIX     = 14
	miCOMPRESSED = 15

	mxDOUBLE = 6 // the first of the numeric classes
	mxUINT64 = 15

	matHeader = 128
)

// matReader walks the elements of a MATLAB level 5 file or of one of its
// matrices. left is how many bytes there can still be: what the file's size or
// the element around it allows.
type matReader struct {
	r     io.Reader
	order binary.ByteOrder
	left  int64
}

// matElement is one element's tag. Its bytes are next in the reader, but for a
// small one, which has them in the tag.
type matElement struct {
	kind  uint32
	size  int64
	small []byte
}

// matArray is what comes before a matrix's numbers.
type matArray struct {
	class   uint32
	complex bool
	dims    []int64
	name    string
}

// newMatReader checks the header of a file of that size.
func newMatReader(r io.Reader, size int64) (*matReader, error) {
	head := make([]byte, matHeader)
	if n, err := fill(r, head); err == io.EOF {
		return nil, fmt.Errorf("ends after %d of the header's %d bytes", n, matHeader)
	} else if err != nil {
		return nil, err
	}
	m := &matReader{r: r, left: size - matHeader}
	switch string(head[126:]) {
	case "IM":
		m.order = binary.LittleEndian
	case "MI":
		m.order = binary.BigEndian
	default:
		return nil, errors.New("no MATLAB level 5 header")
	}
	switch v := m.order.Uint16(head[124:]); {
	case v == 0x0200 || bytes.HasPrefix(head, []byte("MATLAB 7.3")):
		return nil, errors.New("a MATLAB 7.3 file; save it with -v7")
	case v != 0x0100:
		return nil, fmt.Errorf("MATLAB file version %#x, want 0x100", v)
	}
	return m, nil
}

// need reads n bytes, a few at most, into a new slice.
func (m *matReader) need(n int, what string) ([]byte, error) {
	if int64(n) > m.left {
		return nil, fmt.Errorf("ends inside %s", what)
	}
	b := make([]byte, n)
	got, err := fill(m.r, b)
	m.left -= int64(got)
	if err == io.EOF {
		return nil, fmt.Errorf("ends inside %s", what)
	}
	return b, err
}

// next reads a tag; io.EOF says that there are no more.
func (m *matReader) next() (matElement, error) {
	if m.left == 0 {
		return matElement{}, io.EOF
	}
	tag, err := m.need(8, "an element's tag")
	if err != nil {
		return matElement{}, err
	}
	first := m.order.Uint32(tag)
	if n := first >> 16; n != 0 {
		if n > 4 {
			return matElement{}, fmt.Errorf("a small element of %d bytes, want at most 4", n)
		}
		return matElement{kind: first & 0xffff, size: int64(n), small: tag[4 : 4+n]}, nil
	}
	e := matElement{kind: first, size: int64(m.order.Uint32(tag[4:]))}
	if e.size > m.left {
		return e, fmt.Errorf("an element claims %d bytes where %d are left", e.size, m.left)
	}
	return e, nil
}

// bytes reads a short element, and its padding, whole.
func (m *matReader) bytes(e matElement, limit int64, what string) ([]byte, error) {
	if e.small != nil {
		return e.small, nil
	}
	if e.size > limit {
		return nil, fmt.Errorf("%s of %d bytes, want at most %d", what, e.size, limit)
	}
	b, err := m.need(int(e.size), what)
	if err != nil {
		return nil, err
	}
	return b, m.skip(-e.size & 7)
}

// skip passes over n bytes, or over what is left of the element around them:
// writers may leave out the last padding.
func (m *matReader) skip(n int64) error {
	n = min(n, m.left)
	got, err := io.CopyN(io.Discard, m.r, n)
	m.left -= got
	if err == io.EOF {
		err = errors.New("ends inside an element")
	}
	return err
}

// each calls f with a reader of every matrix's inside, through the compression.
// What f leaves unread is skipped.
func (m *matReader) each(f func(*matReader) error) error {
	for {
		e, err := m.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if e.small != nil {
			return fmt.Errorf("a small element of type %d, want a matrix", e.kind)
		}
		body := io.LimitReader(m.r, e.size)
		switch e.kind {
		case miMATRIX:
			inner := &matReader{r: body, order: m.order, left: e.size}
			err = f(inner)
		case miCOMPRESSED:
			err = inflate(body, m.order, e.size, f)
		default:
			return fmt.Errorf("an element of type %d, want a matrix", e.kind)
		}
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return err
		}
		m.left -= e.size
	}
}

// inflate calls f with the inside of the one matrix in a compressed element.
func inflate(r io.Reader, order binary.ByteOrder, size int64, f func(*matReader) error) error {
	z, err := zlib.NewReader(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return err
	}
	// DEFLATE makes at most 1032 bytes of one.
	outer := &matReader{r: z, order: order, left: size * 1032}
	e, err := outer.next()
	switch {
	case err != nil:
		return fmt.Errorf("compressed element: %w", err)
	case e.kind != miMATRIX || e.small != nil:
		return fmt.Errorf("a compressed element of type %d, want a matrix", e.kind)
	}
	if err := f(&matReader{r: io.LimitReader(z, e.size), order: order, left: e.size}); err != nil {
		return err
	}
	// To the end, for the checksum; but no further than the matrix may go.
	n, err := io.CopyN(io.Discard, z, e.size+1)
	switch {
	case err == nil && n > e.size:
		return errors.New("compressed element goes on after its matrix")
	case err != io.EOF && err != nil:
		return err
	}
	return nil
}

// array reads a matrix up to its numbers.
func (m *matReader) array() (matArray, error) {
	var a matArray
	flags, err := m.field(miUINT32, 8, "array flags")
	if err != nil {
		return a, err
	}
	if len(flags) != 8 {
		return a, fmt.Errorf("array flags of %d bytes, want 8", len(flags))
	}
	a.class = m.order.Uint32(flags) & 0xff
	a.complex = m.order.Uint32(flags)&0x800 != 0
	dims, err := m.field(miINT32, 4*32, "dimensions")
	if err != nil {
		return a, err
	}
	for ; len(dims) >= 4; dims = dims[4:] {
		d := int64(int32(m.order.Uint32(dims)))
		if d < 0 {
			return a, fmt.Errorf("dimension %d", d)
		}
		a.dims = append(a.dims, d)
	}
	name, err := m.field(miINT8, 256, "name")
	a.name = string(name)
	return a, err
}

// field reads the next element, which must be of that kind and short.
func (m *matReader) field(kind uint32, limit int64, what string) ([]byte, error) {
	e, err := m.next()
	if err == io.EOF {
		return nil, fmt.Errorf("ends before %s", what)
	}
	if err != nil {
		return nil, err
	}
	if e.kind != kind {
		return nil, fmt.Errorf("%s of type %d, want %d", what, e.kind, kind)
	}
	return m.bytes(e, limit, what)
}

// numbers reads n whole numbers of 0 to 255, stored in whatever numeric type,
// and gives them to f at most imagesAtOnce·3072 at a time.
func (m *matReader) numbers(n int64, f func([]byte) error) error {
	e, err := m.next()
	if err == io.EOF {
		err = errors.New("no numbers")
	}
	if err != nil {
		return err
	}
	width, ok := map[uint32]int64{
		miINT8: 1, miUINT8: 1, miINT16: 2, miUINT16: 2, miINT32: 4, miUINT32: 4, miSINGLE: 4, miDOUBLE: 8,
	}[e.kind]
	if !ok {
		return fmt.Errorf("numbers of type %d", e.kind)
	}
	if e.size != n*width {
		return fmt.Errorf("%d bytes of numbers, want %d", e.size, n*width)
	}
	r := m.r
	if e.small != nil {
		r = bytes.NewReader(e.small)
	} else {
		m.left -= e.size
	}
	block := make([]byte, min(n*width, imagesAtOnce*imageSize))
	for left := n * width; left > 0; {
		b := block[:min(left, int64(len(block)))]
		if _, err := fill(r, b); err == io.EOF {
			return fmt.Errorf("ends %d bytes before its last number", left)
		} else if err != nil {
			return err
		}
		left -= int64(len(b))
		narrow, err := narrowed(b, e.kind, m.order)
		if err != nil {
			return err
		}
		if err := f(narrow); err != nil {
			return err
		}
	}
	return nil
}

// narrowed turns numbers of an element type into bytes, in place.
func narrowed(b []byte, kind uint32, order binary.ByteOrder) ([]byte, error) {
	if kind == miUINT8 {
		return b, nil
	}
	width := map[uint32]int{miINT8: 1, miINT16: 2, miUINT16: 2, miINT32: 4, miUINT32: 4, miSINGLE: 4, miDOUBLE: 8}[kind]
	n := len(b) / width
	for i := range n {
		at := b[i*width:]
		var v float64
		switch kind {
		case miINT8:
			v = float64(int8(at[0]))
		case miINT16:
			v = float64(int16(order.Uint16(at)))
		case miUINT16:
			v = float64(order.Uint16(at))
		case miINT32:
			v = float64(int32(order.Uint32(at)))
		case miUINT32:
			v = float64(order.Uint32(at))
		case miSINGLE:
			v = float64(math.Float32frombits(order.Uint32(at)))
		case miDOUBLE:
			v = math.Float64frombits(order.Uint64(at))
		}
		if !(v >= 0 && v <= 255) || v != math.Trunc(v) {
			return nil, fmt.Errorf("the number %v, want a whole number of 0 to 255", v)
		}
		b[i] = byte(v)
	}
	return b[:n], nil
}
