package sweep

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"betalasso/run"
)

// A worker process kills itself, or waits to be told to end, where this is set.
const asDying = "BETALASSO_TEST_AS_DYING"

func dies() {
	if os.Getenv(asDying) == "waits" {
		time.Sleep(time.Minute)
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		self.Kill()
	}
	time.Sleep(time.Minute)
}

// crew is a Crew of the test binary; dying says what its worker i does, "" to
// train.
func crew(t *testing.T, d *Dir, size int, dying func(started int) string) (c *Crew, started, died *int) {
	t.Helper()
	started, died = new(int), new(int)
	c = &Crew{
		Dir: d, Workers: size,
		Start: func(int) (*exec.Cmd, error) {
			w := exec.Command(os.Args[0])
			w.Env = append(os.Environ(), asWorker+"="+d.Path())
			if how := dying(*started); how != "" {
				w.Env = append(w.Env, asDying+"="+how)
			}
			*started++
			return w, w.Start()
		},
		Stop: func(w *exec.Cmd) { w.Process.Kill() },
		Died: func(int, *exec.Cmd) { *died++ },
	}
	return c, started, died
}

func TestCrewReplacesWhatDies(t *testing.T) {
	d := newDir(t, "seeds: 6")
	c, started, died := crew(t, d, 2, func(n int) string {
		if n < 2 {
			return "at once"
		}
		return ""
	})
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if list, err := c.List(); err != nil || Counts(list)[run.Done] != 6 || Left(list) != 0 {
		t.Errorf("got %v, %v, want all done", Counts(list), err)
	}
	if *started != 4 || *died != 2 {
		t.Errorf("got %d started and %d replaced, want 4 and 2", *started, *died)
	}
	if most, least := trainings(t, d); most != 1 || least != 1 {
		t.Errorf("trials were trained %d to %d times, want once", least, most)
	}
}

// Workers that always die are not replaced for ever.
func TestCrewGivesUp(t *testing.T) {
	c, started, _ := crew(t, newDir(t, "seeds: 2"), 1, func(int) string { return "at once" })
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if *started != mostDeaths+1 {
		t.Errorf("got %d workers, want %d", *started, mostDeaths+1)
	}
}

func TestCrewStopsWhenTold(t *testing.T) {
	c, started, died := crew(t, newDir(t, "seeds: 2"), 2, func(int) string { return "waits" })
	ctx, cancel := context.WithCancel(context.Background())
	shown := 0
	c.Show = func(list []Status) {
		if shown++; shown == 1 {
			cancel()
		}
	}
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if *started != 2 || *died != 0 {
		t.Errorf("got %d started, %d replaced, want 2 and none: their end was asked for", *started, *died)
	}
}

// Where a worker cannot be started, those that are there are waited for.
func TestCrewThatCannotStart(t *testing.T) {
	d := newDir(t, "seeds: 3")
	c, _, _ := crew(t, d, 2, func(int) string { return "" })
	start, none := c.Start, errors.New("no such program")
	c.Start = func(i int) (*exec.Cmd, error) {
		if i == 1 {
			return nil, none
		}
		return start(i)
	}
	if err := c.Run(context.Background()); !errors.Is(err, none) {
		t.Errorf("got %v, want %v", err, none)
	}
	if list, err := c.List(); err != nil || Left(list) != 0 {
		t.Errorf("got %v, %v, want what the other worker trained", Counts(list), err)
	}
}

func TestShare(t *testing.T) {
	cores := runtime.GOMAXPROCS(0)
	sum := 0
	for i := range cores {
		sum += Share(i, cores, 0)
	}
	if sum != cores || Share(0, 1, 0) != cores || Share(0, cores+1, 0) != 1 || Share(3, 2, 5) != 5 {
		t.Errorf("got %d of %d cores, %d, %d, %d", sum, cores, Share(0, 1, 0), Share(0, cores+1, 0), Share(3, 2, 5))
	}
}

// A study's progress weighs epochs by what they cost.
func TestSpent(t *testing.T) {
	config := func(lr float64) run.Config { return run.Config{LR: lr, Epochs: 10} }
	list := []Status{
		{Trial: Trial{Config: config(1)}, State: run.Done},
		{Trial: Trial{Config: config(3)}, State: run.Running, Epoch: 5},
		{Trial: Trial{Config: config(6)}, State: run.Planned},
	}
	did, all := Spent(list, func(c run.Config) float64 { return c.LR })
	if did != 2.5 || all != 10 {
		t.Errorf("got %g of %g, want 2.5 of 10", did, all)
	}
}
