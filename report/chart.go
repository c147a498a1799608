package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"image/color"
	"image/png"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	imagefont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// series is one curve, or points joined by a line.
type series struct {
	name  string
	color string
	dash  int       // its place among dashes
	width vg.Length // of the line; 0: as usual
	x, y  []float64

	spread []float64 // of each y, to both sides; nil: none is known
	bars   bool      // the spread is drawn as error bars at the points, not as a band
}

// dashes distinguish curves that have the same colour, or none.
var dashes = [][]vg.Length{nil, {5, 2.5}, {1.5, 2}, {7, 2, 1.5, 2}}

// dashNames are those of dashes as a style sheet has them.
var dashNames = []string{"solid", "dashed", "dotted", "double"}

// level is a dashed line across a chart.
type level struct {
	name string
	y    float64
}

// chart is one set of axes.
type chart struct {
	title  string
	x, y   string // what the axes are of
	logX   bool
	log    bool // the y axis
	series []series
	levels []level
}

// key is one entry of a figure's legend.
type key struct {
	Name, Color string
	dash        int
}

// Style is the key's line as a style sheet has it.
func (k key) Style() string { return dashNames[k.dash%len(dashNames)] }

// figure is several charts with one legend.
type figure struct {
	name   string // of its files
	charts []chart
	keys   []key
}

// The size of one chart and of the lines of the legend below.
const (
	chartWidth  vg.Length = 320
	chartHeight vg.Length = 220
	legendLine  vg.Length = 18
	pngDPI                = 144

	textSize vg.Length = 10 // of all text in a figure
)

var (
	grid = color.NRGBA{R: 128, G: 128, B: 128, A: 64}
	dash = color.NRGBA{R: 115, G: 115, B: 115, A: 255}
)

// plot makes the axes and curves of a chart.
func (c chart) plot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	p.Title.Text = c.title
	p.Title.Padding = 6
	p.Title.TextStyle.Font.Variant = "Sans"
	p.Title.TextStyle.Font.Size = textSize
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font.Variant = "Sans"
		a.Label.TextStyle.Font.Size = textSize
		a.Tick.Label.Font.Variant = "Sans"
		a.Tick.Label.Font.Size = textSize
		a.LineStyle.Width = 0
		a.Tick.LineStyle.Width = 0
		a.Tick.Length = 2
		a.Padding = 2
	}
	p.X.Label.Text, p.Y.Label.Text = cmp.Or(c.x, "epoch"), c.y
	minX, maxX, minY, maxY := c.bounds()
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = minX, maxX, minY, maxY
	if c.logX {
		p.X.Scale = plot.LogScale{}
		p.X.Tick.Marker = plot.ConstantTicks(logTicks(minX, maxX))
	} else {
		p.X.Tick.Marker = plot.ConstantTicks(linearTicks(minX, maxX, 6, c.x == ""))
	}
	if c.log {
		p.Y.Scale = plot.LogScale{}
		p.Y.Tick.Marker = plot.ConstantTicks(logTicks(minY, maxY))
	} else {
		p.Y.Tick.Marker = plot.ConstantTicks(linearTicks(minY, maxY, 6, false))
	}
	g := plotter.NewGrid()
	g.Vertical.Width = 0
	g.Horizontal = draw.LineStyle{Color: grid, Width: 0.75}
	p.Add(g)
	for _, l := range c.levels {
		line := must(plotter.NewLine(plotter.XYs{{X: minX, Y: l.y}, {X: maxX, Y: l.y}}))
		line.LineStyle = draw.LineStyle{Color: dash, Width: 1.25, Dashes: []vg.Length{5, 3}}
		label := must(plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: maxX, Y: l.y}}, Labels: []string{l.name}}))
		label.TextStyle[0].Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}
		label.TextStyle[0].XAlign = draw.XRight
		label.Offset = vg.Point{Y: 3}
		p.Add(line, label)
	}
	for _, s := range c.series {
		points := make(plotter.XYs, len(s.x))
		for i := range s.x {
			points[i] = plotter.XY{X: s.x[i], Y: math.Max(s.y[i], minY)}
		}
		if s.spread != nil && !s.bars {
			band := must(plotter.NewPolygon(s.band(minY)))
			fill := rgb(s.color)
			fill.A = 50
			band.Color, band.LineStyle.Width = fill, 0
			p.Add(band)
		}
		line := must(plotter.NewLine(points))
		line.LineStyle = draw.LineStyle{Color: rgb(s.color), Width: cmp.Or(s.width, 1.75), Dashes: dashes[s.dash%len(dashes)]}
		p.Add(line)
		if s.spread != nil && s.bars {
			bars := must(plotter.NewYErrorBars(errorBars{points, s.spread}))
			bars.LineStyle = draw.LineStyle{Color: rgb(s.color), Width: 1.25}
			p.Add(bars)
		}
		if c.x != "" || maxX <= 12 { // few points: show where they are
			dots := must(plotter.NewScatter(points))
			dots.GlyphStyle = draw.GlyphStyle{Color: rgb(s.color), Radius: 2.2, Shape: draw.CircleGlyph{}}
			p.Add(dots)
		}
	}
	return p
}

