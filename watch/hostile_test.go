package watch

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"betalasso/run"
)

// spoil writes a file of a run.
func spoil(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// A run that cannot be shown is a row that says so, and the others are shown.
func TestBrokenRunsHideNoOthers(t *testing.T) {
	folder := t.TempDir()
	for name, files := range map[string][2]string{
		"not a number": {run.ConfigFile, "model: s-fc\nalpha: 1\nlr: .nan\n"},
		"without end":  {run.StateFile, `{"epoch": 1, "wall_seconds": 1e308}`},
		"bomb":         {run.ConfigFile, "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"},
		"no result":    {run.ResultFile, "null"},
		"another's":    {run.ResultFile, `{"last": {"epoch": 100}, "seed": 7}`},
	} {
		dir := filepath.Join(folder, name)
		makeRun(t, dir, 4)
		spoil(t, dir, files[0], files[1])
		if name == "without end" { // a run that seems to be running
			host, err := os.Hostname()
			if err != nil {
				t.Skip(err)
			}
			spoil(t, dir, run.LockFile, fmt.Sprintf("process %d on %s\n", os.Getpid(), host))
		}
	}
	makeRun(t, filepath.Join(folder, "good"), 4)
	u, _ := newServer(t, Options{Folders: []string{folder}}).list.since("", time.Now())
	if _, err := json.Marshal(u); err != nil {
		t.Fatalf("the list cannot be sent: %v", err)
	}
	if len(u.Rows) != 6 {
		t.Fatalf("got %d rows, want 6", len(u.Rows))
	}
	for _, r := range u.Rows {
		state := run.Broken
		if strings.HasSuffix(r.Name, "/without end") { // its state is for people, and it goes on without
			state = run.Running
		}
		if broken := !strings.HasSuffix(r.Name, "/good"); broken != (r.State == state && r.Note != "") {
			t.Errorf("%s: got %s, %q", r.Name, r.State, r.Note)
		}
	}
}

// Names come to the page as they may be shown.
func TestNamesAreShownPlain(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "a\x1b[31mb"), 0o777); err != nil {
		t.Skip(err)
	}
	makeRun(t, filepath.Join(folder, "a\x1b[31mb"), 1)
	u, _ := newServer(t, Options{Folders: []string{folder}}).list.since("", time.Now())
	if len(u.Rows) != 1 || !strings.HasSuffix(u.Rows[0].Name, `a\x1b[31mb`) {
		t.Errorf("got %+v", u.Rows)
	}
}

// hang opens a connection, sends text, and waits for what will not come.
func hang(t *testing.T, address, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprint(c, text)
	return c
}

// Clients that hang in the middle of a request keep nobody out: with 600 of them,
// and 50 broken runs, a page gets its rows.
func TestSlowClientsShutNobodyOut(t *testing.T) {
	folder := t.TempDir()
	for i := range 50 {
		dir := filepath.Join(folder, fmt.Sprint("broken", i))
		makeRun(t, dir, 1)
		spoil(t, dir, run.ConfigFile, strings.Repeat("[", 60<<10))
	}
	makeRun(t, filepath.Join(folder, "good"), 3)
	s := newServer(t, Options{Folders: []string{folder}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	var hanging []net.Conn
	defer func() {
		for _, c := range hanging { // the end waits for connections
			c.Close()
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	for i := range 600 {
		text := []string{"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n", "GET / HTTP/1.1\r\nHost: loc", ""}[i%3]
		hanging = append(hanging, hang(t, l.Addr().String(), text))
	}
	began := time.Now()
	res, err := http.Get("http://" + l.Addr().String() + "/api/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	in := bufio.NewReaderSize(res.Body, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "data: ") && strings.Contains(line, "/good") {
			break
		}
	}
	t.Logf("the first rows came after %v", time.Since(began))
}

// A request with a body is answered before it comes, and its connection closed.
func TestBodiesAreNotWaitedFor(t *testing.T) {
	s := newServer(t, Options{Folders: []string{t.TempDir()}, Token: "correct horse battery"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go s.Serve(ctx, l)
	for _, method := range []string{"POST", "GET"} {
		for _, body := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
			c := hang(t, l.Addr().String(), method+" / HTTP/1.1\r\nHost: localhost\r\n"+body+"\r\n\r\n")
			c.SetReadDeadline(time.Now().Add(8 * time.Second)) // less than the server's own limits
			in := bufio.NewReader(c)
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Errorf("%s with %s: %v", method, body, err)
				continue
			}
			want := map[string]int{"POST": http.StatusMethodNotAllowed, "GET": http.StatusUnauthorized}[method]
			if res.StatusCode != want || !res.Close {
				t.Errorf("%s with %s: got %d, closed %v, want %d, true", method, body, res.StatusCode, res.Close, want)
			}
		}
	}
}

// A client has half of the connections at most, and one that is being answered
// is not closed for another.
func TestConnectionsOfOneClient(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	all := newConnections(l)
	all.most = 4
	accepted := make(chan *connection)
	go func() {
		for {
			c, err := all.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c.(*connection)
		}
	}()
	hang(t, l.Addr().String(), "")
	first := <-accepted
	hang(t, l.Addr().String(), "")
	second := <-accepted
	all.answer(first, 1)
	hang(t, l.Addr().String(), "")
	third := <-accepted
	if first.closed || !second.closed || third.closed || len(all.open) != 2 {
		t.Errorf("got closed %v, %v, %v, %d open; want the one that waited closed", first.closed, second.closed, third.closed, len(all.open))
	}
	all.answer(third, 1)
	refused := hang(t, l.Addr().String(), "")
	if _, err := refused.Read(make([]byte, 1)); err == nil {
		t.Error("a third connection beside two that are being answered was taken")
	}
	all.answer(first, -1)
	hang(t, l.Addr().String(), "")
	if <-accepted; !first.closed {
		t.Error("one whose answer has ended was not closed for another")
	}
	third.Close()
	third.Close()
	if len(all.open) != 1 || all.clients[third.client] != 1 {
		t.Errorf("got %d open, %v of the client, want 1", len(all.open), all.clients)
	}
}
