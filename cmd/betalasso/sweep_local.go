package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"betalasso/grid"
	"betalasso/run"
)

// local is the launcher of workers on this machine.
type local struct {
	*session
	dir    *grid.Dir
	only   []string
	began  time.Time
	before float64 // epochs done when it began, weighed by their cost
	meter  *meter
	shown  string // the last line that stayed
	kept   time.Time
}

// mostDeaths is the number of workers in a row that may die, by a signal that
// nobody here sent, while no point gets done.
const mostDeaths = 5

// local runs workers for the open points until none is left.
func (s *session) local(f launchFlags, d *grid.Dir, only []string) error {
	l := &local{session: s, dir: d, only: only, began: time.Now(), kept: time.Now(), meter: s.newMeter()}
	list, err := l.list()
	if err != nil {
		return err
	}
	l.before, _ = spent(list)
	fmt.Fprintf(s.notes, "%s: %s\n", d.Path(), countLine(list))
	if open(list) > 0 {
		if err := l.run(min(f.Processes, open(list)), f.Threads); err != nil {
			return err
		}
	}
	if s.ctx.Err() != nil {
		return s.stopped("stopped and saved; the same command goes on where it was")
	}
	if list, err = l.list(); err != nil {
		return err
	}
	fmt.Fprintf(s.notes, "%s: %s\n%s", d.Path(), countLine(list), chosenText(d.Study(), list))
	if err := d.Stopped(list); err != nil {
		return err
	}
	return allDone(d, only)
}

// list is where the points in question stand.
func (l *local) list() ([]grid.Status, error) {
	list, err := l.dir.Status()
	return grid.Among(list, l.only), err
}

// open is the number of points that a worker may take.
func open(list []grid.Status) int {
	n := 0
	for _, s := range list {
		if !grid.Ended(s.State) {
			n++
		}
	}
	return n
}

// run keeps so many workers until the open points are done.
func (l *local) run(processes, threads int) error {
	// A worker is told when the thread that started it ends: it must be one that
	// lives as long as this process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	workers := make([]*exec.Cmd, processes)
	ended := make(chan int, processes) // numbers of workers
	start := func(i int) error {
		c, err := l.worker(i, share(i, processes, threads))
		if err != nil {
			return err
		}
		workers[i] = c
		go func() {
			c.Wait()
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
	stop := l.ctx.Done()
	for alive > 0 {
		select {
		case <-stop:
			stop = nil
			l.forward(workers)
		case <-tick.C:
			list, err := l.list()
			if err != nil {
				return err
			}
			l.show(list)
		case i := <-ended:
			alive--
			if l.ctx.Err() != nil || failure != nil || workers[i].ProcessState.Exited() {
				continue
			}
			list, err := l.list()
			if err != nil {
				return err
			}
			if n := grid.Counts(list)[run.Done]; n > done {
				done, deaths = n, 0
			}
			if deaths++; open(list) == 0 || deaths > mostDeaths {
				continue
			}
			l.meter.clear()
			fmt.Fprintf(os.Stderr, "worker %d died (%s); another takes its place\n", i+1, workers[i].ProcessState)
			if failure = start(i); failure == nil {
				alive++
			}
		}
	}
	l.meter.clear()
	return failure
}

// share is the number of threads of worker i: as asked for, or its part of the
// cores.
func share(i, processes, asked int) int {
	if asked > 0 {
		return asked
	}
	cores := runtime.GOMAXPROCS(0)
	n := cores / processes
	if i < cores%processes {
		n++
	}
	return max(1, n)
}

// worker starts one worker, whose output goes to a log.
func (l *local) worker(i, threads int) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "local"
	}
	path := filepath.Join(l.dir.Path(), grid.LogsDir, fmt.Sprintf("%s-%d.log", host, i+1))
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the worker has its own
	args := []string{"sweep", "work", l.dir.Path(), "--threads", strconv.Itoa(threads)}
	for _, id := range l.only {
		args = append(args, "--id", id)
	}
	c := exec.Command(self, args...)
	c.Stdout, c.Stderr = log, log
	ownGroup(c)
	return c, c.Start()
}

// forward passes on the signal that asked this process to stop.
func (l *local) forward(workers []*exec.Cmd) {
	var i interruption
	if !errors.As(context.Cause(l.ctx), &i) {
		i.signal = os.Interrupt
	}
	for _, w := range workers {
		if w != nil {
			w.Process.Signal(i.signal) // one that has ended needs none
		}
	}
}

// show shows how far the study is.
func (l *local) show(list []grid.Status) {
	did, all := spent(list)
	var left time.Duration
	if did > l.before {
		left = time.Duration(float64(time.Since(l.began)) * (all - did) / (did - l.before))
	}
	counts := grid.Counts(list)
	if l.json {
		if time.Since(l.kept) > rest {
			l.kept = time.Now()
			l.meter.object(struct {
				Kind   string             `json:"kind"`
				Counts map[run.Status]int `json:"counts"`
				Left   float64            `json:"seconds_left"`
			}{"study", counts, left.Seconds()})
		}
		return
	}
	parts := []string{fmt.Sprintf("%d of %d points", counts[run.Done], len(list))}
	if n := counts[run.Failed] + counts[run.Broken]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n))
	}
	if left > 0 {
		parts = append(parts, span(left)+" left")
	}
	parts = append(parts, fmt.Sprintf("%d running", counts[run.Running]))
	switch text := strings.Join(parts, "  "); {
	case l.terminal:
		const gauge = 24
		text, room := fitting(parts, l.width()-11)
		l.meter.draw(l.meter.gauge(did/all, min(8+max(room, 0), gauge)) + "  " + text)
	case parts[0] != l.shown || time.Since(l.kept) > 6*rest:
		l.shown = parts[0]
		l.meter.keep(text)
		l.kept = time.Now()
	}
}

// spent is the training done, and that of the whole list, in epochs weighed by
// what each costs.
func spent(list []grid.Status) (did, all float64) {
	for _, s := range list {
		w := trainingWork(s.Config)
		all += w
		switch {
		case grid.Ended(s.State):
			did += w
		default:
			did += w * float64(s.Reached.Epoch) / float64(s.Config.Epochs)
		}
	}
	return did, max(all, 1)
}
