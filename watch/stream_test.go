package watch

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"betalasso/model"
	"betalasso/run"
)

// message is one server-sent event.
type message struct{ name, id, data string }

// listen opens a stream and gives its messages; the channel ends with it.
func listen(t *testing.T, url, lastID string) (messages <-chan message, hangUp func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("got %s of %q", answer.Status, kind)
	}
	c := make(chan message)
	go func() {
		defer close(c)
		defer answer.Body.Close()
		var m message
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "event":
				m.name = value
			case "id":
				m.id = value
			case "data":
				m.data = value
			case "":
				if m.name != "" {
					select {
					case c <- m:
					case <-ctx.Done():
						return
					}
				}
				m = message{}
			}
		}
	}()
	return c, cancel
}

// next waits for a message of a name, passing over others.
func next(t *testing.T, c <-chan message, name string) message {
	t.Helper()
	late := time.After(5 * time.Second)
	for {
		select {
		case m, open := <-c:
			if !open {
				t.Fatalf("the stream ended before a message %q", name)
			}
			if m.name == name {
				return m
			}
		case <-late:
			t.Fatalf("no message %q came", name)
		}
	}
}

// epochs are those of a message of points.
func epochs(t *testing.T, m message) (list string, again bool) {
	t.Helper()
	var p points
	if err := json.Unmarshal([]byte(m.data), &p); err != nil {
		t.Fatal(err)
	}
	var all []any
	for _, r := range p.Rows {
		all = append(all, r[0])
	}
	return fmt.Sprint(all), p.Again
}

func idOf(t *testing.T, path string) string {
	t.Helper()
	f, err := openFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.root.Close()
	return place{f, "."}.id()
}

func TestStreamGoesOnWhereItWas(t *testing.T) {
	folder := t.TempDir()
	dir := filepath.Join(folder, "a")
	makeRun(t, dir, 2)
	makeRun(t, filepath.Join(folder, "b"), 2)
	server := served(t, Options{Folders: []string{folder}})
	url := server.URL + "/api/stream?runs=" + idOf(t, dir) + ",ffffffffffff," + idOf(t, dir)
	c, hangUp := listen(t, url, "")
	var u update
	if m := next(t, c, "runs"); json.Unmarshal([]byte(m.data), &u) != nil || !u.All || len(u.Rows) != 2 {
		t.Errorf("the first rows: got %s", m.data)
	}
	m := next(t, c, "points")
	if got, again := epochs(t, m); got != "[0 1 2]" || !again {
		t.Errorf("the first points: got %s, again %v", got, again)
	}
	began := time.Now()
	appendTo(t, filepath.Join(dir, run.EventsFile), event(t, 3))
	m = next(t, c, "points")
	if got, again := epochs(t, m); got != "[3]" || again {
		t.Errorf("a new epoch: got %s, again %v", got, again)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("a new epoch took %s to arrive", took)
	}
	hangUp()

	appendTo(t, filepath.Join(dir, run.EventsFile), event(t, 4))
	for _, way := range []string{"Last-Event-ID", "from"} {
		url, id := url, m.id
		if way == "from" {
			url, id = url+"&from="+m.id, ""
		}
		c, hangUp := listen(t, url, id)
		if got, again := epochs(t, next(t, c, "points")); got != "[4]" || again {
			t.Errorf("connected again by %s: got %s, again %v, want the missed epoch alone", way, got, again)
		}
		hangUp()
	}

	// A change of the list has in its id how far the points are, too.
	list, stop := listen(t, url, "another"+m.id[strings.Index(m.id, ","):])
	if got := parsePosition(next(t, list, "runs").id).marks[idOf(t, dir)]; got == (mark{}) {
		t.Error("the rows' id does not say how far the points are")
	}
	stop()

	// The run went on from an earlier checkpoint.
	if err := os.WriteFile(filepath.Join(dir, run.EventsFile), append(event(t, 0), event(t, 1)...), 0o666); err != nil {
		t.Fatal(err)
	}
	c, _ = listen(t, url, m.id)
	if got, again := epochs(t, next(t, c, "points")); got != "[0 1]" || !again {
		t.Errorf("events taken back: got %s, again %v", got, again)
	}
}

