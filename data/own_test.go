package data

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
)

// painted is a picture of w x h pixels, in which every pixel encodes its
// position.
func painted(w, h int, grey bool) image.Image {
	if grey {
		m := image.NewGray(image.Rect(0, 0, w, h))
		for i := range m.Pix {
			m.Pix[i] = uint8(i%w*255/w + i/w)
		}
		return m
	}
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(x * 255 / w), uint8(y * 255 / h), uint8(x ^ y), 255})
		}
	}
	return m
}

// encoded is a picture as a file of that type.
func encoded(t testing.TB, m image.Image, kind string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch kind {
	case "png":
		err = png.Encode(&b, m)
	case "jpg":
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	case "bmp":
		err = bmp.Encode(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// flowers is a folder of two classes with n pictures each, of varied type and size.
func flowers(t *testing.T, n int, grey bool) map[string][]byte {
	files := map[string][]byte{"readme.txt": []byte("hello"), ".hidden/a.png": []byte("no picture")}
	for c, class := range []string{"rose", "tulip"} {
		for i := range n {
			kind := []string{"png", "jpg", "bmp"}[i%3]
			files[fmt.Sprintf("%s/%03d.%s", class, i, kind)] = encoded(t, painted(40+i+c, 33+2*i, grey), kind)
		}
		files[class+"/notes.txt"] = []byte("no picture")
	}
	return files
}

// ownOptions read the folder dir as the user's own, with a cache of the test's.
func ownOptions(t *testing.T, dir string) Options {
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "cache"))
	return Options{Own: true, Dir: dir}
}

func TestFolder(t *testing.T) {
	for _, grey := range []bool{false, true} {
		dir := writeFiles(t, flowers(t, 20, grey))
		opt := ownOptions(t, dir)
		s, err := Load(t.Context(), "flowers", opt)
		if err != nil {
			t.Fatal(err)
		}
		channels := 3
		if grey {
			channels = 1
		}
		if s.Train.Len() != 32 || s.Test.Len() != 8 || s.Side != 32 || s.Channels != channels || !slices.Equal(s.Classes, []string{"rose", "tulip"}) || s.Name != "flowers" {
			t.Errorf("grey %v: got %d and %d images, %d x %d, classes %v", grey, s.Train.Len(), s.Test.Len(), s.Channels, s.Side, s.Classes)
		}
		counts := [2]int{}
		for _, l := range s.Test.Labels {
			counts[l]++
		}
		if counts != [2]int{4, 4} {
			t.Errorf("the test images are %v of the classes, want a fifth of each", counts)
		}
		again, err := Load(t.Context(), "flowers", opt)
		if err != nil || again.Sum != s.Sum || !bytes.Equal(again.Train.Image(3), s.Train.Image(3)) {
			t.Errorf("from the cache: %v, or other images", err)
		}
		opt.Side = 16
		if small, err := Load(t.Context(), "flowers", opt); err != nil || small.Side != 16 || small.Train.ImageSize != channels*256 || small.Sum == s.Sum {
			t.Errorf("of side 16: got %v", err)
		}
	}
}

// What is kept is used, and not once it is damaged or the folder has changed.
func TestKept(t *testing.T) {
	dir := writeFiles(t, flowers(t, 12, false))
	opt := ownOptions(t, dir)
	first, err := Load(t.Context(), "flowers", opt)
	if err != nil {
		t.Fatal(err)
	}
	kept := keptFile(opt)
	list, classes, _ := listFolder(dir)
	whole, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readKept(kept, fingerprint(list, classes, opt)); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 1 + len(whole)/97 {
		if _, err := parseKept(bytes.NewReader(flipped(whole, at)), int64(len(whole)), fingerprint(list, classes, opt)); err == nil {
			t.Errorf("byte %d changed: got no error", at)
		}
	}
	if err := os.WriteFile(kept, flipped(whole, len(whole)/2), 0o644); err != nil {
		t.Fatal(err)
	}
	if again, err := Load(t.Context(), "flowers", opt); err != nil || again.Sum != first.Sum {
		t.Errorf("after damage: %v", err)
	}
	if mended, err := os.ReadFile(kept); err != nil || !bytes.Equal(mended, whole) {
		t.Errorf("the damaged file was not made anew: %v", err)
	}
	os.Remove(filepath.Join(dir, "rose", "003.png"))
	opt.Sum = first.Sum
	if _, err := Load(t.Context(), "flowers", opt); err == nil || !strings.Contains(err.Error(), "are others") {
		t.Errorf("a picture less: got error %v", err)
	}
}

func TestFolderSplit(t *testing.T) {
	files := map[string][]byte{}
	for name, b := range flowers(t, 15, false) {
		files["train/"+name] = b
		if strings.Contains(name, "/00") {
			files["valid/"+name] = b
		}
		if strings.Contains(name, "/01") {
			files["Test/"+name] = b
		}
	}
	s, err := Load(t.Context(), "flowers", ownOptions(t, writeFiles(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	if s.Train.Len() != 30 || s.Val.Len() != 20 || s.Test.Len() != 10 {
		t.Errorf("got %d, %d, %d images, want 30, 20, 10", s.Train.Len(), s.Val.Len(), s.Test.Len())
	}
	files["more/rose/1.png"] = nil
	if _, err := Load(t.Context(), "flowers", ownOptions(t, writeFiles(t, files))); err == nil || !strings.Contains(err.Error(), "more beside train") {
		t.Errorf("a folder too many: got error %v", err)
	}
}

func TestSkipBad(t *testing.T) {
	files := flowers(t, 10, false)
	good := files["rose/000.png"]
	files["rose/broken.png"] = good[:len(good)/2]
	files["tulip/page.jpg"] = []byte("<html>not found</html>")
	files["tulip/empty.bmp"] = nil
	dir := writeFiles(t, files)
	opt := ownOptions(t, dir)
	_, err := Load(t.Context(), "flowers", opt)
	if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "rose", "broken.png")) || !strings.Contains(err.Error(), "2 more") || !strings.Contains(err.Error(), "--skip-bad") {
		t.Errorf("got error %v", err)
	}
	opt.SkipBad = true
	for range 2 { // decoded, and from the cache
		s, err := Load(t.Context(), "flowers", opt)
		if err != nil {
			t.Fatal(err)
		}
		if s.Train.Len()+s.Test.Len() != 20 || len(s.Skipped) != 3 || !strings.HasPrefix(s.Skipped[0], filepath.Join("rose", "broken.png")+": PNG: ") {
			t.Errorf("got %d images, skipped %q", s.Train.Len()+s.Test.Len(), s.Skipped)
		}
	}
}

func TestOwnRefuses(t *testing.T) {
	one := writeFiles(t, map[string][]byte{"rose/1.png": encoded(t, painted(32, 32, false), "png")})
	for name, c := range map[string]struct {
		opt  Options
		want string
	}{
		"nothing there":     {Options{Dir: filepath.Join(one, "gone")}, "not there any more"},
		"an empty folder":   {Options{Dir: t.TempDir()}, "no pictures in it"},
		"one class":         {Options{Dir: one}, "1 classes, want 2"},
		"another kind":      {Options{Dir: filepath.Join(one, "rose", "1.png")}, "own images are a folder"},
		"a side too small":  {Options{Dir: one, Side: 7}, "side: must be from 8 to 96, not 7"},
		"channels too many": {Options{Dir: one, Channels: 2}, "channels: must be 1 or 3"},
	} {
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
		c.opt.Own = true
		if _, err := Load(t.Context(), "x", c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestPictureRefuses(t *testing.T) {
	good := encoded(t, painted(50, 40, false), "png")
	huge := slices.Clone(good)
	binary.BigEndian.PutUint32(huge[16:], 5000) // the width it claims; the checksum is then wrong too
	bomb := slices.Clone(encoded(t, painted(50, 40, false), "bmp"))
	binary.LittleEndian.PutUint32(bomb[18:], 30000)
	binary.LittleEndian.PutUint32(bomb[22:], 1000)
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty": {nil, "not a PNG"}, "text": {[]byte("hello"), "not a PNG"},
		"cut": {good[:60], "PNG"}, "a wrong checksum": {huge, "PNG"}, "a claim": {bomb[:2000], "too few"},
		"a JPEG's beginning": {[]byte("\xff\xd8\xff"), "JPEG"}, "a WebP's": {[]byte("RIFF\x04\x00\x00\x00WEBPVP8 "), "WebP"},
	} {
		if _, _, err := decodePicture(c.b, 32, maxPixels); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
	if _, _, err := decodePicture(good, 32, 1999); err == nil || !strings.Contains(err.Error(), "50 x 40 pixels, want at most 1999") {
		t.Errorf("beyond the limit: got error %v", err)
	}
}

// The filter keeps what is even, what is the same, and means; it is symmetrical; and
// the middle square is what is taken.
func TestResize(t *testing.T) {
	for _, c := range [][2]int{{8, 96}, {96, 8}, {28, 32}, {33, 32}, {500, 32}, {32, 31}, {1, 8}} {
		from, to := c[0], c[1]
		s := newScaler(from, to)
		src, dst := make([]uint8, from*from), make([]uint8, to*to)
		for i := range src {
			src[i] = 200
		}
		s.plane(dst, src)
		if slices.Min(dst) != 200 || slices.Max(dst) != 200 {
			t.Errorf("%v: an even image got %d to %d", c, slices.Min(dst), slices.Max(dst))
		}
		for i := range src {
			src[i] = uint8(i % from * 255 / max(1, from-1))
		}
		s.plane(dst, src)
		for x := range to {
			if x > 0 && dst[x] < dst[x-1] {
				t.Errorf("%v: a ramp got %v", c, dst[:to])
				break
			}
			if d := int(dst[x]) + int(dst[to-1-x]) - 255; from > 1 && (d < -2 || d > 2) {
				t.Errorf("%v: a ramp is not symmetrical: %v", c, dst[:to])
				break
			}
		}
	}
	// Twice as small: each pixel from 1 3 3 1 over 8 of a row and a column.
	s := newScaler(16, 8)
	src, dst := make([]uint8, 256), make([]uint8, 64)
	src[4*16+6] = 255
	s.plane(dst, src)
	if got, want := dst[2*8+3], uint8((255*9+32)/64); got != want {
		t.Errorf("a point became %d, want %d", got, want)
	}
	pix, _, err := decodePicture(encoded(t, painted(96, 32, false), "png"), 32, maxPixels)
	if err != nil || pix[0] != 32*255/96 || pix[31] != 63*255/96 {
		t.Errorf("the middle square begins with %d, ends with %d, %v", pix[0], pix[31], err)
	}
}

// npyOf is an array as NumPy writes it.
func npyOf(descr string, body []byte, shape ...int) []byte {
	dims := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(shape)), ", "), "[]")
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }\n", descr, dims)
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))
	return append(append(b, head...), body...)
}

