package index

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"betalasso/run"
)

// planned writes n directories of runs below root, all with that number of
// events, and those with a result where finished; their files are an hour old.
func planned(t testing.TB, root string, n, events int, finished bool) {
	t.Helper()
	c := run.Default()
	c.Model, c.Alpha, c.Data, c.Precision = "s-fc", 1, "digits", "fp32"
	old := time.Now().Add(-time.Hour)
	for i := range n {
		dir := filepath.Join(root, fmt.Sprintf("run-%05d", i))
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		c.Seed = uint64(i)
		if err := run.WriteConfig(filepath.Join(dir, run.ConfigFile), c); err != nil {
			t.Fatal(err)
		}
		var text []byte
		for e := range events {
			line, err := json.Marshal(run.Event{Epoch: e, ValAcc: 0.5, Nonzero: map[string]int{"fc1": 5, "fc2": 2}})
			if err != nil {
				t.Fatal(err)
			}
			text = append(append(text, line...), '\n')
		}
		write := map[string][]byte{run.EventsFile: text}
		if finished {
			write[run.ResultFile], _ = json.Marshal(run.Result{Seed: c.Seed, Last: run.Score{Epoch: c.Epochs, TestAcc: 0.4}, Layers: []run.Layer{{Name: "fc1", Params: 10, Nonzero: 5}}})
		}
		for name, text := range write {
			if len(text) > 0 {
				if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
		age(t, dir, old)
	}
}

// age gives all files of dir that time.
func age(t testing.TB, dir string, when time.Time) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if err := os.Chtimes(filepath.Join(dir, e.Name()), when, when); err != nil {
			t.Fatal(err)
		}
	}
}

