package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"sync"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// Bounds of a picture, which is looked at before room is made for its pixels.
const (
	maxPicture = 64 << 20 // bytes of a file
	maxPixels  = 1 << 25
	maxWide    = 1 << 15 // pixels of either side

	// Pixels that a byte of a file holds at most: DEFLATE makes 1032 bytes of one,
	// and a byte is eight pixels of a PNG of two colours.
	pixelsAByte = 8 * deflateMost
)

// pictureTypes are the endings of files that are taken for pictures.
var pictureTypes = []string{".png", ".jpg", ".jpeg", ".webp", ".bmp"}

// codec decodes one kind of picture.
type codec struct {
	name   string
	is     func(b []byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

func begins(with string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(with)) }
}

// codecs are told by how a file begins, whatever it is called.
var codecs = []codec{
	{"PNG", begins("\x89PNG\r\n\x1a\n"), png.DecodeConfig, png.Decode},
	{"JPEG", begins("\xff\xd8"), jpeg.DecodeConfig, jpeg.Decode},
	{"WebP", func(b []byte) bool { return len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP" }, webp.DecodeConfig, webp.Decode},
	{"BMP", begins("BM"), bmp.DecodeConfig, bmp.Decode},
}

// codecOf is the codec for the picture in b, and its size, which is within the
// bounds and within limit pixels.
func codecOf(b []byte, limit int) (c codec, w, h int, err error) {
	i := slices.IndexFunc(codecs, func(c codec) bool { return c.is(b) })
	if i < 0 {
		return c, 0, 0, errors.New("not a PNG, JPEG, WebP or BMP picture")
	}
	c = codecs[i]
	if c.name == "WebP" && len(b) > 20 && string(b[12:16]) == "VP8X" && b[20]&2 != 0 {
		return c, 0, 0, errors.New("WebP: it is animated; save one of its pictures as a file")
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a broken %s picture: %v", c.name, r)
		}
	}()
	config, err := c.config(bytes.NewReader(b))
	if err != nil {
		return c, 0, 0, fmt.Errorf("%s: %w", c.name, err)
	}
	w, h = config.Width, config.Height
	switch {
	case w < 1 || h < 1 || w > maxWide || h > maxWide || w*h > limit:
		return c, w, h, fmt.Errorf("%s: %d x %d pixels, want at most %d together; make it smaller first", c.name, w, h, limit)
	case w*h > 1<<16 && w*h/pixelsAByte > len(b):
		return c, w, h, fmt.Errorf("%s: %d bytes are too few for %d x %d pixels", c.name, len(b), w, h)
	}
	return c, w, h, nil
}

// decodePicture gives three planes of side x side bytes of the middle square of
// the picture in b as it is seen, transparency over black, and whether all of it
// is grey.
func decodePicture(b []byte, side, limit int) (pix []uint8, grey bool, err error) {
	c, w, h, err := codecOf(b, limit)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if r := recover(); r != nil {
			pix, err = nil, fmt.Errorf("a broken %s picture: %v", c.name, r)
		}
	}()
	m, err := c.decode(bytes.NewReader(b))
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", c.name, err)
	}
	if got := m.Bounds(); got.Dx() != w || got.Dy() != h {
		return nil, false, fmt.Errorf("%s: it decodes to %d x %d pixels and claims %d x %d", c.name, got.Dx(), got.Dy(), w, h)
	}
	from, lies := min(w, h), lyings[orientation(b)-1]
	square := image.NewRGBA(image.Rect(0, 0, from, from))
	at := m.Bounds().Min.Add(image.Pt(middle(w, from, lies.flipX), middle(h, from, lies.flipY)))
	draw.Draw(square, square.Bounds(), m, at, draw.Src)
	plane, scale := make([]uint8, from*from), newScaler(from, side)
	pix = make([]uint8, 3*side*side)
	for c := range 3 {
		for y := range from {
			for x := range from {
				plane[y*from+x] = square.Pix[4*lies.place(from, x, y)+c]
			}
		}
		scale.plane(pix[c*side*side:][:side*side], plane)
	}
	area := side * side
	grey = bytes.Equal(pix[:area], pix[area:2*area]) && bytes.Equal(pix[:area], pix[2*area:])
	return pix, grey, nil
}

// Picture reads the picture at path as a network for images of that shape takes
// it, and tells its own size, as it is seen: the middle square of it, resized; see
// scaler.
func Picture(path string, channels, side int) (pix []uint8, wide, high int, err error) {
	b, err := readSmall(path, maxPicture)
	if err != nil {
		return nil, 0, 0, err
	}
	if _, wide, high, err = codecOf(b, maxPixels); err != nil {
		return nil, wide, high, fmt.Errorf("%s: %w", path, err)
	}
	if pix, _, err = decodePicture(b, side, maxPixels); err != nil {
		return nil, wide, high, fmt.Errorf("%s: %w", path, err)
	}
	if lyings[orientation(b)-1].swap {
		wide, high = high, wide
	}
	if channels == 1 {
		greyOf(pix, pix)
		pix = pix[:side*side]
	}
	return pix, wide, high, nil
}

// budget is how many pixels are decoded at once, by all who decode.
type budget struct {
	mu   sync.Mutex
	cond *sync.Cond
	left int
}

func newBudget(pixels int) *budget {
	b := &budget{left: pixels}
	b.cond = sync.NewCond(&b.mu)
	return b
}

// take waits until n, no more than there are in all, are left.
func (b *budget) take(n int) {
	b.mu.Lock()
	for b.left < n {
		b.cond.Wait()
	}
	b.left -= n
	b.mu.Unlock()
}

func (b *budget) give(n int) {
	b.mu.Lock()
	b.left += n
	b.mu.Unlock()
	b.cond.Broadcast()
}