func npzOf(t testing.TB, members map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, m := range members {
		w, err := z.Create(name + ".npy")
		if err == nil {
			_, err = w.Write(m)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// toyNPZ are 20 images to train on and 5 to test on, channels innermost or not.
func toyNPZ(nchw bool) map[string][]byte {
	image := func(n int) []byte {
		b := make([]byte, n*300)
		for i := range b {
			b[i] = byte(i * 7 >> 1)
		}
		if nchw {
			for at := 0; at < len(b); at += 300 {
				var planes []byte
				for c := range 3 {
					for i := range 100 {
						planes = append(planes, b[at+3*i+c])
					}
				}
				copy(b[at:], planes)
			}
		}
		return b
	}
	shape := func(n int) []int {
		if nchw {
			return []int{n, 3, 10, 10}
		}
		return []int{n, 10, 10, 3}
	}
	var train []byte
	for i := range 20 {
		train = binary.LittleEndian.AppendUint64(train, uint64(i%3))
	}
	names := make([]byte, 0, 3*5*4)
	for _, n := range []string{"a\x00\x00\x00\x00", "bcd\x00\x00", "żółty"} {
		for _, r := range n {
			names = binary.LittleEndian.AppendUint32(names, uint32(r))
		}
	}
	return map[string][]byte{
		"x_train": npyOf("|u1", image(20), shape(20)...), "y_train": npyOf("<i8", train, 20),
		"x_test": npyOf("|u1", image(5), shape(5)...), "y_test": npyOf("|u1", []byte{0, 1, 2, 1, 0}, 5, 1),
		"classes": npyOf("<U5", names, 3),
	}
}

func TestNPZ(t *testing.T) {
	var first *Set
	for _, nchw := range []bool{false, true} {
		dir := writeFiles(t, map[string][]byte{"my data.npz": npzOf(t, toyNPZ(nchw))})
		path := filepath.Join(dir, "my data.npz")
		if !IsOwn(path) || OwnName(path) != "my-data" {
			t.Errorf("own %v, name %q", IsOwn(path), OwnName(path))
		}
		s, err := Load(t.Context(), OwnName(path), Options{Own: true, Dir: path})
		if err != nil {
			t.Fatal(err)
		}
		if s.Train.Len() != 20 || s.Test.Len() != 5 || s.Side != 10 || s.Channels != 3 || !slices.Equal(s.Classes, []string{"a", "bcd", "żółty"}) || s.Train.Labels[5] != 2 {
			t.Errorf("got %d and %d images, %d x %d, %q", s.Train.Len(), s.Test.Len(), s.Channels, s.Side, s.Classes)
		}
		if at := 3*41 + 300*7 + 2; s.Train.Image(7)[200+41] != byte(at*7>>1) {
			t.Errorf("pixel 41 of image 7 is %d in blue", s.Train.Image(7)[200+41])
		}
		if first != nil && first.Sum != s.Sum {
			t.Errorf("NHWC and NCHW are different images: %s, %s", first.Sum, s.Sum)
		}
		first = s
	}
}

func TestNPZRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		member string
		array  []byte
		want   string
	}{
		"floats":            {"x_train", npyOf("<f4", make([]byte, 20*300*4), 20, 10, 10, 3), "x_train: its numbers are f4"},
		"no squares":        {"x_train", npyOf("|u1", make([]byte, 20*200), 20, 10, 20), "shape [20 10 20]"},
		"a huge claim":      {"x_train", npyOf("|u1", nil, 1<<30, 96, 96, 3), "shape"},
		"a claim too far":   {"x_train", npyOf("|u1", nil, 60000, 96, 96, 3), "bytes for it"},
		"too short":         {"x_train", npyOf("|u1", make([]byte, 20*299), 20, 10, 10, 3), "ends after"},
		"too long":          {"x_train", npyOf("|u1", make([]byte, 20*300+1), 20, 10, 10, 3), "goes on"},
		"no array":          {"x_train", []byte("hello, world"), "no NumPy array"},
		"other labels":      {"y_train", npyOf("|u1", make([]byte, 19), 19), "19 labels, and 20 images"},
		"a negative label":  {"y_train", npyOf("|i1", bytes.Repeat([]byte{255}, 20), 20), "label 0 is not from 0"},
		"a label too large": {"y_train", npyOf("<u4", bytes.Repeat([]byte{0, 0, 1, 0}, 20), 20), "label 0 is not from 0"},
		"too few names":     {"classes", npyOf("|S1", []byte("ab"), 2), "2 names, and labels up to 2"},
		"other test images": {"x_test", npyOf("|u1", make([]byte, 5*100), 5, 10, 10), "those to train on are 3 x 10 x 10"},
	} {
		members := toyNPZ(false)
		members[c.member] = c.array
		b := npzOf(t, members)
		_, err := parseNPZ(t.Context(), bytes.NewReader(b), int64(len(b)), maxPix)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
	members := toyNPZ(false)
	delete(members, "y_test")
	b := npzOf(t, members)
	if _, err := parseNPZ(t.Context(), bytes.NewReader(b), int64(len(b)), maxPix); err == nil || !strings.Contains(err.Error(), "no x_test and y_test") {
		t.Errorf("without labels: got error %v", err)
	}
}

func TestBins(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{
		"data_batch_1.bin": toyRows(1, 30, 1, 4), "data_batch_2.bin": toyRows(2, 30, 1, 4), "test_batch.bin": toyRows(3, 10, 1, 4),
		"batches.meta.txt": []byte("ant\nbee\ncat\ndog\n"),
	})
	s, err := Load(t.Context(), "own", Options{Own: true, Dir: dir})
	if err != nil || s.Train.Len() != 60 || s.Test.Len() != 10 || s.Side != 32 || s.Classes[3] != "dog" {
		t.Errorf("got other images, or %v", err)
	}
	if _, err := Load(t.Context(), "own", Options{Own: true, Dir: dir, Side: 16}); err == nil || !strings.Contains(err.Error(), "want rows of a label byte and 768 pixels") {
		t.Errorf("another side: got error %v", err)
	}
	var rows []byte
	for i := range 40 {
		rows = append(append(rows, byte(i%2)), bytes.Repeat([]byte{byte(i)}, 81)...)
	}
	dir = writeFiles(t, map[string][]byte{"mine.bin": rows})
	s, err = Load(t.Context(), "mine", Options{Own: true, Dir: filepath.Join(dir, "mine.bin"), Side: 9, Channels: 1})
	if err != nil || s.Train.Len() != 32 || s.Test.Len() != 8 || s.Side != 9 || s.Channels != 1 {
		t.Errorf("got other images, or %v", err)
	}
}

// A set of the table is made as large as one wishes, in grey or in colour.
func TestFit(t *testing.T) {
	s, err := Load(t.Context(), "digits", Options{Side: 20, Channels: 1})
	if err != nil || s.Side != 20 || s.Channels != 1 || s.Train.ImageSize != 400 || len(s.Train.Pix) != 400*s.Train.Len() {
		t.Errorf("got %d x %d, %v", s.Channels, s.Side, err)
	}
	for _, c := range [][2]int{{7, 0}, {97, 0}, {0, 2}} {
		if err := s.fit(c[0], c[1], maxPix); err == nil {
			t.Errorf("%v: got no error", c)
		}
	}
}

func FuzzPicture(f *testing.F) {
	for _, kind := range []string{"png", "jpg", "bmp"} {
		f.Add(encoded(f, painted(9, 12, false), kind))
		f.Add(encoded(f, painted(12, 9, true), kind))
	}
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		pix, _, err := decodePicture(b, 8, 1<<10)
		if err == nil && len(pix) != 3*64 {
			t.Errorf("got %d bytes", len(pix))
		}
	})
}

