package watch

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
	"time"

	"betalasso/run"
)

// mark is a place in an events file: the end of a line, with that line's length
// and checksum, which distinguish another file at the same path from one that
// grew. The zero mark is the beginning.
type mark struct {
	offset int64
	length int
	sum    uint32
}

func (m mark) String() string { return fmt.Sprintf("%d.%d.%08x", m.offset, m.length, m.sum) }

// parseMark reads a mark's String; anything else is the beginning.
func parseMark(text string) mark {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return mark{}
	}
	offset, err1 := strconv.ParseInt(parts[0], 10, 64)
	length, err2 := strconv.Atoi(parts[1])
	sum, err3 := strconv.ParseUint(parts[2], 16, 32)
	if err1 != nil || err2 != nil || err3 != nil || length < 1 || length > maxLine || offset < int64(length) {
		return mark{}
	}
	return mark{offset, length, uint32(sum)}
}

const (
	maxLine   = 1 << 20 // bytes of an event; a longer one is not read
	maxEvents = 500     // at a time, which is a message to a page
)

// tail follows a run's events from a mark on.
type tail struct {
	place   place
	mark    mark
	size    int64 // of the file when it was read to its end
	changed time.Time
}

// next reads some of the events that follow the mark, and moves it. again means that the
// file is not the one of the mark: what was read before is no longer valid, and
// events start over. more means that there is more to read at once.
func (t *tail) next() (events []run.Event, again, more bool, err error) {
	info, err := t.place.stat(run.EventsFile)
	if err != nil {
		return nil, false, false, err
	}
	if info.Size() == t.size && info.ModTime().Equal(t.changed) {
		return nil, false, false, nil
	}
	f, err := t.place.open(run.EventsFile)
	if err != nil {
		return nil, false, false, err
	}
	defer f.Close()
	if t.mark != (mark{}) && !t.mark.of(f) {
		t.mark, again = mark{}, true
	}
	text, err := io.ReadAll(io.NewSectionReader(f, t.mark.offset, maxLine))
	if err != nil {
		return nil, again, false, err
	}
	if end := bytes.LastIndexByte(text, '\n') + 1; end > 0 {
		more = len(text) == maxLine
		text = text[:end]
	} else {
		more = false
		text = nil // a line that is being written
	}
	lines := 0
	for line := range bytes.Lines(text) {
		if lines++; lines > maxEvents {
			more = true
			break
		}
		t.mark.offset += int64(len(line))
		t.mark.length, t.mark.sum = len(line), crc32.ChecksumIEEE(line)
		if e, err := run.ParseEvent(line); err == nil { // one that a power cut tore is left out
			events = append(events, e)
		}
	}
	if !more {
		t.size, t.changed = info.Size(), info.ModTime()
	}
	return events, again, more, nil
}

// of reports whether the mark is a place in f.
func (m mark) of(f io.ReaderAt) bool {
	line := make([]byte, m.length)
	if _, err := f.ReadAt(line, m.offset-int64(m.length)); err != nil {
		return false
	}
	return crc32.ChecksumIEEE(line) == m.sum
}
