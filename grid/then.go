package grid

import (
	"fmt"
	"maps"
	"slices"

	"betalasso/run"
)

// Advance adds the points of Study.Then once no worker will take a point of the
// axes any more, and says how many it added: those that are not there yet, as when
// the study has got more seeds. Two workers that come to it at a time add the
// same.
//
// A point that failed and may succeed at another try is waited for. One whose
// files cannot be read is not, since only a person can mend it: it has no say, and
// once it has been mended, what it would have had chosen is added.
func (d *Dir) Advance(resolve Resolver) (added int, err error) {
	if d.study.Then == nil {
		return 0, nil
	}
	list, err := d.Status()
	if err != nil {
		return 0, err
	}
	list = slices.DeleteFunc(list, func(s Status) bool { return s.Stage > 0 })
	for _, s := range list {
		if s.State != run.Done && s.State != run.Broken && s.Last.Code != CodeNoRetry {
			return 0, nil
		}
	}
	chosen, err := d.study.Then.choose(list)
	if err != nil {
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	points := slices.Clone(d.points)
	for _, c := range chosen {
		for _, seed := range d.study.Then.Seeds {
			labels := maps.Clone(c.Labels)
			maps.Copy(labels, d.study.Then.Fixed)
			labels["seed"] = seed
			p, err := newPoint(d.study.Fixed, labels, resolve)
			if err != nil {
				return 0, fmt.Errorf("then: %w", err)
			}
			if slices.ContainsFunc(points, func(q Point) bool { return q.ID == p.ID }) {
				continue
			}
			p.Index, p.Stage = len(points), 1
			points = append(points, p)
		}
	}
	added = len(points) - len(d.points)
	d.points = points
	if added == 0 {
		return 0, nil
	}
	return added, d.writePoints()
}

// choose gives for each combination of the settings ForEach the point whose
// mean validation accuracy over its seeds is the best; the first of equals.
// The test set has no say.
func (t *Stage) choose(list []Status) ([]Point, error) {
	type group struct {
		first Point
		sum   float64
		n     int
	}
	var groups []*group
	byID := map[string]*group{}
	for _, s := range list {
		if s.Result == nil {
			continue
		}
		c := s.Config
		c.Seed = 0
		g := byID[c.ID()]
		if g == nil {
			g = &group{first: s.Point}
			byID[c.ID()] = g
			groups = append(groups, g)
		}
		g.sum += s.Result.Last.ValAcc
		g.n++
	}
	var keys []string
	best := map[string]*group{}
	for _, g := range groups {
		key := ""
		for _, name := range t.ForEach {
			key += fmt.Sprintf("%s=%v ", name, run.Setting(g.first.Config, name))
		}
		b := best[key]
		if b == nil {
			keys = append(keys, key)
		}
		if b == nil || g.sum/float64(g.n) > b.sum/float64(b.n) {
			best[key] = g
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("then: no point of the axes has a result to choose by")
	}
	var chosen []Point
	for _, key := range keys {
		chosen = append(chosen, best[key].first)
	}
	return chosen, nil
}
