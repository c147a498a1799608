package sweep

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"betalasso/disk"
	"betalasso/run"
)

// The files and folders of a study's directory.
const (
	StudyFile  = "study.yaml"
	TrialsFile = "trials.jsonl"
	RunsDir    = "runs"
	LeasesDir  = "leases"
	LogsDir    = "logs" // of the launchers
)

// olderTrialsFile is the name of TrialsFile in a directory that an earlier version
// made. It stays, so that workers of either version see each other's trials.
const olderTrialsFile = "points.jsonl"

// Dir is the directory of a study. Its methods may be called by several
// goroutines.
type Dir struct {
	path  string
	file  string // of the trials
	study *Study

	beat     time.Duration // between two heartbeats
	patience time.Duration // without a heartbeat, after which an attempt is over

	mu     sync.Mutex
	trials []Trial
	read   fs.FileInfo // the file of trials as it was last read
	known  memory
}

// DifferentError means that a directory holds another study than the one given.
type DifferentError struct {
	Path    string
	Missing []Trial // that the directory has and the given study has not
	Given   []Trial // the study's trials
}

func (e *DifferentError) Error() string {
	return fmt.Sprintf("%s holds another study: %d of its trials are not in this one, the first is %s; choose another --out, or add to what the study had",
		e.Path, len(e.Missing), e.Missing[0].Labels)
}

// Create makes path the directory of a study, or opens the one that is there. A
// study may have grown: its new trials come after those it had. Those it had take
// from the given ones all that is not in their ID: where the data are, say. An error
// is a *DifferentError where the directory has trials that s has not.
func Create(path string, s *Study, trials []Trial) (*Dir, error) {
	if len(trials) == 0 {
		return nil, Problems{"the study has no trials"}
	}
	for _, sub := range []string{RunsDir, LeasesDir, LogsDir} {
		if err := os.MkdirAll(filepath.Join(path, sub), 0o777); err != nil {
			return nil, err
		}
	}
	d := dirAt(path, s)
	had, err := readTrials(d.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	given := map[string]Trial{}
	for _, p := range trials {
		given[p.ID] = p
	}
	d.trials = had
	there := map[string]bool{}
	var missing, all []Trial
	for _, p := range had {
		there[p.ID] = true
		if g, ok := given[p.ID]; ok { // of the axes, even if it was added by Advance
			g.Index = p.Index
			p = g
		} else if p.Stage == 0 {
			missing = append(missing, p)
		}
		all = append(all, p)
	}
	if missing != nil {
		return nil, &DifferentError{path, missing, trials}
	}
	for _, p := range trials {
		if !there[p.ID] {
			p.Index = len(all)
			all = append(all, p)
		}
	}
	if err := run.Replace(filepath.Join(path, StudyFile), s.Text); err != nil {
		return nil, err
	}
	return d, d.replaceTrials(all)
}

// Open opens a study's directory.
func Open(path string) (*Dir, error) {
	file := filepath.Join(path, StudyFile)
	text, err := disk.ReadFile(file, maxStudy)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not the directory of a study: it has no %s: %w", path, StudyFile, err)
	}
	if err != nil {
		return nil, err
	}
	s, err := Parse(file, text)
	if err != nil {
		return nil, err
	}
	d := dirAt(path, s)
	d.trials, err = readTrials(d.file)
	return d, err
}

// IsDir reports whether path is the directory of a study.
func IsDir(path string) bool {
	d := dirAt(path, nil)
	return exists(d.file) && exists(filepath.Join(path, StudyFile))
}

func dirAt(path string, s *Study) *Dir {
	file := filepath.Join(path, TrialsFile)
	if older := filepath.Join(path, olderTrialsFile); !exists(file) && exists(older) {
		file = older
	}
	return &Dir{path: path, file: file, study: s, beat: 10 * time.Second, patience: 60 * time.Second}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Path is the directory's path.
func (d *Dir) Path() string { return d.path }

// Study is the study as it was given.
func (d *Dir) Study() *Study { return d.study }

// RunPath is the run directory of the trial of that ID.
func (d *Dir) RunPath(id string) string { return filepath.Join(d.path, RunsDir, id) }

// Trials are the trials so far, by index. Study.Then adds some in the end.
func (d *Dir) Trials() []Trial {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.trials
}

// Find is the trial with that ID, or with an ID that begins so if there is only
// one.
func (d *Dir) Find(id string) (Trial, error) {
	var found []Trial
	for _, p := range d.Trials() {
		if id != "" && strings.HasPrefix(p.ID, id) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Trial{}, fmt.Errorf("%s has no trial %q; `betalasso sweep status %s` lists them", d.path, id, d.path)
	}
	return Trial{}, fmt.Errorf("%d trials of %s begin with %q; give more of the ID", len(found), d.path, id)
}

// refresh reads trials that another process has added, and settings that it has
// changed.
func (d *Dir) refresh() error {
	info, err := os.Stat(d.file)
	if err != nil {
		return err
	}
	d.mu.Lock()
	same := d.read != nil && os.SameFile(info, d.read) && info.ModTime().Equal(d.read.ModTime()) // it is replaced, never changed
	d.mu.Unlock()
	if same {
		return nil
	}
	trials, err := readTrials(d.file)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.read = info
	if len(trials) >= len(d.trials) {
		d.trials = trials
	}
	return nil
}

// replaceTrials makes trials those of d, and writes the file if they are not what
// it says. Of two processes that do so at the same time the later one's holds; what
// it lacks, it adds when it looks again.
func (d *Dir) replaceTrials(trials []Trial) error {
	before, err := trialsText(d.trials)
	if err != nil {
		return err
	}
	after, err := trialsText(trials)
	if err != nil {
		return err
	}
	if !bytes.Equal(before, after) {
		if err := run.Replace(d.file, after); err != nil {
			return err
		}
	}
	d.trials = trials
	return nil
}

// trialsText is the text of the file of trials.
func trialsText(trials []Trial) ([]byte, error) {
	var text bytes.Buffer
	for _, p := range trials {
		line, err := json.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("trial %d: %w", p.Index, err)
		}
		text.Write(append(line, '\n'))
	}
	return text.Bytes(), nil
}

func readTrials(path string) ([]Trial, error) {
	text, err := disk.ReadFile(path, maxTrialsFile)
	if err != nil {
		return nil, err
	}
	return parseTrials(path, text)
}

// maxTrialsFile is more bytes than maxTrials trials take.
const maxTrialsFile = 256 << 20

func parseTrials(path string, text []byte) ([]Trial, error) {
	var trials []Trial
	i := -1
	for line := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		i++
		var p Trial
		err := run.ParseJSON(line, &p)
		if err == nil {
			err = p.Config.Validate()
		}
		if err == nil && p.Then != nil {
			err = p.Then.Validate()
		}
		switch {
		case i >= maxTrials:
			return nil, fmt.Errorf("%s has more than %d trials", path, maxTrials)
		case err != nil:
			return nil, fmt.Errorf("%s, line %d: %w", path, i+1, err)
		case p.Index != i:
			return nil, fmt.Errorf("%s, line %d: its index is %d, want %d", path, i+1, p.Index, i)
		case p.ID != p.Config.ID():
			return nil, fmt.Errorf("%s, line %d: its id is %q, but its config has %q: was it edited?", path, i+1, p.ID, p.Config.ID())
		}
		for name, value := range p.Labels {
			if text := name + value; text != run.Printable(text) {
				return nil, fmt.Errorf("%s, line %d: a label has characters that cannot be shown: %s", path, i+1, run.Printable(text))
			}
		}
		trials = append(trials, p)
	}
	return trials, nil
}
