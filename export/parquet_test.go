package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// TestParquet reads the columns of a file back one by one.
func TestParquet(t *testing.T) {
	want := Table{
		Columns: []string{"run", "epoch", "seed", "loss", "nonzero_conv1", "done", "never"},
		Rows: [][]any{
			{"a", int64(0), uint64(1<<64 - 1), 0.1, nil, true, nil},
			{"", int64(-3), uint64(7), 1e-300, int64(5), nil, nil},
			{"ü", int64(1 << 62), uint64(0), 0.0, int64(0), false, nil},
		},
	}
	for i := range 20 { // more bits than a byte has, and more columns than a short list
		want.Rows = append(want.Rows, []any{strings.Repeat("x", 100), int64(i), uint64(i), 1 / float64(i+1), nil, i%3 == 0, nil})
		want.Columns = append(want.Columns, fmt.Sprintf("more%d", i))
	}
	for i := range want.Rows {
		for len(want.Rows[i]) < len(want.Columns) {
			want.Rows[i] = append(want.Rows[i], int64(i*len(want.Rows[i])))
		}
	}
	var text bytes.Buffer
	if err := want.Parquet(&text); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(text.Bytes()), int64(text.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	for _, path := range f.Schema().Columns() {
		columns = append(columns, path[0])
	}
	if !reflect.DeepEqual(columns, want.Columns) {
		t.Fatalf("got the columns %v, want %v", columns, want.Columns)
	}
	got := make([][]any, len(want.Rows))
	for i, row := range got {
		got[i] = append(row, make([]any, len(columns))...)
	}
	for c, chunk := range f.RowGroups()[0].ColumnChunks() {
		pages := chunk.Pages()
		page, err := pages.ReadPage()
		if err != nil {
			t.Fatal(err)
		}
		cells := make([]parquet.Value, page.NumValues())
		if n, _ := page.Values().ReadValues(cells); n != len(want.Rows) {
			t.Fatalf("%s: got %d cells, want %d", columns[c], n, len(want.Rows))
		}
		for r, v := range cells {
			switch {
			case v.IsNull():
			case v.Kind() == parquet.ByteArray:
				got[r][c] = v.String()
			case v.Kind() == parquet.Boolean:
				got[r][c] = v.Boolean()
			case v.Kind() == parquet.Double:
				got[r][c] = v.Double()
			case columns[c] == "seed":
				got[r][c] = v.Uint64()
			default:
				got[r][c] = v.Int64()
			}
		}
		pages.Close()
	}
	if !reflect.DeepEqual(got, want.Rows) {
		t.Errorf("got %v, want %v", got, want.Rows)
	}
}

// Many rows are several groups, and none are none.
func TestParquetGroups(t *testing.T) {
	for _, n := range []int{0, groupRows, groupRows + 3} {
		table := Table{Columns: []string{"row"}}
		for i := range n {
			table.Rows = append(table.Rows, []any{int64(i)})
		}
		var text bytes.Buffer
		if err := table.Parquet(&text); err != nil {
			t.Fatal(err)
		}
		f, err := parquet.OpenFile(bytes.NewReader(text.Bytes()), int64(text.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if f.NumRows() != int64(n) || len(f.RowGroups()) != (n+groupRows-1)/groupRows {
			t.Errorf("%d rows: got %d in %d groups", n, f.NumRows(), len(f.RowGroups()))
		}
		next := int64(0)
		for _, group := range f.RowGroups() {
			rows := group.Rows()
			buf := make([]parquet.Row, 1000)
			for {
				m, err := rows.ReadRows(buf)
				for _, r := range buf[:m] {
					if r[0].Int64() != next {
						t.Fatalf("%d rows: got %v, want %d", n, r[0], next)
					}
					next++
				}
				if err != nil {
					break
				}
			}
			rows.Close()
		}
		if next != int64(n) {
			t.Errorf("%d rows: read %d", n, next)
		}
	}
}

// TestParquetElsewhere has a table of two runs read by npm's hyparquet, and
// compares it to the CSV.
func TestParquetElsewhere(t *testing.T) {
	dir := t.TempDir()
	node := withPackage(t, dir, "hyparquet@1.31.5")
	events, left := Events([]string{trained(t, tinyConfig("s-fc")).Path(), trained(t, tinyConfig("3-fc")).Path()})
	if left != nil {
		t.Fatal(left)
	}
	var text bytes.Buffer
	if err := events.Parquet(&text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "t.parquet"), text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	const program = `
import {asyncBufferFromFile, parquetReadObjects} from 'hyparquet';
const rows = await parquetReadObjects({file: await asyncBufferFromFile('t.parquet')});
console.log(JSON.stringify(rows, (k, v) => typeof v === 'bigint' ? String(v) : v ?? ''));
`
	if err := os.WriteFile(filepath.Join(dir, "read.mjs"), []byte(program), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "read.mjs")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var got []map[string]any
	if err != nil || json.Unmarshal(out, &got) != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := readBack(t, events)
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d", len(got), len(want))
	}
	for i, row := range want {
		for _, column := range events.Columns {
			text := fmt.Sprint(got[i][column])
			if x, ok := got[i][column].(float64); ok {
				text = strconv.FormatFloat(x, 'g', -1, 64)
			}
			if text != row[column] {
				t.Errorf("row %d: %s is %s, want %s", i, column, text, row[column])
			}
		}
	}
}