func open(t testing.TB, path string) *Index {
	t.Helper()
	x, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func refresh(t testing.TB, x *Index, roots ...string) []run.Snapshot {
	t.Helper()
	rows, err := x.Refresh(context.Background(), roots...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func count(t *testing.T, x *Index) int {
	t.Helper()
	known, err := x.read()
	if err != nil {
		t.Fatal(err)
	}
	return len(known)
}

func TestRefreshFollowsTheFiles(t *testing.T) {
	root := t.TempDir()
	planned(t, root, 3, 2, false)
	x := open(t, filepath.Join(t.TempDir(), "a", "runs.index"))
	rows := refresh(t, x, root)
	if len(rows) != 3 || count(t, x) != 3 || rows[0].State != run.Interrupted || rows[0].Epoch != 1 || rows[0].Nonzero() != 7 || rows[2].Config.Seed != 2 {
		t.Fatalf("got %d in the index and %+v", count(t, x), rows)
	}
	one := rows[0].Dir
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(one, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		age(t, one, time.Now().Add(-time.Hour))
	}
	put(run.FailureFile, "the loss is not finite\n")
	if r := refresh(t, x, root)[0]; r.State != run.Failed || r.Note != "the loss is not finite" {
		t.Errorf("got %s, %q, want failed", r.State, r.Note)
	}
	if err := os.Remove(filepath.Join(one, run.FailureFile)); err != nil {
		t.Fatal(err)
	}
	put(run.ResultFile, `{"last": {"epoch": 100, "test_acc": 0.75}}`)
	if r := refresh(t, x, root)[0]; r.State != run.Done || r.Result.Last.TestAcc != 0.75 {
		t.Errorf("got %+v, want done", r)
	}
	put(run.ConfigFile, "modle: x\n")
	if r := refresh(t, x, root)[0]; r.State != run.Broken || r.Note == "" {
		t.Errorf("broken config: got %+v, want broken with a note", r)
	}
	if err := os.RemoveAll(one); err != nil {
		t.Fatal(err)
	}
	if rows := refresh(t, x, root); len(rows) != 2 || count(t, x) != 2 {
		t.Errorf("one deleted: got %d rows, %d in the index, want 2", len(rows), count(t, x))
	}
}

// The rows come out of the index, not out of the files, where these are as
// they were.
func TestWarm(t *testing.T) {
	root, path := t.TempDir(), filepath.Join(t.TempDir(), "runs.index")
	planned(t, root, 2, 1, false)
	x := open(t, path)
	refresh(t, x, root)
	known, err := x.read()
	if err != nil {
		t.Fatal(err)
	}
	for dir, k := range known {
		k.row = bytes.Replace(k.row, []byte(`"epoch":0`), []byte(`"epoch":77`), 1)
		known[dir] = k
	}
	if err := x.store(known, nil); err != nil {
		t.Fatal(err)
	}
	if rows := refresh(t, x, root); rows[1].Epoch != 77 {
		t.Errorf("got epoch %d, want that of the index", rows[1].Epoch)
	}
	if rows := refresh(t, new(Index), root); rows[1].Epoch != 0 {
		t.Errorf("without an index: got epoch %d, want that of the files", rows[1].Epoch)
	}
}

func TestStates(t *testing.T) {
	root := t.TempDir()
	planned(t, root, 1, 0, false)
	x := open(t, filepath.Join(t.TempDir(), "runs.index"))
	if r := refresh(t, x, root)[0]; r.State != run.Planned {
		t.Errorf("got %s, want planned", r.State)
	}
	host, _ := os.Hostname()
	lock := fmt.Sprintf("process %d on %s\n", os.Getpid(), host)
	if err := os.WriteFile(filepath.Join(root, "run-00000", run.LockFile), []byte(lock), 0o666); err != nil {
		t.Fatal(err)
	}
	if r := refresh(t, x, root)[0]; r.State != run.Running {
		t.Errorf("locked by this process: got %s, want running", r.State)
	}
}

func TestDamagedAndForeignFiles(t *testing.T) {
	root := t.TempDir()
	planned(t, root, 1, 1, true)
	path := filepath.Join(t.TempDir(), "runs.index")
	if err := os.WriteFile(path, []byte("this is a letter, and no index at all"), 0o666); err != nil {
		t.Fatal(err)
	}
	x := open(t, path)
	if rows := refresh(t, x, root); len(rows) != 1 || x.Note == "" {
		t.Errorf("a letter: got %d rows, note %q", len(rows), x.Note)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, damaged := range map[string][]byte{
		"another version": bytes.Replace(text, []byte(header), []byte("betalasso's index of runs, 0\n"), 1),
		"one bit":         append(slices.Clone(text[:len(text)-20]), append([]byte{text[len(text)-20] ^ 1}, text[len(text)-19:]...)...),
		"half a line":     text[:len(text)-20],
		"nothing":         {},
	} {
		if err := os.WriteFile(path, damaged, 0o666); err != nil {
			t.Fatal(err)
		}
		x := open(t, path)
		if rows := refresh(t, x, root); len(rows) != 1 || !strings.Contains(x.Note, "made anew") || count(t, x) != 1 {
			t.Errorf("%s: got %d rows, note %q", what, len(rows), x.Note)
		}
		if kept, err := os.ReadFile(path + ".old"); err != nil || !bytes.Equal(kept, damaged) {
			t.Errorf("%s: the file was not kept aside (%v)", what, err)
		}
	}
	// While it is in use.
	x = open(t, path)
	if err := os.WriteFile(path, []byte("a letter"), 0o666); err != nil {
		t.Fatal(err)
	}
	if rows := refresh(t, x, root); len(rows) != 1 || x.Note == "" || count(t, x) != 1 {
		t.Errorf("damaged in use: got %d rows, note %q", len(rows), x.Note)
	}
}

// What could not be read is no verdict that lasts: the file's owner, or another
// version of this program, may read it, and neither its size nor its time tell.
func TestUnreadIsNotKept(t *testing.T) {
	root := t.TempDir()
	planned(t, root, 2, 1, true)
	config := filepath.Join(root, "run-00000", run.ConfigFile)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Replace(text, []byte("model"), []byte("modle"), 1)
	if err := os.WriteFile(config, bad, 0o666); err != nil {
		t.Fatal(err)
	}
	age(t, filepath.Dir(config), time.Now().Add(-time.Hour))
	x := open(t, filepath.Join(t.TempDir(), "runs.index"))
	if rows := refresh(t, x, root); rows[0].State != run.Broken || count(t, x) != 1 {
		t.Errorf("got %s and %d in the index, want broken and the other one", rows[0].State, count(t, x))
	}
}

// A link that is named is followed.
func TestLinkedRoot(t *testing.T) {
	root, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	planned(t, root, 2, 1, true)
	if err := os.Symlink(root, link); err != nil {
		t.Skip(err)
	}
	x := open(t, filepath.Join(t.TempDir(), "runs.index"))
	for range 2 {
		if rows := refresh(t, x, link); len(rows) != 2 || filepath.Dir(rows[0].Dir) != link || count(t, x) != 2 {
			t.Errorf("got %d rows, %d in the index, want 2 below the link", len(rows), count(t, x))
		}
	}
}

// A directory's name may hold anything, and roots do not see their neighbours.
func TestNamesAndRoots(t *testing.T) {
	top := t.TempDir()
	a, b := filepath.Join(top, "a\tb\n\"ü"), filepath.Join(top, "a\tb\n\"ü2")
	planned(t, a, 2, 1, true)
	planned(t, b, 1, 1, true)
	x := open(t, filepath.Join(t.TempDir(), "runs.index"))
	if rows := refresh(t, x, top); len(rows) != 3 || count(t, x) != 3 {
		t.Errorf("got %d rows, %d in the index, want 3", len(rows), count(t, x))
	}
	if err := os.RemoveAll(a); err != nil {
		t.Fatal(err)
	}
	if rows := refresh(t, x, b); len(rows) != 1 || count(t, x) != 3 {
		t.Errorf("of one root: got %d rows, %d in the index, want 1 and 3", len(rows), count(t, x))
	}
	if rows := refresh(t, x, top); len(rows) != 1 || count(t, x) != 1 || x.Note != "" {
		t.Errorf("got %d rows, %d in the index, note %q, want 1", len(rows), count(t, x), x.Note)
	}
}

func TestManyAtOnce(t *testing.T) {
	root, path := t.TempDir(), filepath.Join(t.TempDir(), "runs.index")
	planned(t, root, 40, 1, true)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			x, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			rows, err := x.Refresh(context.Background(), root)
			if err != nil || len(rows) != 40 || x.Note != "" {
				t.Errorf("got %d rows, note %q, %v", len(rows), x.Note, err)
			}
		})
	}
	wg.Wait()
}

// An index that cannot be written keeps no run from being listed.
func TestIndexThatCannotBeUsed(t *testing.T) {
	root, path := t.TempDir(), filepath.Join(t.TempDir(), "cache", "runs.index")
	planned(t, root, 2, 1, true)
	x := open(t, path)
	if err := os.Remove(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if rows := refresh(t, x, root); len(rows) != 2 || !strings.Contains(x.Note, "is not used") {
			t.Errorf("no folder: got %d rows, note %q, want 2 and a note", len(rows), x.Note)
		}
	}
	if err := os.MkdirAll(path, 0o777); err != nil { // a folder in its place
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil {
		t.Error("a folder was opened as an index")
	}
}

// BenchmarkRefresh lists 5,000 runs whose files are as the index has them.
func BenchmarkRefresh(b *testing.B) {
	root := b.TempDir()
	planned(b, root, 5000, 20, true)
	x := open(b, filepath.Join(b.TempDir(), "runs.index"))
	start := time.Now()
	refresh(b, x, root)
	b.Logf("cold: %v", time.Since(start))
	for b.Loop() {
		if rows := refresh(b, x, root); len(rows) != 5000 {
			b.Fatalf("got %d rows, want 5000", len(rows))
		}
	}
}