// zero reports whether a curve reaches zero.
func (c chart) zero() bool {
	return slices.ContainsFunc(c.series, func(s series) bool { return slices.ContainsFunc(s.y, func(y float64) bool { return y <= 0 }) })
}

// bounds is what the axes span.
func (c chart) bounds() (minX, maxX, minY, maxY float64) {
	minX, maxX, minY, maxY = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	see := func(y float64) {
		if c.log && y <= 0 { // it lies on the floor
			return
		}
		minY, maxY = math.Min(minY, y), math.Max(maxY, y)
	}
	for _, s := range c.series {
		for i := range s.x {
			minX, maxX = math.Min(minX, s.x[i]), math.Max(maxX, s.x[i])
			see(s.y[i])
			if s.spread != nil {
				see(s.y[i] - s.spread[i])
				see(s.y[i] + s.spread[i])
			}
		}
	}
	for _, l := range c.levels {
		see(l.y)
	}
	if c.log && (minY > maxY || c.zero()) { // a count of none is below one
		minY, maxY = math.Min(minY, 1), math.Max(maxY, 1)
	}
	switch {
	case c.x == "": // epochs
		minX, maxX = math.Min(minX, 0), math.Max(maxX, 1)
	case c.logX:
		wider := math.Max(1.15, math.Pow(maxX/minX, 0.06))
		minX, maxX = minX/wider, maxX*wider
	default:
		gap := math.Max((maxX-minX)*0.06, math.Abs(maxX)*1e-3)
		minX, maxX = minX-gap, maxX+math.Max(gap, 1e-12)
	}
	if c.log {
		wider := math.Max(1.25, math.Sqrt(4*minY/maxY)) // a flat curve is to look flat
		return minX, maxX, minY / wider, maxY * wider
	}
	gap := math.Max((maxY-minY)*0.05, 1e-6)
	return minX, maxX, minY - gap, maxY + gap
}

// linearTicks are about the given number of ticks, at round numbers; with whole,
// at whole ones.
func linearTicks(low, high float64, about int, whole bool) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(about))))
	for _, m := range []float64{1, 2, 5, 10} {
		if (high-low)/(m*step) <= float64(about) {
			step *= m
			break
		}
	}
	if whole {
		step = math.Max(1, step)
	}
	var ticks []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+1e-9*step && len(ticks) < 20; i++ {
		i += 0 // −0 is 0
		ticks = append(ticks, plot.Tick{Value: i * step, Label: strconv.FormatFloat(i*step, 'g', 6, 64)})
	}
	return ticks
}

// logTicks are at powers of ten, or between them too where there are few.
func logTicks(low, high float64) []plot.Tick {
	for _, factors := range [][]float64{{1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}} {
		var ticks []plot.Tick
		for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
			for _, f := range factors {
				if v := f * math.Pow(10, e); v >= low && v <= high {
					ticks = append(ticks, plot.Tick{Value: v, Label: logLabel(v)})
				}
			}
		}
		if len(ticks) >= 3 {
			return ticks
		}
	}
	ticks := linearTicks(low, high, 4, false)
	for i := range ticks {
		ticks[i].Label = logLabel(ticks[i].Value)
	}
	return ticks
}

