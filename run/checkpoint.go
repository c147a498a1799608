package run

import (
	"encoding/json"
	"fmt"
)

// State is where a run stands: all that a process needs beside the tensors to
// go on as though nothing had happened.
type State struct {
	Epoch       int     `json:"epoch"`        // epochs done
	Step        int     `json:"step"`         // steps done of the epoch after them
	LossSum     float64 `json:"loss_sum"`     // of that epoch's examples so far
	Correct     int     `json:"correct"`      // of them
	Seen        int     `json:"seen"`         // how many they are
	Seconds     float64 `json:"seconds"`      // that they took
	Work        float64 `json:"work"`         // multiply-adds of their products
	WallSeconds float64 `json:"wall_seconds"` // of the epochs done
	BestEpoch   int     `json:"best_epoch"`   // with the highest validation accuracy; 0: none yet
	BestValAcc  float64 `json:"best_val_acc"`
	LastValAcc  float64 `json:"last_val_acc"`
}

// SaveCheckpoint replaces the checkpoint. State and tensors go into one file,
// so that there is no moment at which the two disagree; state.json is a copy
// for people.
func (d *Dir) SaveCheckpoint(s State, tensors []Tensor) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write %s: %w", d.File(WeightsFile), err)
	}
	if _, err := WriteTensors(d.File(WeightsFile), tensors, map[string]string{"state": string(text)}); err != nil {
		return err
	}
	return d.writeJSON(StateFile, s)
}

// LoadCheckpoint reads the last checkpoint. The error is fs.ErrNotExist where
// there is none.
func (d *Dir) LoadCheckpoint() (State, []Tensor, error) {
	var s State
	tensors, meta, err := ReadTensors(d.File(WeightsFile))
	if err != nil {
		return s, nil, err
	}
	if err := json.Unmarshal([]byte(meta["state"]), &s); err != nil {
		return s, nil, fmt.Errorf("%s: its metadata has no usable state: %w", d.File(WeightsFile), err)
	}
	if s.Epoch < 0 || s.Step < 0 || s.Seen < 0 {
		return s, nil, fmt.Errorf("%s: its state is impossible: epoch %d, step %d", d.File(WeightsFile), s.Epoch, s.Step)
	}
	return s, tensors, nil
}
