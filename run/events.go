package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Events reads what the run has recorded so far. A last line that is being
// written, or that a power cut tore, is left out.
func (d *Dir) Events() ([]Event, error) {
	text, err := os.ReadFile(d.File(EventsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []Event
	for number := 1; ; number++ {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			return list, nil
		}
		text = rest
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			if len(rest) == 0 {
				return list, nil
			}
			return list, fmt.Errorf("%s, line %d: %w", d.File(EventsFile), number, err)
		}
		list = append(list, e)
	}
}

// AppendEvent adds one line to the run's events; it is on disk when it returns.
func (d *Dir) AppendEvent(e Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write %s: epoch %d: %w", d.File(EventsFile), e.Epoch, err)
	}
	f, err := os.OpenFile(d.File(EventsFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return full(err, d.File(EventsFile))
	}
	_, err = f.Write(append(line, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return full(err, d.File(EventsFile))
	}
	return nil
}

// TruncateEvents drops the events after the given epoch, which a run that goes
// on from an earlier checkpoint will record again. −1 drops all.
func (d *Dir) TruncateEvents(epoch int) error {
	list, err := d.Events()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, e := range list {
		if e.Epoch > epoch {
			continue
		}
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		text.Write(append(line, '\n'))
	}
	return replace(d.File(EventsFile), func(w io.Writer) error { _, err := w.Write(text.Bytes()); return err })
}
