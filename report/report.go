// Package report writes the results of runs: the paper's Table 2, Figures 3 and 4
// beside the user's own numbers, learning curves, and every run's settings, as
// one self-contained HTML page and as Markdown with pictures. It reads run
// directories and nothing else.
package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"

	"betalasso/compare"
	"betalasso/filters"
	"betalasso/paper"
	"betalasso/run"
)

// Options are the options of a report.
type Options struct {
	Remarks []string     // sentences for the top, such as data that could not be had
	Trials  []run.Config // of the study that the runs are of, in its order, begun or not
}

// Picture is one figure: drawn in the page, and as files for Markdown.
type Picture struct {
	Number  int // in the report; 0 where there is none
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
	Rows        []Row  // of the paper's table, those that there are runs of
	WhyReport   string // what explains the differences of all rows
	WhyPaper    string
	Verdict     Verdict
	Settings    Settings
	Lambda      Picture // Title "" where no network has several λ
	Nonzero     Picture
	Returns     Picture // Title "" where no run has recorded returns
	Filters     []Picture
	Curves      Picture
	Confusion   Picture // of the best setting's first run
}

// Settings are all groups of settings on a data set.
type Settings struct {
	compare.Comparison
	Head   []string
	Cells  [][]string // the first of a row names the group
	Figure Picture
}

// fill makes the table of the comparison, with groups in the paper's words.
func (s *Settings) fill() {
	if len(s.Groups) == 0 {
		return
	}
	skip, said := len(s.Groups[0].Settings), telling(s.Comparison)
	head, rows := s.Rows()
	s.Head = append([]string{"setting"}, head[skip:]...)
	for i, cells := range rows {
		name := settingsName(s.Groups[i].Group, said)
		if s.Groups[i].String() == s.Baseline {
			defer func() { s.Baseline = name }()
		}
		s.Cells = append(s.Cells, append([]string{name}, cells[skip:]...))
	}
}

// page is the whole report.
type page struct {
	Loud       bool // the line of the data is a warning
	Lead       string
	Unfinished string
	Facts      string
	Remarks    []string
	Sections   []Section
	Locality   []Local
	Runs       []Run
	Bounds     []Bound // of Theorem 2
	Vacuous    bool    // all of them
	Uses       []Explained
	files      map[string]func(io.Writer) error // by path in out
}

// Write writes the report of the runs in dirs into the folder out: index.html,
// report.md, summary.json, figures/ and tables/. A run that is missing, unfinished or broken becomes a
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
	all = counted(all)
	for _, sub := range []string{"figures", "tables"} {
		if err := os.MkdirAll(filepath.Join(out, sub), 0o777); err != nil {
			return Summary{}, err
		}
	}
	p.files["summary.json"] = func(w io.Writer) error { return p.summary(w, all) }
	for name, draw := range p.files {
		if err := run.WriteWhole(filepath.Join(out, name), draw); err != nil {
			return Summary{}, err
		}
	}
	if err := run.WriteWhole(filepath.Join(out, "report.md"), p.markdown); err != nil {
		return Summary{}, err
	}
	index := filepath.Join(out, "index.html")
	if err := run.WriteWhole(index, p.html); err != nil {
		return Summary{}, err
	}
	sum := Summary{Page: index, Lead: p.Lead, Unfinished: p.Unfinished, Text: p.terminal()}
	for _, s := range p.Sections {
		sum.Verdicts = append(sum.Verdicts, s.Verdict)
	}
	return sum, nil
}

