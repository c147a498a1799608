package sweep

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"betalasso/disk"
	"betalasso/run"
)

// ErrHeld means that another worker holds a trial.
var ErrHeld = errors.New("another worker is at it")

// Lease is a worker's hold on a trial: an attempt in progress. Its heartbeat goes
// on in the background until End.
type Lease struct {
	dir  *Dir
	id   string
	lost chan struct{}
	stop chan struct{}
	done sync.WaitGroup

	attempt Attempt
}

// Acquire begins an attempt at a trial. The error is ErrHeld while another
// attempt goes on. An attempt is over when it has ended, when its process is
// known to be gone from this machine, or when this process has seen no change
// in its file for a minute: clocks of other machines are not trusted.
//
// Attempts are numbered, and beginning one creates its file anew, so of two
// workers that find the last attempt over, only one begins the next. Nothing that
// began is ever removed: its number is never used again.
func (d *Dir) Acquire(id string) (*Lease, error) {
	last, err := d.last(id)
	if err != nil {
		return nil, err
	}
	if last.Number > 0 && last.Outcome == Unended && !d.over(id, last) {
		return nil, ErrHeld
	}
	l, err := d.begin(id, last.Number+1)
	if err != nil {
		return nil, err
	}
	l.done.Go(l.keepUp)
	return l, nil
}

// begin creates the file of an attempt.
func (d *Dir) begin(id string, number int) (*Lease, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	now, place := time.Now(), d.Place(id)
	l := &Lease{dir: d, id: id, lost: make(chan struct{}), stop: make(chan struct{})}
	l.attempt = Attempt{
		Number: number, Host: host, PID: os.Getpid(), Process: processName(os.Getpid()),
		Began: now, Beat: now, From: place, Reached: place,
	}
	f, err := os.OpenFile(d.leasePath(id, number), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, ErrHeld
	}
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(l.attempt)
	if err == nil {
		_, err = f.Write(append(text, '\n'))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name()) // nothing began: the disk is full, say
		return nil, fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return l, nil
}

// last is the last attempt at a trial; its number is 0 where there was none.
func (d *Dir) last(id string) (Attempt, error) {
	counts, err := d.counts()
	if err != nil || counts[id] == 0 {
		return Attempt{}, err
	}
	return d.attempt(id, counts[id])
}

// over reports whether the process of an attempt that has not ended is gone.
func (d *Dir) over(id string, a Attempt) bool {
	if processGone(a) {
		return true
	}
	text, err := run.ReadFile(d.leasePath(id, a.Number))
	if err != nil {
		return false
	}
	key := leaseKey{id, a.Number}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known.beats == nil {
		d.known.beats = map[leaseKey]beat{}
	}
	b, ok := d.known.beats[key]
	if !ok || b.text != string(text) {
		d.known.beats[key] = beat{string(text), time.Now()}
		return false
	}
	return time.Since(b.at) > d.patience
}

// Lost is closed when the lease is another worker's, or when no heartbeat could
// be written for so long that it may be. The worker must then write nothing
// more into the run's directory.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Number is the attempt's number, from 1.
func (l *Lease) Number() int { return l.attempt.Number }

// keepUp writes heartbeats.
func (l *Lease) keepUp() {
	tick := time.NewTicker(l.dir.beat)
	defer tick.Stop()
	written := time.Now()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		_, taken := os.Stat(l.dir.leasePath(l.id, l.attempt.Number+1))
		l.attempt.Beat, l.attempt.Reached = time.Now(), l.dir.Place(l.id)
		if taken != nil && l.write() == nil {
			written = time.Now()
		}
		if taken == nil || time.Since(written) > l.dir.patience*3/4 {
			close(l.lost)
			return
		}
	}
}

// write replaces the attempt's file. It is not synced: a heartbeat lost in a
// power cut would have been the last one anyway.
func (l *Lease) write() error {
	text, err := json.Marshal(l.attempt)
	if err != nil {
		return err
	}
	temp := filepath.Join(l.dir.path, LeasesDir, fmt.Sprintf(".%s.%d.tmp", l.id, l.attempt.Number))
	f, err := disk.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return disk.Rename(temp, l.dir.leasePath(l.id, l.attempt.Number))
}

// End records how the attempt ended and releases the trial. code is the exit
// status of a process that ends this way.
func (l *Lease) End(o Outcome, code int, why string) error {
	close(l.stop)
	l.done.Wait()
	select {
	case <-l.lost:
		return ErrHeld
	default:
	}
	now := time.Now()
	l.attempt.Outcome, l.attempt.Code, l.attempt.Why = o, code, why
	l.attempt.Beat, l.attempt.Ended, l.attempt.Reached = now, now, l.dir.Place(l.id)
	return l.write()
}

// Reopen lets a failed trial be tried again.
func (d *Dir) Reopen(id string) error {
	last, err := d.last(id)
	if err != nil {
		return err
	}
	// As in Status, which says that it failed: to watch the heartbeat would take a
	// patience for each trial.
	if last.Outcome == Unended && !processGone(last) && time.Since(last.Beat) < d.patience {
		return ErrHeld
	}
	l, err := d.begin(id, last.Number+1)
	if err != nil {
		return err
	}
	return l.End(Reopened, 0, "")
}
