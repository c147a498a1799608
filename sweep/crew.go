package sweep

import (
	"context"
	"os/exec"
	"runtime"
	"time"

	"betalasso/run"
)

// Crew keeps worker processes of a study running on this machine, and replaces
// those that die.
type Crew struct {
	Dir     *Dir
	Only    []string                       // IDs of the trials in question; none means all
	Workers int                            // workers at a time; at least 1
	Start   func(i int) (*exec.Cmd, error) // starts worker i, from 0
	Stop    func(worker *exec.Cmd)         // asks one to save and end; it may have ended already
	Show    func([]Status)                 // called every second; may be nil
	Died    func(i int, worker *exec.Cmd)  // worker i died, and another takes its place
}

// mostDeaths is the number of workers in a row that may die, by a signal from
// elsewhere, while no trial is finished.
const mostDeaths = 5

// Run keeps c.Workers workers running until none is left: they end by themselves
// when no trial is open, and are told to end once ctx is done. A worker that
// exits, with any status, is not replaced; one that a signal killed is, while a
// trial is open.
func (c *Crew) Run(ctx context.Context) error {
	// A worker gets a signal when the thread that started it ends: that thread
	// must live as long as this process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	workers := make([]*exec.Cmd, c.Workers)
	ended := make(chan int, c.Workers) // numbers of workers
	start := func(i int) error {
		w, err := c.Start(i)
		if err != nil {
			return err
		}
		workers[i] = w
		go func() {
			w.Wait()
			ended <- i
		}()
		return nil
	}
	alive, deaths, done := 0, 0, 0
	var failure error
	for i := range workers {
		if failure = start(i); failure != nil {
			break
		}
		alive++
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	stop := ctx.Done()
	for alive > 0 {
		select {
		case <-stop:
			stop = nil
			for _, w := range workers {
				if w != nil {
					c.Stop(w)
				}
			}
		case <-tick.C:
			list, err := c.List()
			if err != nil {
				return err
			}
			if c.Show != nil {
				c.Show(list)
			}
		case i := <-ended:
			alive--
			if ctx.Err() != nil || failure != nil || workers[i].ProcessState.Exited() {
				continue
			}
			list, err := c.List()
			if err != nil {
				return err
			}
			if n := Counts(list)[run.Done]; n > done {
				done, deaths = n, 0
			}
			if deaths++; Left(list) == 0 || deaths > mostDeaths {
				continue
			}
			c.Died(i, workers[i])
			if failure = start(i); failure == nil {
				alive++
			}
		}
	}
	return failure
}

// List is where the trials in question stand.
func (c *Crew) List() ([]Status, error) {
	list, err := c.Dir.Status()
	return Among(list, c.Only), err
}

// Left is the number of trials that a worker may take.
func Left(list []Status) int {
	n := 0
	for _, s := range list {
		if !Ended(s.State) {
			n++
		}
	}
	return n
}

// Spent is the cost of the training done, and that of the whole list: cost is
// that of a run to its end.
func Spent(list []Status, cost func(run.Config) float64) (did, all float64) {
	for _, s := range list {
		w := cost(s.Config)
		all += w
		switch {
		case Ended(s.State):
			did += w
		default:
			did += w * float64(min(s.Epoch, s.Config.Epochs)) / float64(s.Config.Epochs)
		}
	}
	return did, all
}

// Share is the number of threads of worker i: as asked for, or its share of the
// cores.
func Share(i, workers, asked int) int {
	if asked > 0 {
		return asked
	}
	cores := runtime.GOMAXPROCS(0)
	n := cores / workers
	if i < cores%workers {
		n++
	}
	return max(1, n)
}
