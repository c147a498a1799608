package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"betalasso/disk"
)

// The most bytes that a run's small files may have.
const (
	maxConfig = 64 << 10
	maxJSON   = 1 << 20 // a result, a state, the times
	maxText   = 64 << 10
	maxLine   = 1 << 20 // an event
)

// ReadFile reads a small plain file of a run; see disk.Open.
func ReadFile(path string) ([]byte, error) { return disk.ReadFile(path, maxJSON) }

// OpenFile opens a plain file of a run to read it; see disk.Open.
func OpenFile(path string) (*os.File, error) { return disk.Open(path) }

var errNull = errors.New("it holds nothing (null)")

// ParseJSON reads one JSON value that is not null, and nothing beside it, into v.
func ParseJSON(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("it is empty")
		}
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("something follows its JSON object")
	}
	if string(raw) == "null" {
		return errNull
	}
	return json.Unmarshal(raw, v)
}

// bounds collects what is out of them.
type bounds struct{ err error }

func (b *bounds) whole(name string, got, least, most int) {
	if b.err == nil && (got < least || got > most) {
		b.err = fmt.Errorf("%s: %d is not from %d to %d", name, got, least, most)
	}
}

func (b *bounds) share(name string, got float64) {
	if b.err == nil && !(got >= 0 && got <= 1) {
		b.err = fmt.Errorf("%s: %g is not from 0 to 1", name, got)
	}
}

// shown is of text that is shown as it is.
func (b *bounds) shown(name, got string) {
	if b.err == nil && got != Printable(got) {
		b.err = fmt.Errorf("%s has characters that cannot be shown: %s", name, Printable(got))
	}
}

// number is of what is not negative: losses, rates, times.
func (b *bounds) number(name string, got float64) {
	if b.err == nil && !(got >= 0 && got <= math.MaxFloat32) {
		b.err = fmt.Errorf("%s: %g is not a number from 0 on", name, got)
	}
}
