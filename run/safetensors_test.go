package run

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/nlpodyssey/safetensors"
)

func someTensors() []Tensor {
	big := make([]float32, 40000)
	for i := range big {
		big[i] = float32(i) - 0.5
	}
	return []Tensor{
		{Name: "conv1.weight", Shape: []int{200, 200}, Data: big},
		{Name: "odd \"name\"\n", Shape: []int{3}, Data: []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32}},
		{Name: "empty", Shape: []int{0, 5}, Data: []float32{}},
		{Name: "scalar", Shape: []int{}, Data: []float32{7}},
	}
}

func TestTensorsComeBackAsTheyWent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	want, meta := someTensors(), map[string]string{"state": `{"epoch":3}`, "a": ""}
	sum, err := WriteTensors(path, want, meta)
	if err != nil {
		t.Fatal(err)
	}
	again, err := WriteTensors(path, want, meta)
	if err != nil || again != sum || len(sum) != 64 {
		t.Errorf("a second file's checksum: got %q, %v, want %q", again, err, sum)
	}
	got, gotMeta, err := ReadTensors(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotMeta, meta) {
		t.Errorf("metadata: got %v, want %v", gotMeta, meta)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("the tensors that were read differ from those written")
	}
}

// Another implementation reads what we write, and we what it writes.
func TestSecondOpinion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if _, err := WriteTensors(path, someTensors(), map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := safetensors.Deserialize(text)
	if err != nil {
		t.Fatalf("the other implementation refuses our file: %v", err)
	}
	for _, w := range someTensors() {
		v, ok := theirs.Tensor(w.Name)
		if !ok || len(v.Data()) != 4*len(w.Data) {
			t.Errorf("tensor %q: got %d bytes (found %v), want %d", w.Name, len(v.Data()), ok, 4*len(w.Data))
			continue
		}
		for i, x := range w.Data {
			if g := binary.LittleEndian.Uint32(v.Data()[4*i:]); g != math.Float32bits(x) {
				t.Fatalf("tensor %q, number %d: got bits %#x, want %#x", w.Name, i, g, math.Float32bits(x))
			}
		}
	}

	view, err := safetensors.NewTensorView(safetensors.F32, []uint64{2, 1}, []byte{0, 0, 128, 63, 0, 0, 0, 64})
	if err != nil {
		t.Fatal(err)
	}
	text, err = safetensors.Serialize(map[string]safetensors.TensorView{"x": view}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := DecodeTensors(bytes.NewReader(text), int64(len(text)))
	if err != nil || len(got) != 1 || got[0].Name != "x" || !slices.Equal(got[0].Shape, []int{2, 1}) || !slices.Equal(got[0].Data, []float32{1, 2}) {
		t.Errorf("their file: got %v, %v", got, err)
	}
}

// file is a safetensors file with that header and the given number of bytes after it.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func TestBrokenTensorFilesAreRefused(t *testing.T) {
	huge := binary.LittleEndian.AppendUint64(nil, 1<<62)
	for _, c := range []struct {
		rule string
		file []byte
		want string
	}{
		{"an empty file", nil, "too few"},
		{"a header longer than the file", huge, "claims"},
		{"a header that is no object", file("[]", 0), "not a JSON object"},
		{"a header cut off", file(`{"a":{"dtype":"F32"`, 0), "tensor"},
		{"text after the header", file(`{} {}`, 0), "follows"},
		{"another type", file(`{"a":{"dtype":"F8","shape":[8],"data_offsets":[0,8]}}`, 8), "F16, BF16, I64, I32 and U8 are read"},
		{"offsets outside", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 4), "not within"},
		{"offsets backwards", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "not within"},
		{"a shape that overflows", file(`{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}}`, 4), "shape"},
		{"a negative shape", file(`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, 4), "shape"},
		{"a shape of another size", file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}`, 4), "needs 12"},
		{"an overlap", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "overlap"},
		{"a gap", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "gap"},
		{"bytes left over", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 8), "need 4"},
		{"a name twice", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "twice"},
		{"metadata of another kind", file(`{"__metadata__":{"a":1}}`, 0), "metadata"},
	} {
		_, _, err := DecodeTensors(bytes.NewReader(c.file), int64(len(c.file)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", c.rule, err, c.want)
		}
	}
}

func TestTensorsOfTheWrongSizeAreNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	for _, list := range [][]Tensor{
		{{Name: "a", Shape: []int{2}, Data: []float32{1}}},
		{{Name: "a", Shape: []int{1}, Data: []float32{1}}, {Name: "a", Shape: []int{1}, Data: []float32{1}}},
		{{Name: metaKey, Shape: []int{1}, Data: []float32{1}}},
	} {
		if _, err := WriteTensors(path, list, nil); err == nil {
			t.Errorf("%v: got no error", list)
		}
	}
}

func FuzzTensors(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4))
	f.Add(file(`{"__metadata__":{"state":"{}"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}`, 12))
	full := []float32{0: 2, 15: 1}
	for _, list := range [][]Tensor{
		{{Name: "m", Shape: []int{2, 8}, Rows: &dense{8, full}}},
		{{Name: "m", Shape: []int{2, 8}, Rows: &dense{8, full}, DType: "BF16"}, {Name: "d", Shape: []int{1, 2}, Data: full[:2], DType: "BF16"}},
		{{Name: "m", Shape: []int{2, 8, 32, 1}, Rows: &dense{256, make([]float32, 512)}}},
		{whole("m.shape", []int32{2, 8}), whole("m.counts", []int32{1, 1}), whole("m.columns", []int32{0, 7}), {Name: "m.values", Shape: []int{2}, Data: []float32{2, 1}}},
	} {
		var sparse bytes.Buffer
		list = spread(list)
		head, err := header(list, nil)
		if err == nil {
			err = writeTensors(&sparse, head, list)
		}
		if err != nil {
			f.Fatal(err)
		}
		f.Add(sparse.Bytes())
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list, meta, err := DecodeTensors(bytes.NewReader(text), int64(len(text)))
		if err != nil {
			return
		}
		for _, l := range list {
			if l.Len() > 1<<16 || l.DType != "" && l.DType != "I64" && l.DType != "BF16" { // a sparse one may say that it is large; others are only read
				return
			}
		}
		sum := Checksum(list)
		list = spread(list)
		head, err := header(list, meta)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		var file bytes.Buffer
		if err := writeTensors(&file, head, list); err != nil {
			t.Fatal(err)
		}
		again, _, err := DecodeTensors(&file, int64(file.Len()))
		if err != nil || Checksum(again) != sum {
			t.Fatalf("what was written was read as something else: %v", err)
		}
	})
}
