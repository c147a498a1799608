package data

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tiff is EXIF with the tag Orientation, of that type and count, behind another.
func tiff(order binary.AppendByteOrder, kind uint16, count uint32, value uint16) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, tag := range []uint16{0x10f, 0x112} {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, kind)
		b = order.AppendUint32(b, count)
		b = order.AppendUint16(b, value)
		b = append(b, 0, 0)
	}
	return order.AppendUint32(b, 0)
}

// withEXIF is the picture b with EXIF in it, where its kind has that.
func withEXIF(b []byte, exif []byte) []byte {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8")): // behind a comment, a byte that fills
		text := append([]byte("Exif\x00\x00"), exif...)
		head := append([]byte("\xff\xd8\xff\xfe\x00\x06text\xff\xff\xe1"), byte((len(text)+2)>>8), byte(len(text)+2))
		return slices.Concat(head, text, b[2:])
	case bytes.HasPrefix(b, []byte("\x89PNG")): // behind the header
		chunk := binary.BigEndian.AppendUint32(nil, uint32(len(exif)))
		chunk = append(append(chunk, "eXIf"...), exif...)
		chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
		return slices.Concat(b[:33], chunk, b[33:])
	default: // WebP, at its end
		exif = append([]byte("Exif\x00\x00"), exif...)
		b = append(slices.Clone(b), "EXIF"...)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(exif))), exif...)
		b = append(b, make([]byte, len(exif)&1)...)
		binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
		return b
	}
}

// webpPicture is a WebP picture without loss, 12 x 9.
var webpPicture = func() []byte {
	b, err := base64.StdEncoding.DecodeString("UklGRloAAABXRUJQVlA4TE4AAAAvCwACAJkyRPQ/NlH46H84HLZtG0he4/df9fEzfBlAGAoyaRv29p7USayciYj8b399MJ8mSWccGPFcQ5J0mD1fl16Szog3MLqkIel8Tx4=")
	if err != nil {
		panic(err)
	}
	return b
}()

// TestOrientation: a picture that lies on its side is what is seen of it. What EXIF
// says of its own rows and columns is taken from the standard: where the first row
// and the first column are seen.
func TestOrientation(t *testing.T) {
	sides := [][2]string{1: {"top", "left"}, {"top", "right"}, {"bottom", "right"}, {"bottom", "left"}, {"left", "top"}, {"right", "top"}, {"right", "bottom"}, {"left", "bottom"}}
	for _, size := range []image.Point{{31, 20}, {20, 31}, {30, 17}, {16, 16}} {
		seen := painted(size.X, size.Y, false)
		want, _, err := decodePicture(encoded(t, seen, "png"), 16, maxPixels)
		if err != nil {
			t.Fatal(err)
		}
		for o := 1; o <= 8; o++ {
			rows, cols := size.Y, size.X
			if o > 4 {
				rows, cols = cols, rows
			}
			lies := image.NewRGBA(image.Rect(0, 0, cols, rows))
			for r := range rows {
				for c := range cols {
					var x, y int
					for i, at := range []int{r, c} {
						switch sides[o][i] {
						case "top":
							y = at
						case "bottom":
							y = size.Y - 1 - at
						case "left":
							x = at
						case "right":
							x = size.X - 1 - at
						}
					}
					lies.Set(c, r, seen.At(x, y))
				}
			}
			path := filepath.Join(t.TempDir(), "lies.png")
			if err := os.WriteFile(path, withEXIF(encoded(t, lies, "png"), tiff(binary.BigEndian, 3, 1, uint16(o))), 0o666); err != nil {
				t.Fatal(err)
			}
			got, wide, high, err := Picture(path, 3, 16)
			if err != nil || !bytes.Equal(got, want) || wide != size.X || high != size.Y {
				t.Errorf("orientation %d of %v: got other pixels, %d x %d, %v", o, size, wide, high, err)
			}
		}
	}
}

// TestEXIF: the tag is found in every kind of picture, and what is broken says
// nothing.
func TestEXIF(t *testing.T) {
	m := painted(9, 12, false)
	for name, b := range map[string][]byte{"JPEG": encoded(t, m, "jpg"), "PNG": encoded(t, m, "png"), "WebP": webpPicture} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			good := withEXIF(b, tiff(order, 3, 1, 6))
			if got := orientation(good); got != 6 {
				t.Errorf("%s, %v: got orientation %d", name, order, got)
			}
			if _, _, err := decodePicture(good, 8, maxPixels); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for n := range good {
				if got := orientation(good[:n]); got != 1 && got != 6 {
					t.Errorf("%s, cut after %d: got orientation %d", name, n, got)
				}
			}
			for what, exif := range map[string][]byte{
				"no tag": tiff(order, 3, 1, 6)[:22], "orientation 0": tiff(order, 3, 1, 0), "orientation 9": tiff(order, 3, 1, 9),
				"a text": tiff(order, 2, 1, 6), "two": tiff(order, 3, 2, 6), "nothing": nil, "another": []byte("III*\x00"),
				"beyond the end": order.AppendUint32(bytes.Clone(tiff(order, 3, 1, 6)[:4]), 1<<31),
			} {
				if got := orientation(withEXIF(b, exif)); got != 1 {
					t.Errorf("%s, %s: got orientation %d", name, what, got)
				}
			}
		}
		if got := orientation(b); got != 1 {
			t.Errorf("%s without EXIF: got orientation %d", name, got)
		}
	}
}

