package train

import (
	"fmt"
	"path/filepath"

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
		DataSet:     DescribeData(t.Set, t.train, t.val),
		Seed:        c.Seed,
		WeightsSum:  run.Checksum(tensors(t.net)),
	}
	for _, l := range r.Layers {
		r.Params += l.Params
	}
	for _, f := range t.Set.Files {
		r.Sources = append(r.Sources, run.Source{File: filepath.Base(f.Path), MD5: f.MD5, Verified: f.Verified})
	}
	r.Last = run.Score{Epoch: c.Epochs, ValAcc: s.LastValAcc}
	if n := len(t.Set.Classes); n <= run.MostConfused {
		r.Confusion = newConfusion(n)
	}
	r.Last.TestLoss, r.Last.TestAcc = t.evaluate(t.Set.Test, r.Confusion)
	if err := t.writeFilters(); err != nil {
		return r, err
	}
	if s.BestEpoch == c.Epochs {
		r.Best = r.Last
		return r, t.Dir.WriteResult(r)
	}
	r.Best = run.Score{Epoch: s.BestEpoch, ValAcc: s.BestValAcc}
	best := t.best
	if len(best) == 0 {
		var err error
		if best, err = t.Dir.LoadBest(s); err != nil {
			return r, err
		}
	}
	if err := load(tensors(t.net), best); err != nil {
		return r, fmt.Errorf("%s: %w", t.Dir.File(run.BestFile), err)
	}
	r.Best.TestLoss, r.Best.TestAcc = t.evaluate(t.Set.Test, nil)
	return r, t.Dir.WriteResult(r)
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
