package sweep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"betalasso/run"
)

// states are the states of a study's trials, by index.
func states(t *testing.T, d *Dir) string {
	t.Helper()
	list, err := again(t, d).Status()
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, s := range list {
		words = append(words, string(s.State))
	}
	return strings.Join(words, " ")
}

func TestFailuresWaitForRetry(t *testing.T) {
	d := newDir(t, "seeds: 4")
	broken := true
	var tried []uint64
	w := worker(d, func(p Trial, into *run.Dir) (int, error) {
		tried = append(tried, p.Config.Seed)
		if broken && p.Config.Seed%2 == 0 {
			return CodeNoRetry, errors.New("it diverged")
		}
		return pretend(p, into, 0)
	})
	for range 2 { // the second time nothing is left to do
		if code, err := w.Drain(context.Background()); code != 0 || err != nil {
			t.Fatalf("got %d, %v", code, err)
		}
	}
	if got, want := states(t, d), "done failed done failed"; got != want || len(tried) != 4 {
		t.Errorf("got %s after %d attempts, want %s after 4", got, len(tried), want)
	}
	id := d.Trials()[1].ID
	if a, err := d.Attempts(id); err != nil || len(a) != 1 || a[0].Why != "it diverged" || a[0].Code != CodeNoRetry {
		t.Errorf("the attempts: got %+v, %v", a, err)
	}
	if err := d.Reopen(id); err != nil {
		t.Fatal(err)
	}
	broken, tried = false, nil
	if _, err := w.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, want := states(t, d), "done done done failed"; got != want || !slices.Equal(tried, []uint64{2}) {
		t.Errorf("after retry: got %s, tried seeds %v, want %s, tried 2", got, tried, want)
	}
}

func TestStopAfterFailuresInARow(t *testing.T) {
	d := newDir(t, "seeds: 9\non-failure: {stop-after: 2}")
	var tried []uint64
	w := worker(d, func(p Trial, into *run.Dir) (int, error) {
		tried = append(tried, p.Config.Seed)
		if p.Config.Seed != 2 {
			return CodeFailed, errors.New("no luck")
		}
		return pretend(p, into, 0)
	})
	_, err := w.Drain(context.Background())
	if !errors.Is(err, ErrStopped) || !slices.Equal(tried, []uint64{1, 2, 3, 4}) {
		t.Errorf("got %v after seeds %v, want ErrStopped after 1, 2, 3, 4", err, tried)
	}
	tried = nil
	for _, i := range []int{0, 2, 3} { // as `sweep retry` does: a new row begins
		if err := d.Reopen(d.Trials()[i].ID); err != nil {
			t.Fatal(err)
		}
	}
	w.Drain(context.Background())
	if got, want := tried, []uint64{1, 3}; !slices.Equal(got, want) {
		t.Errorf("after a retry: got seeds %v, want %v", got, want)
	}
}

// A trial whose process was killed again and again failed when it was last heard of.
func TestFailuresInARowAreInOrder(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC) }
	list := []Status{
		{State: run.Failed, Last: Attempt{Beat: at(2)}}, // killed
		{State: run.Done, Last: Attempt{Outcome: Done, Beat: at(1), Ended: at(1)}},
		{State: run.Failed, Last: Attempt{Outcome: Failed, Beat: at(3), Ended: at(3)}},
	}
	if got := inARow(list); got != 2 {
		t.Errorf("got %d failures in a row, want 2", got)
	}
}