func logLabel(v float64) string {
	if v < 1e-2 {
		return exponent(round3(v))
	}
	return short(v)
}

// draw draws the charts, columns to a row, and the legend.
func (f figure) draw(c draw.Canvas, columns int) {
	rows := (len(f.charts) + columns - 1) / columns
	for i, ch := range f.charts {
		x := vg.Length(i%columns) * chartWidth
		y := c.Max.Y - vg.Length(i/columns+1)*chartHeight
		box := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: c.Min.X + x + 6, Y: y + 6},
			Max: vg.Point{X: c.Min.X + x + chartWidth - 14, Y: y + chartHeight - 6},
		}}
		ch.plot().Draw(box)
	}
	for i, at := range f.legend(columns) {
		k := f.keys[i]
		x := c.Min.X + at.X
		y := c.Max.Y - vg.Length(rows)*chartHeight - at.Y
		c.StrokeLine2(draw.LineStyle{Color: rgb(k.Color), Width: 2.5, Dashes: dashes[k.dash%len(dashes)]}, x, y, x+18, y)
		c.FillText(legendStyle(), vg.Point{X: x + 24, Y: y}, k.Name)
	}
}

func legendStyle() draw.TextStyle {
	style := plot.New().Legend.TextStyle
	style.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: textSize}
	style.YAlign = draw.YCenter
	return style
}

// legend is where the keys stand below the charts, y downwards: side by side as
// far as they fit, each in a column of the widest one's width.
func (f figure) legend(columns int) (places []vg.Point) {
	style, widest := legendStyle(), vg.Length(0)
	for _, k := range f.keys {
		widest = max(widest, style.Width(k.Name)+44)
	}
	room := vg.Length(columns)*chartWidth - 16
	per := max(1, int(room/max(widest, 1)))
	for i := range f.keys {
		places = append(places, vg.Point{X: 16 + vg.Length(i%per)*widest, Y: vg.Length(i/per)*legendLine + legendLine/2})
	}
	return places
}

// dimensions is the size of what draw draws.
func (f figure) dimensions(columns int) (w, h vg.Length) {
	rows := (len(f.charts) + columns - 1) / columns
	h = vg.Length(rows)*chartHeight + 6
	if places := f.legend(columns); len(places) > 0 {
		h += places[len(places)-1].Y + legendLine/2
	}
	return vg.Length(columns) * chartWidth, h
}

// columns is how many charts stand side by side in the figure's files.
func (f figure) columns() int {
	switch n := len(f.charts); {
	case n == 4:
		return 2
	default:
		return max(1, min(n, 3))
	}
}

// png writes the figure as a PNG on white.
func (f figure) png(w io.Writer) error {
	width, height := f.dimensions(f.columns())
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pngDPI))
	f.draw(draw.New(c), f.columns())
	return png.Encode(w, c.Image())
}

// pdf writes the figure as a PDF.
func (f figure) pdf(w io.Writer) error {
	width, height := f.dimensions(f.columns())
	c := outlines{vgpdf.New(width, height)}
	f.draw(draw.New(c), f.columns())
	_, err := c.WriteTo(w)
	return err
}

// outlines is a PDF whose text is drawn as shapes: as text, the library would write
// it in an encoding that has no β, λ or −.
type outlines struct{ *vgpdf.Canvas }

