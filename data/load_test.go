package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pixelsOf are the pixels of files of one label byte, one after the other.
func pixelsOf(files ...[]byte) (pix []byte, labels []uint16) {
	for _, b := range files {
		for ; len(b) > 0; b = b[1+imageSize:] {
			labels = append(labels, uint16(b[0]))
			pix = append(pix, b[1:1+imageSize]...)
		}
	}
	return pix, labels
}

func checkToy(t *testing.T, set *Set, files map[string][]byte) {
	t.Helper()
	pix, labels := pixelsOf(files["data_batch_1.bin"], files["data_batch_2.bin"])
	if !bytes.Equal(set.Train.Pix, pix) || !slices.Equal(set.Train.Labels, labels) {
		t.Errorf("other training images, labels %v, want %v", set.Train.Labels, labels)
	}
	pix, labels = pixelsOf(files["test_batch.bin"])
	if !bytes.Equal(set.Test.Pix, pix) || !slices.Equal(set.Test.Labels, labels) {
		t.Errorf("other test images, labels %v, want %v", set.Test.Labels, labels)
	}
}

func TestLoadPlaces(t *testing.T) {
	p, files := toySet()
	inFolder := map[string][]byte{}
	for name, b := range files {
		inFolder[filepath.Join(p.folder, name)] = b
	}
	for name, dir := range map[string]string{
		"files in the folder":      writeFiles(t, files),
		"files in their subfolder": writeFiles(t, inFolder),
		"archive":                  writeFiles(t, map[string][]byte{p.archive.name: toyArchive(p, files)}),
		"archive and some files":   writeFiles(t, map[string][]byte{p.archive.name: toyArchive(p, files), "test_batch.bin": {1}}),
	} {
		set, err := p.loadVerified(t.Context(), dir, false)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkToy(t, set, files)
	}
}

func TestLoadUnverified(t *testing.T) {
	p, files := toySet()
	own := maps.Clone(files)
	own["test_batch.bin"] = toyRows(9, 6, 1, 10)
	for name, dir := range map[string]string{
		"files":   writeFiles(t, own),
		"archive": writeFiles(t, map[string][]byte{p.archive.name: toyArchive(p, own)}),
	} {
		set, err := p.load(t.Context(), dir, false)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkToy(t, set, own)
		if last := set.Files[len(set.Files)-1]; last.Verified {
			t.Errorf("%s: got %v, want not verified", name, last)
		}
		if _, err := p.loadVerified(t.Context(), dir, false); err == nil || !strings.Contains(err.Error(), "not the publisher's") {
			t.Errorf("%s, from the cache: got error %v", name, err)
		}
	}
}

// An archive packed again is known by the files in it.
func TestLoadRepacked(t *testing.T) {
	p, files := toySet()
	names := slices.Sorted(maps.Keys(files))
	dir := writeFiles(t, map[string][]byte{p.archive.name: tarball("elsewhere", names, files)})
	set, err := p.loadVerified(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	checkToy(t, set, files)
}

func TestLoadMissing(t *testing.T) {
	p, files := toySet()
	delete(files, "data_batch_2.bin")
	for name, dir := range map[string]string{
		"a file":     writeFiles(t, files),
		"all":        t.TempDir(),
		"the folder": filepath.Join(t.TempDir(), "none"),
	} {
		_, err := p.load(t.Context(), dir, false)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "betalasso data fetch") {
			t.Errorf("%s: got error %v, want fs.ErrNotExist with %s and what to do", name, err, dir)
		}
	}
}

// Every way of being wrong is an error that names the file, and what to do, and
// leaves the folder as it was.
func TestLoadBad(t *testing.T) {
	p, files := toySet()
	whole := toyArchive(p, files)
	missing := maps.Clone(files)
	delete(missing, "test_batch.bin")
	with := func(name string, b []byte) map[string][]byte {
		m := maps.Clone(files)
		m[name] = b
		return m
	}
	for _, c := range []struct {
		name, file, want string
		files            map[string][]byte
	}{
		{"empty", "data_batch_2.bin", "empty", with("data_batch_2.bin", nil)},
		{"truncated", "test_batch.bin", "ends inside image", with("test_batch.bin", files["test_batch.bin"][:5000])},
		{"foreign", "data_batch_1.bin", "label 60", with("data_batch_1.bin", bytes.Repeat([]byte("<html>"), 3073))},
		{"too large", "data_batch_1.bin", "want at most", with("data_batch_1.bin", toyRows(1, 21, 1, 10))},
		{"archive foreign", "toy.tar.gz", "gzip", map[string][]byte{"toy.tar.gz": []byte("<html>not found</html>")}},
		{"archive empty", "toy.tar.gz", "EOF", map[string][]byte{"toy.tar.gz": nil}},
		{"archive truncated", "toy.tar.gz", "truncated", map[string][]byte{"toy.tar.gz": whole[:len(whole)/2]}},
		{"archive without the last byte", "toy.tar.gz", "truncated", map[string][]byte{"toy.tar.gz": whole[:len(whole)-1]}},
		{"archive lacks a file", "toy.tar.gz", "lacks test_batch.bin", map[string][]byte{
			"toy.tar.gz": tarball("toy", slices.Sorted(maps.Keys(missing)), missing)}},
		{"archive has a file twice", "toy.tar.gz", "a second", map[string][]byte{
			"toy.tar.gz": tarball("toy", []string{"test_batch.bin", "test_batch.bin"}, files)}},
	} {
		dir := writeFiles(t, c.files)
		_, err := p.load(t.Context(), dir, false)
		if err == nil {
			t.Errorf("%s: got no error", c.name)
			continue
		}
		for _, want := range []string{filepath.Join(dir, c.file), c.want, "want", "betalasso data fetch"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got error %v, want one with %q", c.name, err, want)
			}
		}
		left, _ := os.ReadDir(dir)
		if len(left) != len(c.files) {
			t.Errorf("%s: got %d files in the folder, want the %d from before", c.name, len(left), len(c.files))
		}
	}
}