func TestAnInterruptionEndsTheWorker(t *testing.T) {
	d := newDir(t, "seeds: 3")
	w := worker(d, func(p Trial, into *run.Dir) (int, error) {
		if p.Config.Seed == 2 {
			return CodeSaved, nil
		}
		return pretend(p, into, 0)
	})
	if code, err := w.Drain(context.Background()); code != CodeSaved || err != nil {
		t.Errorf("got %d, %v, want %d", code, err, CodeSaved)
	}
	if got, want := states(t, d), "done interrupted planned"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w = worker(again(t, d), func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	if _, err := w.Drain(context.Background(), d.Trials()[2].ID); err != nil {
		t.Fatal(err)
	}
	if got, want := states(t, d), "done interrupted done"; got != want {
		t.Errorf("one ID alone: got %s, want %s", got, want)
	}
}

// Weights are saved much less often than epochs are recorded, and what a study
// shows, and the time left, are of the epochs.
func TestARunningTrialIsAsFarAsItsEpochs(t *testing.T) {
	d := newDir(t, "seeds: 1\nfixed: {epochs: 9}")
	var list []Status
	w := worker(d, func(p Trial, into *run.Dir) (int, error) {
		for epoch := range 8 {
			if err := into.AppendEvent(run.Event{Epoch: epoch}); err != nil {
				return CodeFailed, err
			}
		}
		var err error
		list, err = again(t, d).Status()
		return CodeSaved, err
	})
	if _, err := w.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].State != run.Running || list[0].Epoch != 7 {
		t.Errorf("got %+v, want it running at epoch 7", list)
	}
}

