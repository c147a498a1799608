// Package pictures draws sheets of images with labels, heat maps and confusion
// matrices, pixel by pixel.
package pictures

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

var (
	paper = color.NRGBA{R: 255, G: 255, B: 255, A: 255}
	ink   = color.NRGBA{R: 27, G: 27, B: 31, A: 255}
	soft  = color.NRGBA{R: 95, G: 96, B: 104, A: 255}
)

// newFace is Go's font with lines of the given height in pixels.
func newFace(size float64) font.Face {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		panic(err) // it is part of the program
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic(err)
	}
	return face
}

func blank(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	return m
}

// text writes s with its left end at x and its base line at y, cut to wide pixels.
func text(m draw.Image, face font.Face, c color.Color, s string, x, y, wide int) {
	r := []rune(s)
	if len(r) > max(1, wide) { // no letter is narrower than a pixel, and measuring takes time
		r = r[:max(1, wide)]
		s = string(r) + "…"
	}
	for font.MeasureString(face, s).Ceil() > wide && len(r) > 1 {
		r = r[:len(r)-1]
		s = string(r) + "…"
	}
	d := font.Drawer{Dst: m, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(s)
}

// Row is one line of a sheet: a label, and images in planes of bytes.
type Row struct {
	Label  string
	Images [][]uint8
}

// Sheet draws rows of images of channels x side x side bytes below the heads of
// their columns, each pixel as a square of scale pixels. A head reaches over the
// columns after it that have none.
func Sheet(heads []string, rows []Row, channels, side, scale int) image.Image {
	const gap, line = 4, 15
	face := newFace(12)
	columns, label := 0, 20
	for _, r := range rows {
		columns = max(columns, len(r.Images))
		label = max(label, min(130, font.MeasureString(face, r.Label).Ceil()+3*gap))
	}
	cell := side*scale + gap
	m := blank(label+columns*cell+gap, line+2*gap+len(rows)*cell)
	for i, h := range heads {
		wide := cell
		for k := i + 1; k < columns && (k >= len(heads) || heads[k] == ""); k++ {
			wide += cell
		}
		text(m, face, soft, h, label+i*cell, line, wide-gap)
	}
	for i, r := range rows {
		top := line + 2*gap + i*cell
		text(m, face, ink, r.Label, gap, top+cell/2, label-gap)
		for k, pix := range r.Images {
			paint(m, pix, channels, side, scale, label+k*cell, top)
		}
	}
	return m
}

// paint draws an image at (left, top).
func paint(m *image.NRGBA, pix []uint8, channels, side, scale, left, top int) {
	area := side * side
	for y := range side {
		for x := range side {
			at := y*side + x
			c := color.NRGBA{R: pix[at], G: pix[at], B: pix[at], A: 255}
			if channels == 3 {
				c.G, c.B = pix[area+at], pix[2*area+at]
			}
			for i := range scale * scale {
				m.SetNRGBA(left+x*scale+i%scale, top+y*scale+i/scale, c)
			}
		}
	}
}

// HeatMap draws numbers of 0 and more, row by row, each as a square of scale
// pixels: from black for 0, through red, to yellow for the largest.
func HeatMap(values []float32, side, scale int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, side*scale, side*scale))
	heat(m, values, side, scale, 0, 0)
	return m
}

// HeatMaps draws several, five to a row, each below its name and scaled to its
// own largest number.
func HeatMaps(names []string, maps [][]float32, side, scale int) *image.NRGBA {
	const gap, line, columns = 6, 18, 5
	face := newFace(13)
	wide, high := side*scale+gap, side*scale+line+gap
	m := blank(gap+min(columns, len(maps))*wide, gap+(len(maps)+columns-1)/columns*high)
	for i, values := range maps {
		left, top := gap+i%columns*wide, gap+i/columns*high
		text(m, face, ink, names[i], left, top+line-5, side*scale)
		heat(m, values, side, scale, left, top+line)
	}
	return m
}

// heat draws a map at (left, top).
func heat(m *image.NRGBA, values []float32, side, scale, left, top int) {
	most := slices.Max(values)
	for y := range side * scale {
		for x := range side * scale {
			v := 0.0
			if most > 0 {
				v = math.Sqrt(float64(max(0, values[y/scale*side+x/scale]) / most))
			}
			m.SetNRGBA(left+x, top+y, color.NRGBA{R: uint8(255 * v), G: uint8(230 * v * v), B: uint8(140 * v * (1 - v)), A: 255})
		}
	}
}

// MostNamed is the largest number of classes with whose names a matrix is
// labelled.
const MostNamed = 100

// Confusion draws a matrix of counts: a row for each class of images, a column
// for each predicted class. A field is darker the larger its share of the row; up
// to 20 classes it shows that share in percent.
func Confusion(names []string, counts [][]int) image.Image {
	n := len(counts)
	field, size, margin := 42, 12.0, 130
	switch {
	case n > MostNamed:
		field, margin = max(1, 800/n), 30
	case n > 40:
		field, size = 12, 9
	case n > 20:
		field = 18
	}
	face := newFace(size)
	head := margin
	if n <= 20 {
		head = 64
	}
	m := blank(margin+n*field+16, head+n*field+16)
	text(m, face, soft, "class \\ taken for", 6, 16, margin-8)
	for i, row := range counts {
		total := 0
		for _, c := range row {
			total += c
		}
		for k, c := range row {
			share := 0.0
			if total > 0 {
				share = float64(c) / float64(total)
			}
			left, top := margin+k*field, head+i*field
			r := image.Rect(left, top, left+field-min(1, field-1), top+field-min(1, field-1))
			draw.Draw(m, r, image.NewUniform(shade(share, i == k)), image.Point{}, draw.Src)
			if n <= 20 && c > 0 {
				s := fmt.Sprintf("%.0f", 100*share)
				if 100*share < 0.5 {
					s = "·"
				}
				col := ink
				if share > 0.5 {
					col = paper
				}
				wide := font.MeasureString(face, s).Ceil()
				text(m, face, col, s, left+(field-wide)/2, top+field/2+4, field)
			}
		}
		if n <= MostNamed {
			base := field/2 + int(size)/2 - 2
			text(m, face, ink, names[i], 6, head+i*field+base, margin-12)
			if n <= 20 {
				// Names alternate between two lines, as they are wider than a
				// field.
				text(m, face, ink, names[i], margin+i*field, head-8-18*(i%2), 2*field-4)
			} else {
				sideways(m, face, names[i], margin+i*field+base, head-6, head-24)
			}
		}
	}
	return m
}

// sideways writes s from (x, y) upwards, cut to long pixels.
func sideways(m *image.NRGBA, face font.Face, s string, x, y, long int) {
	h := face.Metrics().Height.Ceil() + 2
	line := blank(long, h)
	text(line, face, ink, s, 0, h-4, long)
	for i := range long {
		for k := range h {
			if c := line.NRGBAAt(i, k); c != paper {
				m.SetNRGBA(x-h+k+3, y-i, c)
			}
		}
	}
}

// shade is white for no share and dark for all: blue where it is right, red else.
func shade(share float64, right bool) color.NRGBA {
	dark := color.NRGBA{R: 150, G: 30, B: 10, A: 255}
	if right {
		dark = color.NRGBA{R: 11, G: 70, B: 140, A: 255}
	} else if share > 0 { // so that a few mistakes can be seen
		share = 0.06 + 0.94*share
	}
	mix := func(d uint8) uint8 { return uint8(247 - share*(247-float64(d)) + 0.5) }
	return color.NRGBA{R: mix(dark.R), G: mix(dark.G), B: mix(dark.B), A: 255}
}
