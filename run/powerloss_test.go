package run

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"betalasso/disk"
)

// TestPowerLoss records what the disk is told while checkpoints are written, and
// replays it: cut at every point, and with what was not yet synced there or not
// there, in every way that a file system without barriers may leave it. Each time
// the run goes on: from one of the two checkpoints, whole.
func TestPowerLoss(t *testing.T) {
	c := someConfig()
	d, err := Create(filepath.Join(t.TempDir(), "run"), c)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	list := func(x float32) []Tensor {
		return []Tensor{{Name: "fc1.weight", Shape: []int{2}, Data: []float32{x, x}}}
	}
	bestEpoch := 0
	save := func(epoch int, best bool) {
		t.Helper()
		if err := d.AppendEvent(Event{Epoch: epoch, Step: epoch, Seconds: 1}); err != nil {
			t.Fatal(err)
		}
		if best {
			bestEpoch = epoch
			if err := d.SaveBest(epoch, list(float32(epoch))); err != nil {
				t.Fatal(err)
			}
		}
		s := State{Epoch: epoch, BestEpoch: bestEpoch, WallSeconds: float64(epoch)}
		if err := d.SaveCheckpoint(s, list(float32(epoch))); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.TruncateEvents(-1); err != nil {
		t.Fatal(err)
	}
	if err := d.AppendEvent(Event{}); err != nil {
		t.Fatal(err)
	}
	save(1, true)
	before := files(t, d.Path())
	var ops []disk.Op
	disk.Watch = func(op disk.Op) (int, error) {
		op.Data = bytes.Clone(op.Data)
		ops = append(ops, op)
		return 0, nil
	}
	defer func() { disk.Watch = nil }()
	save(2, true)
	save(3, false)
	disk.Watch = nil

	seen := map[string]bool{}
	epochs := map[int]bool{}
	for cut := range len(ops) + 1 {
		for _, state := range left(before, ops[:cut]) {
			key := fmt.Sprint(state)
			if seen[key] {
				continue
			}
			seen[key] = true
			epochs[resumes(t, c, state, cut)] = true
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d operations, %d states of the disk", len(ops), len(seen))
	if len(seen) < 40 || !epochs[1] || !epochs[2] || !epochs[3] {
		t.Errorf("got %d states, from the checkpoints of the epochs %v; want all three", len(seen), epochs)
	}
}

// files are the names and texts of a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		if e.Type().IsRegular() {
			all[e.Name()] = read(t, filepath.Join(dir, e.Name()))
		}
	}
	return all
}

// inode is a file on the disk of the replay: what of it was synced, and the whole.
type inode struct{ synced, text string }

// left are the states in which operations, and then a power cut, may leave the
// files: every change of a name since the folder was last synced has happened or
// has not, alone; and of every file its synced text is there, or all of it, or a
// part, or zeros in the place of what was not synced.
func left(before map[string]string, ops []disk.Op) (states []map[string]string) {
	type rename struct {
		name string
		node *inode // nil: removed
	}
	durable := map[string]*inode{} // names that were synced
	current := map[string]*inode{}
	for name, text := range before {
		n := &inode{text, text}
		durable[name], current[name] = n, n
	}
	var pending []rename
	set := func(name string, n *inode) {
		if n == nil {
			delete(current, name)
		} else {
			current[name] = n
		}
		pending = append(pending, rename{name, n})
	}
	for _, op := range ops {
		name := filepath.Base(op.Path)
		switch op.Kind {
		case disk.OpCreate:
			set(name, &inode{})
		case disk.OpAppend:
			if current[name] == nil {
				set(name, &inode{})
			}
		case disk.OpWrite:
			current[name].text += string(op.Data)
		case disk.OpSync:
			current[name].synced = current[name].text
		case disk.OpRename:
			n := current[name]
			set(filepath.Base(op.To), n)
			set(name, nil)
		case disk.OpRemove:
			set(name, nil)
		case disk.OpDir:
			for _, p := range pending {
				if p.node == nil {
					delete(durable, p.name)
				} else {
					durable[p.name] = p.node
				}
			}
			pending = nil
		}
	}
	for choice := range 1 << len(pending) {
		names := map[string]*inode{}
		for name, n := range durable {
			names[name] = n
		}
		for i, p := range pending {
			if choice>>i&1 == 0 {
				continue
			}
			if p.node == nil {
				delete(names, p.name)
			} else {
				names[p.name] = p.node
			}
		}
		for _, how := range []func(n *inode) string{
			func(n *inode) string { return n.synced },
			func(n *inode) string { return n.text },
			func(n *inode) string { return n.text[:(len(n.synced)+len(n.text))/2] },
			func(n *inode) string { return n.synced + string(make([]byte, len(n.text)-len(n.synced))) },
		} {
			state := map[string]string{}
			for name, n := range names {
				state[name] = how(n)
			}
			states = append(states, state)
		}
	}
	return states
}

// resumes wants a run with those files to be opened and to go on, and gives the
// epoch of its checkpoint.
func resumes(t *testing.T, c Config, state map[string]string, cut int) int {
	t.Helper()
	dir := t.TempDir()
	for name, text := range state {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	fail := func(what string, err error) int {
		t.Helper()
		var names []string
		for name := range state {
			names = append(names, name)
		}
		slices.Sort(names)
		t.Errorf("cut after %d operations, with %v: %s: %v", cut, names, what, err)
		return 0
	}
	d, err := OpenLocked(dir)
	if err != nil {
		return fail("open", err)
	}
	defer d.Close()
	s, tensors, err := d.LoadCheckpoint()
	if err != nil {
		return fail("checkpoint", err)
	}
	if len(tensors) != 1 || tensors[0].Data[0] != float32(s.Epoch) || s.WallSeconds != float64(s.Epoch) {
		return fail(fmt.Sprintf("got %+v with %+v", s, tensors), nil)
	}
	best, err := d.LoadBest(s)
	if err != nil || best[0].Data[0] < float32(s.BestEpoch) {
		return fail("best weights", err)
	}
	if err := d.TruncateEvents(s.Epoch); err != nil {
		return fail("events", err)
	}
	if list, err := d.Events(); err != nil || len(list) != s.Epoch+1 {
		return fail(fmt.Sprintf("%d events", len(list)), err)
	}
	return s.Epoch
}
