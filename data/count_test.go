package data

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// Count is what Load gives, of whatever lies in a folder.
func TestCount(t *testing.T) {
	toy, files := toySet()
	repacked := *toy
	repacked.archive.size++ // not the publisher's: it is looked into
	svhn, err := find("svhn")
	if err != nil {
		t.Fatal(err)
	}
	mats := map[string][]byte{}
	for i, name := range []string{"train_32x32.mat", "test_32x32.mat", "extra_32x32.mat"} {
		mats[name], _ = toyDigits(newMatFile(binary.LittleEndian, i > 0), 7+i, miUINT8)
	}
	own := map[string][]byte{"data_batch_1.bin": toyRows(1, 3, 1, 10), "data_batch_2.bin": files["data_batch_2.bin"], "test_batch.bin": toyRows(2, 1, 1, 10)}
	for _, c := range []struct {
		name  string
		set   *published
		files map[string][]byte
		extra bool
		train int
		test  int
	}{
		{"files", toy, files, false, 10, 4},
		{"own files", toy, own, false, 8, 1},
		{"archive", toy, map[string][]byte{toy.archive.name: toyArchive(toy, files)}, false, 10, 4},
		{"own archive", &repacked, map[string][]byte{toy.archive.name: toyArchive(toy, own)}, false, 8, 1},
		{"MATLAB", svhn, mats, false, 7, 8},
		{"MATLAB with extra", svhn, mats, true, 16, 8},
	} {
		dir := writeFiles(t, c.files)
		train, test, err := c.set.count(Options{Dir: dir, Extra: c.extra})
		if train != c.train || test != c.test || err != nil {
			t.Errorf("%s: got %d, %d, %v, want %d, %d", c.name, train, test, err, c.train, c.test)
		}
		set, err := c.set.load(t.Context(), dir, c.extra)
		if err != nil || set.Train.Len() != train || set.Test.Len() != test {
			t.Errorf("%s: Load gives other numbers, or %v", c.name, err)
		}
	}
	for name, text := range map[string]string{"empty": "", "foreign": "<html>not found</html>"} {
		dir := writeFiles(t, mats)
		if err := os.WriteFile(filepath.Join(dir, "test_32x32.mat"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := svhn.count(Options{Dir: dir}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if train, test, err := Count("svhn", Options{Extra: true}); train != 73257+531131 || test != 26032 || err != nil {
		t.Errorf("the publisher's: got %d, %d, %v", train, test, err)
	}
	if _, _, err := Count("svhn", Options{Dir: t.TempDir()}); err == nil {
		t.Error("an empty folder: got no error")
	}
}
