package train

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"betalasso/nn"
	"betalasso/run"
)

// finish tests the last and the best state of the network and writes the
// result and the filters.
func (t *trainer) finish() (run.Result, error) {
	c, s := t.Config, t.state
	r := run.Result{
		Layers:      t.layers(),
		WallSeconds: s.WallSeconds,
		PeakRSS:     run.PeakRSS(),
		Machine:     run.ThisMachine(t.Threads, t.Device.Name()),
		Version:     run.Version(),
		Go:          run.GoVersion(),
		DataSet:     run.DataSet{Name: t.Set.Name, Train: t.train.Len(), Val: t.val.Len(), Test: t.Set.Test.Len()},
		Seed:        c.Seed,
		WeightsSum:  Checksum(tensors(t.net)),
	}
	for _, l := range r.Layers {
		r.Params += l.Params
	}
	for _, f := range t.Set.Files {
		r.Sources = append(r.Sources, run.Source{File: filepath.Base(f.Path), MD5: f.MD5, Verified: f.Verified})
	}
	r.Last = run.Score{Epoch: c.Epochs, ValAcc: s.LastValAcc}
	r.Last.TestLoss, r.Last.TestAcc = t.evaluate(t.Set.Test, "test")
	if err := t.writeFilters(); err != nil {
		return r, err
	}
	r.Best = run.Score{Epoch: s.BestEpoch, ValAcc: s.BestValAcc}
	if s.BestEpoch != c.Epochs {
		best := t.best
		if len(best) == 0 {
			var err error
			if best, _, err = run.ReadTensors(t.Dir.File(run.BestFile)); err != nil {
				return r, err
			}
		}
		if err := load(tensors(t.net), best); err != nil {
			return r, fmt.Errorf("%s: %w", t.Dir.File(run.BestFile), err)
		}
	}
	r.Best.TestLoss, r.Best.TestAcc = t.evaluate(t.Set.Test, "test")
	return r, t.Dir.WriteResult(r)
}

// Checksum is the SHA-256 of the tensors' names, shapes and bytes, so that two
// runs' weights can be told equal whatever else their files say.
func Checksum(list []run.Tensor) string {
	h := sha256.New()
	buf := make([]byte, 0, 1<<16)
	for _, t := range list {
		fmt.Fprintf(h, "%s %v\n", t.Name, t.Shape)
		rows, cols := t.Size()
		row := make([]float32, cols)
		for i := range rows {
			if t.Rows != nil {
				t.Rows.Read(row, i)
			} else {
				row = t.Data
			}
			for part := range slices.Chunk(row, cap(buf)/4) {
				buf = buf[:0]
				for _, x := range part {
					buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(x))
				}
				h.Write(buf)
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// diverged is the error for a loss that is not finite.
func (t *trainer) diverged(step int) error {
	cause := "the steps are too large; try a smaller --lr"
	if t.Config.Momentum >= 0.9 && t.Config.LR >= 0.1 {
		cause = "the steps are too large; try a smaller --lr, or less --momentum"
	}
	for _, p := range t.params {
		if p.Count(); p.Group != nn.None && p.Nonzero == 0 {
			cause = fmt.Sprintf("every weight of %s is zero; try a smaller λ or --beta", p.Name)
		}
	}
	return &DivergedError{Epoch: t.state.Epoch + 1, Step: step + 1, LR: t.lr, Cause: cause}
}
