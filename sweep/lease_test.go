package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"betalasso/run"
)

// The test binary drains the study in this directory where it is set.
const asWorker = "BETALASSO_TEST_AS_WORKER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(asWorker); dir != "" {
		if os.Getenv(asDying) != "" {
			dies()
		}
		d, err := Open(dir)
		if err == nil {
			w := worker(d, func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 5*time.Millisecond) })
			_, err = w.Drain(context.Background())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// worker is a worker that trains with train.
func worker(d *Dir, train func(p Trial, into *run.Dir) (int, error)) *Worker {
	return &Worker{
		Dir: d, Notes: io.Discard, Title: func(Trial) string { return "" },
		Train: func(_ context.Context, p Trial, into *run.Dir) (int, error) { return train(p, into) },
		Lost:  func(Trial) {},
	}
}

// pretend trains a trial: it notes that it did, and writes a result.
func pretend(p Trial, into *run.Dir, took time.Duration) (int, error) {
	f, err := os.OpenFile(into.File("trained"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return CodeFailed, err
	}
	fmt.Fprintf(f, "process %d\n", os.Getpid())
	f.Close()
	time.Sleep(took)
	return 0, into.WriteResult(run.Result{Last: run.Score{Epoch: p.Config.Epochs, ValAcc: 1 / (1 + p.Config.LR)}, Seed: p.Config.Seed})
}

// newDir is a study's directory made of the text of its file.
func newDir(t testing.TB, text string) *Dir {
	t.Helper()
	d, err := launch(t, filepath.Join(t.TempDir(), "study"), text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// again is the same directory as another process sees it.
func again(t *testing.T, d *Dir) *Dir {
	t.Helper()
	e, err := Open(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	e.beat, e.patience = d.beat, d.patience
	return e
}

// trainings is how often each trial was trained, 1 for each being right.
func trainings(t *testing.T, d *Dir) (most, least int) {
	t.Helper()
	least = 1 << 30
	for _, p := range d.Trials() {
		text, _ := os.ReadFile(filepath.Join(d.RunPath(p.ID), "trained"))
		n := strings.Count(string(text), "\n")
		most, least = max(most, n), min(least, n)
	}
	return most, least
}

func TestOneOfManyAcquires(t *testing.T) {
	d := newDir(t, "seeds: 1")
	id := d.Trials()[0].ID
	for round := range 20 {
		var got atomic.Int32
		var held *Lease
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 8 {
			e := again(t, d)
			all.Go(func() {
				<-start
				l, err := e.Acquire(id)
				if err == nil {
					got.Add(1)
					held = l
				} else if !errors.Is(err, ErrHeld) {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		if got.Load() != 1 {
			t.Fatalf("round %d: got %d holders, want 1", round, got.Load())
		}
		if held.Number() != round+1 {
			t.Errorf("round %d: got attempt %d, want %d", round, held.Number(), round+1)
		}
		if err := held.End(Interrupted, CodeSaved, ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGoroutinesAndProcessesTrainEachTrialOnce(t *testing.T) {
	d := newDir(t, "seeds: 30")
	var all sync.WaitGroup
	for range 3 {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), asWorker+"="+d.Path())
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		w := worker(again(t, d), func(p Trial, into *run.Dir) (int, error) { return pretend(p, into, 5*time.Millisecond) })
		all.Go(func() {
			if _, err := w.Drain(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most, least := trainings(t, d); most != 1 || least != 1 {
		t.Errorf("each trial trained once: got %d to %d times", least, most)
	}
	list, err := d.Status()
	if err != nil || Counts(list)[run.Done] != 30 {
		t.Errorf("got %v, %v, want 30 done", Counts(list), err)
	}
}

// lease writes an attempt that another machine's worker began.
func lease(t *testing.T, d *Dir, id string, a Attempt) {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.leasePath(id, a.Number), text, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestAHeartbeatKeepsALease(t *testing.T) {
	d := newDir(t, "seeds: 1")
	d.beat, d.patience = 5*time.Millisecond, 400*time.Millisecond
	id := d.Trials()[0].ID
	l, err := d.Acquire(id)
	if err != nil {
		t.Fatal(err)
	}
	e := again(t, d)
	for until := time.Now().Add(3 * d.patience); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if _, err := e.Acquire(id); !errors.Is(err, ErrHeld) {
			t.Fatalf("while the heartbeat goes on: got %v, want ErrHeld", err)
		}
	}
	if err := l.End(Interrupted, CodeSaved, ""); err != nil {
		t.Fatal(err)
	}
	if l, err = e.Acquire(id); err != nil {
		t.Fatalf("after its end: got %v", err)
	}
	l.End(Interrupted, CodeSaved, "")
}

func TestASilentLeaseIsTakenOverByObservedTime(t *testing.T) {
	d := newDir(t, "seeds: 1")
	d.patience = 100 * time.Millisecond
	id := d.Trials()[0].ID
	// A clock that is years ahead, and one years behind, count for nothing.
	for n, clock := range []time.Time{time.Now().AddDate(5, 0, 0), time.Now().AddDate(-5, 0, 0)} {
		lease(t, d, id, Attempt{Number: 2*n + 1, Host: "elsewhere", PID: 1, Began: clock, Beat: clock})
		if _, err := d.Acquire(id); !errors.Is(err, ErrHeld) {
			t.Fatalf("seen for the first time: got %v, want ErrHeld", err)
		}
		time.Sleep(2 * d.patience)
		l, err := d.Acquire(id)
		if err != nil || l.Number() != 2*n+2 {
			t.Fatalf("silent for too long: got %v, want attempt %d", err, 2*n+2)
		}
		if err := l.End(Interrupted, CodeSaved, ""); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALeaseThatWasTakenOverIsLost(t *testing.T) {
	d := newDir(t, "seeds: 1")
	d.beat = 5 * time.Millisecond
	id := d.Trials()[0].ID
	l, err := d.Acquire(id)
	if err != nil {
		t.Fatal(err)
	}
	lease(t, d, id, Attempt{Number: 2, Host: "elsewhere"})
	select {
	case <-l.Lost():
	case <-time.After(5 * time.Second):
		t.Fatal("it was not told")
	}
	if err := l.End(Done, 0, ""); !errors.Is(err, ErrHeld) {
		t.Errorf("its end: got %v, want ErrHeld", err)
	}
}

func TestADeadProcessLosesItsLeaseAtOnce(t *testing.T) {
	if processName(os.Getpid()) == "" {
		t.Skip("this system does not tell processes apart")
	}
	d := newDir(t, "seeds: 1")
	id := d.Trials()[0].ID
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lease(t, d, id, Attempt{Number: 1, PID: c.Process.Pid, Process: processName(c.Process.Pid), Beat: time.Now()})
	if _, err := d.Acquire(id); !errors.Is(err, ErrHeld) {
		t.Errorf("while it lives: got %v, want ErrHeld", err)
	}
	c.Process.Kill()
	for until := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		l, err := d.Acquire(id) // dead, though nobody has waited for it yet
		if err == nil {
			l.End(Interrupted, CodeSaved, "")
			break
		}
		if time.Now().After(until) {
			t.Fatalf("after it was killed: got %v", err)
		}
	}
	c.Wait()

	// Another process that has its number by now is not it.
	lease(t, d, id, Attempt{Number: 3, PID: os.Getpid(), Process: processName(os.Getpid()) + "0", Beat: time.Now()})
	l, err := d.Acquire(id)
	if err != nil {
		t.Fatalf("its number belongs to another process: got %v", err)
	}
	l.End(Interrupted, CodeSaved, "")
}
