// Package sweep turns a study file into a list of runs and trains them: any
// number of workers, on one machine or on many that share a folder, train each
// trial once.
//
// A study's directory holds plain files:
//
//	study.yaml      the study as it was given
//	trials.jsonl    its trials, one a line; the index of a trial never changes
//	runs/ID/        the run of a trial; ID is run.Config.ID
//	leases/ID.N     the Nth attempt at a trial: who, since when, its heartbeat, how it ended
//
// Nothing is locked: an attempt begins with creating its file, which only one
// worker can do, and belongs to that worker as long as its heartbeat continues.
package sweep

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"betalasso/run"
	"betalasso/spelling"
)

// Settings are some settings of `betalasso train` by their names, each as the
// text that a flag would have.
type Settings map[string]string

// Axis is one dimension of a study: what it sets at each of its places.
type Axis []Settings

// Label is the name, beside those of settings, that gives a trial of a list a
// title of its own.
const Label = "label"

// Study is the content of a study file.
type Study struct {
	Name      string
	Fixed     Settings // the same for every trial
	Axes      []Axis   // they multiply; the first changes slowest
	StopAfter int      // failures in a row after which the study stops; 0: never
	Then      *Stage   // nil: the axes are all there is
	Text      []byte   // the file
}

// Stage follows when all trials of the axes are finished: the trial with the
// best mean validation accuracy over its seeds is trained again.
type Stage struct {
	ForEach []string // one best trial for each combination of these settings
	Fixed   Settings // what is then set otherwise
	Seeds   []string
}

// Problems are the things wrong with a study, each with where it stands.
type Problems []string

func (p Problems) Error() string { return strings.Join(p, "\n") }

// Load reads a study file. Its mistakes are Problems, all of them at once.
func Load(path string) (*Study, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxStudy+1))
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// A study file is no larger, in bytes, has no more keys and is nested no deeper.
const (
	maxStudy  = 256 << 10
	maxKeys   = 20_000
	maxNested = 12
)

// named is an error where a study's name cannot be that of its folder.
func named(name string) error {
	if name == "." || !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) || len(name) > 100 || name != run.Printable(name) {
		return fmt.Errorf("name: %q must be one word that a folder can have, with no / in it", name)
	}
	return nil
}

// Parse reads a study from text that came from the named file.
func Parse(name string, text []byte) (*Study, error) {
	r := &reader{file: name, lines: strings.Split(string(text), "\n")}
	s := &Study{Fixed: Settings{}, Text: text}
	root, err := r.document(text)
	if err != nil {
		return nil, err
	}
	var seeds Axis
	for _, e := range r.entries(root, "the study") {
		switch e.key {
		case "name":
			s.Name = r.text(e.value)
			if err := named(s.Name); err != nil {
				r.add(e.value, "%s", err)
			}
		case "fixed":
			s.Fixed = r.settings(e.value, fixable)
		case "axes":
			for _, n := range r.items(e.value, "axes") {
				s.Axes = append(s.Axes, r.axes(n)...)
			}
		case "seeds":
			for _, seed := range r.seeds(e.value) {
				seeds = append(seeds, Settings{"seed": seed})
			}
		case "on-failure":
			s.StopAfter = r.onFailure(e.value)
		case "then":
			s.Then = r.stage(e.value)
		default:
			r.unknown(e.at, e.key, []string{"name", "fixed", "axes", "seeds", "on-failure", "then"})
		}
	}
	if seeds != nil { // slowest, so that every trial has its first seed early
		s.Axes = slices.Insert(s.Axes, 0, seeds)
	}
	r.once(s)
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return s, nil
}

// once finds settings that are given in two places.
func (r *reader) once(s *Study) {
	where := map[string]string{}
	for name := range s.Fixed {
		where[name] = "fixed"
	}
	for i, axis := range s.Axes {
		here := fmt.Sprintf("axis %d", i+1)
		for _, place := range axis {
			for _, name := range sorted(place) {
				if before, ok := where[name]; ok && before != here {
					r.add(r.where[name], "%s is set twice: in %s and in %s", name, before, here)
				}
				where[name] = here
			}
		}
	}
	sizes := 0
	for _, name := range []string{"alpha", "width", "params"} {
		if s.Fixed[name] != "" {
			sizes++
		}
	}
	if sizes > 1 {
		r.add(r.where["params"], "fixed: give one of alpha, width and params")
	}
}

// seeds reads a list of seeds, or their number: 3 is 1, 2, 3.
func (r *reader) seeds(n node) []string {
	if isList(n) {
		var list []string
		for _, v := range r.items(n, "seeds") {
			text := r.text(v)
			if _, err := strconv.ParseUint(text, 10, 64); err != nil {
				r.add(v, "seeds: %q is not a whole number", text)
			}
			list = append(list, text)
		}
		return list
	}
	var list []string
	for i := range r.whole(n, "seeds", 1, maxTrials) {
		list = append(list, strconv.Itoa(i+1))
	}
	return list
}

// onFailure reads `continue` or `stop-after: N`.
func (r *reader) onFailure(n node) int {
	if !isMap(n) {
		if text := r.text(n); text != "continue" {
			r.add(n, "on-failure: there is no %q; use continue, or stop-after: 3", text)
		}
		return 0
	}
	after := 0
	for _, e := range r.entries(n, "on-failure") {
		if e.key != "stop-after" {
			r.unknown(e.at, e.key, []string{"stop-after"})
			continue
		}
		after = r.whole(e.value, "stop-after", 1, maxTrials)
	}
	return after
}

// stage reads what follows the axes.
func (r *reader) stage(n node) *Stage {
	s := &Stage{Fixed: Settings{}, Seeds: []string{"1"}}
	for _, e := range r.entries(n, "then") {
		switch e.key {
		case "for-each":
			for _, v := range r.items(e.value, "for-each") {
				name := r.text(v)
				if !slices.Contains(run.Settings(), name) {
					r.unknown(v, name, run.Settings())
				}
				s.ForEach = append(s.ForEach, name)
			}
		case "fixed":
			s.Fixed = r.settings(e.value, fixable)
		case "seeds":
			s.Seeds = r.seeds(e.value)
		default:
			r.unknown(e.at, e.key, []string{"for-each", "fixed", "seeds"})
		}
	}
	return s
}

// fixable are the settings that every trial may share, variable those that an
// axis may change: the folder of the data changes no number. The number of
// threads of a worker depends on its machine, not on the study.
var (
	fixable  = append(slices.DeleteFunc(run.Settings(), func(s string) bool { return s == "threads" }), "params")
	variable = slices.DeleteFunc(slices.Clone(fixable), func(s string) bool { return s == "data-dir" || s == "name" || s == "note" })
)

// unknown adds the problem of a key that does not exist.
func (r *reader) unknown(n node, key string, known []string) {
	r.add(n, "there is no %q here%s; use one of %s", key, spelling.Hint(key, known), strings.Join(known, ", "))
}
