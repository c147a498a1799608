package run

import "betalasso/disk"

// checkpointTime is how long a training took until a checkpoint.
type checkpointTime struct {
	Epoch       int     `json:"epoch"`
	Step        int     `json:"step"`
	Seconds     float64 `json:"seconds"` // as in State
	WallSeconds float64 `json:"wall_seconds"`
	MACs        float64 `json:"work,omitempty"` // multiply-adds, which are the device's business as times are
}

// times are the seconds of a state: its own, in a checkpoint of an earlier
// version; else those that the file of times has. Where that is lost, the
// epochs' are those of their events.
func (d *Dir) times(s State, events []Event) (t checkpointTime) {
	if s.WallSeconds > 0 || s.Seconds > 0 {
		return timesOf(s)
	}
	var list []checkpointTime
	if text, err := disk.ReadFile(d.File(TimesFile), maxText); err == nil && ParseJSON(text, &list) == nil {
		for _, t := range list {
			var b bounds
			b.number("work", t.MACs)
			b.number("seconds", t.Seconds)
			b.number("wall_seconds", t.WallSeconds)
			if b.err == nil && t.Epoch == s.Epoch && t.Step == s.Step {
				return t
			}
		}
	}
	for _, e := range events {
		if e.Epoch > 0 {
			t.WallSeconds += e.Seconds
		}
	}
	return t
}

// timesOf is what a state says of times.
func timesOf(s State) checkpointTime {
	return checkpointTime{s.Epoch, s.Step, s.Seconds, s.WallSeconds, s.MACs}
}