func TestDeathsWithoutProgressAreAFailure(t *testing.T) {
	d := newDir(t, "seeds: 1")
	id := d.Trials()[0].ID
	dead := func(n, epoch int) {
		lease(t, d, id, Attempt{Number: n, Host: "elsewhere", Began: time.Now().Add(-time.Hour), From: Place{Epoch: epoch}})
	}
	os.MkdirAll(d.RunPath(id), 0o777)
	at := func(text string) {
		if err := os.WriteFile(filepath.Join(d.RunPath(id), run.StateFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	at(`{"epoch":2,"step":0}`)
	for n, epoch := range []int{0, 1, 2, 2} {
		dead(n+1, epoch)
		if got := states(t, d); got != "interrupted" {
			t.Errorf("after %d deaths with progress: got %s, want interrupted", n+1, got)
		}
	}
	dead(5, 2)
	if got := states(t, d); got != "failed" {
		t.Errorf("three deaths at one place: got %s, want failed", got)
	}
	at(`{"epoch":3,"step":0}`)
	if got := states(t, d); got != "interrupted" {
		t.Errorf("the last of them got further: got %s, want interrupted", got)
	}
	at(`{"epoch":2,"step":0}`)
	if err := again(t, d).Reopen(id); err != nil { // the other machine's process cannot be asked
		t.Fatal(err)
	}
	if got := states(t, d); got != "interrupted" {
		t.Errorf("reopened: got %s, want interrupted", got)
	}
	for n := range 3 { // leases of which no more than the name fitted on the disk
		if err := os.WriteFile(d.leasePath(id, 7+n), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got := states(t, d); got != "interrupted" {
		t.Errorf("attempts that never began: got %s, want interrupted", got)
	}
}

// Two run directories that changed places are no results of each other's trials, and
// no training goes on from the other one's weights.
func TestARunOfAnotherTrial(t *testing.T) {
	d := newDir(t, "seeds: 3")
	w := worker(d, func(p Trial, into *run.Dir) (int, error) {
		if p.Config.Seed == 3 {
			return CodeSaved, nil
		}
		return pretend(p, into, 0)
	})
	if _, err := w.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	path := func(i int) string { return d.RunPath(d.Trials()[i].ID) }
	if err := errors.Join(os.RemoveAll(path(1)), os.Rename(path(0), path(1)), os.Rename(path(2), path(0))); err != nil {
		t.Fatal(err)
	}
	e := again(t, d)
	list, err := e.Status()
	if err != nil || list[0].State != run.Broken || list[0].Result != nil || list[1].Result != nil || !strings.Contains(list[1].Last.Why, d.Trials()[0].ID) {
		t.Errorf("got %+v, %v, want both broken", list[:2], err)
	}
	for _, p := range e.Trials()[:2] {
		if err := e.Reopen(p.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.Dir, w.Train = e, func(context.Context, Trial, *run.Dir) (int, error) {
		t.Error("it trains in the other one's directory")
		return CodeFailed, nil
	}
	if _, err := w.Drain(context.Background(), e.Trials()[0].ID, e.Trials()[1].ID); err != nil {
		t.Fatal(err)
	}
	if got, want := states(t, d), "failed failed interrupted"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestARunInUseIsLeftAlone(t *testing.T) {
	d := newDir(t, "seeds: 1")
	p := d.Trials()[0]
	other, err := run.Create(d.RunPath(p.ID), p.Config)
	if err != nil {
		t.Fatal(err)
	}
	w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := w.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want it to wait", err)
	}
	if got := states(t, d); got != "interrupted" {
		t.Errorf("got %s, want interrupted", got)
	}
	other.Close()
	w.busy = nil // a minute later
	if code, err := w.Drain(context.Background()); code != 0 || err != nil || states(t, d) != "done" {
		t.Errorf("when it is free: got %d, %v, %s", code, err, states(t, d))
	}
}

func TestAStudyMayGrow(t *testing.T) {
	d := newDir(t, "seeds: 2")
	before := d.Trials()
	e, err := launch(t, d.Path(), "seeds: [5, 2, 1]")
	if err != nil || !slices.EqualFunc(e.Trials()[:2], before, func(a, b Trial) bool { return a.ID == b.ID && a.Index == b.Index }) || len(e.Trials()) != 3 {
		t.Errorf("got %v, %v, want the two trials as they were, and one more", e.Trials(), err)
	}
	list, err := d.Status() // of a process that had it open
	if err != nil || len(list) != 3 {
		t.Errorf("an open directory: got %d trials, %v, want 3", len(list), err)
	}
	_, err = launch(t, d.Path(), "seeds: [1, 2, 6]")
	var different *DifferentError
	if !errors.As(err, &different) || len(different.Missing) != 1 || different.Missing[0].Config.Seed != 5 {
		t.Errorf("a trial less: got %v, want a DifferentError about seed 5", err)
	}
	os.WriteFile(filepath.Join(d.Path(), TrialsFile), []byte(strings.Replace(mustRead(t, filepath.Join(d.Path(), TrialsFile)), `"seed":2,`, `"seed":3,`, 1)), 0o666)
	if _, err := Open(d.Path()); err == nil || !strings.Contains(err.Error(), "was it edited?") {
		t.Errorf("trials that were edited: got %v", err)
	}
}

// launch makes path the directory of the study of a text.
func launch(t testing.TB, path, text string) (*Dir, error) {
	t.Helper()
	s, err := Parse("study.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	trials, err := s.Expand(resolve)
	if err != nil {
		t.Fatal(err)
	}
	return Create(path, s, trials)
}

// Settings that are in no trial's ID are those of the last launch, for a worker that
// is under way too.
func TestALaunchChangesWhereTheDataAre(t *testing.T) {
	for _, name := range []string{TrialsFile, olderTrialsFile} {
		const text = "axes: [grid: {lr: [1, 2]}]\nthen: {seeds: [7]}\nfixed: {data-dir: "
		d := newDir(t, text+"/a}")
		w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
		if _, err := w.Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(d.Path(), TrialsFile), filepath.Join(d.Path(), name)); err != nil {
			t.Fatal(err)
		}
		open := again(t, d)
		if list, err := open.Status(); err != nil || list[0].Config.DataDir != "/a" {
			t.Fatalf("got %+v, %v", list, err)
		}
		e, err := launch(t, d.Path(), text+"/b}")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := e.Advance(); n != 0 || err != nil {
			t.Errorf("%s: got %d trials more, %v", name, n, err)
		}
		list, err := open.Status()
		if err != nil || len(list) != 3 {
			t.Fatalf("%s: got %d trials, %v, want 3", name, len(list), err)
		}
		for i, s := range list {
			if s.Config.DataDir != "/b" || e.Trials()[i].Config != s.Config || again(t, d).Trials()[i].Config != s.Config || s.Index != i {
				t.Errorf("%s, trial %d: got %+v, want the data in /b", name, i, s.Config)
			}
		}
		before, err := os.Stat(e.file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := launch(t, d.Path(), text+"/b}"); err != nil {
			t.Fatal(err)
		}
		if after, err := os.Stat(e.file); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s: nothing changed, and it was written again (%v)", name, err)
		}
	}
}

// A directory that has its trials in points.jsonl, as earlier versions wrote it,
// is read and grows, and the name stays, for workers of that version.
func TestADirectoryOfAnEarlierVersion(t *testing.T) {
	d := newDir(t, "seeds: 2")
	older := filepath.Join(d.Path(), "points.jsonl")
	if err := os.Rename(filepath.Join(d.Path(), TrialsFile), older); err != nil {
		t.Fatal(err)
	}
	s, err := Parse("study.yaml", []byte("seeds: 3"))
	if err != nil {
		t.Fatal(err)
	}
	trials, err := s.Expand(resolve)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(d.Path(), s, trials); err != nil {
		t.Fatal(err)
	}
	e, err := Open(d.Path())
	if err != nil || len(e.Trials()) != 3 || e.Trials()[0].ID != d.Trials()[0].ID {
		t.Errorf("got %v, %v, want the two trials as they were, and one more", e.Trials(), err)
	}
	if !IsDir(d.Path()) || IsDir(filepath.Dir(d.Path())) {
		t.Error("the directory is not found, or the one above it is")
	}
	if n := strings.Count(mustRead(t, older), "\n"); n != 3 || exists(filepath.Join(d.Path(), TrialsFile)) {
		t.Errorf("points.jsonl has %d lines, want 3, and no %s beside it", n, TrialsFile)
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The pair with the best mean validation accuracy on each data set is trained
// again with other seeds; what the test set says counts for nothing.
// Choices may meet, and seeds be given twice: each trial is one.
func TestThenAddsATrialOnce(t *testing.T) {
	d := newDir(t, "axes: [grid: {data: [cifar10, svhn], lr: [1, 2]}]\nthen: {for-each: [data], fixed: {data: digits}, seeds: [7, 7]}")
	w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	if _, err := w.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range again(t, d).Trials() {
		if _, err := d.Find(p.ID); err != nil || seen[p.ID] {
			t.Errorf("trial %d: %s is there twice (%v)", p.Index, p.ID, err)
		}
		seen[p.ID] = true
	}
	if len(seen) != 5 {
		t.Errorf("got %d trials, want the four of the axes and the best one of both", len(seen))
	}
}

// A study that an earlier version ended has trials of the second stage, and nothing
// that says what follows which.
func TestChosenByEarlierVersions(t *testing.T) {
	d := newDir(t, "axes: [grid: {lr: [1, 2]}]\nthen: {fixed: {epochs: 7}, seeds: [7, 8]}")
	w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	if _, err := w.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i := range d.trials {
		d.trials[i].Then = nil
	}
	text, err := trialsText(d.trials)
	if err == nil {
		err = os.WriteFile(d.file, text, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	e := again(t, d)
	list, err := e.Status()
	if err != nil {
		t.Fatal(err)
	}
	if chosen, err := e.Chosen(list); err != nil || len(chosen) != 1 || len(chosen[0]) != 2 || chosen[0][1].Config.Seed != 8 {
		t.Errorf("got %+v, %v, want both seeds of the second stage", chosen, err)
	}
}

func TestThenTrainsTheBestAgain(t *testing.T) {
	d := newDir(t, "axes: [grid: {data: [cifar10, svhn], lr: [1, 2, 3]}]\nseeds: 2\nthen: {for-each: [data], fixed: {val: 0}, seeds: [7, 8]}")
	val := map[string]float64{ // by data, lr and seed; 0.5 otherwise
		"cifar10 2 1": 0.6, "cifar10 2 2": 0.7,
		"svhn 1 1": 0.7, "svhn 1 2": 0.8,
		"svhn 2 1": 0.9, "svhn 2 2": 0.1, // the best run, but not the best mean
	}
	w := worker(d, func(p Trial, into *run.Dir) (int, error) {
		key := fmt.Sprintf("%s %v %d", p.Config.Data, p.Config.LR, p.Config.Seed)
		if key == "cifar10 3 2" {
			return CodeNoRetry, errors.New("diverged")
		}
		r := run.Result{Last: run.Score{Epoch: p.Config.Epochs, ValAcc: 0.5, TestAcc: 0.9}, Seed: p.Config.Seed}
		if v, ok := val[key]; ok {
			r.Last.ValAcc, r.Last.TestAcc = v, 0.1
		}
		return 0, into.WriteResult(r)
	})
	if _, err := w.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	var chosen []string
	for _, p := range d.Trials() {
		if p.Stage == 1 {
			chosen = append(chosen, p.Labels.String())
			if p.Config.Val != 0 {
				t.Errorf("%s: got val %d, want 0", p.Labels, p.Config.Val)
			}
		}
	}
	want := []string{"data=cifar10 lr=2 seed=7 val=0", "data=cifar10 lr=2 seed=8 val=0", "data=svhn lr=1 seed=7 val=0", "data=svhn lr=1 seed=8 val=0"}
	if !slices.Equal(chosen, want) {
		t.Errorf("got %q, want %q", chosen, want)
	}
	if list, err := d.Status(); err != nil || Counts(list)[run.Done] != 11+len(want) {
		t.Errorf("got %v, %v, want the chosen trained", Counts(list), err)
	}
	if n, err := d.Advance(); n != 0 || err != nil {
		t.Errorf("a second time: got %d trials more, %v", n, err)
	}
}

// When a study grows by seeds with which the second stage has trained the best, all
// trials are compared over the same seeds, and the choice may be another.
func TestThenChoosesByAllSeedsOfAStudyThatGrew(t *testing.T) {
	const text = "axes: [grid: {lr: [1, 2]}]\nthen: {seeds: 3}\nseeds: "
	d := newDir(t, text+"1")
	w := worker(d, func(p Trial, into *run.Dir) (int, error) {
		val := 0.5
		if p.Config.LR == 1 {
			val = 0.9 / float64(p.Config.Seed) // 0.9 with the first seed, 0.55 on average
		}
		if p.Config.LR == 2 && p.Config.Seed > 1 {
			val = 0.8
		}
		return 0, into.WriteResult(run.Result{Last: run.Score{Epoch: p.Config.Epochs, ValAcc: val}, Seed: p.Config.Seed})
	})
	chosen := func(d *Dir) (labels []string) {
		list, err := d.Status()
		if err != nil {
			t.Fatal(err)
		}
		groups, err := d.Chosen(list)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range slices.Concat(groups...) {
			labels = append(labels, p.Labels.String())
		}
		return labels
	}
	for _, c := range []struct {
		seeds, want string
		trials      int
	}{{"1", "lr=1", 4}, {"3", "lr=2", 6}} {
		var err error
		if w.Dir, err = launch(t, d.Path(), text+c.seeds); err != nil {
			t.Fatal(err)
		}
		if c.seeds == "3" && chosen(w.Dir) != nil {
			t.Errorf("chosen before its trials are done: %q", chosen(w.Dir))
		}
		if _, err := w.Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		want := []string{c.want + " seed=1", c.want + " seed=2", c.want + " seed=3"}
		if got := chosen(w.Dir); !slices.Equal(got, want) || len(w.Dir.Trials()) != c.trials {
			t.Errorf("seeds %s: got %q of %d trials, want %q of %d", c.seeds, got, len(w.Dir.Trials()), want, c.trials)
		}
	}
}

// What an earlier version has launched is read, and where it did not write down what
// follows, that is said.
func TestThenOfAnEarlierVersion(t *testing.T) {
	for fixed, want := range map[string]string{"": "", "{epochs: 9}": "launch the study again"} {
		d := newDir(t, "axes: [grid: {lr: [1, 2]}]\nthen: {seeds: [7]"+strings.TrimSuffix(", fixed: "+fixed, ", fixed: ")+"}")
		w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
		for i := range d.trials {
			d.trials[i].Then = nil
		}
		text, err := trialsText(d.trials)
		if err == nil {
			err = os.WriteFile(d.file, text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.Dir = again(t, d)
		if _, err := w.Drain(context.Background()); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("then with fixed %q: got %v, want %q", fixed, err, want)
		}
	}
}

// A worker of some trials does not train those that follow them, and says so.
func TestThenOfAWorkerOfSomeTrials(t *testing.T) {
	d := newDir(t, "seeds: 1\nthen: {seeds: 2}")
	var notes strings.Builder
	w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	w.Notes = &notes
	if _, err := w.Drain(context.Background(), d.Trials()[0].ID); err != nil {
		t.Fatal(err)
	}
	if got, want := states(t, d), "done planned"; got != want || !strings.Contains(notes.String(), "`betalasso sweep run` trains") {
		t.Errorf("got %s and %q, want %s, and a word on what trains the other one", got, notes.String(), want)
	}
}

func TestThenWaitsForWhatMayStillSucceed(t *testing.T) {
	d := newDir(t, "seeds: 2\nthen: {seeds: 3}")
	w := worker(d, func(p Trial, into *run.Dir) (int, error) {
		if p.Config.Seed == 2 {
			return CodeFailed, errors.New("the disk was away")
		}
		return pretend(p, into, 0)
	})
	if _, err := w.Drain(context.Background()); err != nil || len(d.Trials()) != 2 {
		t.Errorf("got %d trials, %v, want 2", len(d.Trials()), err)
	}
}

// A trial that cannot be read does not hold up the second stage; once it has been
// trained again and is the best, that stage gets its trials too.
func TestThenGoesOnWithoutABrokenTrial(t *testing.T) {
	d := newDir(t, "axes: [grid: {lr: [1, 2]}]\nthen: {seeds: [7]}")
	first := d.Trials()[0].ID // the better one by pretend's validation accuracy
	var notes strings.Builder
	w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	w.Notes = &notes
	if _, err := w.Drain(context.Background(), first); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.RunPath(first), run.ResultFile), []byte(`{"last":`), 0o666); err != nil {
		t.Fatal(err)
	}
	w.Dir = again(t, d)
	if code, err := w.Drain(context.Background()); code != 0 || err != nil {
		t.Fatalf("got %d, %v", code, err)
	}
	if got, want := states(t, d), "broken done done"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !strings.Contains(notes.String(), "without 1 that cannot be read") {
		t.Errorf("got %q, want a word on the trial that had no say", notes.String())
	}
	e := again(t, d)
	if err := e.Reopen(first); err != nil {
		t.Fatal(err)
	}
	w.Dir = e
	if _, err := w.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, want := states(t, d), "done done done done"; got != want {
		t.Errorf("after the retry: got %s, want %s", got, want)
	}
	if got := e.Trials()[3].Labels.String(); got != "lr=1 seed=7" {
		t.Errorf("got %s, want the best of both", got)
	}
}

func TestStatusOfManyTrials(t *testing.T) {
	d := newDir(t, "seeds: 5000")
	began := time.Now()
	list, err := d.Status()
	t.Logf("5,000 trials in %v", time.Since(began))
	if took := time.Since(began); err != nil || len(list) != 5000 || took > 20*time.Second {
		t.Errorf("got %d trials in %v, %v, want 5000, and quickly", len(list), took, err)
	}
}

// A trial whose files cannot be read is broken, the others stand where they
// stand, and a retry mends it.
func TestABrokenTrialIsOneOfTheList(t *testing.T) {
	d := newDir(t, "seeds: 4")
	w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 0) })
	if _, err := w.Drain(context.Background(), d.Trials()[0].ID, d.Trials()[1].ID, d.Trials()[2].ID); err != nil {
		t.Fatal(err)
	}
	id := d.Trials()[1].ID
	if err := os.WriteFile(filepath.Join(d.RunPath(id), run.ResultFile), []byte(`{"last":`), 0o666); err != nil {
		t.Fatal(err)
	}
	lease := d.leasePath(d.Trials()[2].ID, 1)
	if err := errors.Join(os.Remove(lease), os.Mkdir(lease, 0o777)); err != nil { // cannot be read as a file
		t.Fatal(err)
	}
	if got, want := states(t, d), "done broken broken planned"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	list, err := again(t, d).Status()
	if err != nil || !strings.Contains(list[1].Last.Why, run.ResultFile) {
		t.Errorf("got %+v, %v, want the reason", list[1], err)
	}
	e := again(t, d)
	if err := e.Reopen(id); err != nil {
		t.Fatal(err)
	}
	w.Dir = e
	if _, err := w.Drain(context.Background(), id, d.Trials()[3].ID); err != nil {
		t.Fatal(err)
	}
	if got, want := states(t, d), "done done broken done"; got != want {
		t.Errorf("after a retry: got %s, want %s", got, want)
	}
}
