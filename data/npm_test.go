package data

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

func pngOf(w, h int) []byte {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = byte(i * i >> 3)
	}
	for y := range h {
		m.Set(0, y, color.RGBA{1, 2, 3, 255})
	}
	var b bytes.Buffer
	png.Encode(&b, m)
	return b.Bytes()
}

func TestDecodeSheetBad(t *testing.T) {
	huge := pngOf(plane, 2)
	copy(huge[16:], []byte{0x7f, 0xff, 0xff, 0xff}) // the width it claims
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":        {nil, "EOF"},
		"no PNG":       {[]byte("<html>not found</html>"), "not a PNG"},
		"other size":   {pngOf(32, 32), "32 by 32 pixels, want 1024 by 2"},
		"a huge claim": {huge, "png"},
		"truncated":    {pngOf(plane, 2)[:100], "png"},
	} {
		_, err := decodeSheet(bytes.NewReader(c.b), int64(len(c.b)), 2)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
	if _, err := decodeSheet(nil, 1<<40, 2); err == nil || !strings.Contains(err.Error(), "want at most") {
		t.Errorf("a terabyte: got error %v", err)
	}
}

func TestDecodeLabels(t *testing.T) {
	got, err := decodeLabels(strings.NewReader("[3, 9,0]"), 10)
	if err != nil || !bytes.Equal(got, []byte{3, 9, 0}) {
		t.Errorf("got %v and error %v, want [3 9 0]", got, err)
	}
	for _, bad := range []string{"", "{}", "[10]", "[-1]", "[1.5]", `["1"]`, "[1,", "[" + strings.Repeat(" ", 2<<20) + "1]"} {
		if got, err := decodeLabels(strings.NewReader(bad), 10); err == nil {
			t.Errorf("%.20q: got %v and no error", bad, got)
		}
	}
}

func FuzzSheet(f *testing.F) {
	f.Add(pngOf(plane, 2), []byte("[1,2]"))
	f.Add(pngOf(plane, 1)[:60], []byte("[300]"))
	f.Fuzz(func(t *testing.T, b, list []byte) {
		labels, err := decodeLabels(bytes.NewReader(list), 10)
		if err == nil && len(labels) > len(list) {
			t.Errorf("got %d labels from %d bytes", len(labels), len(list))
		}
		sheet, err := decodeSheet(bytes.NewReader(b), int64(len(b)), 2)
		if err != nil {
			return
		}
		var rows bytes.Buffer
		if err := writeRows(&rows, sheet, []uint8{1, 2}); err != nil || rows.Len() != 2*(1+imageSize) {
			t.Errorf("got %d bytes and error %v", rows.Len(), err)
		}
	})
}
