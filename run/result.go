package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"betalasso/data"
	"betalasso/disk"
)

// Result reads the run's result. The error is fs.ErrNotExist for a run that
// has not finished; a result of other settings than the directory's is an
// error.
func (d *Dir) Result() (Result, error) {
	path := d.File(ResultFile)
	text, err := disk.ReadFile(path, maxJSON)
	if err != nil {
		return Result{}, err
	}
	r, err := ParseResult(text, d.config)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ReadResult reads the result of the run at path; it is fs.ErrNotExist where there
// is no run, or none that has finished.
func ReadResult(path string) (Result, error) {
	d, err := Open(path)
	if err != nil {
		return Result{}, err
	}
	return d.Result()
}

// WriteResult writes the run's result, with the checksums of the files that
// belong to it.
func (d *Dir) WriteResult(r Result) error {
	events, _, err := d.readEvents(maxEpochs)
	if err != nil {
		return err
	}
	r.Files = FileSums{Settings: d.config.ID(), Events: sumEvents(events), Last: d.lastSum, Best: d.bestSum, Result: noSum}
	text, err := json.Marshal(r)
	if err == nil {
		err = r.check(d.config)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", d.File(ResultFile), err)
	}
	r.Files.Result = resultSum(text, noSum)
	return d.writeJSON(ResultFile, r)
}

// ParseResult reads the text of a result of a run with the settings c. What no
// training with these settings can produce is an error.
func ParseResult(text []byte, c Config) (Result, error) {
	var r Result
	if err := ParseJSON(text, &r); err != nil {
		return Result{}, err
	}
	if err := r.check(c); err != nil {
		return Result{}, err
	}
	if sum := r.Files.Result; sum != "" && sum != resultSum(text, sum) {
		return Result{}, errors.New("it was edited or damaged: its checksum is of other numbers; put back a copy of the file, or repeat the run")
	}
	return r, nil
}

// noSum takes the place of a result's own checksum while that is computed.
var noSum = strings.Repeat("0", hex.EncodedLen(sha256.Size))

// resultSum is the SHA-256, in hex, of a result's JSON whatever its white space,
// with noSum in the place of sum.
func resultSum(text []byte, sum string) string {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256(bytes.Replace(b.Bytes(), []byte(sum), []byte(noSum), 1)))
}

// check finds what no training with the settings c can produce.
func (r Result) check(c Config) error {
	if of := r.Files.Settings; of != "" && of != c.ID() {
		return &SettingsError{Of: Printable(of), Want: c.ID()}
	}
	if r.Last.Epoch != c.Epochs && (c.Imported == "" || r.Last.Epoch < 1 || r.Last.Epoch > c.Epochs) {
		return fmt.Errorf("it is of %d epochs, and the settings have %d: one of the two was edited or swapped; put back the one that belongs here", r.Last.Epoch, c.Epochs)
	}
	if r.Seed != c.Seed {
		return fmt.Errorf("it is of the seed %d, and the settings have %d: one of the two was edited or swapped; put back the one that belongs here", r.Seed, c.Seed)
	}
	var b bounds
	scores := []Score{r.Last, r.Best}
	if u := r.Unrounded; u != nil {
		scores = append(scores, u.Last, u.Best)
		b.shown("weights_sha256 of unrounded", u.WeightsSum)
		b.number("below", u.Below)
	}
	for _, s := range scores {
		b.whole("epoch", s.Epoch, 0, c.Epochs)
		b.share("val_acc", s.ValAcc)
		b.share("test_acc", s.TestAcc)
		b.number("test_loss", s.TestLoss)
	}
	b.whole("params", r.Params, 0, math.MaxInt)
	b.whole("layers", len(r.Layers), 0, maxLayers)
	for _, l := range r.Layers {
		b.shown("a layer's name", l.Name)
		b.whole("params of "+Printable(l.Name), l.Params, 0, maxWeights)
		b.whole("nonzero of "+Printable(l.Name), l.Nonzero, 0, l.Params)
	}
	b.number("wall_seconds", r.WallSeconds)
	for _, s := range r.Sources {
		b.shown("data_sources", s.File+s.MD5)
	}
	for name, text := range map[string]string{
		"machine": r.Machine.CPU + r.Machine.Device + r.Machine.OS, "version": r.Version, "go": r.Go,
		"data_set": r.DataSet.Name, "weights_sha256": r.WeightsSum,
	} {
		b.shown(name, text)
	}
	b.whole("data_set.train", r.DataSet.Train, 0, math.MaxInt32)
	b.whole("data_set.val", r.DataSet.Val, 0, math.MaxInt32)
	b.whole("data_set.test", r.DataSet.Test, 0, math.MaxInt32)
	b.shown("data_set", strings.Join(slices.Concat(r.DataSet.Classes, r.DataSet.Skipped), ""))
	r.checkNetwork(&b)
	return b.err
}

