package report

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"

	"betalasso/filters"
	"betalasso/run"
)

// filterFile is what a run keeps of its first layer's filters.
type filterFile struct {
	c, h, w  int
	filters  [][]float32 // [c, h, w] each
	eligible int         // filters with at least filters.MinNonzero non-zeros
	units    int         // all filters
	measures []filters.Measure
}

// readFilters reads filters.safetensors. The error is fs.ErrNotExist where
// there is none.
func readFilters(d *run.Dir) (filterFile, error) {
	tensors, err := d.Filters()
	if err != nil {
		return filterFile{}, err
	}
	return newFilterFile(d.File(run.FiltersFile), tensors)
}

// maxPictures are more numbers than any pictures here have; in a sparse form, a file
// may claim any number in a few bytes.
const maxPictures = 1 << 25

// newFilterFile is what the tensors of the file at path say.
func newFilterFile(path string, tensors []run.Tensor) (filterFile, error) {
	var f filterFile
	find := func(name string, dims int) (run.Tensor, error) {
		i := slices.IndexFunc(tensors, func(t run.Tensor) bool { return t.Name == name })
		if i < 0 || len(tensors[i].Shape) != dims {
			return run.Tensor{}, fmt.Errorf("%s has no tensor %q of %d dimensions", path, name, dims)
		}
		return tensors[i], nil
	}
	pictures, err := find("filters", 4)
	if err != nil {
		return f, err
	}
	f.c, f.h, f.w = pictures.Shape[1], pictures.Shape[2], pictures.Shape[3]
	if f.c < 1 || f.h < 1 || f.w < 1 || f.c > 1024 || f.h > 1024 || f.w > 1024 {
		return f, fmt.Errorf("%s: its filters have the shape %v", path, pictures.Shape[1:])
	}
	if pictures.Len() > maxPictures {
		return f, fmt.Errorf("%s: its filters have %d numbers, and %d are the most", path, pictures.Len(), maxPictures)
	}
	for one := range slices.Chunk(pictures.Values(), f.c*f.h*f.w) {
		f.filters = append(f.filters, one)
	}
	counts, err := find("eligible", 1)
	if err != nil || len(counts.Data) != 2 {
		return f, errors.Join(err, fmt.Errorf("%s does not say how many filters there are", path))
	}
	f.eligible, f.units = int(counts.Data[0]), int(counts.Data[1])
	rows, err := find("locality", 2)
	if err != nil || rows.Shape[1] != 5 {
		return f, errors.Join(err, fmt.Errorf("%s has no measures of its filters", path))
	}
	for r := range slices.Chunk(rows.Data, 5) {
		f.measures = append(f.measures, filters.Measure{
			Nonzero: int(r[0]), Pixels: int(r[1]), Height: int(r[2]), Width: int(r[3]), Radius: float64(r[4]),
		})
	}
	return f, nil
}

// few says why a file has no filters to show.
func (f filterFile) few() string {
	return fmt.Sprintf("none of the %s filters has %d weights that are not zero", commas(f.units), filters.MinNonzero)
}

// shade is the brightness of a weight of a filter whose scale is sigma: |w|
// through a curve that saturates, as the paper's pictures appear to be made.
func shade(w float32, sigma float64) uint8 {
	v := 255 * math.Tanh(1.1*math.Abs(float64(w))/sigma)
	if !(v >= 0) { // NaN
		return 0
	}
	return uint8(math.Round(v))
}

// sheet draws filters, columns to a row, each pixel as a square of scale
// pixels, with gaps of one square. Red, green and blue are the channels; a
// filter of another number of channels is grey.
func sheet(list [][]float32, c, h, w, columns, scale int) *image.NRGBA {
	columns = max(1, min(columns, len(list)))
	rows := (len(list) + columns - 1) / columns
	img := image.NewNRGBA(image.Rect(0, 0, (columns*(w+1)-1)*scale, max(0, rows*(h+1)-1)*scale))
	for i, f := range list {
		sigma := scaleOf(f)
		left, top := i%columns*(w+1)*scale, i/columns*(h+1)*scale
		for y := range h {
			for x := range w {
				p := color.NRGBA{A: 255}
				if c == 3 {
					p.R = shade(f[y*w+x], sigma)
					p.G = shade(f[(h+y)*w+x], sigma)
					p.B = shade(f[(2*h+y)*w+x], sigma)
				} else {
					sum := 0.0
					for k := range c {
						sum += float64(shade(f[(k*h+y)*w+x], sigma))
					}
					v := uint8(sum / float64(c))
					p.R, p.G, p.B = v, v, v
				}
				for dy := range scale {
					for dx := range scale {
						img.SetNRGBA(left+x*scale+dx, top+y*scale+dy, p)
					}
				}
			}
		}
	}
	return img
}

// scaleOf is the root mean square of a filter's weights that are not zero.
func scaleOf(f []float32) float64 {
	sum, n := 0.0, 0
	for _, v := range f {
		if v != 0 {
			sum += float64(v) * float64(v)
			n++
		}
	}
	if n == 0 {
		return 1
	}
	return math.Sqrt(sum / float64(n))
}

// maxPixels is how large a sheet may be: 4 bytes a pixel must fit in memory.
const maxPixels = 64 << 20

// FilterSheet writes a PNG of the first-layer filters that the run in dir kept,
// columns to a row, each weight as a square of scale pixels.
func FilterSheet(dir, out string, columns, scale int) error {
	if columns < 1 || scale < 1 || columns > 1000 || scale > 100 {
		return fmt.Errorf("%d columns of filters, %d pixels a weight: choose 1 to 1000 columns and 1 to 100 pixels", columns, scale)
	}
	d, err := run.Open(dir)
	if err != nil {
		return err
	}
	f, err := readFilters(d)
	if err != nil {
		return fmt.Errorf("%s has no filters to draw; a run writes them when it ends: %w", dir, err)
	}
	if len(f.filters) == 0 {
		return fmt.Errorf("%s: %s", dir, f.few())
	}
	if err := f.fits(columns, scale); err != nil {
		return err
	}
	img := sheet(f.filters, f.c, f.h, f.w, columns, scale)
	return run.WriteWhole(out, func(w io.Writer) error { return png.Encode(w, img) })
}

// fits is an error if a sheet of the filters would be too large.
func (f filterFile) fits(columns, scale int) error {
	across := max(1, min(columns, len(f.filters)))
	down := (len(f.filters) + across - 1) / across
	if n := across * (f.w + 1) * scale * down * (f.h + 1) * scale; n > maxPixels {
		return fmt.Errorf("a sheet of %s by %s pixels is too large: choose fewer pixels a weight than %d", commas(across*(f.w+1)*scale), commas(down*(f.h+1)*scale), scale)
	}
	return nil
}