// compose makes the report's content: all runs are listed, and those that count
// are its numbers.
func compose(listed []record, opt Options) (*page, error) {
	p := &page{Remarks: opt.Remarks, files: map[string]func(io.Writer) error{}}
	p.lead(listed)
	p.Unfinished = unfinished(listed, opt.Trials)
	all := counted(listed)
	for _, set := range setsOf(all) {
		s := Section{Name: set.Name, Title: set.Title}
		for _, k := range paper.Cases {
			if slices.ContainsFunc(all, func(r record) bool { return r.is(k) && r.config.Data == set.Name }) {
				s.Rows = append(s.Rows, rowOf(all, set, k))
			}
		}
		s.account()
		c, err := comparison(all, set, opt.Trials)
		if err != nil {
			return nil, err
		}
		groups := groupsOf(all, set, c)
		s.Verdict = verdict(set, groups, c)
		s.Settings = Settings{Comparison: c, Figure: Picture{Title: set.Title}}
		s.Settings.fill()
		if len(c.Groups) > 1 {
			f, caption := settingsFigure(c, set)
			s.Settings.Figure.Caption = caption
			if err := p.charts(&s.Settings.Figure, f); err != nil {
				return nil, err
			}
			p.files["tables/"+set.Name+".csv"] = c.CSV
			p.files["tables/"+set.Name+".tex"] = c.LaTeX
		}
		f, caption := lambdaFigure(groups, set)
		if len(f.charts) > 0 {
			s.Lambda = Picture{Title: set.Title + ": λ, accuracy and locality", Caption: caption}
			if err := p.charts(&s.Lambda, f); err != nil {
				return nil, err
			}
		}
		f, caption = nonzeroFigure(groups, set)
		s.Nonzero = Picture{Title: set.Title, Caption: caption}
		if err := p.charts(&s.Nonzero, f); err != nil {
			return nil, err
		}
		if f, caption = returnsFigure(all, set); len(f.charts) > 0 {
			s.Returns = Picture{Title: set.Title + ": zero weights that return", Caption: caption}
			if err := p.charts(&s.Returns, f); err != nil {
				return nil, err
			}
		}
		f, caption = curvesFigure(groups, set)
		s.Curves = Picture{Title: set.Title, Caption: caption}
		if err := p.charts(&s.Curves, f); err != nil {
			return nil, err
		}
		pictures, err := p.filterPictures(all, set)
		if err != nil {
			return nil, err
		}
		s.Filters = pictures
		if s.Confusion, err = p.confusionPicture(all, set); err != nil {
			return nil, err
		}
		p.Sections = append(p.Sections, s)
		p.Locality = append(p.Locality, localities(groups, set)...)
	}
	p.Bounds, p.Vacuous = bounds(all)
	if err := p.explained(all); err != nil {
		return nil, err
	}
	p.number()
	for _, r := range listed {
		if i := slices.IndexFunc(all, r.twin); i >= 0 && all[i].dir != r.dir {
			r.gap = join(r.gap, "the same settings and seed as "+all[i].dir+", which is what counts")
		}
		p.Runs = append(p.Runs, runOf(r))
	}
	return p, nil
}

// number numbers the figures in the order in which the report shows them.
func (p *page) number() {
	n := 0
	next := func(pic *Picture) {
		if pic.Gap == "" && (len(pic.Charts) > 0 || pic.png != nil) {
			n++
			pic.Number = n
		}
	}
	for i := range p.Sections {
		if p.Sections[i].Settled() {
			next(&p.Sections[i].Settings.Figure)
		}
		next(&p.Sections[i].Lambda)
	}
	for i := range p.Sections {
		next(&p.Sections[i].Nonzero)
		next(&p.Sections[i].Returns)
	}
	for i := range p.Sections {
		for j := range p.Sections[i].Filters {
			next(&p.Sections[i].Filters[j])
		}
	}
	for i := range p.Uses {
		next(&p.Uses[i].Pixels)
		next(&p.Uses[i].Classes)
		next(&p.Uses[i].Filters)
	}
	for i := range p.Sections {
		next(&p.Sections[i].Confusion)
	}
	for i := range p.Sections {
		next(&p.Sections[i].Curves)
	}
}

