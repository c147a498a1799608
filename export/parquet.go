package export

import (
	"fmt"
	"io"
	"reflect"

	"github.com/parquet-go/parquet-go"
)

// Parquet writes t as a Parquet file. Its columns are those of t in their order,
// each optional, of strings, booleans, int64, uint64 or double, compressed by
// Snappy, which every reader has.
func (t Table) Parquet(w io.Writer) error {
	// A row is a struct with a pointer for each column: nil where there is
	// nothing.
	var fields []reflect.StructField
	for i, name := range t.Columns {
		fields = append(fields, reflect.StructField{
			Name: fmt.Sprintf("C%d", i),
			Type: reflect.PointerTo(t.kind(i)),
			Tag:  reflect.StructTag(fmt.Sprintf("parquet:%q", name+",optional,snappy")),
		})
	}
	row := reflect.New(reflect.StructOf(fields))
	out := parquet.NewWriter(w, parquet.SchemaOf(row.Interface()))
	for _, cells := range t.Rows {
		row.Elem().SetZero()
		for i, v := range cells {
			if v != nil {
				cell := reflect.New(reflect.TypeOf(v))
				cell.Elem().Set(reflect.ValueOf(v))
				row.Elem().Field(i).Set(cell)
			}
		}
		if err := out.Write(row.Interface()); err != nil {
			return err
		}
	}
	return out.Close()
}

// kind is the type of the cells of column i.
func (t Table) kind(i int) reflect.Type {
	for _, cells := range t.Rows {
		if cells[i] != nil {
			return reflect.TypeOf(cells[i])
		}
	}
	return reflect.TypeFor[string]()
}
