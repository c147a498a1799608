package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// TestWatchServesUntilInterrupted starts the command, opens the address that it
// prints, and ends it with Ctrl-C.
func TestWatchServesUntilInterrupted(t *testing.T) {
	c := command("watch", t.TempDir(), "--listen", "127.0.0.1:0", "--token", "a-token-of-24-characters")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address = strings.TrimSpace(address)
	if !strings.HasSuffix(address, "/?token=a-token-of-24-characters") {
		t.Errorf("it printed %q", address)
	}
	for url, want := range map[string]int{address: http.StatusSeeOther, strings.Split(address, "?")[0]: http.StatusUnauthorized} {
		r, err := http.DefaultTransport.RoundTrip(must(http.NewRequest("GET", url, nil)))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("%s: got %s, want %d", url, r.Status, want)
		}
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if status := exitStatus(t, c.Wait()); status != 0 {
		t.Errorf("after Ctrl-C: got status %d", status)
	}
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}

func TestWatchMistakes(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"watch", dir + "/none"}, "none"},
		{[]string{"watch", dir, "--listen", "4117"}, "--listen 4117"},
		{[]string{"watch", dir, "--token", "short"}, "at least 16"},
		{[]string{"watch"}, "dir"},
	} {
		if status, _, stderr := betalasso(t, c.args...); status != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: got status %d, %q, want %d and %q", c.args, status, stderr, exitUsage, c.want)
		}
	}
}

func TestOnlyLoopbackNeedsNoToken(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.8.9.1": true, "::1": true, "localhost": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "example.org": false, "localhost.example.org": false,
	} {
		if got := loopback(host); got != want {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
	all := &net.TCPAddr{IP: net.IPv4zero, Port: 80}
	if got := pageAddress(all, "x+/="); strings.Contains(got, "0.0.0.0") || !strings.HasSuffix(got, ":80/?token=x%2B%2F%3D") {
		t.Errorf("listening on all addresses: got %s, want one that a browser can open", got)
	}
}
