package grid

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
	PointsFile = "points.jsonl"
	RunsDir    = "runs"
	LeasesDir  = "leases"
	LogsDir    = "logs" // of the launchers
)

// Dir is the directory of a study. Its methods may be called by several
// goroutines.
type Dir struct {
	path  string
	study *Study

	beat     time.Duration // between two heartbeats
	patience time.Duration // without a heartbeat, after which an attempt is over

	mu     sync.Mutex
	points []Point
	size   int64 // of the file of points, when it was last read
	known  memory
}

// DifferentError is that a directory holds another study than the one given.
type DifferentError struct {
	Path    string
	Missing []Point // that the directory has and the given study has not
	Given   []Point // the study's points
}

func (e *DifferentError) Error() string {
	return fmt.Sprintf("%s holds another study: %d of its points are not in this one, the first is %s; choose another --out, or add to what the study had",
		e.Path, len(e.Missing), e.Missing[0].Labels)
}

// Create makes path the directory of a study, or goes on with the one that is
// there. A study may have grown: its new points come after those it had.
// An error is a *DifferentError where the directory has points that s has not.
func Create(path string, s *Study, points []Point) (*Dir, error) {
	if len(points) == 0 {
		return nil, Problems{"the study has no points"}
	}
	for _, sub := range []string{RunsDir, LeasesDir, LogsDir} {
		if err := os.MkdirAll(filepath.Join(path, sub), 0o777); err != nil {
			return nil, err
		}
	}
	d := &Dir{path: path, study: s, beat: 10 * time.Second, patience: 60 * time.Second}
	had, err := readPoints(filepath.Join(path, PointsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	given := map[string]bool{}
	for _, p := range points {
		given[p.ID] = true
	}
	there := map[string]bool{}
	var missing []Point
	for _, p := range had {
		there[p.ID] = true
		if !given[p.ID] && p.Stage == 0 {
			missing = append(missing, p)
		}
	}
	if missing != nil {
		return nil, &DifferentError{path, missing, points}
	}
	d.points = had
	for _, p := range points {
		if !there[p.ID] {
			p.Index = len(d.points)
			d.points = append(d.points, p)
		}
	}
	if err := run.Replace(filepath.Join(path, StudyFile), s.Text); err != nil {
		return nil, err
	}
	if len(d.points) > len(had) {
		err = d.writePoints()
	}
	return d, err
}

// Open opens a study's directory.
func Open(path string) (*Dir, error) {
	file := filepath.Join(path, StudyFile)
	s, err := Load(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not the directory of a study: it has no %s: %w", path, StudyFile, err)
	}
	if err != nil {
		return nil, err
	}
	d := &Dir{path: path, study: s, beat: 10 * time.Second, patience: 60 * time.Second}
	d.points, err = readPoints(filepath.Join(path, PointsFile))
	return d, err
}

// Path is the directory's path.
func (d *Dir) Path() string { return d.path }

// Study is the study as it was given.
func (d *Dir) Study() *Study { return d.study }

// RunPath is the run directory of the point of that ID.
func (d *Dir) RunPath(id string) string { return filepath.Join(d.path, RunsDir, id) }

// Points are the points so far, by index. Study.Then adds some in the end.
func (d *Dir) Points() []Point {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.points
}

// Find is the point that an ID, or the unmistakable beginning of one, names.
func (d *Dir) Find(id string) (Point, error) {
	var found []Point
	for _, p := range d.Points() {
		if id != "" && strings.HasPrefix(p.ID, id) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Point{}, fmt.Errorf("%s has no point %q; `betalasso sweep status %s` lists them", d.path, id, d.path)
	}
	return Point{}, fmt.Errorf("%d points of %s begin with %q; give more of the ID", len(found), d.path, id)
}

// refresh reads points that another process has added.
func (d *Dir) refresh() error {
	info, err := os.Stat(filepath.Join(d.path, PointsFile))
	if err != nil {
		return err
	}
	d.mu.Lock()
	same := info.Size() == d.size // it only grows
	d.mu.Unlock()
	if same {
		return nil
	}
	points, err := readPoints(filepath.Join(d.path, PointsFile))
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.size = info.Size()
	if len(points) > len(d.points) {
		d.points = points
	}
	return nil
}

// writePoints replaces the file of points. Two processes that write it at a
// time come to the same.
func (d *Dir) writePoints() error {
	var text bytes.Buffer
	for _, p := range d.points {
		line, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("point %d: %w", p.Index, err)
		}
		text.Write(append(line, '\n'))
	}
	return run.Replace(filepath.Join(d.path, PointsFile), text.Bytes())
}

func readPoints(path string) ([]Point, error) {
	text, err := disk.ReadFile(path, maxPointsFile)
	if err != nil {
		return nil, err
	}
	return parsePoints(path, text)
}

// maxPointsFile is more bytes than maxPoints points take.
const maxPointsFile = 256 << 20

func parsePoints(path string, text []byte) ([]Point, error) {
	var points []Point
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		var p Point
		err := run.ParseJSON(line, &p)
		if err == nil {
			err = p.Config.Validate()
		}
		switch {
		case i >= maxPoints:
			return nil, fmt.Errorf("%s has more than %d points", path, maxPoints)
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
		points = append(points, p)
	}
	return points, nil
}