// checkNetwork finds input sizes and classes that no network has.
func (r Result) checkNetwork(b *bounds) {
	d := r.DataSet
	b.whole("data_set.side", d.Side, 0, data.MaxSide)
	b.whole("data_set.channels", d.Channels, 0, 3)
	if b.err == nil && d.Channels == 2 {
		b.err = errors.New("data_set.channels: images have 1 or 3, not 2")
	}
	b.whole("means in data_set", len(d.Mean), d.Channels, d.Channels)
	b.whole("deviations in data_set", len(d.Std), d.Channels, d.Channels)
	for _, v := range append(slices.Clone(d.Mean), d.Std...) {
		b.share("a mean or deviation in data_set", v)
	}
	if n := len(r.Confusion); n > 0 {
		b.whole("rows of confusion", n, len(d.Classes), len(d.Classes))
		b.whole("rows of confusion", n, 1, MostConfused)
		for _, row := range r.Confusion {
			b.whole("columns of confusion", len(row), n, n)
			for _, c := range row {
				b.whole("confusion", c, 0, d.Test)
			}
		}
	}
}

// CheckEvents is an error if events are not those that belong to the result. A
// result of an earlier version does not say.
func (r Result) CheckEvents(list []Event) error {
	if want := r.Files.Events; want != "" && want != sumEvents(list) {
		return fmt.Errorf("%s is not the file that %s is of; put back the files of one run", EventsFile, ResultFile)
	}
	return nil
}

// checkSum is an error where a file of weights is not the one that the result is
// of: sum is the file's, "" where it is of an earlier version, and own the
// Checksum of its network's tensors.
func (r Result) checkSum(name, sum, own string) error {
	want := r.Files.Last
	if name == BestFile {
		want = r.Files.Best
	}
	if want == "" && name == WeightsFile && sum == "" { // both of an earlier version
		want, sum = r.WeightsSum, own
	}
	if want != "" && want != sum {
		return fmt.Errorf("%s is not the file that %s is of; put back the files of one run", name, ResultFile)
	}
	return nil
}

// FileSums are the checksums that tie a result to the other files of its run. A
// result of an earlier version has none.
type FileSums struct {
	Settings string `json:"settings,omitempty"`          // Config.ID
	Events   string `json:"events,omitempty"`            // their number, and a SHA-256 of all but their times
	Last     string `json:"checkpoint_sha256,omitempty"` // of the last checkpoint's settings, state, events and tensors
	Best     string `json:"best_sha256,omitempty"`       // of the best epoch's
	Result   string `json:"result_sha256,omitempty"`     // of the result itself
}

// Weights reads the network's tensors of the last checkpoint or, if best, of the
// epoch with the best validation accuracy, beside the checkpoint's state. If
// there is a result, they must be the ones that it belongs to. If the checkpoint
// is of the best epoch, a directory may lack the second copy. The error is
// fs.ErrNotExist if there are none.
func (d *Dir) Weights(best bool) (State, []Tensor, error) {
	s, list, err := d.LoadCheckpoint()
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s has no weights yet: %w", d.path, err)
	}
	if err != nil {
		return s, nil, err
	}
	name, sum := WeightsFile, d.lastSum
	if _, missing := os.Lstat(d.File(BestFile)); best && !(s.atBest() && errors.Is(missing, fs.ErrNotExist)) {
		if list, err = d.LoadBest(s); errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s has no weights of a best epoch, only the last ones (a run without validation images has them when it ends); leave out --best: %w", d.path, err)
		}
		if err != nil {
			return s, nil, err
		}
		name, sum = BestFile, d.bestSum
	}
	r, err := d.Result()
	if err == nil {
		err = r.checkSum(name, sum, Checksum(network(list)))
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return s, nil, fmt.Errorf("%s: %w", d.path, err)
	}
	return s, network(list), nil
}

// network are the tensors that are not the optimiser's.
func network(list []Tensor) (own []Tensor) {
	for _, t := range list {
		if ofNetwork(t) {
			own = append(own, t)
		}
	}
	return own
}
