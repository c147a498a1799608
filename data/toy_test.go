package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

func md5Of(b []byte) string {
	h := md5.Sum(b)
	return hex.EncodeToString(h[:])
}

// toyRows is n rows of a CIFAR file with that many label bytes.
func toyRows(seed uint64, n, labels, classes int) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	var b []byte
	for range n {
		for range labels {
			b = append(b, byte(r.IntN(classes)))
		}
		for range imageSize {
			b = append(b, byte(r.Uint32()))
		}
	}
	return b
}

// toySet is a small set in CIFAR-10's form, and its files by name.
func toySet() (*published, map[string][]byte) {
	files := map[string][]byte{
		"data_batch_1.bin": toyRows(1, 5, 1, 10),
		"data_batch_2.bin": toyRows(2, 5, 1, 10),
		"test_batch.bin":   toyRows(3, 4, 1, 10),
	}
	p := &published{
		name: "toy", folder: "toy-bin",
		archive: archive{name: "toy.tar.gz"},
		files: []file{
			{name: "data_batch_1.bin", rows: 5},
			{name: "data_batch_2.bin", rows: 5},
			{name: "test_batch.bin", rows: 4, use: test},
		},
		classes: cifar10Classes, channels: 3, side: 32, format: rowFiles{labels: 1},
	}
	for i := range p.files {
		p.files[i].md5 = md5Of(files[p.files[i].name])
	}
	p.archive.md5 = md5Of(toyArchive(p, files))
	p.archive.size = int64(len(toyArchive(p, files)))
	return p, files
}

// toyArchive is the set's .tar.gz, with files that are not read among it.
func toyArchive(p *published, files map[string][]byte) []byte {
	names, all := []string{"readme.html"}, map[string][]byte{"readme.html": []byte("hello")}
	for i := range p.files {
		name := p.files[len(p.files)-1-i].name // not in the order of the set
		names, all[name] = append(names, name), files[name]
	}
	return tarball(p.folder, names, all)
}

// tarball is a .tar.gz of files in a folder.
func tarball(folder string, names []string, files map[string][]byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	w.WriteHeader(&tar.Header{Name: folder + "/", Typeflag: tar.TypeDir, Mode: 0o755})
	for _, name := range names {
		w.WriteHeader(&tar.Header{Name: folder + "/" + name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[name]))})
		w.Write(files[name])
	}
	w.Close()
	z.Close()
	return out.Bytes()
}

// writeFiles puts files into a new folder.
func writeFiles(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// matFile writes MATLAB level 5 files.
type matFile struct {
	order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	compress bool
	b        []byte
}

func newMatFile(order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}, compress bool) *matFile {
	head := make([]byte, 124, 128)
	copy(head, "MATLAB 5.0 MAT-file")
	head = order.AppendUint16(head, 0x0100)
	head = order.AppendUint16(head, 'M'<<8|'I')
	return &matFile{order: order, compress: compress, b: head}
}

// element is one element with its padding; a short one goes into its tag.
func (m *matFile) element(kind uint32, body []byte) []byte {
	if n := len(body); n > 0 && n <= 4 {
		return append(m.order.AppendUint32(nil, uint32(n)<<16|kind), append(bytes.Clone(body), make([]byte, 4-n)...)...)
	}
	b := m.order.AppendUint32(nil, kind)
	b = m.order.AppendUint32(b, uint32(len(body)))
	b = append(b, body...)
	return append(b, make([]byte, -len(body)&7)...)
}

// add adds an array.
func (m *matFile) add(name string, class uint32, dims []int32, kind uint32, numbers []byte) {
	flags := m.order.AppendUint32(nil, class)
	flags = m.order.AppendUint32(flags, 0)
	var size []byte
	for _, d := range dims {
		size = m.order.AppendUint32(size, uint32(d))
	}
	var body []byte
	body = append(body, m.element(miUINT32, flags)...)
	body = append(body, m.element(miINT32, size)...)
	body = append(body, m.element(miINT8, []byte(name))...)
	body = append(body, m.element(kind, numbers)...)
	matrix := m.element(miMATRIX, body)
	if m.compress {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		w.Write(matrix)
		w.Close()
		matrix = m.order.AppendUint32(nil, miCOMPRESSED)
		matrix = m.order.AppendUint32(matrix, uint32(z.Len()))
		matrix = append(matrix, z.Bytes()...)
	}
	m.b = append(m.b, matrix...)
}

// toyDigits is a file of n SVHN images and the images it should decode to.
func toyDigits(m *matFile, n int, yKind uint32) ([]byte, Images) {
	want := Images{Pix: make([]uint8, n*imageSize), ImageSize: imageSize}
	x := make([]byte, n*imageSize)
	var y []byte
	for i := range n {
		for c := range channels {
			for row := range side {
				for col := range side {
					v := byte(i*7 + c*50 + row*3 + col*5)
					want.Pix[i*imageSize+c*plane+row*side+col] = v
					x[row+side*(col+side*(c+channels*i))] = v // MATLAB's order
				}
			}
		}
		digit := i % 10
		want.Labels = append(want.Labels, uint16(digit))
		if digit == 0 {
			digit = 10
		}
		switch yKind {
		case miDOUBLE:
			y = m.order.AppendUint64(y, math.Float64bits(float64(digit)))
		case miSINGLE:
			y = m.order.AppendUint32(y, math.Float32bits(float32(digit)))
		case miINT16, miUINT16:
			y = m.order.AppendUint16(y, uint16(digit))
		case miINT32, miUINT32:
			y = m.order.AppendUint32(y, uint32(digit))
		default:
			y = append(y, byte(digit))
		}
	}
	dims := []int32{side, side, channels, int32(n)}
	if n == 1 {
		dims = dims[:3]
	}
	m.add("other", mxDOUBLE, []int32{1, 1}, miUINT8, []byte{42})
	m.add("X", 9, dims, miUINT8, x)
	m.add("y", mxDOUBLE, []int32{int32(n), 1}, yKind, y)
	return m.b, want
}

// toyPackage is the npm package of a toy set.
func toyPackage(p *published, files map[string][]byte) []byte {
	members := map[string][]byte{}
	var names []string
	var labels [2][]byte
	for _, f := range p.files {
		sheet := image.NewRGBA(image.Rect(0, 0, plane, f.rows))
		for y := range f.rows {
			row := files[f.name][y*(1+imageSize):]
			for x := range plane {
				sheet.Set(x, y, color.RGBA{row[1+x], row[1+plane+x], row[1+2*plane+x], 255})
			}
			to := &labels[f.use]
			if *to != nil {
				*to = append(*to, ',')
			}
			*to = append(*to, '0'+row[0])
		}
		var b bytes.Buffer
		png.Encode(&b, sheet)
		name := f.name[:len(f.name)-len(".bin")] + ".png"
		names, members[name] = append(names, name), b.Bytes()
	}
	for i, name := range []string{p.npm.trainLabels, p.npm.testLabels} {
		names, members[name] = append(names, name), []byte("["+string(labels[i])+"]")
	}
	return tarball("package", names, members)
}
