package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"betalasso/plan"
	"betalasso/run"
	"betalasso/sweep"
)

// local is the launcher of workers on this machine.
type local struct {
	*session
	crew   sweep.Crew
	speed  plan.Rates
	began  time.Time
	before float64 // seconds of training that was done when it began, as estimated
	meter  *meter
	shown  string // the last line that stayed
	kept   time.Time
}

// local runs workers for the open trials until none is left, or opens failed ones
// again and runs workers for these.
func (s *session) local(f launchFlags, d *sweep.Dir, failed []string, speed plan.Rates) error {
	if err := reopen(d, failed); err != nil {
		return err
	}
	l := &local{session: s, speed: speed, began: time.Now(), kept: time.Now(), meter: s.newMeter()}
	l.crew = sweep.Crew{Dir: d, Only: failed, Stop: l.forward, Show: l.show, Died: l.died}
	list, err := l.crew.List()
	if err != nil {
		return err
	}
	l.before, _ = sweep.Spent(list, l.seconds)
	fmt.Fprintf(s.notes, "%s: %s\n", d.Path(), countLine(list))
	if sweep.Left(list) > 0 {
		if err := l.run(min(f.Processes, sweep.Left(list)), f.Threads); err != nil {
			return err
		}
	}
	if s.ctx.Err() != nil {
		return s.stopped("stopped and saved; the same command goes on where it was")
	}
	if list, err = d.Status(); err != nil {
		return err
	}
	among := sweep.Among(list, failed)
	fmt.Fprintf(s.notes, "%s: %s\n%s", d.Path(), countLine(among), chosenText(d, list))
	if n := sweep.Left(list) - sweep.Left(among); n > 0 {
		fmt.Fprintf(s.notes, "%d other trials are not done; `betalasso sweep run` with the study trains them\n", n)
	}
	if err := d.Stopped(list); err != nil {
		return err
	}
	return allDone(d, failed)
}

// run keeps the given number of workers going until the open trials are done.
func (l *local) run(processes, threads int) error {
	l.crew.Workers = processes
	l.crew.Start = func(i int) (*exec.Cmd, error) { return l.worker(i, sweep.Share(i, processes, threads)) }
	err := l.crew.Run(l.ctx)
	l.meter.clear()
	return err
}

// died says that a worker died.
func (l *local) died(i int, worker *exec.Cmd) {
	l.meter.clear()
	fmt.Fprintf(os.Stderr, "worker %d died (%s); another takes its place\n", i+1, worker.ProcessState)
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
	path := filepath.Join(l.crew.Dir.Path(), sweep.LogsDir, fmt.Sprintf("%s-%d.log", host, i+1))
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the worker has its own
	args := []string{"sweep", "work", l.crew.Dir.Path(), "--threads", strconv.Itoa(threads)}
	for _, id := range l.crew.Only {
		args = append(args, "--id", id)
	}
	c := exec.Command(self, args...)
	c.Stdout, c.Stderr = log, log
	ownGroup(c)
	return c, c.Start()
}

// forward passes on the signal that asked this process to stop.
func (l *local) forward(worker *exec.Cmd) {
	var i interruption
	if !errors.As(context.Cause(l.ctx), &i) {
		i.signal = os.Interrupt
	}
	worker.Process.Signal(i.signal) // one that has ended needs none
}

// seconds is the estimated time of training c.
func (l *local) seconds(c run.Config) float64 {
	seconds, _ := l.speed.Seconds(c)
	return seconds
}

// show shows how far the study is.
func (l *local) show(list []sweep.Status) {
	did, all := sweep.Spent(list, l.seconds)
	var left time.Duration
	if did > l.before {
		left = time.Duration(float64(time.Since(l.began)) * (all - did) / (did - l.before))
	}
	counts := sweep.Counts(list)
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
	parts := []string{fmt.Sprintf("%d of %d trials", counts[run.Done], len(list))}
	if n := counts[run.Failed] + counts[run.Broken]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", n))
	}
	if left > 0 {
		parts = append(parts, plan.Span(left)+" left")
	}
	parts = append(parts, fmt.Sprintf("%d running", counts[run.Running]))
	switch text := strings.Join(parts, "  "); {
	case l.terminal:
		const gauge = 24
		text, room := fitting(parts, l.width()-11)
		l.meter.draw(l.meter.gauge(did/max(all, 1e-3), min(8+max(room, 0), gauge)) + "  " + text)
	case parts[0] != l.shown || time.Since(l.kept) > 6*rest:
		l.shown = parts[0]
		l.meter.keep(text)
		l.kept = time.Now()
	}
}
