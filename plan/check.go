package plan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"betalasso/data"
	"betalasso/run"
	"betalasso/sweep"
	"betalasso/train"
)

// Check is the preflight check of trials.
type Check struct {
	Bench
	Out       string                              // the directory that the study will have
	Load      func(run.Config) (*data.Set, error) // fetches and verifies a Config's data set
	Room      Room                                // the memory that all workers together may have; zero where the trials are trained elsewhere
	Processes int                                 // workers at a time; at least 1
	Stopped   func() bool                         // Load ended because the user said so; may be nil
}

// Problem is what is wrong with some trials: a mistake in their settings, or a
// machine that cannot train them.
type Problem struct{ err error }

func (p Problem) Error() string { return p.err.Error() }
func (p Problem) Unwrap() error { return p.err }

// Run tries each kind of network among the trials, and among those that may follow
// them, on its data, and estimates what the trials will take. All problems are
// reported together, as a Problem; a stop is train.ErrStopped. It leaves no files.
func (k Check) Run(trials []sweep.Trial) (Total, error) {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	made := missingParents(k.Out)
	if err := os.MkdirAll(k.Out, 0o777); err != nil {
		return Total{}, Problem{err}
	}
	defer func() {
		for _, p := range made {
			os.Remove(p)
		}
	}()
	k.Dir = k.Out
	removeOld(k.Out)
	all := withThen(trials)
	sets := k.samples(all, wrong)
	if k.stopped() {
		return Total{}, train.ErrStopped
	}
	for _, p := range distinct(all) {
		if _, err := Fits(p.Config, k.Room); err != nil {
			wrong("%s: %w", called(p), err)
			continue
		}
		set := sets[SourceOf(p.Config)]
		if set == nil {
			continue
		}
		if _, err := k.Probe(Reduced(p.Config), set); errors.Is(err, train.ErrStopped) {
			return Total{}, err
		} else if err != nil {
			wrong("%s: a probe of a few steps: %w", called(p), err)
		}
	}
	if len(problems) > 0 {
		return Total{}, Problem{errors.Join(problems...)}
	}
	_, sum, err := k.Estimate(trials, k.Processes)
	if err != nil {
		return sum, err
	}
	if free, ok := run.FreeSpace(k.Out); ok && sum.Disk > float64(free) {
		wrong("the trials take %s of disk, %s has %s free", Bytes(sum.Disk), k.Out, Bytes(float64(free)))
	}
	if k.Room.Bytes > 0 && sum.Memory > k.Room.Bytes {
		wrong("%d trials at a time take up to %s of memory, and there are %s, %s; take fewer --processes", k.Processes, Bytes(sum.Memory), Bytes(k.Room.Bytes), k.Room.Of)
	}
	if len(problems) > 0 {
		return sum, Problem{errors.Join(problems...)}
	}
	return sum, nil
}

func (k Check) stopped() bool { return k.Stopped != nil && k.Stopped() }

// withThen are trials and, after them, what follows each if it is chosen.
func withThen(trials []sweep.Trial) []sweep.Trial {
	all := slices.Clone(trials)
	for _, p := range trials {
		if p.Then != nil {
			all = append(all, sweep.Trial{Index: p.Index, ID: p.Then.ID(), Labels: p.Labels, Config: *p.Then, Stage: 1})
		}
	}
	return all
}

// called is what a trial of withThen is called.
func called(p sweep.Trial) string {
	text := fmt.Sprintf("trial %d (%s)", p.Index, p.Labels)
	if p.Stage > 0 {
		text = "then, after " + text
	}
	return text
}

// samples loads the trials' data sets and keeps what probes need of them, as
// there may be several.
func (k Check) samples(trials []sweep.Trial, wrong func(string, ...any)) map[Source]*data.Set {
	sets := map[Source]*data.Set{}
	tried := map[Source]bool{}
	for _, p := range trials {
		from := SourceOf(p.Config)
		if tried[from] || k.stopped() {
			continue
		}
		tried[from] = true
		set, err := k.Load(p.Config)
		if err != nil {
			wrong("%s: %w", from.Name, err)
			continue
		}
		most, fits := 0, true
		split := map[[2]int]bool{}
		for _, q := range trials {
			parts := [2]int{q.Config.Val, q.Config.Train}
			if SourceOf(q.Config) != from {
				continue
			}
			most = max(most, ProbeImages(q.Config))
			if split[parts] {
				continue
			}
			split[parts] = true
			if _, _, err := train.Split(set, q.Config); err != nil {
				wrong("%s: %w", called(q), err)
				fits = false
			}
		}
		if !fits {
			continue
		}
		if sets[from], err = Sample(set, most); err != nil {
			wrong("%s: %w", from.Name, err)
		}
	}
	return sets
}

// distinct are the first trial of each kind of network on each data set, and
// the largest of all.
func distinct(trials []sweep.Trial) []sweep.Trial {
	type kind struct {
		of   run.Config
		from Source
	}
	var list []sweep.Trial
	seen := map[kind]bool{}
	for _, p := range trials {
		k := kind{kindOf(p.Config), SourceOf(p.Config)}
		if !seen[k] {
			seen[k] = true
			list = append(list, p)
		}
	}
	largest := slices.MaxFunc(trials, func(a, b sweep.Trial) int {
		x, y := Memory(a.Config), Memory(b.Config)
		if x < y {
			return -1
		} else if x > y {
			return 1
		}
		return 0
	})
	if !slices.ContainsFunc(list, func(p sweep.Trial) bool { return p.ID == largest.ID }) {
		list = append(list, largest)
	}
	return list
}

// removeOld removes from dir what killed checks have left.
func removeOld(dir string) {
	old, _ := filepath.Glob(filepath.Join(dir, ".check-*")) // the pattern is right
	for _, p := range old {
		if i, err := os.Stat(p); err == nil && time.Since(i.ModTime()) > time.Hour {
			os.RemoveAll(p)
		}
	}
}

// missingParents are the folders of path that do not exist, deepest first.
func missingParents(path string) (list []string) {
	for ; path != filepath.Dir(path); path = filepath.Dir(path) {
		if _, err := os.Stat(path); err == nil {
			break
		}
		list = append(list, path)
	}
	return list
}
