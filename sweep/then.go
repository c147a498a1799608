package sweep

import (
	"fmt"
	"maps"
	"slices"

	"betalasso/run"
)

// Advance adds the trials of Study.Then once no worker will take a trial of the
// axes any more, and returns the number added: those that are missing, for
// example when the study has got more seeds. Two workers that do so at the same
// time add the same trials.
//
// It waits for a failed trial that may succeed at another attempt, but not for
// one whose files cannot be read, because only a person can mend it: such a trial
// takes no part in the choice, and once it is mended, the trials that it changes
// the choice to are added.
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
	trials := slices.Clone(d.trials)
	for _, c := range chosen {
		for _, seed := range d.study.Then.Seeds {
			labels := maps.Clone(c.Labels)
			maps.Copy(labels, d.study.Then.Fixed)
			labels["seed"] = seed
			p, err := newTrial(d.study.Fixed, labels, resolve)
			if err != nil {
				return 0, fmt.Errorf("then: %w", err)
			}
			if slices.ContainsFunc(trials, func(q Trial) bool { return q.ID == p.ID }) {
				continue
			}
			p.Index, p.Stage = len(trials), 1
			trials = append(trials, p)
		}
	}
	added = len(trials) - len(d.trials)
	d.trials = trials
	if added == 0 {
		return 0, nil
	}
	return added, d.writeTrials()
}

// choose gives for each combination of the settings ForEach the trial whose mean
// validation accuracy over its seeds is the best; the first of equals. The test
// set is not used.
func (t *Stage) choose(list []Status) ([]Trial, error) {
	type group struct {
		first Trial
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
			g = &group{first: s.Trial}
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
		return nil, fmt.Errorf("then: no trial of the axes has a result to choose by")
	}
	var chosen []Trial
	for _, key := range keys {
		chosen = append(chosen, best[key].first)
	}
	return chosen, nil
}
