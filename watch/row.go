package watch

import (
	"cmp"
	"reflect"
	"strings"

	"betalasso/run"
)

// row is a run's row of the table.
type row struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	State   run.Status `json:"state"`
	Note    string     `json:"note,omitempty"` // why it failed, or what of it cannot be read
	Epoch   int        `json:"epoch"`
	Left    float64    `json:"left,omitempty"` // seconds, of one that is running
	Val     *float64   `json:"val,omitempty"`  // after the last epoch, 0 to 1; absent where nothing was held out
	Best    *float64   `json:"best,omitempty"` // the highest validation accuracy
	Test    *float64   `json:"test,omitempty"` // after the last epoch, of one that is done
	Nonzero int        `json:"nonzero"`
	Params  int        `json:"params,omitempty"` // all weights, of one that is done
	Seconds float64    `json:"seconds"`          // of training
	Updated int64      `json:"updated"`          // Unix time of the last event
	Config  run.Config `json:"config"`
}

// entry is a run under watch: its row, and what it was made of.
type entry struct {
	place place
	row   row
	seen  run.Snapshot
	shown bool
}

// refresh reads again what has changed. It reports whether the row has, and
// whether the run is still there.
func (e *entry) refresh() (changed, there bool) {
	root, err := e.place.folder.root.OpenRoot(e.place.path)
	if err != nil {
		return false, false
	}
	defer root.Close()
	s, there := run.LookAgain(root, e.seen)
	if !there {
		return false, false
	}
	e.seen = s
	r := rowOf(s)
	r.ID, r.Name = e.row.ID, e.row.Name
	changed = !e.shown || !reflect.DeepEqual(r, e.row)
	e.row, e.shown = r, true
	return changed, true
}

// rowOf is the row of a run with that Snapshot.
func rowOf(s run.Snapshot) row {
	r := row{State: s.State, Note: cmp.Or(s.Note, strings.Join(s.Unread, "; ")), Epoch: s.Epoch, Nonzero: s.Nonzero(), Config: s.Config, Updated: s.Updated.Unix()}
	r.Config.Network = run.Setting(s.Config, "network").(string) // its hash: pages compare it, and show it
	if !s.Recorded.IsZero() {
		r.Updated = s.Recorded.Unix()
	}
	for _, f := range []struct {
		to *(*float64)
		of func() (float64, bool)
	}{{&r.Val, s.Val}, {&r.Best, s.Best}, {&r.Test, s.Test}} {
		if v, ok := f.of(); ok {
			*f.to = &v
		}
	}
	switch {
	case s.Result != nil:
		r.Seconds, r.Params = s.Result.WallSeconds, s.Result.Params
	case s.Checkpoint != nil:
		r.Seconds = s.Checkpoint.WallSeconds
	}
	if s.State == run.Running {
		r.Left = s.Pace().Seconds() * float64(max(0, s.Config.Epochs-s.Epoch))
	}
	return r
}
