package run

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"betalasso/disk"
)

// Tensor is one named array of a safetensors file.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32 // the numbers, unless they are Rows' or raw
	Rows  Rows      // a matrix that gives its numbers row by row
	DType string    // how the file has its numbers: "" for F32, or F64, F16, BF16, I64, I32, U8
	raw   []byte    // an I32's or U8's, as the file has them: parts of a sparse matrix
}

// isRaw reports whether the numbers of a type are read as raw bytes at first.
func isRaw(dtype string) bool { return dtype == "I32" || dtype == "U8" }

// entry is what a safetensors header says of one tensor.
type entry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"` // from the end of the header
}

const (
	metaKey    = "__metadata__"
	maxHeader  = 8 << 20  // bytes; the format's own limit is 100 MB, by which JSON takes gigabytes
	bufferSize = 64 << 10 // bytes converted at a time
)

// WriteTensors writes a safetensors file of tensors of float32, or of I64 or BF16
// where their DType says so, replacing what was there whole or not at all, and
// returns the file's SHA-256 in hex. The tensors keep their order; of Rows, a matrix
// with few non-zeros is written as a sparse one. Numbers of a BF16 are such already:
// see Bfloat16. meta becomes the file's __metadata__.
func WriteTensors(path string, list []Tensor, meta map[string]string) (sum string, err error) {
	list = spread(list)
	head, err := header(list, meta)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", path, err)
	}
	hash := sha256.New()
	err = replace(path, func(f io.Writer) error { return writeTensors(io.MultiWriter(f, hash), head, list) })
	return hex.EncodeToString(hash.Sum(nil)), err
}