func TestLoadNoFile(t *testing.T) {
	p, files := toySet()
	delete(files, "test_batch.bin")
	dir := writeFiles(t, files)
	if err := os.Mkdir(filepath.Join(dir, "test_batch.bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := p.load(t.Context(), dir, false); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder in place of a file: got error %v", err)
	}
	sparse := filepath.Join(dir, "data_batch_1.bin")
	if err := os.Truncate(sparse, 1<<40); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	if _, err := p.load(t.Context(), dir, false); err == nil || !strings.Contains(err.Error(), "want at most") {
		t.Errorf("a terabyte: got error %v", err)
	}
}

func TestLoadCancelled(t *testing.T) {
	p, files := toySet()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, dir := range []string{
		writeFiles(t, files),
		writeFiles(t, map[string][]byte{p.archive.name: toyArchive(p, files)}),
	} {
		if _, err := p.load(ctx, dir, false); !errors.Is(err, context.Canceled) {
			t.Errorf("got error %v, want %v", err, context.Canceled)
		}
	}
}

func TestLoadSVHN(t *testing.T) {
	file := func(n int) []byte {
		b, _ := toyDigits(newMatFile(binary.LittleEndian, true), n, miUINT8)
		return b
	}
	dir := writeFiles(t, map[string][]byte{
		"train_32x32.mat": file(5), "test_32x32.mat": file(3), "extra_32x32.mat": file(7),
	})
	for _, c := range []struct {
		extra       bool
		train, test int
	}{{false, 5, 3}, {true, 12, 3}} {
		set, err := Load(t.Context(), "svhn", Options{Dir: dir, Extra: c.extra, Fetch: true})
		if err != nil {
			t.Fatal(err)
		}
		if set.Train.Len() != c.train || set.Test.Len() != c.test {
			t.Errorf("extra %v: got %d and %d images, want %d and %d", c.extra, set.Train.Len(), set.Test.Len(), c.train, c.test)
		}
		for _, f := range set.Files {
			if f.Verified {
				t.Errorf("got %v, want not verified", f)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range Names() {
		in, err := Describe(name)
		if err != nil {
			t.Fatal(err)
		}
		wantClasses := 10
		if name == "cifar100" {
			wantClasses = 100
		}
		if len(in.Classes) != wantClasses || in.Train == 0 || in.Test == 0 || in.Terms == "" {
			t.Errorf("%s: got %+v", name, in)
		}
		for _, url := range in.URLs {
			if !strings.HasPrefix(url, "http") {
				t.Errorf("%s: got address %q", name, url)
			}
		}
	}
	for name, want := range map[string]string{
		"CIFAR-10": `did you mean "cifar10"?`, "cifar_100": `did you mean "cifar100"?`, "shvn": `did you mean "svhn"?`,
		"digit": "did you mean \"digits\"?", "imagenet": `no data set "imagenet"; the sets are cifar10, cifar100, svhn, mnist, fashion-mnist, digits`,
		"": "the sets are", strings.Repeat("x", 1e6): "the sets are",
	} {
		_, err := Load(t.Context(), name, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got error %.200v, want one with %q", name, err, want)
		}
	}
}

// tinySet is a set of three images of 8 x 8, in CIFAR-10's form.
func tinySet() (*published, map[string][]byte) {
	p := &published{name: "tiny", folder: "tiny", channels: 1, side: 8, classes: cifar10Classes, format: rowFiles{labels: 1}}
	files := map[string][]byte{}
	for i, name := range []string{"one.bin", "two.bin", "test.bin"} {
		files[name] = append([]byte{byte(i)}, make([]byte, 64)...)
		p.files = append(p.files, file{name: name, rows: 1})
	}
	p.files[2].use = test
	return p, files
}

// tinyImages wants what a reader of tinySet appends to be whole.
func tinyImages(t *testing.T, set *Set, err error) {
	t.Helper()
	if err == nil && (set.Train.Len() == 0 || set.Test.Len() == 0 || len(set.Train.Pix) != set.Train.Len()*64) {
		t.Errorf("got %d pixels for %d images", len(set.Train.Pix), set.Train.Len())
	}
}

func FuzzArchive(f *testing.F) {
	p, files := tinySet()
	whole := toyArchive(p, files)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		set := &Set{Train: Images{ImageSize: 64}, Test: Images{ImageSize: 64}}
		_, err := p.appendArchive(set, bytes.NewReader(b), int64(len(b)))
		tinyImages(t, set, err)
	})
}

// FuzzTar puts any bytes into the compression, where a change of a byte would
// else only break the checksum.
func FuzzTar(f *testing.F) {
	p, files := tinySet()
	z, err := gzip.NewReader(bytes.NewReader(toyArchive(p, files)))
	if err != nil {
		f.Fatal(err)
	}
	whole, err := io.ReadAll(z)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		set := &Set{Train: Images{ImageSize: 64}, Test: Images{ImageSize: 64}}
		_, err := p.appendMembers(set, int64(len(b)), func(f func(string, int64, io.Reader) error) error { return eachUnpacked(bytes.NewReader(b), f) })
		tinyImages(t, set, err)
	})
}
