package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"slices"
	"strings"

	"betalasso/pictures"
	"betalasso/run"
)

// uses is what `betalasso explain` has left in a run's directory.
type uses struct {
	side, c, h, w int
	heat          []float32
	filters       [][]float32
	used          [][]float32 // of each filter: unit, non-zeros, share of all use, then for each class what it says
	inputs        [][]float32 // of each class: inputs and pixels on which it depends
	reach         [][]float32 // of each class, or of the first ones: each pixel's share of its paths; none in files of earlier versions
	epoch         int
	classes       []string
}

// readUses reads the file. The error is fs.ErrNotExist where there is none.
func readUses(d *run.Dir) (uses, error) {
	path := d.File(run.ExplainFile)
	list, meta, err := run.ReadTensors(path)
	if err != nil {
		return uses{}, err
	}
	if of := meta["settings"]; of != d.Config().ID() {
		return uses{}, fmt.Errorf("%s is of another run; make it again with `betalasso explain`", path)
	}
	u, err := newUses(list, meta)
	if err != nil {
		return uses{}, fmt.Errorf("%s: %w", path, err)
	}
	return u, nil
}

// newUses is what the tensors of such a file say.
func newUses(list []run.Tensor, meta map[string]string) (u uses, err error) {
	shapes := map[string][]int{"heat": nil, "filters": nil, "used": nil, "inputs": nil, "epoch": nil, "reach": nil}
	data := map[string][]float32{}
	for _, t := range list {
		if _, ok := shapes[t.Name]; ok {
			if t.Len() > maxPictures {
				return u, fmt.Errorf("%s has %d numbers, and %d are the most", t.Name, t.Len(), maxPictures)
			}
			shapes[t.Name], data[t.Name] = t.Shape, t.Values()
		}
	}
	want := map[string]int{"heat": 2, "filters": 4, "used": 2, "inputs": 2, "epoch": 1}
	if shapes["reach"] != nil {
		want["reach"] = 3
	}
	for name, dims := range want {
		if len(shapes[name]) != dims || slices.ContainsFunc(shapes[name], func(n int) bool { return n < 1 || n > 1<<16 }) {
			return u, fmt.Errorf("it has no tensor %q of %d dimensions", name, dims)
		}
		if slices.ContainsFunc(data[name], func(v float32) bool { return v-v != 0 }) {
			return u, fmt.Errorf("%s has numbers that are not finite", name)
		}
	}
	f := shapes["filters"]
	u.side, u.c, u.h, u.w = shapes["heat"][0], f[1], f[2], f[3]
	classes := shapes["inputs"][0]
	if shapes["heat"][1] != u.side || u.side > 1024 || f[0] > 1000 || u.h > 1024 || u.w > 1024 || shapes["used"][0] != f[0] || shapes["used"][1] != 3+classes || shapes["inputs"][1] != 2 {
		return u, errors.New("its tensors do not fit each other")
	}
	if r := shapes["reach"]; r != nil {
		if r[0] > min(classes, 100) || r[1] != u.side || r[2] != u.side {
			return u, errors.New("its tensors do not fit each other")
		}
		u.reach = slices.Collect(slices.Chunk(data["reach"], u.side*u.side))
	}
	u.heat, u.epoch = data["heat"], int(data["epoch"][0])
	u.filters = slices.Collect(slices.Chunk(data["filters"], u.c*u.h*u.w))
	if err := (filterFile{h: u.h, w: u.w, filters: u.filters}).fits(usesColumns, u.scale()); err != nil {
		return u, err
	}
	u.used = slices.Collect(slices.Chunk(data["used"], 3+classes))
	u.inputs = slices.Collect(slices.Chunk(data["inputs"], 2))
	if text := meta["class_names"]; text != "" {
		if err := json.Unmarshal([]byte(text), &u.classes); err != nil {
			return u, fmt.Errorf("class_names: %w", err)
		}
	}
	return u, nil
}

// class is the name of a class.
func (u uses) class(c int) string {
	if c < len(u.classes) {
		return run.Printable(u.classes[c])
	}
	return fmt.Sprint(c)
}

// heatMap draws how many weights use each pixel.
func (u uses) heatMap() *image.NRGBA { return pictures.HeatMap(u.heat, u.side, scaleFor(u.side)) }

// classMaps draws how strongly each class depends on each pixel.
func (u uses) classMaps() *image.NRGBA {
	var names []string
	for c := range u.reach {
		names = append(names, u.class(c))
	}
	return pictures.HeatMaps(names, u.reach, u.side, max(1, scaleFor(u.side)/3))
}

