package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"betalasso/paper"
	"betalasso/run"
)

// record is the content of a run's directory.
type record struct {
	dir      string
	state    run.Status
	config   run.Config
	events   []run.Event
	result   run.Result
	finished bool
	opened   bool   // there is a config
	gap      string // why there is no result, or what else is wrong; "" if all is well
	filters  filterFile
	noFilter string // why there are no filters
}

// read reads a run's directory. What is missing or broken becomes a gap.
func read(dir string) record {
	s := run.Look(dir)
	r := record{dir: run.Printable(dir), state: s.State, config: s.Config, gap: s.Why()}
	if s.Result != nil {
		r.result, r.finished = *s.Result, true
	}
	d, err := run.Open(dir)
	if err != nil {
		r.noFilter = r.gap
		return r
	}
	r.opened = true
	r.events, err = d.Events()
	if err == nil && r.finished {
		err = r.result.CheckEvents(r.events)
	}
	if err != nil {
		r.gap = join(r.gap, fmt.Sprintf("the events cannot be read to their end: %s", err))
	} else if len(r.events) == 0 && r.finished {
		r.gap = join(r.gap, "no epochs are recorded, so there are no curves")
	}
	r.filters, err = readFilters(d)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !r.finished:
		r.noFilter = "filters are kept when a run ends, and this one has not"
	case errors.Is(err, fs.ErrNotExist):
		r.noFilter = "the run kept no filters"
	case err != nil:
		r.noFilter = err.Error()
	}
	return r
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// epochs is the number of epochs done.
func (r record) epochs() int {
	done := 0
	for _, e := range r.events {
		done = max(done, e.Epoch)
	}
	return done
}

// seconds is the training time so far.
func (r record) seconds() float64 {
	if r.finished {
		return r.result.WallSeconds
	}
	sum := 0.0
	for _, e := range r.events {
		sum += e.Seconds
	}
	return sum
}

// is reports whether the run is of a case. Weights trained elsewhere are of none:
// how they were trained is not known. Nor are those that began with another run's,
// whose epochs are not all.
func (r record) is(k paper.Case) bool {
	c := r.config
	return r.opened && c.Imported == "" && c.FromSum == "" && c.Model == k.Model && c.Optimizer == k.Optimizer && (c.Optimizer == "sgd" || c.Beta == k.Beta)
}

// settings is the Config without what may differ between seeds of one setting.
func (r record) settings() run.Config {
	c := r.config
	c.Seed = 0
	c.Threads, c.Sparse, c.Returns, c.SkipBad, c.DataDir, c.From, c.Name, c.Note = 0, "", false, false, "", "", "", "" // see run.Material
	return c
}

// twin reports whether both are runs of the same settings and seed.
func (r record) twin(other record) bool {
	return r.opened && other.opened && r.config.ID() == other.config.ID()
}

// counted are the runs but for twins, of which the first that is finished counts,
// else the first.
func counted(all []record) (list []record) {
	for _, r := range all {
		switch i := slices.IndexFunc(list, r.twin); {
		case i < 0:
			list = append(list, r)
		case r.finished && !list[i].finished:
			list[i] = r
		}
	}
	return list
}

// size orders settings by how much training they are.
func size(list []record) []int {
	finished := 0
	params := 0
	for _, r := range list {
		if r.finished {
			finished++
			params = max(params, r.result.Params)
		}
	}
	c := list[0].config
	return []int{min(finished, 1), c.Epochs, params, c.Train, finished, c.Alpha + c.Width}
}

// choose gives the runs of a case on a data set that its row shows: those of
// the setting with the best mean validation accuracy; of settings that held
// nothing out, the longest and largest that has a result. others is how many
// other settings there are.
func choose(all []record, set string, k paper.Case) (chosen []record, others int) {
	var groups [][]record
	for _, r := range all {
		if !r.is(k) || r.config.Data != set {
			continue
		}
		i := slices.IndexFunc(groups, func(g []record) bool { return g[0].settings() == r.settings() })
		if i < 0 {
			groups = append(groups, []record{r})
		} else {
			groups[i] = append(groups[i], r)
		}
	}
	if len(groups) == 0 {
		return nil, 0
	}
	best := slices.MaxFunc(groups, func(a, b []record) int {
		return cmp.Or(cmp.Compare(valOf(a), valOf(b)), slices.Compare(size(a), size(b)))
	})
	return best, len(groups) - 1
}

// setsOf lists the data sets of runs in the paper's order, then those that the
// paper does not have, by name.
func setsOf(all []record) []paper.DataSet {
	var list []paper.DataSet
	for _, d := range paper.DataSets {
		if slices.ContainsFunc(all, func(r record) bool { return r.opened && r.config.Data == d.Name }) {
			list = append(list, d)
		}
	}
	var others []string
	for _, r := range all {
		known := func(d paper.DataSet) bool { return d.Name == r.config.Data }
		if r.opened && !slices.ContainsFunc(paper.DataSets, known) && !slices.Contains(others, r.config.Data) {
			others = append(others, r.config.Data)
		}
	}
	slices.Sort(others)
	for _, name := range others {
		list = append(list, paper.Describe(name))
	}
	return list
}