// Named is a picture's caption with its number.
func (p Picture) Named() string {
	if p.Number == 0 {
		return p.Caption
	}
	return fmt.Sprintf("Figure %d. %s", p.Number, p.Caption)
}

// comparison sets the runs on a data set side by side.
func comparison(all []record, set paper.DataSet, trials []run.Config) (compare.Comparison, error) {
	var runs []compare.Run
	var left []compare.Left
	for _, r := range all {
		switch {
		case !r.opened || r.config.Data != set.Name:
		case r.finished:
			runs = append(runs, compare.Run{Dir: r.dir, Config: r.config, Result: r.result})
		default:
			left = append(left, compare.Left{Dir: r.dir, Why: r.gap, Config: r.config, Open: true})
		}
	}
	trials = slices.DeleteFunc(slices.Clone(trials), func(c run.Config) bool { return c.Data != set.Name })
	return compare.New(runs, left, compare.Options{Trials: trials})
}

// unfinished says how many of the runs, and of the study's trials, have no
// result; "" where all have.
func unfinished(all []record, trials []run.Config) string {
	counts := map[run.Status]int{}
	known := map[string]bool{}
	for _, r := range all {
		counts[r.state]++
		known[r.config.ID()] = known[r.config.ID()] || r.opened
	}
	for _, c := range trials {
		if !known[c.ID()] {
			known[c.ID()] = true
			counts[run.Planned]++
		}
	}
	total := 0
	var parts []string
	for _, state := range run.Statuses {
		total += counts[state]
		if n := counts[state]; n > 0 && state != run.Done {
			parts = append(parts, fmt.Sprintf("%s %s", commas(n), state))
		}
	}
	switch {
	case total == 0 || len(parts) == 0:
		return ""
	case counts[run.Done] == 0:
		return fmt.Sprintf("NOTHING FINISHED: none of %s has a result (%s).", count(total, "run"), list(parts))
	}
	return fmt.Sprintf("NOT FINISHED: %s of %s have a result (%s). What follows is of those that have.", commas(counts[run.Done]), count(total, "run"), list(parts))
}

// charts draws a figure for the page and writes its files.
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
	p.files["figures/"+f.name+".png"] = f.png
	p.files["figures/"+f.name+".svg"] = f.svg
	p.files["figures/"+f.name+".pdf"] = f.pdf
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
		if !slices.ContainsFunc(all, func(r record) bool { return r.is(k) && r.config.Data == set.Name }) {
			continue
		}
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
			scale := sheetScale
			for scale > 1 && (filterFile{h: f.h, w: f.w, filters: shown}).fits(sheetColumns, scale) != nil {
				scale--
			}
			img := sheet(shown, f.c, f.h, f.w, sheetColumns, scale)
			pic.Caption = fmt.Sprintf("%d of the %s filters with at least %d non-zeros; the layer has %s", len(shown), commas(f.eligible), filters.MinNonzero, commas(f.units))
			pic.File = fmt.Sprintf("filters-%s-%s", set.Name, k.Name)
			if err := pic.draw(img); err != nil {
				return nil, err
			}
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
			p.files["figures/"+pic.File+".png"] = func(w io.Writer) error { _, err := w.Write(pic.png); return err }
		}
	}
	return main, nil
}

// draw puts an image into the picture.
func (pic *Picture) draw(img image.Image) error {
	var buf bytes.Buffer
	err := png.Encode(&buf, img)
	pic.png = buf.Bytes()
	pic.Image = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(pic.png))
	return err
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

// Gaps reports whether a row lacks something.
func (s Section) Gaps() bool {
	return slices.ContainsFunc(s.Rows, func(r Row) bool { return r.Gap != "" })
}

// Explained reports whether a row has a published number beside it.
func (s Section) Explained() bool {
	return slices.ContainsFunc(s.Rows, func(r Row) bool { return r.compared })
}

// Even reports whether the charts look best in pairs.
func (p Picture) Even() bool { return len(p.Charts) == 4 }
