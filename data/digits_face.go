package data

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomediumitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

const (
	glyphHigh = 40  // the digit 8's height in a face, in points of the mask
	stripHigh = 56  // of the strip that a scene's digits are set in
	stripWide = 128 // room for three
)

// glyph is how much of each point of a raster a digit covers, 0 to 255.
type glyph struct {
	wide, high int
	mask       []uint8
}

// face is the ten digits in one font.
type face [10]glyph

// digitFaces are the faces, made at first use.
var digitFaces = sync.OnceValue(func() []face {
	var faces []face
	for _, ttf := range [][]byte{
		goregular.TTF, gomedium.TTF, gobold.TTF, goitalic.TTF, gomediumitalic.TTF, gobolditalic.TTF, gomono.TTF, gomonobold.TTF,
	} {
		f, err := newFace(ttf)
		if err != nil {
			panic(fmt.Sprintf("data: a built-in font: %v", err))
		}
		faces = append(faces, f)
	}
	return faces
})

// newFace rasterises a font's digits so that an 8 is glyphHigh points high.
func newFace(ttf []byte) (face, error) {
	var out face
	f, err := sfnt.Parse(ttf)
	if err != nil {
		return out, err
	}
	var buf sfnt.Buffer
	eight, err := f.GlyphIndex(&buf, '8')
	if err != nil {
		return out, err
	}
	const em = 1 << 10
	bounds, _, err := f.GlyphBounds(&buf, eight, fixed.I(em), font.HintingNone)
	if err != nil {
		return out, err
	}
	ppem := fixed.Int26_6(em * 64 * 64 * glyphHigh / int64(bounds.Max.Y-bounds.Min.Y))
	for d := range out {
		index, err := f.GlyphIndex(&buf, rune('0'+d))
		if err != nil {
			return out, err
		}
		segments, err := f.LoadGlyph(&buf, index, ppem, nil)
		if err != nil {
			return out, err
		}
		out[d] = rasterise(segments)
	}
	return out, nil
}

// rasterise fills an outline by the non-zero rule, in integers throughout: the
// rasteriser of golang.org/x/image splits curves in floating point, which may
// round otherwise on another machine.
func rasterise(segments sfnt.Segments) glyph {
	b := segments.Bounds()
	left, top := b.Min.X.Floor(), b.Min.Y.Floor()
	g := glyph{wide: b.Max.X.Ceil() - left, high: b.Max.Y.Ceil() - top}
	g.mask = make([]uint8, g.wide*g.high)
	edges := outline(segments, fixed.P(left, top))
	// Eight scan lines a row; along a line the cover is exact to 1/64.
	const lines = 8
	cover := make([]int, g.wide)
	for row := range g.high {
		clear(cover)
		for l := range lines {
			addSpans(cover, crossings(edges, row*64+(2*l+1)*64/(2*lines)))
		}
		for x, c := range cover {
			g.mask[row*g.wide+x] = uint8(c * 255 / (64 * lines))
		}
	}
	return g
}

// edge is a line of an outline, in 1/64 of a point.
type edge struct{ from, to fixed.Point26_6 }

// outline is the outline's edges, its curves flattened, from an origin.
func outline(segments sfnt.Segments, origin fixed.Point26_6) []edge {
	var edges []edge
	var start, pen fixed.Point26_6
	line := func(to fixed.Point26_6) {
		edges = append(edges, edge{pen, to})
		pen = to
	}
	for _, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			line(start) // closes the contour before
			start = s.Args[0].Sub(origin)
			pen = start
		case sfnt.SegmentOpLineTo:
			line(s.Args[0].Sub(origin))
		case sfnt.SegmentOpQuadTo: // TrueType has no other curves
			a, b, c := pen, s.Args[0].Sub(origin), s.Args[1].Sub(origin)
			const steps = 8
			for t := fixed.Int26_6(1); t <= steps; t++ {
				wa, wb, wc := (steps-t)*(steps-t), 2*t*(steps-t), t*t
				line(fixed.Point26_6{
					X: (a.X*wa + b.X*wb + c.X*wc) / (steps * steps),
					Y: (a.Y*wa + b.Y*wb + c.Y*wc) / (steps * steps),
				})
			}
		}
	}
	line(start)
	return edges
}

// crossing is where a scan line meets an edge, which goes down or up.
type crossing struct{ x, turn int }

// crossings are a scan line's, from left to right.
func crossings(edges []edge, y int) []crossing {
	var found []crossing
	for _, e := range edges {
		ax, ay, bx, by := int(e.from.X), int(e.from.Y), int(e.to.X), int(e.to.Y)
		turn := 1
		if ay > by {
			ax, ay, bx, by, turn = bx, by, ax, ay, -1
		}
		if ay <= y && y < by {
			found = append(found, crossing{ax + (bx-ax)*(y-ay)/(by-ay), turn})
		}
	}
	slices.SortStableFunc(found, func(a, b crossing) int { return a.x - b.x })
	return found
}

// addSpans adds to cover, 64 a point, what lies inside on a scan line.
func addSpans(cover []int, at []crossing) {
	winding := 0
	for i, c := range at {
		winding += c.turn
		if winding == 0 || i+1 == len(at) {
			continue
		}
		from, to := c.x, at[i+1].x
		for x := max(from/64, 0); x < len(cover) && x*64 < to; x++ {
			cover[x] += max(min(to, x*64+64)-max(from, x*64), 0)
		}
	}
}
