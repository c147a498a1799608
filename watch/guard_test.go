package watch

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"betalasso/run"
)

// ask makes a request of a server in this process.
func ask(t *testing.T, s *Server, method, target string, change func(*http.Request)) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:4117"+target, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Result()
}

func newServer(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestOnlyReading(t *testing.T) {
	s := newServer(t, Options{Folders: []string{t.TempDir()}})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"} {
		if got := ask(t, s, method, "/", nil).StatusCode; got != http.StatusMethodNotAllowed {
			t.Errorf("%s: got %d", method, got)
		}
	}
	for _, method := range []string{"GET", "HEAD"} {
		got := ask(t, s, method, "/", nil)
		if got.StatusCode != http.StatusOK || !strings.Contains(got.Header.Get("Content-Security-Policy"), "script-src 'self';") {
			t.Errorf("%s: got %d, %v", method, got.StatusCode, got.Header)
		}
	}
}

func TestHosts(t *testing.T) {
	s := newServer(t, Options{Folders: []string{t.TempDir()}, Hosts: []string{"Node7.cluster"}})
	for host, want := range map[string]int{
		"127.0.0.1:4117": 200, "localhost": 200, "LOCALHOST.:4117": 200, "[::1]:4117": 200, "[::1]": 200, "10.0.0.7:4117": 200,
		"node7.cluster:4117": 200,
		"evil.example:4117":  421, "localhost.evil.example": 421, "127.0.0.1.evil.example:4117": 421, "": 421, "node7": 421, "127.1": 421, "0x7f.1": 421,
	} {
		if got := ask(t, s, "GET", "/", func(r *http.Request) { r.Host = host }).StatusCode; got != want {
			t.Errorf("Host %q: got %d, want %d", host, got, want)
		}
	}
}

func TestToken(t *testing.T) {
	const token = "correct horse; \"batterie\" é+/="
	to := "/?token=" + url.QueryEscape(token)
	s := newServer(t, Options{Folders: []string{t.TempDir()}, Token: token})
	for _, target := range []string{"/", "/app.js", "/api/stream", "/?token=", "/?token=correct+horse", to + "staple"} {
		if got := ask(t, s, "GET", target, nil); got.StatusCode != http.StatusUnauthorized || len(got.Cookies()) != 0 {
			t.Errorf("%s: got %d, cookies %v", target, got.StatusCode, got.Cookies())
		}
	}
	got := ask(t, s, "GET", to, nil)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/" || len(got.Cookies()) != 1 {
		t.Fatalf("the token: got %d to %q with %v", got.StatusCode, got.Header.Get("Location"), got.Cookies())
	}
	c := got.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookie is open to scripts or other sites: %v", c)
	}
	if got := ask(t, s, "GET", "/app.js", func(r *http.Request) { r.AddCookie(c) }).StatusCode; got != 200 {
		t.Errorf("with the cookie: got %d", got)
	}
	c.Value = token // which the cookie does not hold
	if got := ask(t, s, "GET", "/app.js", func(r *http.Request) { r.AddCookie(c) }).StatusCode; got != 401 {
		t.Errorf("with a wrong cookie: got %d", got)
	}
}

// TestNothingElseIsReached puts secrets beside and, by links, into a watched
// folder, and asks for them in every way there is.
func TestNothingElseIsReached(t *testing.T) {
	base := t.TempDir()
	const secret = "the-secret-text"
	outside := filepath.Join(base, "outside")
	makeRun(t, outside, 3)
	appendTo(t, filepath.Join(outside, "secret.txt"), []byte(secret))
	watched := filepath.Join(base, "watched")
	makeRun(t, filepath.Join(watched, "good"), 3)
	makeRun(t, filepath.Join(watched, "linked"), 3)
	link := func(to, from string) {
		t.Helper()
		os.RemoveAll(from)
		if err := os.Symlink(to, from); err != nil {
			t.Skip(err)
		}
	}
	link(outside, filepath.Join(watched, "run-by-link"))
	link(filepath.Join(outside, "secret.txt"), filepath.Join(watched, "linked", run.FailureFile))
	link(filepath.Join(outside, run.EventsFile), filepath.Join(watched, "linked", run.EventsFile))
	link("../../outside", filepath.Join(watched, "linked", run.FiltersDir))
	if err := os.WriteFile(filepath.Join(outside, filepath.Base(run.FiltersAt(1))), []byte(secret), 0o666); err != nil {
		t.Fatal(err)
	}
	os.MkdirAll(filepath.Join(watched, "config-by-link"), 0o777)
	link(filepath.Join(outside, run.ConfigFile), filepath.Join(watched, "config-by-link", run.ConfigFile))

	s := newServer(t, Options{Folders: []string{watched}})
	u, _ := s.list.since("", time.Now())
	ids := map[string]string{}
	for _, r := range u.Rows {
		ids[r.Name] = r.ID
		if r.Name == "watched/linked" && (strings.Contains(r.Note, secret) || !strings.Contains(r.Note, run.FailureFile+" is a symbolic link") || r.Epoch != 0) {
			t.Errorf("a file was read through a link: %+v", r)
		}
	}
	if len(ids) != 2 || ids["watched/good"] == "" || ids["watched/linked"] == "" {
		t.Fatalf("got the runs %v, want good and linked", ids)
	}
	p, _ := s.list.find(ids["watched/linked"], time.Now())
	if _, _, _, err := (&tail{place: p}).next(); err == nil {
		t.Error("events were read through a link")
	}
	for _, target := range []string{
		"/../outside/secret.txt", "/..%2foutside%2fsecret.txt", "/%2e%2e/%2e%2e/outside/secret.txt", "/page/../../go.mod", "//etc/passwd",
		"/api/runs/../../outside/filters", "/api/runs/..%2f..%2foutside/filters", "/api/runs/" + ids["watched/good"] + "%2f..%2f..%2foutside/filters",
		"/api/runs/run-by-link/filters", "/api/runs/watched%2fgood/filters", "/api/runs/000000000000/filters/0.png",
		"/api/runs/" + ids["watched/good"] + "/filters/..%2f..%2f..%2foutside%2fsecret.txt", "/api/runs/" + ids["watched/good"] + "/filters/-1.png",
		"/api/runs/" + ids["watched/good"] + "/filters/..%2fconfig.png", "/api/runs/" + ids["watched/linked"] + "/filters/1.png",
		"/config.yaml", "/" + ids["watched/good"], "/api/runs/" + ids["watched/linked"] + "/filters/1.png?x=/../../outside/secret.txt",
	} {
		got := ask(t, s, "GET", target, nil)
		text, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got.StatusCode == http.StatusOK || strings.Contains(string(text), secret) {
			t.Errorf("%s: got %d, %q", target, got.StatusCode, text)
		}
	}
	got := ask(t, s, "GET", "/api/runs/"+ids["watched/linked"]+"/filters", nil)
	if text, _ := io.ReadAll(got.Body); strings.TrimSpace(string(text)) != "[]" && got.StatusCode == 200 {
		t.Errorf("filters behind a link: got %q", text)
	}
}
