package run

import "betalasso/disk"

// checkpointTime is how long a training took until a checkpoint.
type checkpointTime struct {
	Epoch       int     `json:"epoch"`
	Step        int     `json:"step"`
	Seconds     float64 `json:"seconds"` // as in State
	WallSeconds float64 `json:"wall_seconds"`
}

// times are the seconds of a state: its own, in a checkpoint of an earlier
// version; else those that the file of times has. Where that is lost, the
// epochs' are those of their events.
func (d *Dir) times(s State, events []Event) (seconds, wall float64) {
	if s.WallSeconds > 0 || s.Seconds > 0 {
		return s.Seconds, s.WallSeconds
	}
	var list []checkpointTime
	if text, err := disk.ReadFile(d.File(TimesFile), maxText); err == nil && ParseJSON(text, &list) == nil {
		for _, t := range list {
			var b bounds
			b.number("seconds", t.Seconds)
			b.number("wall_seconds", t.WallSeconds)
			if b.err == nil && t.Epoch == s.Epoch && t.Step == s.Step {
				return t.Seconds, t.WallSeconds
			}
		}
	}
	for _, e := range events {
		if e.Epoch > 0 {
			wall += e.Seconds
		}
	}
	return 0, wall
}