// A folder's pictures are read as they are seen, and are others than those that lie.
func TestFolderOrientation(t *testing.T) {
	files := flowers(t, 12, false)
	dir := writeFiles(t, files)
	lying, err := Load(t.Context(), "own", ownOptions(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if strings.HasSuffix(name, ".jpg") {
			files[name] = withEXIF(b, tiff(binary.LittleEndian, 3, 1, 3))
		}
	}
	seen, err := Load(t.Context(), "own", ownOptions(t, writeFiles(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	if seen.Sum == lying.Sum {
		t.Error("EXIF in the pictures of a folder changes nothing")
	}
}

// FuzzOrientation: whatever stands in a picture's file, it says one of eight things.
func FuzzOrientation(f *testing.F) {
	for _, b := range [][]byte{encoded(f, painted(9, 12, false), "jpg"), encoded(f, painted(9, 12, false), "png"), webpPicture} {
		f.Add(withEXIF(b, tiff(binary.LittleEndian, 3, 1, 6)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if o := orientation(b); o < 1 || o > 8 {
			t.Errorf("got orientation %d", o)
		}
	})
}

// TestPictureKinds: pictures of kinds that this package writes none of.
func TestPictureKinds(t *testing.T) {
	// One colour, 8 x 8: C 0, M 200, Y 250, K 20 of 255, inverted as Adobe's.
	cmyk, err := base64.StdEncoding.DecodeString("/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdoZz5NcXlwZHhcZWdj/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAYH/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EQwBNAFkASwAAPwCgDQCbP//Z")
	if err != nil {
		t.Fatal(err)
	}
	pix, grey, err := decodePicture(cmyk, 8, maxPixels)
	if err != nil || grey {
		t.Fatalf("CMYK: grey %v, %v", grey, err)
	}
	for c, want := range []int{235, 51, 5} {
		if got := int(pix[64*c]); got < want-6 || got > want+6 {
			t.Errorf("CMYK: got %d of channel %d, want %d", got, c, want)
		}
	}
	// Its pixels are (20x, 25y, 10(x^y)); the middle square begins at x = 1.
	pix, _, err = decodePicture(webpPicture, 9, maxPixels)
	if err != nil || pix[0] != 20 || pix[8] != 180 || pix[81+9] != 25 || pix[162+1] != 20 {
		t.Errorf("WebP: got %v, %v", pix, err)
	}
	deep := image.NewNRGBA64(image.Rect(0, 0, 8, 8))
	draw.Draw(deep, deep.Bounds(), image.NewUniform(color.NRGBA64{0xffff, 0x8000, 0, 0x8000}), image.Point{}, draw.Src)
	pix, _, err = decodePicture(encoded(t, deep, "png"), 8, maxPixels)
	if err != nil || pix[0] < 127 || pix[0] > 128 || pix[64] < 63 || pix[64] > 64 || pix[128] != 0 {
		t.Errorf("PNG of 16 bits, half transparent: got %v, %v", pix, err)
	}
}

// TestPictureBombs: what says that it is large is refused before room is made for
// it, and moving pictures are none.
func TestPictureBombs(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	large := b.Bytes()
	binary.BigEndian.PutUint32(large[16:], 65535)
	binary.BigEndian.PutUint32(large[20:], 65535)
	binary.BigEndian.PutUint32(large[29:], crc32.ChecksumIEEE(large[12:29]))
	vp8x := []byte("RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00")
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"PNG":                   {large, "65535 x 65535 pixels"},
		"JPEG":                  {[]byte("\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"), "65535 x 65535 pixels"},
		"WebP":                  {slices.Concat(vp8x, []byte("\x00\x00\x00\x00\xff\x3f\x00\xff\x3f\x00"), make([]byte, 4)), "16384 x 16384 pixels"},
		"WebP, a lying header":  {slices.Concat(vp8x, []byte("\x00\x00\x00\x00\x07\x00\x00\x07\x00\x00"), webpPicture[12:]), "WebP"},
		"WebP, moving":          {slices.Concat(vp8x, []byte("\x02\x00\x00\x00\x07\x00\x00\x07\x00\x00ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00")), "animated"},
		"WebP, nothing in it":   {slices.Concat(vp8x, []byte("\x00\x00\x00\x00\x07\x00\x00\x07\x00\x00")), "WebP"},
		"WebP, a chunk too far": {[]byte("RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff/\x00\x00"), "WebP"},
	} {
		if _, _, err := decodePicture(c.b, 8, maxPixels); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
}