func FuzzNPZ(f *testing.F) {
	for name, m := range toyNPZ(true) {
		f.Add(m, name == "classes")
	}
	f.Fuzz(func(t *testing.T, b []byte, names bool) {
		// Without the archive around it, whose reader is the standard library's.
		a, err := npyHeader(bytes.NewReader(b))
		if err == nil && (a.width < 0 || len(a.shape) > 8 || a.count < 0) {
			t.Errorf("got %+v", a)
		}
	})
}

// An .npz of zeros is small; what it unpacks to is refused before it is unpacked.
func TestNPZLargerThanMemory(t *testing.T) {
	members := toyNPZ(false)
	members["x_train"] = npyOf("|u1", make([]byte, 1<<20), 1<<10, 32, 32)
	b := npzOf(t, members)
	if _, err := parseNPZ(t.Context(), bytes.NewReader(b), int64(len(b)), 1<<19); err == nil || !strings.Contains(err.Error(), "x_train: shape [1024 32 32] takes") {
		t.Errorf("got error %v", err)
	}
}

// The archives are small and stored as they are: what a compressed member costs is
// the standard library's time.
func FuzzNPZFile(f *testing.F) {
	members := map[string][]byte{
		"x_train": npyOf("|u1", make([]byte, 128), 2, 8, 8), "y_train": npyOf("<u2", []byte{0, 0, 1, 0}, 2),
		"classes": npyOf("|S1", []byte("ab"), 2),
	}
	f.Add(npzOf(f, members))
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"x_train", "y_train"} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
		if err == nil {
			_, err = w.Write(members[name])
		}
		if err != nil {
			f.Fatal(err)
		}
	}
	z.Close()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseNPZ(t.Context(), bytes.NewReader(b), int64(len(b)), 1<<24)
		if err == nil && len(s.Train.Pix) != s.Train.Len()*s.Train.ImageSize {
			t.Errorf("%d bytes of pixels for %d images", len(s.Train.Pix), s.Train.Len())
		}
	})
}

