package export

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"betalasso/run"
)

// eventFile is the name of a run's TensorBoard file, always the same so that a
// later export takes the place of an earlier one.
const eventFile = "events.out.tfevents.0.betalasso"

// TensorBoard writes the events of runs below the folder out: a folder for each
// run, named by its path below the folder that holds them all, with one event
// file. Steps are epochs. It gives the number of runs that had events, and says
// which runs cannot be read.
func TensorBoard(dirs []string, out string) (written int, left []error, err error) {
	names, err := runNames(dirs)
	if err != nil {
		return 0, nil, err
	}
	for i, path := range dirs {
		d, err := run.Open(path)
		if err != nil {
			left = append(left, err)
			continue
		}
		events, err := d.Events()
		if err != nil { // those before the broken line are had
			left = append(left, err)
		}
		if len(events) == 0 {
			continue
		}
		began := 0.0 // seconds since 1970
		if st, err := os.Stat(d.File(run.ConfigFile)); err == nil {
			began = float64(st.ModTime().UnixMilli()) / 1000
		}
		folder := filepath.Join(out, names[i])
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return written, left, err
		}
		if err := run.Replace(filepath.Join(folder, eventFile), tensorBoardFile(events, began, d.Config().Val > 0)); err != nil {
			return written, left, err
		}
		written++
	}
	return written, left, nil
}

// runNames are the paths of runs below the deepest folder that holds them all.
func runNames(dirs []string) ([]string, error) {
	var full []string
	for _, path := range dirs {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		full = append(full, abs)
	}
	if len(full) == 0 {
		return nil, nil
	}
	top := filepath.Dir(full[0])
	for _, path := range full[1:] {
		for {
			rel, err := filepath.Rel(top, path)
			if err == nil && filepath.IsLocal(rel) && rel != "." {
				break
			}
			if filepath.Dir(top) == top {
				return nil, err
			}
			top = filepath.Dir(top)
		}
	}
	var names []string
	for _, path := range full {
		name, err := filepath.Rel(top, path)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// tensorBoardFile is an event file of a run that began at the Unix time began. An
// event's time is that plus the time that the epochs until then took. held is
// whether the run held examples out to validate by.
func tensorBoardFile(events []run.Event, began float64, held bool) []byte {
	var file bytes.Buffer
	var version message
	version.double(1, began)
	version.text(3, "brain.Event:2")
	writeRecord(&file, version)
	now := began
	for _, e := range events {
		now += e.Seconds
		var summary message
		add := func(tag string, v float64) {
			var value message
			value.text(1, tag)
			value.float(2, float32(v))
			summary.bytes(1, value)
		}
		if e.Epoch > 0 { // nothing was trained before
			add("loss/train", e.TrainLoss)
			add("accuracy/train", e.TrainAcc)
			add("speed/examples_per_second", e.ExamplesPerSecond)
		}
		if held {
			add("loss/validation", e.ValLoss)
			add("accuracy/validation", e.ValAcc)
		}
		add("learning_rate", e.LR)
		for _, layer := range slices.Sorted(maps.Keys(e.Nonzero)) {
			add("nonzero/"+layer, float64(e.Nonzero[layer]))
		}
		var m message
		m.double(1, now)
		m.whole(2, e.Epoch)
		m.bytes(5, summary)
		writeRecord(&file, m)
	}
	return file.Bytes()
}

// writeRecord frames data as TFRecord does: its length and its bytes, each
// followed by a masked CRC32C.
func writeRecord(w *bytes.Buffer, data []byte) {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	w.Write(binary.LittleEndian.AppendUint32(length, maskedCRC(length)))
	w.Write(data)
	w.Write(binary.LittleEndian.AppendUint32(nil, maskedCRC(data)))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is the CRC32C of data, rotated by 15 bits and offset, as is usual for
// files that contain their own checksums.
func maskedCRC(data []byte) uint32 {
	sum := crc32.Checksum(data, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8
}
