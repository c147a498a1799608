package export

import (
	"encoding/binary"
	"io"
	"math"
	"slices"

	"github.com/golang/snappy"
)

// A Parquet file is the columns of some rows, each a page, then those of the next
// rows, and finally a footer that says what is where.
const (
	parquetMagic = "PAR1"
	groupRows    = 1 << 17 // rows of a group: a page is far below the format's 2 GiB
)

// The format's numbers for physical types, encodings and the rest, those used.
const (
	parquetBoolean   = 0
	parquetInt64     = 2
	parquetDouble    = 5
	parquetByteArray = 6

	parquetPlain    = 0
	parquetRLE      = 3
	parquetSnappy   = 1
	parquetOptional = 1
	parquetDataPage = 0

	convertedUTF8   = 0
	convertedUint64 = 14
)

// Parquet writes t as a Parquet file. Its columns are those of t in their order,
// each optional, of strings, booleans, int64, uint64 or double, compressed by
// Snappy, which every reader has.
func (t Table) Parquet(w io.Writer) error {
	out := counter{w: w}
	if _, err := io.WriteString(&out, parquetMagic); err != nil {
		return err
	}
	kinds := make([]any, len(t.Columns)) // a cell of each column
	for i := range kinds {
		kinds[i] = t.kind(i)
	}
	var groups []func(*thrift)
	for at := 0; at < len(t.Rows); at += groupRows {
		group, err := t.group(&out, kinds, t.Rows[at:min(at+groupRows, len(t.Rows))])
		if err != nil {
			return err
		}
		groups = append(groups, group)
	}
	var footer thrift
	footer.integer(1, 1) // version
	footer.list(2, t.schema(kinds))
	footer.long(3, int64(len(t.Rows)))
	footer.list(4, groups)
	footer.text(6, "betalasso")
	footer.end()
	text := binary.LittleEndian.AppendUint32(footer.b, uint32(len(footer.b)))
	_, err := out.Write(append(text, parquetMagic...))
	return err
}

// kind is a cell of column i that is not nil, or an empty string.
func (t Table) kind(i int) any {
	for _, cells := range t.Rows {
		if cells[i] != nil {
			return cells[i]
		}
	}
	return ""
}

// physical is the format's type for cells like v.
func physical(v any) int32 {
	switch v.(type) {
	case bool:
		return parquetBoolean
	case int64, uint64:
		return parquetInt64
	case float64:
		return parquetDouble
	}
	return parquetByteArray
}

// schema are the elements of the schema: the row, then its columns.
func (t Table) schema(kinds []any) []func(*thrift) {
	list := []func(*thrift){func(s *thrift) {
		s.text(4, "row")
		s.integer(5, int32(len(t.Columns)))
	}}
	for i, name := range t.Columns {
		list = append(list, func(s *thrift) {
			s.integer(1, physical(kinds[i]))
			s.integer(3, parquetOptional)
			s.text(4, name)
			switch kinds[i].(type) {
			case string:
				s.integer(6, convertedUTF8)
				s.structure(10, func(s *thrift) { s.structure(1, func(*thrift) {}) })
			case uint64:
				s.integer(6, convertedUint64)
				s.structure(10, func(s *thrift) {
					s.structure(10, func(s *thrift) {
						s.small(1, 64)
						s.boolean(2, false) // not signed
					})
				})
			}
		})
	}
	return list
}

// group writes the columns of some rows, and gives what the footer says of them.
func (t Table) group(out *counter, kinds []any, rows [][]any) (func(*thrift), error) {
	var columns []func(*thrift)
	var all int64
	for c, name := range t.Columns {
		body := page(rows, c)
		packed := snappy.Encode(nil, body)
		var header thrift
		header.integer(1, parquetDataPage)
		header.integer(2, int32(len(body)))
		header.integer(3, int32(len(packed)))
		header.structure(5, func(s *thrift) {
			s.integer(1, int32(len(rows)))
			s.integer(2, parquetPlain)
			s.integer(3, parquetRLE)
			s.integer(4, parquetRLE)
		})
		header.end()
		at := out.n
		if _, err := out.Write(append(header.b, packed...)); err != nil {
			return nil, err
		}
		whole, stored := int64(len(header.b)+len(body)), out.n-at
		all += whole
		columns = append(columns, func(s *thrift) {
			s.long(2, at)
			s.structure(3, func(s *thrift) {
				s.integer(1, physical(kinds[c]))
				s.integers(2, parquetPlain, parquetRLE)
				s.texts(3, name)
				s.integer(4, parquetSnappy)
				s.long(5, int64(len(rows)))
				s.long(6, whole)
				s.long(7, stored)
				s.long(9, at)
			})
		})
	}
	return func(s *thrift) {
		s.list(1, columns)
		s.long(2, all)
		s.long(3, int64(len(rows)))
	}, nil
}

// page is column c of rows: for each row whether there is a cell, as runs, then
// the cells that there are.
func page(rows [][]any, c int) []byte {
	there := func(r int) bool { return rows[r][c] != nil }
	b := make([]byte, 4) // the length of the runs
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && there(to) == there(from) {
			to++
		}
		b = binary.AppendUvarint(b, uint64(to-from)<<1)
		b = append(b, map[bool]byte{true: 1}[there(from)])
		from = to
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-4))
	bits := 0
	for _, cells := range rows {
		switch v := cells[c].(type) {
		case bool:
			if bits%8 == 0 {
				b = append(b, 0)
			}
			if v {
				b[len(b)-1] |= 1 << (bits % 8)
			}
			bits++
		case int64:
			b = binary.LittleEndian.AppendUint64(b, uint64(v))
		case uint64:
			b = binary.LittleEndian.AppendUint64(b, v)
		case float64:
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		case string:
			b = binary.LittleEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		}
	}
	return slices.Clip(b)
}

// counter counts what is written to w.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
