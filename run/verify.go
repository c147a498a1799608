package run

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"betalasso/disk"
)

// Verify reads all files of the run at path and returns what is wrong with them:
// settings that cannot be, a file that is damaged or is no plain file, events
// that are missing, weights or a result of another run. It never holds a whole
// file in memory, and follows no link. A run that is being trained may change
// under it, and then look broken.
func Verify(path string) []error {
	d, err := Open(path)
	if err != nil {
		return []error{err}
	}
	v := verifier{Dir: d}
	v.result()
	v.events()
	v.weights()
	v.small()
	v.filters()
	return v.wrong
}

// verifier collects what is wrong.
type verifier struct {
	*Dir
	wrong []error
	res   *Result // nil: none that can be read
}

func (v *verifier) add(err error) {
	if err != nil {
		v.wrong = append(v.wrong, err)
	}
}

func (v *verifier) result() {
	r, err := v.Result()
	if err == nil {
		v.res = &r
	} else if !errors.Is(err, fs.ErrNotExist) {
		v.add(err)
	}
}

// events reads the events one by one. Those of a finished run are all there;
// imported weights have none.
func (v *verifier) events() {
	sum := newEventSum()
	err := v.eachEvent(func(e Event) bool { sum.add(e); return true })
	v.add(err)
	if err != nil || v.res == nil {
		return
	}
	if want := v.res.Files.Events; want != "" && want != sum.String() {
		v.add(fmt.Errorf("%s: these are not the events that %s is of; put back the files of one run", v.File(EventsFile), ResultFile))
	} else if want == "" && sum.n > 0 && sum.n != v.config.Epochs+1 {
		v.add(fmt.Errorf("%s: it has %d events, where a run of %d epochs has one more; put back a copy", v.File(EventsFile), sum.n, v.config.Epochs))
	}
}

// weights reads the checkpoint and the best epoch's weights.
func (v *verifier) weights() {
	meta, ok := v.weightsFile(WeightsFile)
	if !ok {
		return
	}
	s, err := v.checkpointState(meta)
	if err != nil {
		v.add(fmt.Errorf("%s: %w", v.File(WeightsFile), err))
		return
	}
	if v.res != nil && (s.Epoch != v.config.Epochs || s.BestEpoch != v.res.Best.Epoch) {
		v.add(fmt.Errorf("%s: it is of epoch %d, with the best one %d; %s is of %d and %d", v.File(WeightsFile), s.Epoch, s.BestEpoch, ResultFile, v.config.Epochs, v.res.Best.Epoch))
	}
	if meta, ok = v.weightsFile(BestFile); ok {
		if err := bestEpoch(meta, s); err != nil {
			v.add(fmt.Errorf("%s: %w", v.File(BestFile), err))
		}
	} else if _, err := os.Lstat(v.File(BestFile)); s.BestEpoch > 0 && !s.atBest() && v.config.Imported == "" && errors.Is(err, fs.ErrNotExist) {
		v.add(fmt.Errorf("%s is missing; put back a copy, or repeat the run", v.File(BestFile)))
	}
}

// weightsFile reads a file of weights, checks it by itself, against the settings
// and against the result, and gives its metadata. ok is that it is there and can
// be read.
func (v *verifier) weightsFile(name string) (meta map[string]string, ok bool) {
	path := v.File(name)
	meta, sum, own, err := readSums(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	if err == nil {
		err = v.ownSettings(meta)
	}
	if err == nil && v.res != nil {
		err = v.res.checkSum(name, sum, own)
	}
	if err != nil {
		v.add(fmt.Errorf("%s: %w", path, err))
		return nil, false
	}
	return meta, true
}

// readSums reads a file of weights a piece at a time: its metadata, the sum that
// that names and that its content has or, for a file of an earlier version, which
// names none, "" and the Checksum of its network's tensors.
func readSums(path string) (meta map[string]string, sum, own string, err error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, "", "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, "", "", err
	}
	size := min(bufferSize, info.Size())
	in := buffered(f, size)
	list, meta, err := readHeader(in, info.Size())
	if err != nil {
		return nil, "", "", fmt.Errorf("it is no usable safetensors file: %w", err)
	}
	if slices.ContainsFunc(list, func(t Tensor) bool { return isRaw(t.DType) }) {
		return sparseSums(path)
	}
	// One of the two sums is wanted, and taking it is most of the work.
	sum = meta[metaSum]
	h := metaSums(meta)
	if sum == "" {
		h = sha256.New()
	}
	buf, text, part := make([]byte, size), make([]byte, 0, size), make([]float32, min(bufferSize/8, size))
	for _, t := range list {
		into := io.Writer(h)
		if sum == "" && !ofNetwork(t) {
			into = io.Discard
		}
		sumName(into, t)
		for left := t.numbers(); left > 0; {
			n := min(left, len(part))
			if err := t.read(in, part[:n], buf); err != nil {
				return nil, "", "", err
			}
			if i := notFinite(part[:n]); i >= 0 {
				return nil, "", "", notFiniteError(t.Name, t.numbers()-left+i)
			}
			as := buf[:4*n] // float32, as checksums have numbers
			if t.DType != "" {
				text = appendNumbers(text[:0], part[:n])
				as = text
			}
			into.Write(as)
			left -= n
		}
	}
	if sum != "" {
		return meta, sum, "", sumError(sum, h)
	}
	return meta, "", hex.EncodeToString(h.Sum(nil)), nil
}

// sparseSums is readSums of a file with sparse matrices, which are of a size to be
// read as a whole.
func sparseSums(path string) (meta map[string]string, sum, own string, err error) {
	list, meta, err := ReadTensors(path)
	if err != nil {
		return nil, "", "", err
	}
	all, network := metaSums(meta), sha256.New()
	sumTensors(all, list)
	for _, t := range list {
		if i := t.notFinite(); i >= 0 {
			return nil, "", "", notFiniteError(t.Name, i)
		}
		if ofNetwork(t) {
			sumTensors(network, []Tensor{t})
		}
	}
	if sum = meta[metaSum]; sum != "" {
		err = sumError(sum, all)
	}
	return meta, sum, hex.EncodeToString(network.Sum(nil)), err
}

// small reads the files meant for people: they are parsed, and hold nothing that
// the others do not.
func (v *verifier) small() {
	if text, err := disk.ReadFile(v.File(StateFile), maxJSON); err == nil {
		if _, err := ParseState(text, v.config); err != nil {
			v.add(fmt.Errorf("%s: %w", v.File(StateFile), err))
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		v.add(err)
	}
	for _, name := range []string{TimesFile, FailureFile, LockFile} {
		if _, err := disk.ReadFile(v.File(name), maxText); err != nil && !errors.Is(err, fs.ErrNotExist) {
			v.add(err)
		}
	}
}

// filters reads the files of filters that pictures are drawn from.
func (v *verifier) filters() {
	if err := v.filtersDir(); err != nil {
		v.add(err)
		return
	}
	names := []string{FiltersFile}
	epochs, err := FilterEpochs(os.DirFS(v.path))
	v.add(err)
	for _, e := range epochs {
		names = append(names, FiltersAt(e))
		if e > v.config.Epochs {
			v.add(fmt.Errorf("%s: there is no epoch %s; the settings have %d", v.File(FiltersAt(e)), strconv.Itoa(e), v.config.Epochs))
		}
	}
	for _, name := range names {
		meta, _, _, err := readSums(v.File(name))
		if err == nil {
			err = v.ownSettings(meta)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			v.add(fmt.Errorf("%s: %w", filepath.Join(v.path, name), err))
		}
	}
}
