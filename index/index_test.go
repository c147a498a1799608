package index

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
	t.Cleanup(func() { x.Close() })
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

func count(t *testing.T, x *Index) (n int) {
	t.Helper()
	if err := x.db.QueryRow("SELECT count(*) FROM runs").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRefreshFollowsTheFiles(t *testing.T) {
	root := t.TempDir()
	planned(t, root, 3, 2, false)
	x := open(t, filepath.Join(t.TempDir(), "a", "runs.sqlite"))
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
	root, path := t.TempDir(), filepath.Join(t.TempDir(), "runs.sqlite")
	planned(t, root, 2, 1, false)
	x := open(t, path)
	refresh(t, x, root)
	if _, err := x.db.Exec(`UPDATE runs SET row = json_set(row, '$.epoch', 77)`); err != nil {
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
	x := open(t, filepath.Join(t.TempDir(), "runs.sqlite"))
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
	path := filepath.Join(t.TempDir(), "runs.sqlite")
	if err := os.WriteFile(path, []byte("this is a letter, and no index at all"), 0o666); err != nil {
		t.Fatal(err)
	}
	x := open(t, path)
	if rows := refresh(t, x, root); len(rows) != 1 || x.Note == "" {
		t.Errorf("a letter: got %d rows, note %q", len(rows), x.Note)
	}
	if _, err := x.db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	x.Close()
	x = open(t, path)
	if rows := refresh(t, x, root); len(rows) != 1 || x.Note == "" {
		t.Errorf("another version: got %d rows, note %q", len(rows), x.Note)
	}
	if _, err := x.db.Exec("DROP TABLE runs"); err != nil {
		t.Fatal(err)
	}
	if rows := refresh(t, x, root); len(rows) != 1 || x.Note == "" || count(t, x) != 1 {
		t.Errorf("no table: got %d rows, note %q", len(rows), x.Note)
	}
}

func TestManyAtOnce(t *testing.T) {
	root, path := t.TempDir(), filepath.Join(t.TempDir(), "runs.sqlite")
	planned(t, root, 40, 1, true)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			x, err := Open(path)
			if err != nil {
				t.Error(err)
				return
			}
			defer x.Close()
			rows, err := x.Refresh(context.Background(), root)
			if err != nil || len(rows) != 40 || x.Note != "" {
				t.Errorf("got %d rows, note %q, %v", len(rows), x.Note, err)
			}
		})
	}
	wg.Wait()
}

// Another process's lock is no damage, and an index that cannot be written
// keeps no run from being listed.
func TestIndexThatCannotBeUsed(t *testing.T) {
	root, path := t.TempDir(), filepath.Join(t.TempDir(), "runs.sqlite")
	planned(t, root, 2, 1, true)
	holder, x := open(t, path), open(t, path)
	if _, err := x.db.Exec("PRAGMA busy_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	tx, err := holder.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if rows := refresh(t, x, root); len(rows) != 2 || x.Note == "" {
		t.Errorf("locked: got %d rows, note %q, want 2 and a note", len(rows), x.Note)
	}
	if _, err := os.Stat(path + ".old"); err == nil {
		t.Error("a locked index was moved aside")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.db.Exec("PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	if rows := refresh(t, holder, root); len(rows) != 2 || holder.Note == "" {
		t.Errorf("not to be written: got %d rows, note %q, want 2 and a note", len(rows), holder.Note)
	}
}

// BenchmarkRefresh lists 5,000 runs whose files are as the index has them.
func BenchmarkRefresh(b *testing.B) {
	root := b.TempDir()
	planned(b, root, 5000, 20, true)
	x := open(b, filepath.Join(b.TempDir(), "runs.sqlite"))
	start := time.Now()
	refresh(b, x, root)
	b.Logf("cold: %v", time.Since(start))
	for b.Loop() {
		if rows := refresh(b, x, root); len(rows) != 5000 {
			b.Fatalf("got %d rows, want 5000", len(rows))
		}
	}
}
