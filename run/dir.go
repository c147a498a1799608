package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"betalasso/disk"
)

// The files of a run's directory.
const (
	ConfigFile  = "config.yaml"         // the resolved Config
	EventsFile  = "events.jsonl"        // one Event a line
	ResultFile  = "result.json"         // Result, written last
	WeightsFile = "weights.safetensors" // the last checkpoint: weights, batch-norm state, momentum, State
	BestFile    = "best.safetensors"    // the network of the best-validation epoch
	StateFile   = "state.json"          // State of the last checkpoint, for people
	TimesFile   = "times.json"          // seconds that the last two checkpoints took until then
	FiltersFile = "filters.safetensors" // first-layer filters kept for pictures
	FiltersDir  = "filters"             // the same of a few epochs: see FiltersAt
	ExplainFile = "explain.safetensors" // what its weights look at, where `betalasso explain` was asked
	FailureFile = "failure.txt"         // why the last attempt ended early, if it did
	LockFile    = "lock"                // held while a process writes here; names it
)

// Dir is the directory of one run.
type Dir struct {
	path   string
	config Config
	unlock func() error // gives up the lock; nil where opened to read

	// Of the checkpoint and the best weights that were last saved or loaded: the
	// checksums that a result is tied to them by, and the checkpoint's times.
	lastSum, bestSum string
	time             checkpointTime
}

// ErrExists is that a directory holds a run already.
var ErrExists = errors.New("there is a run here already")

// Create makes path the directory of a new run and locks it. A run that is
// there already gives an error that is ErrExists.
func Create(path string, c Config) (*Dir, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := Vacant(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, err
	}
	d := &Dir{path: path, config: c}
	if err := d.acquire(); err != nil {
		return nil, err
	}
	if err := Vacant(path); err != nil { // now that nobody else can make it
		d.Close()
		return nil, err
	}
	if err := WriteConfig(d.File(ConfigFile), c); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Vacant is an error that is ErrExists if path is the directory of a run.
func Vacant(path string) error {
	if _, err := os.Stat(filepath.Join(path, ConfigFile)); err == nil {
		return fmt.Errorf("%s: %w; continue it with `betalasso resume %s`, or choose another directory", path, ErrExists, path)
	}
	return nil
}

// Open opens a run to read it. It takes no lock: a run may be read while it is
// trained.
func Open(path string) (*Dir, error) {
	c, err := ReadConfig(filepath.Join(path, ConfigFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not the directory of a run: it has no %s: %w", path, ConfigFile, err)
	}
	if err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, ConfigFile), err)
	}
	return &Dir{path: path, config: c}, nil
}

// OpenLocked opens a run to continue it, and locks it.
func OpenLocked(path string) (*Dir, error) {
	d, err := Open(path)
	if err != nil {
		return nil, err
	}
	if err := d.acquire(); err != nil {
		return nil, err
	}
	if err := d.filtersDir(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	disk.Remove(d.File(FailureFile))
	// What a killed process was writing when it died.
	for _, name := range []string{ConfigFile, EventsFile, ResultFile, WeightsFile, BestFile, StateFile, TimesFile, FiltersFile, FailureFile} {
		os.Remove(d.File(name) + temporary)
	}
	torn, err := filepath.Glob(filepath.Join(d.File(FiltersDir), "*"+temporary))
	if err == nil {
		for _, path := range torn {
			os.Remove(path)
		}
	}
	return d, nil
}

// Remove deletes a run that Create made and that did not start: its files, and
// its directory if it holds nothing else.
func (d *Dir) Remove() error {
	for _, name := range []string{ResultFile, WeightsFile, BestFile, StateFile, TimesFile, FiltersFile, ExplainFile, EventsFile, FailureFile, ConfigFile} {
		os.Remove(d.File(name))
	}
	d.Close() // Windows removes no open file
	os.Remove(d.File(LockFile))
	err := os.Remove(d.path)
	if errors.Is(err, fs.ErrExist) { // it is not empty
		err = nil
	}
	return err
}

// Path is the directory's path.
func (d *Dir) Path() string { return d.path }

// File is the path of one of its files.
func (d *Dir) File(name string) string { return filepath.Join(d.path, name) }

// Config is the run's Config.
func (d *Dir) Config() Config { return d.config }

// WriteFailure records why the run ended before its end, which a Snapshot then
// says. OpenLocked forgets it.
func (d *Dir) WriteFailure(why string) error {
	return replace(d.File(FailureFile), func(w io.Writer) error { _, err := io.WriteString(w, why+"\n"); return err })
}

func (d *Dir) writeJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", d.File(name), err)
	}
	return replace(d.File(name), func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err })
}
