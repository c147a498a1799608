package sweep

import (
	"fmt"
	"maps"

	"betalasso/run"
)

// maxTrials is more trials than can be trained: more are a mistake.
const maxTrials = 100_000

// Trial is one run of a study.
type Trial struct {
	Index  int        `json:"index"`  // from 0; it never changes
	ID     string     `json:"id"`     // of Config
	Labels Settings   `json:"labels"` // what the axes say of it
	Config run.Config `json:"config"`
	Stage  int        `json:"stage,omitempty"` // 1: of Study.Then, and not of the axes
	Asked  string     `json:"-"`               // the size that params asked for, as it was written, where Expand made the trial

	// Then is what follows if this trial is chosen, but for the seed; nil: Config.
	// It is settled together with Config, because the machine on which the choice
	// is made may have another CPU and other folders.
	Then *run.Config `json:"then,omitempty"`
}

// A Resolver makes a Config of settings, with all defaults filled in.
type Resolver func(Settings) (run.Config, error)

// Expand lists the trials of the axes. Trials that are the same run count
// once. What is wrong with them is Problems.
func (s *Study) Expand(resolve Resolver) ([]Trial, error) {
	count := 1
	for _, a := range s.Axes {
		if count *= max(1, len(a)); count > maxTrials {
			return nil, Problems{fmt.Sprintf("the axes multiply to more than %d trials", maxTrials)}
		}
	}
	var trials []Trial
	var problems Problems
	said, seen := map[string]bool{}, map[string]bool{}
	for i := range count {
		labels := Settings{}
		for rest, at := i, len(s.Axes)-1; at >= 0; at-- {
			if n := len(s.Axes[at]); n > 0 {
				maps.Copy(labels, s.Axes[at][rest%n])
				rest /= n
			}
		}
		p, err := newTrial(s.Fixed, labels, resolve)
		if err != nil {
			if !said[err.Error()] {
				problems = append(problems, fmt.Sprintf("trial %d (%s): %s", i, labels, err))
			}
			said[err.Error()] = true
			continue
		}
		if !seen[p.ID] {
			seen[p.ID] = true
			p.Index = len(trials)
			trials = append(trials, p)
		}
	}
	if s.Then != nil {
		problems = append(problems, s.settleThen(trials, resolve)...)
	}
	if problems != nil {
		return nil, problems
	}
	return trials, nil
}

// settleThen fills in what follows each trial if it is chosen, and returns what is
// wrong with that.
func (s *Study) settleThen(trials []Trial, resolve Resolver) (problems Problems) {
	said := map[string]bool{}
	wrong := func(p Trial, what string) {
		if !said[what] {
			problems = append(problems, fmt.Sprintf("then: trial %d (%s): %s", p.Index, p.Labels, what))
		}
		said[what] = true
	}
	settled := map[string]Trial{} // trials that differ in their seed alone are followed by the same
	for i, p := range trials {
		if p.Config.Val == 0 {
			wrong(p, "val: it holds out no images to choose the best by; give val above 0, or leave then out")
		}
		if len(s.Then.Fixed) == 0 {
			continue
		}
		labels := s.Then.labels(p, s.Then.Seeds[0])
		key := fmt.Sprintf("%q", labels)
		then, ok := settled[key]
		if !ok {
			var err error
			if then, err = newTrial(s.Fixed, labels, resolve); err != nil {
				wrong(p, err.Error())
				continue
			}
			settled[key] = then
		}
		trials[i].Then = &then.Config
	}
	return problems
}

// newTrial settles one trial.
func newTrial(fixed, labels Settings, resolve Resolver) (Trial, error) {
	all := Settings{}
	maps.Copy(all, fixed)
	maps.Copy(all, labels)
	delete(all, Label)
	c, err := resolve(all)
	if c.Name == "" {
		c.Name = labels[Label]
	}
	return Trial{ID: c.ID(), Labels: labels, Config: c, Asked: all["params"]}, err
}

// String is the settings in the order of their names: lr=0.1 seed=1.
func (s Settings) String() string {
	text := ""
	for _, name := range sorted(s) {
		if text != "" {
			text += " "
		}
		text += name + "=" + s[name]
	}
	return text
}
