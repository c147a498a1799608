package run

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
)

// What a file of weights says beside its tensors. The sum is that of all the
// rest: settings, state, events, tensors.
const (
	metaState    = "state"
	metaSettings = "settings" // Config.ID
	metaEvents   = "events"   // eventSum of those until then
	metaEpoch    = "epoch"    // of the best weights
	metaSum      = "sha256"
	metaRounded  = "rounded" // for people: the tensors' types say it too
)

// metaSums begins the sum of a file of weights with what its metadata says.
func metaSums(meta map[string]string) hash.Hash {
	h := sha256.New()
	for _, key := range []string{metaState, metaSettings, metaEvents, metaEpoch} {
		fmt.Fprintf(h, "%s %s\n", key, meta[key])
	}
	return h
}

// writeWeights writes a file of weights with its sum, and returns that.
func (d *Dir) writeWeights(name string, list []Tensor, meta map[string]string) (sum string, err error) {
	meta[metaSettings] = d.config.ID()
	if slices.ContainsFunc(list, func(t Tensor) bool { return t.DType == "BF16" }) {
		meta[metaRounded] = "the weights of a finished run, rounded to bfloat16 to be published; the run cannot be resumed from them"
	}
	h := metaSums(meta)
	sumTensors(h, list)
	sum = hex.EncodeToString(h.Sum(nil))
	meta[metaSum] = sum
	_, err = WriteTensors(d.File(name), list, meta)
	return sum, err
}

// readWeights reads a file of weights and checks it by itself and against the
// settings.
func (d *Dir) readWeights(name string) ([]Tensor, map[string]string, error) {
	path := d.File(name)
	tensors, meta, err := ReadTensors(path)
	if err != nil {
		return nil, nil, err
	}
	if err = checkTensors(tensors, meta); err == nil {
		err = d.ownSettings(meta)
	}
	for _, t := range tensors {
		if i := t.notFinite(); err == nil && i >= 0 {
			err = notFiniteError(t.Name, i)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return tensors, meta, nil
}

// checkTensors checks the tensors of a file against the sum in its metadata, if
// any.
func checkTensors(list []Tensor, meta map[string]string) error {
	sum := meta[metaSum]
	if sum == "" {
		return nil
	}
	h := metaSums(meta)
	sumTensors(h, list)
	return sumError(sum, h)
}

func sumError(sum string, h hash.Hash) error {
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("it is damaged: its checksum is %.16s, and should be %.16s; put back a copy of the file, or repeat the run", got, Printable(sum))
	}
	return nil
}

func (d *Dir) ownSettings(meta map[string]string) error {
	if of := meta[metaSettings]; of != "" && of != d.config.ID() {
		return &SettingsError{Of: Printable(of), Want: d.config.ID()}
	}
	return nil
}

// notFinite is the place of the first number that is none, or −1.
func notFinite(list []float32) int {
	for i, x := range list {
		if x-x != 0 {
			return i
		}
	}
	return -1
}

// notFinite is the place of the first of the tensor's numbers that is none, or −1.
func (t Tensor) notFinite() int {
	at, found := 0, -1
	t.each(func(row []float32) error {
		if i := notFinite(row); i >= 0 && found < 0 {
			found = at + i
		}
		at += len(row)
		return nil
	})
	return found
}

func notFiniteError(name string, at int) error {
	return fmt.Errorf("tensor %q has a number that is not finite, at %d: the file was damaged, or saved by a training that diverged; put back a copy, or repeat the run", name, at)
}