// TestStreamFollowsARunThatComes is of a page whose saved link has a run that is
// not there yet.
func TestStreamFollowsARunThatComes(t *testing.T) {
	folder := t.TempDir()
	dir := filepath.Join(folder, "a")
	makeRun(t, dir, 2)
	id := idOf(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	c, _ := listen(t, served(t, Options{Folders: []string{folder}}).URL+"/api/stream?runs="+id, "")
	next(t, c, "runs")
	makeRun(t, dir, 2)
	if got, again := epochs(t, next(t, c, "points")); got != "[0 1 2]" || !again {
		t.Errorf("got %s, again %v", got, again)
	}
}

func TestStreamFollowsTheList(t *testing.T) {
	folder := t.TempDir()
	makeRun(t, filepath.Join(folder, "a"), 2)
	makeRun(t, filepath.Join(folder, "b"), 2)
	c, _ := listen(t, served(t, Options{Folders: []string{folder}}).URL+"/api/stream", "")
	next(t, c, "runs")
	rows := func() (u update) {
		t.Helper()
		if err := json.Unmarshal([]byte(next(t, c, "runs").data), &u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	appendTo(t, filepath.Join(folder, "a", run.EventsFile), event(t, 3))
	if u := rows(); u.All || len(u.Rows) != 1 || u.Rows[0].Epoch != 3 {
		t.Errorf("an epoch: got %+v, want the one row", u)
	}
	makeRun(t, filepath.Join(folder, "deep", "er", "c"), 1)
	if u := rows(); u.All || len(u.Rows) != 1 || u.Rows[0].Name != filepath.Base(folder)+"/deep/er/c" {
		t.Errorf("a new run: got %+v, want its row", u)
	}
	os.RemoveAll(filepath.Join(folder, "b"))
	if u := rows(); !u.All || len(u.Rows) != 2 {
		t.Errorf("a run that went away: got %+v, want all that are left", u)
	}
}

// A stream on which nothing happens has an event now and then, which scripts see.
func TestStreamBeats(t *testing.T) {
	s := newServer(t, Options{Folders: []string{t.TempDir()}})
	s.beatEvery = time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	s.done = ctx.Done()
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	defer cancel()
	c, _ := listen(t, server.URL+"/api/stream", "")
	for range 2 {
		if m := next(t, c, "beat"); m.data == "" || m.id != "" {
			t.Errorf("got %+v, want data, without which a browser drops it, and no id", m)
		}
	}
}

// Pages get the hash of a network's text.
func TestNetworkIsNamedByItsHash(t *testing.T) {
	folder := t.TempDir()
	makeRun(t, filepath.Join(folder, "a"), 1)
	text, err := model.Source("s-fc")
	if err != nil {
		t.Fatal(err)
	}
	c := run.Default()
	c.Model, c.Network, c.Data, c.Alpha = "mine", string(text), "digits", 1
	if err := run.WriteConfig(filepath.Join(folder, "a", run.ConfigFile), c); err != nil {
		t.Fatal(err)
	}
	u, _ := newServer(t, Options{Folders: []string{folder}}).list.since("", time.Now())
	if len(u.Rows) != 1 || u.Rows[0].Config.Network != run.Setting(c, "network") || u.Rows[0].Config.Model != "mine" {
		t.Errorf("got %+v, want the network %v", u.Rows, run.Setting(c, "network"))
	}
}

// Serve ends its streams when it is told to stop.
func TestServeStops(t *testing.T) {
	s := newServer(t, Options{Folders: []string{t.TempDir()}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	c, _ := listen(t, "http://"+l.Addr().String()+"/api/stream", "")
	next(t, c, "runs")
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(3 * time.Second):
		t.Fatal("it serves on")
	}
	if m, open := <-c; open {
		t.Errorf("the stream goes on with %v", m)
	}
}

func TestStates(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"done", "failed", "running", "elsewhere", "stale", "killed", "broken"} {
		makeRun(t, filepath.Join(folder, name), 4)
	}
	write := func(dir, name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	here, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	long := time.Now().Add(-time.Hour)
	write("done", run.ResultFile, `{"last": {"epoch": 100, "val_acc": 0.5, "test_acc": 0.25}, "best": {"val_acc": 0.75}, "wall_seconds": 9, "seed": 1}`)
	write("failed", run.FailureFile, "the loss is not finite\n")
	write("running", run.LockFile, fmt.Sprintf("process %d on %s\n", os.Getpid(), here))
	write("elsewhere", run.LockFile, "process 1 on another-machine\n")
	write("stale", run.LockFile, "process 1 on another-machine\n")
	write("killed", run.LockFile, fmt.Sprintf("process %d on %s\n", 1<<22+1, here)) // beyond the numbers that Linux gives
	write("broken", run.ConfigFile, "model: [\n")
	for _, f := range []string{run.ConfigFile, run.EventsFile, run.LockFile} {
		os.Chtimes(filepath.Join(folder, "stale", f), long, long)
	}
	u, _ := newServer(t, Options{Folders: []string{folder}}).list.since("", time.Now())
	want := map[string]run.Status{"done": run.Done, "failed": run.Failed, "running": run.Running, "elsewhere": run.Running, "stale": run.Interrupted, "killed": run.Interrupted, "broken": run.Broken}
	if len(u.Rows) != len(want) {
		t.Errorf("got %d rows, want %d", len(u.Rows), len(want))
	}
	for _, r := range u.Rows {
		name := filepath.Base(r.Name)
		epoch := 4
		if name == "done" { // its result says
			epoch = 100
		}
		if r.State != want[name] || r.Epoch != epoch || r.Nonzero != 961+50 {
			t.Errorf("%s: got %+v, want %s", name, r, want[name])
		}
		switch name {
		case "done":
			if r.Test == nil || *r.Test != 0.25 || r.Val == nil || *r.Val != 0.5 || *r.Best != 0.75 || r.Seconds != 9 {
				t.Errorf("done: got %+v", r)
			}
		case "failed":
			if r.Note != "the loss is not finite" {
				t.Errorf("failed: got the note %q", r.Note)
			}
		case "running":
			if r.Left != 96 {
				t.Errorf("96 epochs of a second: got %v s left", r.Left)
			}
		}
	}
}

// BenchmarkList is the list of 2,000 runs: found and read for the first time,
// and looked through again.
func BenchmarkList(b *testing.B) {
	path := b.TempDir()
	makeRuns(b, path, 2000)
	f, err := openFolder(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.root.Close()
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if u, _ := newList([]folder{f}, nil).since("", time.Now()); len(u.Rows) != 2000 {
				b.Fatalf("got %d rows", len(u.Rows))
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		l := newList([]folder{f}, nil)
		now := time.Now()
		_, version := l.since("", now)
		for b.Loop() {
			now = now.Add(time.Minute)
			if u, _ := l.since(version, now); len(u.Rows) != 0 {
				b.Fatalf("got %d rows", len(u.Rows))
			}
		}
	})
}

// makeRuns makes n runs that are done.
func makeRuns(t testing.TB, folder string, n int) {
	t.Helper()
	makeRun(t, filepath.Join(folder, "0000"), 20)
	files := map[string][]byte{run.ResultFile: []byte(`{"last": {"epoch": 100, "test_acc": 0.5}, "seed": 1}`)}
	for _, name := range []string{run.ConfigFile, run.EventsFile} {
		text, err := os.ReadFile(filepath.Join(folder, "0000", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
	}
	for i := range n {
		dir := filepath.Join(folder, fmt.Sprintf("%04d", i))
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
}
