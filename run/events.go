package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"

	"betalasso/disk"
)

// ParseEvent reads a line of events.jsonl.
func ParseEvent(line []byte) (Event, error) {
	var e Event
	err := ParseJSON(line, &e)
	if err == nil {
		err = e.check()
	}
	if err != nil {
		return Event{}, err
	}
	return e, nil
}

// check finds what no training can produce.
func (e Event) check() error {
	var b bounds
	b.whole("epoch", e.Epoch, 0, maxEpochs)
	b.whole("step", e.Step, 0, math.MaxInt)
	b.number("lr", e.LR)
	b.number("train_loss", e.TrainLoss)
	b.share("train_acc", e.TrainAcc)
	b.number("val_loss", e.ValLoss)
	b.share("val_acc", e.ValAcc)
	b.number("seconds", e.Seconds)
	b.number("examples_per_second", e.ExamplesPerSecond)
	b.number("step_ms", e.StepMS)
	b.number("work", e.MACs)
	b.number("dense_work", e.DenseMACs)
	if b.err == nil && e.DenseMACs > 0 && e.DenseMACs < 1 {
		b.err = fmt.Errorf("dense_work: %g is no number of multiply-adds", e.DenseMACs)
	}
	b.whole("layers", len(e.Nonzero), 0, maxLayers)
	for name, n := range e.Nonzero {
		b.shown("a layer's name", name)
		b.whole("nonzero of "+Printable(name), n, 0, maxWeights)
	}
	b.returns(e.Returns)
	return b.err
}

// returns checks what is recorded of weights that returned.
func (b *bounds) returns(m map[string]Returns) {
	b.whole("layers of returns", len(m), 0, maxLayers)
	for name, r := range m {
		b.shown("a layer's name", name)
		b.whole("returns of "+Printable(name), r.Weights, 0, math.MaxInt)
		b.whole("most returns of "+Printable(name), r.Most, 0, r.Weights)
		b.whole("steps of returns of "+Printable(name), len(r.Steps), 0, ReturnSteps)
		for _, n := range r.Steps {
			b.whole("returns of "+Printable(name)+" in a step", n, 0, r.Weights)
		}
		b.number("norm of "+Printable(name), r.Norm)
		for what, list := range map[string][]int{"std": r.Std, "left": r.Left, "unit_std": r.UnitStd, "unit_left": r.UnitLeft} {
			most := StdBins
			if what == "left" || what == "unit_left" {
				most = LeftBins
			}
			b.whole("bins of "+what, len(list), 0, most)
			for _, n := range list {
				b.whole(what, n, 0, math.MaxInt)
			}
		}
	}
}

const (
	maxEpochs  = 1 << 20
	maxLayers  = 1000
	maxWeights = max(math.MaxInt/maxLayers, math.MaxInt32) // of a layer; with 64 bits their sum is a number too
)

// Events reads what the run has recorded so far. A last line that is being
// written, or that a power cut tore, is left out. The error of a line that is no
// event, or not that of the next epoch, names it; the events before it are
// returned all the same.
func (d *Dir) Events() ([]Event, error) {
	list, _, err := d.readEvents(maxEpochs)
	return list, err
}

// readEvents reads the events up to an epoch, and does not look at what follows
// them. rest reports whether anything does.
func (d *Dir) readEvents(epoch int) (list []Event, rest bool, err error) {
	err = d.eachEvent(func(e Event) bool {
		rest = e.Epoch > epoch
		if !rest {
			list = append(list, e)
		}
		return !rest && e.Epoch < epoch
	})
	return list, rest, err
}

// eachEvent calls f for the events in turn, for as long as f says so.
func (d *Dir) eachEvent(f func(Event) bool) error {
	path := d.File(EventsFile)
	file, err := disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, bufferSize/4)
	for number := 1; ; number++ {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		var e Event
		if err == nil {
			e, err = ParseEvent(line)
		} else if !errors.Is(err, errLongLine) {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if err != nil {
			if _, end := in.Peek(1); errors.Is(end, io.EOF) { // the last line
				return nil
			}
			return d.lineError(number, err)
		}
		if e.Epoch != number-1 {
			return d.lineError(number, fmt.Errorf("it is of epoch %d, where that of %d belongs: events are missing, or there twice", e.Epoch, number-1))
		}
		if e.Epoch > d.config.Epochs {
			return d.lineError(number, fmt.Errorf("it is of epoch %d, and the settings have %d", e.Epoch, d.config.Epochs))
		}
		if !f(e) {
			return nil
		}
	}
}

var errLongLine = errors.New("the line is too long for an event")

// readLine reads a line with its end. The error is io.EOF where there is none
// that is whole.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := in.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine; !long {
			line = append(line, part...)
		}
		switch {
		case err == nil && long:
			return nil, errLongLine
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// lineError says what is wrong with a line, and what to do.
func (d *Dir) lineError(number int, err error) error {
	return fmt.Errorf("%s, line %d: %w; put back a copy of the file, or repeat the run: betalasso train --config %s --out DIR",
		d.File(EventsFile), number, err, d.File(ConfigFile))
}

// AppendEvent adds one line to the run's events; it is on disk when it returns.
func (d *Dir) AppendEvent(e Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write %s: epoch %d: %w", d.File(EventsFile), e.Epoch, err)
	}
	f, err := disk.Append(d.File(EventsFile))
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
	var list []Event
	if epoch >= 0 {
		var err error
		if list, _, err = d.readEvents(epoch); err != nil {
			return err
		}
	}
	var text bytes.Buffer
	for _, e := range list {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		text.Write(append(line, '\n'))
	}
	return replace(d.File(EventsFile), func(w io.Writer) error { _, err := w.Write(text.Bytes()); return err })
}

// MACs are the multiply-adds of the products of all epochs, as they were done
// and as dense products of all weights would take. Both are 0 where an epoch has
// not recorded them, as earlier versions did not.
func MACs(events []Event) (did, dense float64) {
	for _, e := range events {
		if e.Epoch > 0 && e.DenseMACs <= 0 {
			return 0, 0
		}
		did += e.MACs
		dense += e.DenseMACs
	}
	return did, dense
}
