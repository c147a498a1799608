package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"betalasso/data"
	"betalasso/disk"
	"betalasso/export"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/train"
)

// publish copies a finished run's directory with the weights rounded to bfloat16,
// the filters and scores of these, and nothing that only training needs.
func (e *exportCommand) publish(dir string) error {
	d, err := run.Open(dir)
	if err != nil {
		return err
	}
	r, err := d.Result()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has not finished, and rounded weights cannot be trained on; first: betalasso resume %s", dir, quote(dir))
	}
	if err != nil {
		return err
	}
	if wrong := run.Verify(dir); wrong != nil {
		return errors.Join(wrong...)
	}
	out := e.out(filepath.Base(d.Path()) + "-bf16")
	if run.Vacant(out) != nil {
		return usageError{fmt.Errorf("%s holds a run already, and export makes a new one; choose another --out, or remove it", out)}
	}
	c := d.Config()
	if e.DataDir != nil {
		c.DataDir = *e.DataDir
	}
	s := newSession(false)
	defer s.close()
	s.notes = os.Stderr
	set, err := s.load(c)
	if err != nil {
		return err
	}
	given := d.Config()
	given.DataDir, given.From, given.Threads = "", "", 0 // they concern one machine
	to, err := run.Create(out, given)
	if err != nil {
		return err
	}
	defer to.Close()
	rounded, err := publishTo(to, d, r, c, set, e.Below)
	if err != nil {
		return errors.Join(err, to.Remove())
	}
	for _, name := range []string{run.StateFile, run.TimesFile, run.LockFile} {
		os.Remove(to.File(name))
	}
	size := 0.0
	if info, err := os.Stat(to.File(run.WeightsFile)); err == nil {
		size = float64(info.Size()) / 1e6
	}
	left := ""
	if e.Below > 0 {
		n := 0
		for _, l := range rounded.Layers {
			n += l.Nonzero
		}
		left = fmt.Sprintf(", those below %g left out, %s remain", e.Below, plan.Thousands(n))
	}
	fmt.Printf("%s: %s, weights in bfloat16%s, %.1f MB; test %.2f %% (loss %.4f), with the weights as trained %.2f %% (%.4f)\n", out, c.Model, left, size,
		100*rounded.Last.TestAcc, rounded.Last.TestLoss, 100*rounded.Unrounded.Last.TestAcc, rounded.Unrounded.Last.TestLoss)
	return nil
}

// publishTo writes the files of the run in from, whose result is r, and returns
// the result with the scores of the rounded weights, of which those below a magnitude are
// set to 0.
func publishTo(to, from *run.Dir, r run.Result, c run.Config, set *data.Set, below float64) (run.Result, error) {
	events, err := disk.ReadFile(from.File(run.EventsFile), 1<<30)
	if err == nil {
		err = run.Replace(to.File(run.EventsFile), events)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // imported weights have none
		return r, err
	}
	state, _, err := from.LoadCheckpoint()
	if err != nil {
		return r, err
	}
	dev, err := newDevice(c)
	if err != nil {
		return r, err
	}
	if r.Unrounded == nil {
		r.Unrounded = &run.Unrounded{Last: r.Last, Best: r.Best, WeightsSum: r.WeightsSum}
	}
	white, err := whiten(dev, c, set, c.Batch)
	if err != nil {
		return r, err
	}
	size := plan.SizeOf(c)
	size.Batch = 1
	// rounded are the weights of the last or the best epoch, and their scores.
	rounded := func(best bool, score *run.Score) (*export.Network, []run.Tensor, train.Scores, error) {
		n, err := export.Open(from, dev, size, best)
		if err != nil {
			return nil, nil, train.Scores{}, err
		}
		list := n.Round(below)
		scores, err := train.Evaluate(train.Options{Config: c, Device: dev, Whiten: white, Set: set, Threads: threads(c)}, list)
		score.ValAcc, score.TestAcc, score.TestLoss = scores.ValAcc, scores.TestAcc, scores.TestLoss
		return n, list, scores, err
	}
	n, list, scores, err := rounded(false, &r.Last)
	if err != nil {
		return r, err
	}
	if r.Confusion != nil {
		r.Confusion = scores.Confusion
	}
	r.WeightsSum = run.Checksum(n.Own())
	if below > 0 {
		r.Unrounded.Below = below
		r.Layers = n.Layers()
	}
	if err := to.WriteFilters(train.Filters(n.Net, set.Channels, set.Side, c.Seed)); err != nil {
		return r, err
	}
	if err := to.SaveCheckpoint(state, list); err != nil {
		return r, err
	}
	if r.Best.Epoch == r.Last.Epoch {
		r.Best = r.Last
	} else {
		_, list, _, err := rounded(true, &r.Best)
		if err != nil {
			return r, err
		}
		if err := to.SaveBest(r.Best.Epoch, list); err != nil {
			return r, err
		}
	}
	return r, to.WriteResult(r)
}
