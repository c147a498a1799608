package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// State is the progress of a run: all that a process needs besides the tensors to
// resume it as though nothing had happened.
type State struct {
	Epoch   int     `json:"epoch"`             // epochs done
	Step    int     `json:"step"`              // steps done of the epoch after them
	LossSum float64 `json:"loss_sum"`          // of that epoch's examples so far
	Correct int     `json:"correct"`           // of them
	Seen    int     `json:"seen"`              // how many they are
	Seconds float64 `json:"seconds,omitempty"` // that they took
	MACs    float64 `json:"work,omitempty"`    // multiply-adds of their products

	Returns     map[string]Returns `json:"returns,omitempty"`      // in that epoch so far
	WallSeconds float64            `json:"wall_seconds,omitempty"` // of the epochs done
	BestEpoch   int                `json:"best_epoch"`             // with the highest validation accuracy, without validation the last; 0: none yet
	BestValAcc  float64            `json:"best_val_acc"`
	LastValAcc  float64            `json:"last_val_acc"`
}

// stateFile is state.json. Settings is the ID of the run's settings.
type stateFile struct {
	State
	Settings string `json:"settings,omitempty"`
}

// ParseState reads the text of a state file of a run with the settings c. What no
// training with these settings can produce is an error.
func ParseState(text []byte, c Config) (State, error) {
	var s stateFile
	if err := ParseJSON(text, &s); err != nil {
		return State{}, err
	}
	if s.Settings != "" && s.Settings != c.ID() {
		return State{}, &SettingsError{Of: s.Settings, Want: c.ID()}
	}
	if err := s.check(c); err != nil {
		return State{}, err
	}
	return s.State, nil
}

// check finds what no training with the settings c can produce.
func (s State) check(c Config) error {
	var b bounds
	b.whole("epoch", s.Epoch, 0, c.Epochs)
	b.whole("step", s.Step, 0, math.MaxInt32)
	if s.Epoch == c.Epochs {
		b.whole("step after the last epoch", s.Step, 0, 0)
	}
	b.number("loss_sum", s.LossSum)
	b.whole("seen", s.Seen, 0, math.MaxInt32)
	b.whole("correct", s.Correct, 0, s.Seen)
	b.number("seconds", s.Seconds)
	b.number("wall_seconds", s.WallSeconds)
	b.number("work", s.MACs)
	b.returns(s.Returns)
	b.whole("best_epoch", s.BestEpoch, 0, s.Epoch)
	b.share("best_val_acc", s.BestValAcc)
	b.share("last_val_acc", s.LastValAcc)
	return b.err
}

// atBest reports whether the state is that right after its best epoch.
func (s State) atBest() bool { return s.BestEpoch == s.Epoch && s.Step == 0 }

// SettingsError is that a file was made by a run of other settings than those
// of the directory that it is in.
type SettingsError struct{ Of, Want string } // Config.ID

func (e *SettingsError) Error() string {
	return fmt.Sprintf("it is of the settings with the ID %s, and %s now has those of %s: one of the two was edited or swapped; put back the one that belongs here",
		e.Of, ConfigFile, e.Want)
}

// SaveCheckpoint replaces the checkpoint. State and tensors go into one file,
// so that there is no moment at which the two disagree; state.json is a copy
// for people.
//
// Times are the one thing that differs between two trainings of the same
// settings, and so are kept out of that file. They are written before it to
// another file, which has the times of the present checkpoint and of the next
// one. Whichever of the two a kill leaves, its times are there.
func (d *Dir) SaveCheckpoint(s State, tensors []Tensor) error {
	path := d.File(WeightsFile)
	events, _, err := d.readEvents(s.Epoch)
	if err != nil {
		return err
	}
	times := timesOf(s)
	if err := d.writeJSON(TimesFile, []checkpointTime{d.time, times}); err != nil {
		return err
	}
	timeless := s
	timeless.Seconds, timeless.WallSeconds, timeless.MACs = 0, 0, 0
	text, err := json.Marshal(timeless)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	d.lastSum, err = d.writeWeights(WeightsFile, tensors, map[string]string{metaState: string(text), metaEvents: sumEvents(events)})
	if err != nil {
		return err
	}
	d.time = times
	return d.writeJSON(StateFile, stateFile{s, d.config.ID()})
}

// SaveBest replaces the weights of the epoch with the best validation accuracy.
func (d *Dir) SaveBest(epoch int, tensors []Tensor) (err error) {
	d.bestSum, err = d.writeWeights(BestFile, tensors, map[string]string{metaEpoch: strconv.Itoa(epoch)})
	return err
}

// LoadCheckpoint reads the last checkpoint. The error is fs.ErrNotExist where
// there is none. One that is damaged, of other settings or of other events than
// the directory's is an error; one of an earlier version, which has no sum, is
// read unchecked.
func (d *Dir) LoadCheckpoint() (State, []Tensor, error) {
	tensors, meta, err := d.readWeights(WeightsFile)
	if err != nil {
		return State{}, nil, err
	}
	s, err := d.checkpointState(meta)
	if err != nil {
		return State{}, nil, fmt.Errorf("%s: %w", d.File(WeightsFile), err)
	}
	d.lastSum = meta[metaSum]
	d.time = timesOf(s)
	return s, tensors, nil
}

// checkpointState is the state in the metadata of a checkpoint, checked against
// the settings and the events.
func (d *Dir) checkpointState(meta map[string]string) (State, error) {
	if meta[metaState] == "" {
		return State{}, errors.New("its metadata has no usable state: it is no checkpoint")
	}
	s, err := ParseState([]byte(meta[metaState]), d.config)
	if err != nil {
		return s, fmt.Errorf("its metadata has no usable state: %w", err)
	}
	events, _, err := d.readEvents(s.Epoch)
	if err != nil {
		return s, err
	}
	if want := meta[metaEvents]; want != "" && want != sumEvents(events) {
		return s, fmt.Errorf("the events until then are not those of %s: it has %d up to epoch %d; put back the files of one run", d.File(EventsFile), len(events), s.Epoch)
	}
	times := d.times(s, events)
	s.Seconds, s.WallSeconds, s.MACs = times.Seconds, times.WallSeconds, times.MACs
	return s, nil
}

// LoadBest reads the weights of the best epoch, which the checkpoint's state
// names. Those of a later epoch are accepted: a process that died before it wrote
// the checkpoint will produce them again.
func (d *Dir) LoadBest(s State) ([]Tensor, error) {
	tensors, meta, err := d.readWeights(BestFile)
	if err != nil {
		return nil, err
	}
	if err := bestEpoch(meta, s); err != nil {
		return nil, fmt.Errorf("%s: %w", d.File(BestFile), err)
	}
	d.bestSum = meta[metaSum]
	return tensors, nil
}

// bestEpoch is an error where the metadata of the best weights is not that of
// weights that belong to the state.
func bestEpoch(meta map[string]string, s State) error {
	text, ok := meta[metaEpoch]
	if epoch, err := strconv.Atoi(text); ok && (err != nil || epoch != s.BestEpoch && epoch <= s.Epoch) {
		return fmt.Errorf("it has the weights of epoch %s, and the best one is %d; put back the file of this run", Printable(text), s.BestEpoch)
	}
	return nil
}