// FillString draws text.
func (o outlines) FillString(f font.Face, at vg.Point, text string) {
	const em = 1000 // a letter's own units
	var buf sfnt.Buffer
	var path vg.Path
	var last vg.Point
	var before sfnt.GlyphIndex
	scale := f.Font.Size / em
	for i, r := range []rune(text) {
		glyph, err := f.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		if kern, err := f.Face.Kern(&buf, before, glyph, fixed.I(em), imagefont.HintingNone); i > 0 && err == nil {
			at.X += vg.Length(kern) / 64 * scale
		}
		before = glyph
		shape, err := f.Face.LoadGlyph(&buf, glyph, fixed.I(em), nil)
		if err != nil {
			continue
		}
		for i, s := range shape {
			p := func(k int) vg.Point {
				return vg.Point{X: at.X + vg.Length(s.Args[k].X)/64*scale, Y: at.Y - vg.Length(s.Args[k].Y)/64*scale}
			}
			switch s.Op {
			case sfnt.SegmentOpMoveTo:
				if i > 0 {
					path.Close()
				}
				last = p(0)
				path.Move(last)
			case sfnt.SegmentOpLineTo:
				last = p(0)
				path.Line(last)
			case sfnt.SegmentOpQuadTo: // as a cubic curve, because the library takes it for another one
				c := p(0).Scale(2. / 3)
				first, end := last.Scale(1./3).Add(c), p(1)
				path.CubeTo(first, end.Scale(1./3).Add(c), end)
				last = end
			case sfnt.SegmentOpCubeTo:
				last = p(2)
				path.CubeTo(p(0), p(1), last)
			}
		}
		if len(shape) > 0 {
			path.Close()
		}
		if wide, err := f.Face.GlyphAdvance(&buf, glyph, fixed.I(em), imagefont.HintingNone); err == nil {
			at.X += vg.Length(wide) / 64 * scale
		}
	}
	if len(path) > 0 {
		o.Fill(path)
	}
}

// svg writes the figure as an SVG on white.
func (f figure) svg(w io.Writer) error {
	width, height := f.dimensions(f.columns())
	c := vgsvg.New(width, height)
	d := draw.New(c)
	d.SetColor(color.White)
	d.Fill(d.Rectangle.Path())
	f.draw(d, f.columns())
	var buf bytes.Buffer
	if _, err := c.WriteTo(&buf); err != nil {
		return err
	}
	_, err := w.Write(fonts.ReplaceAll(buf.Bytes(), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif")))
	return err
}

var (
	fonts   = regexp.MustCompile(`font-family:[^;"]*(;font-weight:[^;"]*)?(;font-style:[^;"]*)?`)
	prelude = regexp.MustCompile(`(?s)^.*?<svg [^>]*>`)
)

// inline is a chart as an SVG element for the page, as wide as its place and
// in the page's colours.
func (c chart) inline() (string, error) {
	v := vgsvg.New(chartWidth, chartHeight)
	figure{charts: []chart{c}}.draw(draw.New(v), 1)
	var buf bytes.Buffer
	if _, err := v.WriteTo(&buf); err != nil {
		return "", err
	}
	text := prelude.ReplaceAllString(buf.String(), fmt.Sprintf(`<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`,
		chartWidth.Points(), chartHeight.Points(), strings.ReplaceAll(template.HTMLEscapeString(c.title), "$", "$$")))
	text = fonts.ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "#000000", "currentColor")
	return text, nil
}

// rgb reads #RRGGBB.
func rgb(text string) color.NRGBA {
	n, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 24)
	if err != nil {
		return color.NRGBA{A: 255}
	}
	return color.NRGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255}
}

// must is for gonum's constructors, which fail on values that are not finite;
// curves are cleaned of those before.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("report: a chart with %v", err))
	}
	return v
}

// errorBars are points with what they spread to both sides.
type errorBars struct {
	plotter.XYs
	spread []float64
}

func (e errorBars) YError(i int) (low, high float64) { return e.spread[i], e.spread[i] }

// band is the outline of what the curve spreads to both sides, not below low.
func (s series) band(low float64) plotter.XYs {
	var outline plotter.XYs
	for i := range s.x {
		outline = append(outline, plotter.XY{X: s.x[i], Y: math.Max(s.y[i]+s.spread[i], low)})
	}
	for i := len(s.x) - 1; i >= 0; i-- {
		outline = append(outline, plotter.XY{X: s.x[i], Y: math.Max(s.y[i]-s.spread[i], low)})
	}
	return outline
}

// add adds a point to a curve if it can be drawn.
func (s *series) add(x, y float64) {
	const most = 1e30
	if !(math.Abs(x) < most && math.Abs(y) < most) {
		return
	}
	s.x, s.y = append(s.x, x), append(s.y, y)
}