// writeTensors writes the header and the tensors' bytes.
func writeTensors(w io.Writer, head []byte, list []Tensor) error {
	if _, err := w.Write(head); err != nil {
		return err
	}
	buf := make([]byte, 0, 2*bufferSize)
	for _, t := range list {
		if t.raw != nil {
			if _, err := w.Write(t.raw); err != nil {
				return err
			}
			continue
		}
		err := t.each(func(row []float32) error {
			for part := range slices.Chunk(row, bufferSize/4) {
				buf = buf[:0]
				for _, x := range part {
					switch bits := math.Float32bits(x); {
					case t.DType == "I64":
						buf = binary.LittleEndian.AppendUint64(buf, uint64(int64(x)))
					case t.DType != "BF16":
						buf = binary.LittleEndian.AppendUint32(buf, bits)
					case bits<<16 != 0:
						return fmt.Errorf("tensor %q: %g is no bfloat16", t.Name, x)
					default:
						buf = binary.LittleEndian.AppendUint16(buf, uint16(bits>>16))
					}
				}
				if _, err := w.Write(buf); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// header is the length and the JSON before the tensors' bytes.
func header(list []Tensor, meta map[string]string) ([]byte, error) {
	text := []byte("{")
	add := func(name string, v any) error {
		k, err := json.Marshal(name)
		if err != nil {
			return err
		}
		j, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(append(append(text, k...), ':'), j...)
		return nil
	}
	if len(meta) > 0 {
		if err := add(metaKey, meta); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{metaKey: true}
	var at int64
	for _, t := range list {
		e := entry{DType: "F32", Shape: []int64{}}
		if t.DType == "I64" || t.DType == "BF16" || isRaw(t.DType) && t.Data == nil {
			e.DType = t.DType
		} else if t.DType != "" {
			return nil, fmt.Errorf("tensor %q: its type is %s; only F32, BF16 and I64 are written", t.Name, t.DType)
		}
		n := 1
		for _, s := range t.Shape {
			n *= s
			e.Shape = append(e.Shape, int64(s))
		}
		if have := t.Len() + len(t.raw)/width(t.DType); n != have || seen[t.Name] {
			return nil, fmt.Errorf("tensor %q of shape %v has %d numbers, or its name is taken", t.Name, t.Shape, have)
		}
		seen[t.Name] = true
		e.Offsets = [2]int64{at, at + int64(width(t.DType)*n)}
		at = e.Offsets[1]
		if err := add(t.Name, e); err != nil {
			return nil, err
		}
	}
	text = append(text, '}')
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}

// ReadTensors reads a safetensors file in the order of its tensors' bytes, and
// its metadata. Numbers of the types that Tensor names are read, as float32; a
// sparse matrix is one tensor of Rows.
// Nothing is allocated that the file is too short for.
func ReadTensors(path string) ([]Tensor, map[string]string, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return ReadOpenTensors(f)
}

// ReadOpenTensors is ReadTensors of a file that is open, at its beginning.
func ReadOpenTensors(f *os.File) ([]Tensor, map[string]string, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	list, meta, err := DecodeTensors(f, st.Size())
	if err != nil {
		return nil, nil, fmt.Errorf("%s is not a usable safetensors file: %w", f.Name(), err)
	}
	return list, meta, nil
}

// DecodeTensors is ReadTensors of size bytes.
func DecodeTensors(in io.Reader, size int64) ([]Tensor, map[string]string, error) {
	r := buffered(in, size)
	list, meta, err := readHeader(r, size)
	if err != nil {
		return nil, nil, err
	}
	need := float64(size)
	for _, t := range list {
		if !isRaw(t.DType) {
			need += float64(4-width(t.DType)) * float64(t.numbers()) // as float32
		}
	}
	if most, of := Memory(); most > 0 && need > most {
		return nil, nil, fmt.Errorf("its numbers take %.1f GB, more than the memory that there is: %.1f GB, %s", need/1e9, most/1e9, of)
	}
	buf := make([]byte, min(bufferSize, size))
	for i := range list {
		t := &list[i]
		if isRaw(t.DType) {
			t.raw = make([]byte, width(t.DType)*t.numbers())
			if _, err := io.ReadFull(r, t.raw); err != nil {
				return nil, nil, fmt.Errorf("tensor %q: %w", t.Name, err)
			}
			continue
		}
		t.Data = make([]float32, t.numbers())
		for part := range slices.Chunk(t.Data, bufferSize/8) {
			if err := t.read(r, part, buf); err != nil {
				return nil, nil, err
			}
		}
	}
	list, err = gather(list)
	return list, meta, err
}

// buffered buffers the reader of a file of size bytes: most of a run's are small.
func buffered(r io.Reader, size int64) *bufio.Reader {
	return bufio.NewReaderSize(r, int(min(bufferSize, size)))
}

// numbers is how many numbers a tensor's shape has.
func (t Tensor) numbers() int {
	n := 1
	for _, s := range t.Shape {
		n *= s
	}
	return n
}

// read sets dst, of at most bufferSize/8 numbers, to the next numbers of the
// tensor; buf has bufferSize bytes, or as many as the file.
func (t Tensor) read(r io.Reader, dst []float32, buf []byte) error {
	text := buf[:width(t.DType)*len(dst)]
	if _, err := io.ReadFull(r, text); err != nil {
		return fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	numbers(dst, text, t.DType)
	return nil
}

// readHeader reads the beginning of a file of size bytes: its tensors, still
// without numbers, and its metadata.
func readHeader(r io.Reader, size int64) ([]Tensor, map[string]string, error) {
	var length [8]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, nil, fmt.Errorf("%d bytes are too few", size)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, nil, fmt.Errorf("its header claims %d bytes, the file has %d", n, size)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, nil, err
	}
	return parseHeader(text, size-8-int64(n))
}

// parseHeader turns the JSON of a header into tensors, still without numbers,
// that fill size bytes without a gap.
func parseHeader(text []byte, size int64) ([]Tensor, map[string]string, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.New("its header is not a JSON object")
	}
	var meta map[string]string
	var list []Tensor
	var entries []entry
	seen := map[string]bool{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("its header: %w", err)
		}
		name, _ := key.(string)
		if seen[name] {
			return nil, nil, fmt.Errorf("its header names %q twice", name)
		}
		seen[name] = true
		if name == metaKey {
			if err := dec.Decode(&meta); err != nil {
				return nil, nil, fmt.Errorf("its metadata: %w", err)
			}
			continue
		}
		var e entry
		if err := dec.Decode(&e); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		shape, err := e.check(size)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		if e.DType == "F32" {
			e.DType = ""
		}
		list = append(list, Tensor{Name: name, Shape: shape, DType: e.DType})
		entries = append(entries, e)
	}
	if t, err := dec.Token(); err != nil || t != json.Delim('}') {
		return nil, nil, errors.New("its header is cut off")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, nil, errors.New("something follows its header's JSON object")
	}

	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := entries[a].Offsets, entries[b].Offsets
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]))
	})
	sorted := make([]Tensor, 0, len(list))
	var at int64
	for _, i := range order {
		if o := entries[i].Offsets; o[0] != at {
			return nil, nil, fmt.Errorf("tensor %q begins at byte %d, want %d: tensors overlap or leave a gap", list[i].Name, o[0], at)
		}
		at = entries[i].Offsets[1]
		sorted = append(sorted, list[i])
	}
	if at != size {
		return nil, nil, fmt.Errorf("its tensors need %d bytes, the file has %d", at, size)
	}
	return sorted, meta, nil
}

// check gives the shape of a tensor that lies within size bytes.
func (e entry) check(size int64) ([]int, error) {
	w := int64(width(e.DType))
	if w == 0 || e.DType == "" {
		return nil, fmt.Errorf("its type is %q; F32, F64, F16, BF16, I64, I32 and U8 are read", e.DType)
	}
	if e.Offsets[0] < 0 || e.Offsets[1] < e.Offsets[0] || e.Offsets[1] > size {
		return nil, fmt.Errorf("its bytes %d to %d are not within the %d that the file has", e.Offsets[0], e.Offsets[1], size)
	}
	held := (e.Offsets[1] - e.Offsets[0]) / w
	n, shape := int64(1), make([]int, 0, len(e.Shape))
	for _, s := range e.Shape {
		if s < 0 || s > math.MaxInt32 || s > 0 && n > math.MaxInt/8/s {
			return nil, fmt.Errorf("its shape is %v", e.Shape)
		}
		n *= s
		shape = append(shape, int(s))
	}
	if n != held || (e.Offsets[1]-e.Offsets[0])%w != 0 {
		return nil, fmt.Errorf("its shape %v needs %d bytes, not %d", e.Shape, w*n, e.Offsets[1]-e.Offsets[0])
	}
	return shape, nil
}