func FuzzKept(f *testing.F) {
	s := &Set{Channels: 1, Side: 8, Classes: []string{"a", "b"}, Train: Images{Pix: make([]uint8, 128), Labels: []uint16{0, 1}, ImageSize: 64}}
	path := filepath.Join(f.TempDir(), "kept")
	if err := writeKept(path, "print", s); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseKept(bytes.NewReader(b), int64(len(b)), "print"); err == nil && len(s.Train.Pix) != s.Train.Len()*s.Train.ImageSize {
			t.Errorf("%d bytes of pixels for %d images", len(s.Train.Pix), s.Train.Len())
		}
	})
}

// A class of one picture has none left to train on when a fifth is held out.
func TestClassesOfOnePicture(t *testing.T) {
	files := map[string][]byte{}
	for i := range 12 {
		files[fmt.Sprintf("class%02d/a.png", i)] = encoded(t, painted(9, 9, false), "png")
	}
	if _, err := Load(t.Context(), "few", ownOptions(t, writeFiles(t, files))); err == nil || !strings.Contains(err.Error(), "held out to test") || !strings.Contains(err.Error(), "has no training images") {
		t.Errorf("got %v", err)
	}
}

// A small file may not ask for more memory than there is.
func TestFitInMemory(t *testing.T) {
	s := &Set{Channels: 1, Side: 28, Train: Images{ImageSize: 784, Labels: make([]uint16, 1_000_000)}}
	if err := s.fit(96, 3, 1<<30); err == nil || !strings.Contains(err.Error(), "--side") {
		t.Errorf("got %v", err)
	}
	opt := ownOptions(t, writeFiles(t, flowers(t, 20, false)))
	opt.Memory = 1000
	if _, err := Load(t.Context(), "flowers", opt); err == nil || !strings.Contains(err.Error(), "on this machine") {
		t.Errorf("got %v", err)
	}
}

// A path is a pattern of itself, whatever is in it.
func TestGlobbed(t *testing.T) {
	for _, name := range []string{"job[12]", `a\b`, "x*y?", "[[]"} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, `\*?`) {
			continue
		}
		dir := filepath.Join(t.TempDir(), name)
		if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(filepath.Join(dir, "1.bin"), nil, 0o666)); err != nil {
			t.Fatal(err)
		}
		if got, err := filepath.Glob(filepath.Join(globbed(dir), "*.bin")); err != nil || len(got) != 1 {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}