// Columns of the sheet of filters.
const usesColumns = 8

// sheet draws the filters.
func (u uses) sheet() *image.NRGBA { return sheet(u.filters, u.c, u.h, u.w, usesColumns, u.scale()) }

// scale is the pixels of a weight in the sheet.
func (u uses) scale() int { return max(1, scaleFor(max(u.h, u.w))/4) }

// scaleFor is the pixels that a square of an image of side n is drawn with.
func scaleFor(n int) int { return max(1, 384/n) }

// DrawUses writes the pictures of what `betalasso explain` has found of the run
// in dir: the pixels that its weights use, the pixels of each class, and the
// filters that are used most.
func DrawUses(dir, pixels, classes, filters string) error {
	d, err := run.Open(dir)
	if err != nil {
		return err
	}
	u, err := readUses(d)
	if err != nil {
		return err
	}
	for path, img := range map[string]image.Image{pixels: u.heatMap(), classes: u.classMaps(), filters: u.sheet()} {
		if err := run.WriteWhole(path, func(w io.Writer) error { return png.Encode(w, img) }); err != nil {
			return err
		}
	}
	return nil
}

// Explained is what a run's weights look at.
type Explained struct {
	Run     string
	Pixels  Picture
	Classes Picture // its Image is "" where the file has none
	Filters Picture
	Used    [][]string // filter, non-zeros, use, for, against
	Inputs  [][]string // class, inputs, pixels
}

// explained are those of the runs that were asked.
func (p *page) explained(all []record) error {
	for _, r := range all {
		d, err := run.Open(r.dir)
		if err != nil {
			continue // it is said among the runs
		}
		u, err := readUses(d)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			p.Remarks = append(p.Remarks, err.Error())
			continue
		}
		e := Explained{Run: r.dir}
		name := fmt.Sprintf("explain-%d", len(p.Uses)+1)
		e.Pixels = Picture{Title: r.dir, File: name + "-pixels", Caption: fmt.Sprintf("first-layer weights that are not zero, by the pixel that they meet, after epoch %d; yellow is %s", u.epoch, commas(int(slices.Max(u.heat))))}
		e.Filters = Picture{Title: r.dir, File: name + "-filters", Caption: fmt.Sprintf("the %d first-layer filters that matter most, in the order of the table", len(u.filters))}
		drawn := map[*Picture]image.Image{&e.Pixels: u.heatMap(), &e.Filters: u.sheet()}
		if len(u.reach) > 0 {
			e.Classes = Picture{Title: r.dir, File: name + "-classes", Caption: "how strongly each class depends on each pixel, by the magnitudes of its paths; yellow is the class's strongest"}
			drawn[&e.Classes] = u.classMaps()
		}
		for pic, img := range drawn {
			if err := pic.draw(img); err != nil {
				return err
			}
			text := pic.png
			p.files["figures/"+pic.File+".png"] = func(w io.Writer) error { _, err := w.Write(text); return err }
		}
		for _, row := range u.used[:min(12, len(u.used))] {
			e.Used = append(e.Used, []string{fmt.Sprintf("%.0f", row[0]), fmt.Sprintf("%.0f", row[1]), fmt.Sprintf("%.2f %%", 100*row[2]), u.speaks(row[3:], 1), u.speaks(row[3:], -1)})
		}
		for c, row := range u.inputs {
			if c == 20 {
				e.Inputs = append(e.Inputs, []string{fmt.Sprintf("and %d more", len(u.inputs)-c), "", ""})
				break
			}
			e.Inputs = append(e.Inputs, []string{u.class(c), fmt.Sprintf("%.0f", row[0]), fmt.Sprintf("%.0f", row[1])})
		}
		p.Uses = append(p.Uses, e)
	}
	return nil
}

// speaks names the two classes that a filter says most for, or by a sign of −1
// against.
func (u uses) speaks(says []float32, sign float32) string {
	order := make([]int, len(says))
	for c := range order {
		order[c] = c
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sign*says[b], sign*says[a]) })
	var list []string
	for _, c := range order[:min(2, len(order))] {
		if sign*says[c] > 0 {
			list = append(list, fmt.Sprintf("%s %+.2g", u.class(c), says[c]))
		}
	}
	return strings.Join(list, ", ")
}

const explainedNote = "What `betalasso explain` found in the weights alone. It follows paths: chains of weights that are not zero, from an input to a class, each worth the product of its weights and of the scales of batch norm. A class depends on an input if a path leads from one to the other. A filter's use is its share of all paths by magnitude; what it says for a class is the sum of its paths, which is what its output, one higher, would add to the logit if every unit between were above zero."
