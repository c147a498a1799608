// Package report writes what runs came to: the paper's Table 2, Figures 3 and 4
// beside one's own numbers, the learning curves, and every run's settings, as
// one HTML page that needs nothing beside it and as Markdown with pictures. It
// reads run directories and nothing else.
package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"

	"betalasso/filters"
	"betalasso/paper"
)

// Options are what a report may be told beside the runs.
type Options struct {
	Remarks []string // sentences for the top, such as data that could not be had
}

// Summary is what a report says, in short.
type Summary struct {
	Page string // the path of the HTML page
	Lead string // its first line
	Text string // Table 2 for a terminal
}

// Picture is one figure: drawn in the page, and as files for Markdown.
type Picture struct {
	Title   string
	Caption string
	File    string          // in figures/, without .png and .svg
	Charts  []template.HTML // SVG elements for the page
	Image   template.URL    // or one PNG
	Keys    []key
	Gap     string // why there is none
	png     []byte
}

// Section is all of one data set.
type Section struct {
	Name, Title string
	Rows        []Row
	WhyReport   string // what explains the differences of all rows
	WhyPaper    string
	Nonzero     Picture
	Filters     []Picture
	Curves      Picture
}

// page is the whole report.
type page struct {
	Loud     bool // the first line is a warning
	Lead     string
	Facts    string
	Remarks  []string
	Sections []Section
	Locality []Local
	Runs     []Run
	figures  map[string]func(io.Writer) error // by path in out
}

// Write writes the report of the runs in dirs into the folder out: index.html,
// report.md and figures/. A run that is missing, unfinished or broken becomes a
// gap with its reason.
func Write(dirs []string, out string, opt Options) (Summary, error) {
	var all []record
	for _, d := range dirs {
		all = append(all, read(d))
	}
	p, err := compose(all, opt)
	if err != nil {
		return Summary{}, err
	}
	if err := os.MkdirAll(filepath.Join(out, "figures"), 0o777); err != nil {
		return Summary{}, err
	}
	for name, draw := range p.figures {
		if err := writeFile(filepath.Join(out, name), draw); err != nil {
			return Summary{}, err
		}
	}
	if err := writeFile(filepath.Join(out, "report.md"), p.markdown); err != nil {
		return Summary{}, err
	}
	index := filepath.Join(out, "index.html")
	if err := writeFile(index, p.html); err != nil {
		return Summary{}, err
	}
	return Summary{Page: index, Lead: p.Lead, Text: terminal(p.Sections)}, nil
}

// compose makes the report's content.
func compose(all []record, opt Options) (*page, error) {
	p := &page{Remarks: opt.Remarks, figures: map[string]func(io.Writer) error{}}
	p.lead(all)
	for _, set := range setsOf(all) {
		s := Section{Name: set.Name, Title: set.Title}
		for _, k := range paper.Cases {
			s.Rows = append(s.Rows, rowOf(all, set, k))
		}
		s.account()
		f, caption := nonzeroFigure(all, set)
		s.Nonzero = Picture{Title: set.Title, Caption: caption}
		if err := p.charts(&s.Nonzero, f); err != nil {
			return nil, err
		}
		s.Curves = Picture{Title: set.Title, Caption: fmt.Sprintf("Loss and accuracy on %s by epoch, a curve for each run of the table. Training is measured on the examples as trained, augmented.", set.Title)}
		if err := p.charts(&s.Curves, curvesFigure(all, set)); err != nil {
			return nil, err
		}
		pictures, err := p.filterPictures(all, set)
		if err != nil {
			return nil, err
		}
		s.Filters = pictures
		p.Sections = append(p.Sections, s)
		p.Locality = append(p.Locality, localities(all, set)...)
	}
	for _, r := range all {
		p.Runs = append(p.Runs, runOf(r))
	}
	return p, nil
}

// charts draws a figure for the page and sets down its files.
func (p *page) charts(pic *Picture, f figure) error {
	if len(f.charts) == 0 {
		pic.Gap, pic.Caption = "no epochs are recorded", ""
		return nil
	}
	for _, c := range f.charts {
		text, err := c.inline()
		if err != nil {
			return err
		}
		// The text is drawn here from numbers and this package's own words;
		// names in it are those of layers, which svgo escapes.
		pic.Charts = append(pic.Charts, template.HTML(text))
	}
	pic.File, pic.Keys = f.name, f.keys
	p.figures["figures/"+f.name+".png"] = f.png
	p.figures["figures/"+f.name+".svg"] = f.svg
	return nil
}

// The grid of filters in the report.
const (
	sheetColumns = 6
	sheetFilters = 18
	sheetScale   = 3
)

// filterPictures are the counterpart of the paper's Figure 4 on a data set: of
// its three cases, and of the others where none of the three has filters.
func (p *page) filterPictures(all []record, set paper.DataSet) ([]Picture, error) {
	var main, rest []Picture
	some := false
	order := slices.SortedStableFunc(slices.Values(paper.Cases), func(a, b paper.Case) int { return figure4Place(a) - figure4Place(b) })
	for _, k := range order {
		pic := Picture{Title: k.Title(), Gap: "no run"}
		runs, _ := choose(all, set.Name, k)
		for _, r := range runs {
			pic.Gap = r.noFilter
			if pic.Gap == "" && len(r.filters.filters) == 0 {
				pic.Gap = r.filters.few()
			}
			if pic.Gap != "" {
				continue
			}
			f := r.filters
			shown := spread(f.filters, min(len(f.filters), sheetFilters))
			img := sheet(shown, f.c, f.h, f.w, sheetColumns, sheetScale)
			var buf bytes.Buffer
			if err := png.Encode(&buf, img); err != nil {
				return nil, err
			}
			pic.Caption = fmt.Sprintf("%d of the %s filters with at least %d non-zeros; the layer has %s", len(shown), commas(f.eligible), filters.MinNonzero, commas(f.units))
			pic.File = fmt.Sprintf("filters-%s-%s", set.Name, k.Name)
			pic.Image = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(buf.Bytes()))
			pic.png = buf.Bytes()
			break
		}
		if figure4Place(k) < 3 {
			some = some || pic.Gap == ""
			main = append(main, pic)
		} else if pic.Gap == "" {
			rest = append(rest, pic)
		}
	}
	if !some {
		main = append(main, rest...)
	}
	for _, pic := range main {
		if pic.png != nil {
			p.figures["figures/"+pic.File+".png"] = func(w io.Writer) error { _, err := w.Write(pic.png); return err }
		}
	}
	return main, nil
}

// figure4Place is where the paper's Figure 4 has a case, 3 where it has it not.
func figure4Place(k paper.Case) int {
	if i := slices.Index([]string{"s-fc", "s-fc-beta50", "s-local"}, k.Name); i >= 0 {
		return i
	}
	return 3
}

// spread takes n of a list, evenly.
func spread[T any](list []T, n int) []T {
	var some []T
	for i := range n {
		some = append(some, list[i*len(list)/n])
	}
	return some
}

// writeFile writes a file under another name and then renames it, so that a
// reader sees the old one or the new one.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = write(f)
	if e := f.Chmod(0o644); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}

// Gaps says whether a row lacks something.
func (s Section) Gaps() bool {
	return slices.ContainsFunc(s.Rows, func(r Row) bool { return r.Gap != "" })
}

// Explained says whether a row has a published number beside it.
func (s Section) Explained() bool {
	return slices.ContainsFunc(s.Rows, func(r Row) bool { return r.compared })
}

// Even says whether the charts stand best in pairs.
func (p Picture) Even() bool { return len(p.Charts) == 4 }
