package data

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAppendCIFAR(t *testing.T) {
	for _, c := range []struct{ rows, labels, classes int }{
		{1, 1, 10}, {3, 2, 100}, {imagesAtOnce, 1, 10}, {imagesAtOnce + 1, 1, 10},
	} {
		b := toyRows(1, c.rows, c.labels, c.classes)
		im, err := appendRows(Images{ImageSize: imageSize}, iotest.OneByteReader(bytes.NewReader(b)), int64(len(b)), c.rows, c.labels, c.classes)
		if err != nil {
			t.Fatal(err)
		}
		if im.Len() != c.rows || len(im.Pix) != c.rows*imageSize {
			t.Fatalf("got %d images and %d pixels, want %d images", im.Len(), len(im.Pix), c.rows)
		}
		for i := range c.rows {
			row := b[i*(c.labels+imageSize):]
			if im.Labels[i] != uint16(row[c.labels-1]) {
				t.Errorf("image %d: got label %d, want %d", i, im.Labels[i], row[c.labels-1])
			}
			if !bytes.Equal(im.Pix[i*imageSize:(i+1)*imageSize], row[c.labels:c.labels+imageSize]) {
				t.Errorf("image %d: other pixels", i)
			}
		}
	}
}

func TestAppendCIFARBad(t *testing.T) {
	good := toyRows(1, 4, 1, 10)
	badLabel := slices.Clone(good)
	badLabel[2*(1+imageSize)] = 10
	for _, c := range []struct {
		name string
		r    io.Reader
		size int
		want string
	}{
		{"empty", bytes.NewReader(nil), 0, "empty"},
		{"truncated", bytes.NewReader(good[:len(good)-1]), len(good) - 1, "ends inside image 3: 3072 of its 3073 bytes"},
		{"bad label", bytes.NewReader(badLabel), len(good), "image 2 has label 10"},
		{"too large by its size", bytes.NewReader(good), 1 << 30, "want at most"},
		{"too large for its size", bytes.NewReader(append(good, good...)), 1, "more than 4 images"},
		{"the source breaks off at a row's end", io.MultiReader(bytes.NewReader(good), iotest.ErrReader(io.ErrUnexpectedEOF)), len(good), "unexpected EOF"},
	} {
		_, err := appendRows(Images{ImageSize: imageSize}, c.r, int64(c.size), 4, 1, 10)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func FuzzCIFAR(f *testing.F) {
	f.Add([]byte{}, 1)
	f.Add(toyRows(1, 1, 1, 10), 1)
	f.Add(toyRows(1, 2, 2, 100)[:4000], 2)
	f.Fuzz(func(t *testing.T, b []byte, labels int) {
		labels = 1 + labels&1
		im, err := appendRows(Images{ImageSize: imageSize}, bytes.NewReader(b), int64(len(b)), 64, labels, 100)
		if err == nil && len(b) != im.Len()*(labels+imageSize) {
			t.Errorf("%d bytes: got %d images and no error", len(b), im.Len())
		}
		if len(im.Pix) != im.Len()*imageSize {
			t.Errorf("got %d pixels for %d images", len(im.Pix), im.Len())
		}
	})
}
