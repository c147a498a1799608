package sweep

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"betalasso/run"
)

// Advance adds the trials of Study.Then once no worker will take a trial of the
// axes any more, and returns the number added: those that are missing, for
// example when the study has got more seeds. Two workers that do so at the same
// time add the same trials.
func (d *Dir) Advance() (added int, err error) {
	if d.study.Then == nil {
		return 0, nil
	}
	list, err := d.Status()
	if err != nil {
		return 0, err
	}
	chosen, err := d.Chosen(list)
	if err != nil {
		return 0, err
	}
	if err := d.refresh(); err != nil { // to judge all trials takes a while
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	trials := slices.Clone(d.trials)
	index := map[string]int{}
	for i, p := range trials {
		index[p.ID] = i
	}
	for _, p := range slices.Concat(chosen...) {
		i, there := index[p.ID]
		switch {
		case !there:
			p.Index = len(trials)
			index[p.ID] = p.Index
			trials = append(trials, p)
		case trials[i].Stage > 0: // what is not in its ID may have changed
			p.Index = i
			trials[i] = p
		}
	}
	added = len(trials) - len(d.trials)
	return added, d.replaceTrials(trials)
}

// Chosen are the trials of Study.Then, by seed, for each trial of the axes that is
// chosen by the statuses of all trials. They may be trials of the axes too. There
// are none while a worker may take a trial of the axes.
//
// It waits for a failed trial that may succeed at another attempt, but not for
// one whose files cannot be read, because only a person can mend it: such a trial
// takes no part in the choice, and once it is mended, the choice may be another.
func (d *Dir) Chosen(list []Status) ([][]Trial, error) {
	then := d.study.Then
	if then == nil {
		return nil, nil
	}
	var axes []Status
	for _, s := range list {
		if s.Stage > 0 {
			continue
		}
		if s.State != run.Done && s.State != run.Broken && s.Last.Code != CodeNoRetry {
			return nil, nil
		}
		axes = append(axes, s)
	}
	best, err := then.choose(axes)
	if err != nil {
		return nil, err
	}
	var chosen [][]Trial
	for _, p := range best {
		if p.Then == nil && len(then.Fixed) > 0 {
			trials := then.followed(p, list)
			if len(trials) > 0 {
				chosen = append(chosen, trials)
				continue
			}
			return nil, fmt.Errorf("then: an earlier version launched %s, and did not write down what follows; launch the study again with `betalasso sweep run`, which keeps what is done", d.path)
		}
		trials, err := then.follow(p)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, trials)
	}
	return chosen, nil
}

// follow are the trials that follow p, by seed.
func (t *Stage) follow(p Trial) (trials []Trial, err error) {
	c := p.Config
	if p.Then != nil {
		c = *p.Then
	}
	for _, seed := range t.Seeds {
		if c.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
			return nil, fmt.Errorf("then: seeds: %q is not a whole number", seed)
		}
		if id := c.ID(); !slices.ContainsFunc(trials, func(q Trial) bool { return q.ID == id }) { // a seed may be given twice
			trials = append(trials, Trial{ID: id, Labels: t.labels(p, seed), Config: c, Stage: 1})
		}
	}
	return trials, nil
}

// followed are the trials that an earlier version, which did not write down what
// follows, made to follow p.
func (t *Stage) followed(p Trial, list []Status) (trials []Trial) {
	for _, seed := range t.Seeds {
		labels := t.labels(p, seed)
		for _, s := range list {
			if s.Stage > 0 && maps.Equal(s.Labels, labels) {
				trials = append(trials, s.Trial)
			}
		}
	}
	return trials
}

// labels are those of the trial with that seed that follows p.
func (t *Stage) labels(p Trial, seed string) Settings {
	labels := Settings{}
	maps.Copy(labels, p.Labels)
	maps.Copy(labels, t.Fixed)
	labels["seed"] = seed
	return labels
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
