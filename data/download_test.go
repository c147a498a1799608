package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// host serves one file in ways that go wrong.
type host struct {
	body      []byte
	etag      string
	noRange   bool // answers a range with the whole
	breakAt   int  // each answer ends after this many bytes; 0 never
	breaks    int  // how often that happens
	status    int  // answers so, if not 0
	chunked   bool // does not say how long it is
	mu        sync.Mutex
	ranges    []string // asked for
	conflicts int      // answers with a part that was not asked for
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ranges = append(h.ranges, r.Header.Get("Range"))
	if h.status != 0 {
		w.WriteHeader(h.status)
		return
	}
	if h.etag != "" {
		w.Header().Set("ETag", h.etag)
	}
	from := 0
	if rng := r.Header.Get("Range"); rng != "" && !h.noRange && r.Header.Get("If-Range") == h.etag {
		fmt.Sscanf(rng, "bytes=%d-", &from)
		if h.conflicts > 0 {
			h.conflicts--
			from++
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(h.body)-1, len(h.body)))
	}
	rest := h.body[from:]
	if !h.chunked {
		w.Header().Set("Content-Length", fmt.Sprint(len(rest)))
	}
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	if h.breakAt > 0 && h.breaks > 0 && len(rest) > h.breakAt {
		h.breaks--
		w.Write(rest[:h.breakAt])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(rest)
}

// serve starts a host and tells the address of its file.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s.URL + "/file.bin"
}

// quickFetcher gives up soon.
func quickFetcher(dir string) *fetcher {
	return &fetcher{
		dir: dir, client: &http.Client{Transport: &http.Transport{DisableCompression: true}},
		answer: 2 * time.Second, decision: 4 * time.Second, idle: 2 * time.Second, wait: time.Millisecond, tries: 3,
	}
}

func source(url string, body []byte) remote {
	return remote{url: url, md5: md5Of(body), size: int64(len(body))}
}

func checkFile(t *testing.T, path string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	} else if !bytes.Equal(got, want) {
		t.Errorf("%s: got %d bytes, want %d others", path, len(got), len(want))
	}
}

// checkOnly says when dir holds other files than those.
func checkOnly(t *testing.T, dir string, want ...string) {
	t.Helper()
	left, _ := os.ReadDir(dir)
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	if got, want := strings.Join(names, " "), strings.Join(want, " "); got != want {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

func TestDownload(t *testing.T) {
	body := toyRows(1, 200, 1, 10)
	for _, c := range []struct {
		name string
		host *host
		asks int // requests
	}{
		{"in one go", &host{etag: `"v1"`}, 1},
		{"of unknown length", &host{etag: `"v1"`, chunked: true}, 1},
		{"broken twice", &host{etag: `"v1"`, breakAt: 200000, breaks: 2}, 3},
		{"broken, no ranges", &host{etag: `"v1"`, breakAt: 200000, breaks: 1, noRange: true}, 2},
		{"broken, no ETag", &host{breakAt: 200000, breaks: 2}, 3},
		{"broken, a weak ETag", &host{etag: `W/"v1"`, breakAt: 200000, breaks: 2}, 3},
		{"broken, the wrong part comes", &host{etag: `"v1"`, breakAt: 200000, breaks: 1, conflicts: 1}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.host.body = body
			dir := t.TempDir()
			f := quickFetcher(dir)
			var last Progress
			f.progress = func(p Progress) {
				if p.Note == "" && (p.Done > p.Total || p.File != "file.bin") {
					t.Errorf("got progress %+v", p)
				}
				last = p
			}
			path := filepath.Join(dir, "f")
			if err := f.download(t.Context(), source(serve(t, c.host), body), path); err != nil {
				t.Fatal(err)
			}
			checkFile(t, path, body)
			checkOnly(t, dir, "f")
			if len(c.host.ranges) != c.asks {
				t.Errorf("got requests for %q, want %d", c.host.ranges, c.asks)
			}
			if last.Done != int64(len(body)) || last.Total != int64(len(body)) {
				t.Errorf("got last progress %+v, want %d bytes", last, len(body))
			}
		})
	}
}

// A part that an earlier process left is taken up, if it is of this version.
func TestDownloadLater(t *testing.T) {
	body := toyRows(1, 200, 1, 10)
	h := &host{body: body, etag: `"v1"`, breakAt: 200000, breaks: 100}
	url := serve(t, h)
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	ctx, cancel := context.WithCancel(t.Context())
	f := quickFetcher(dir)
	f.progress = func(Progress) { cancel() } // as if interrupted
	if err := f.download(ctx, source(url, body), path); !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v, want %v", err, context.Canceled)
	}
	checkOnly(t, dir, "f.part", "f.part.from")
	h.breaks = 0
	f.progress = nil
	if err := f.download(t.Context(), source(url, body), path); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, body)
	checkOnly(t, dir, "f")
	if last := h.ranges[len(h.ranges)-1]; last == "" {
		t.Error("it began again, want a range")
	}
}

// The host's file changed between: its answer to If-Range is the whole.
func TestDownloadChanged(t *testing.T) {
	body := toyRows(1, 200, 1, 10)
	h := &host{body: body, etag: `"v2"`}
	url := serve(t, h)
	dir := writeFiles(t, map[string][]byte{"f.part": []byte("old"), "f.part.from": []byte(url + "\n\"v1\"\n")})
	path := filepath.Join(dir, "f")
	if err := quickFetcher(dir).download(t.Context(), source(url, body), path); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, body)
}

// A part that is wrong although its version is right is fetched once more.
func TestDownloadDamagedPart(t *testing.T) {
	body := toyRows(1, 200, 1, 10)
	h := &host{body: body, etag: `"v1"`}
	url := serve(t, h)
	dir := writeFiles(t, map[string][]byte{"f.part": []byte("damaged"), "f.part.from": []byte(url + "\n\"v1\"\n")})
	path := filepath.Join(dir, "f")
	if err := quickFetcher(dir).download(t.Context(), source(url, body), path); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, body)
	if want := []string{"bytes=7-", ""}; strings.Join(h.ranges, "|") != strings.Join(want, "|") {
		t.Errorf("got requests for %q, want %q", h.ranges, want)
	}
}

func TestDownloadWrong(t *testing.T) {
	body := toyRows(1, 200, 1, 10)
	other := toyRows(2, 200, 1, 10)
	var sum *checksumError
	var answer *answerError
	for _, c := range []struct {
		name   string
		host   *host
		as     any
		noHost bool
		want   string
		left   []string
	}{
		{"other bytes", &host{body: other}, &sum, false, "want " + md5Of(body) + "; what came was removed", nil},
		{"shorter", &host{body: body[:5000]}, &answer, false, "a file of 5000 bytes, want 614600", nil},
		{"longer", &host{body: append(body[:len(body):len(body)], 1)}, &answer, false, "a file of 614601 bytes", nil},
		{"longer, length not told", &host{body: append(body[:len(body):len(body)], 1), chunked: true, etag: `"v"`}, &answer, false, "answers more than 614600 bytes", nil},
		{"not there", &host{status: 404}, &answer, false, "answers 404 Not Found", nil},
		{"a gateway without a host", &host{status: 503}, &answer, true, "answers 503", nil},
		{"always broken", &host{body: body, breakAt: 1000, breaks: 1000, noRange: true, etag: `"v"`}, nil, false, "broke off after 1000 bytes", []string{"f.part", "f.part.from"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			src := source("", body)
			src.url = serve(t, c.host)
			err := quickFetcher(dir).download(t.Context(), src, filepath.Join(dir, "f"))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), src.url) {
				t.Errorf("got error %v, want one with %q and the address", err, c.want)
			}
			if c.as != nil && !errors.As(err, c.as) {
				t.Errorf("got error %T, want %T", err, c.as)
			}
			if errors.Is(err, ErrNoHost) != c.noHost {
				t.Errorf("got error %v; ErrNoHost %v, want %v", err, !c.noHost, c.noHost)
			}
			checkOnly(t, dir, c.left...)
		})
	}
}

func TestDownloadSHA256(t *testing.T) {
	body := []byte("body")
	src := source(serve(t, &host{body: body}), body)
	src.sha256 = strings.Repeat("0", 64)
	dir := t.TempDir()
	err := quickFetcher(dir).download(t.Context(), src, filepath.Join(dir, "f"))
	if err == nil || !strings.Contains(err.Error(), "sha256") {
		t.Errorf("got error %v, want one of the sha256", err)
	}
	checkOnly(t, dir)
}

func TestDownloadNoHost(t *testing.T) {
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, address := range map[string]string{"refused": refused.Addr().String(), "silent": silent.Addr().String()} {
		dir := t.TempDir()
		f := quickFetcher(dir)
		f.answer = 300 * time.Millisecond
		began := time.Now()
		err := f.download(t.Context(), source("http://"+address+"/f", []byte("x")), filepath.Join(dir, "f"))
		if !errors.Is(err, ErrNoHost) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrNoHost)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: took %v, want about %v", name, took, f.answer)
		}
		checkOnly(t, dir)
	}
}

// A host that falls silent in the middle is asked again.
func TestDownloadStalls(t *testing.T) {
	body := toyRows(1, 200, 1, 10)
	var asked atomic.Int32
	release := make(chan struct{})
	whole := &host{body: body, etag: `"v1"`}
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 1 {
			whole.ServeHTTP(w, r)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:100000])
		w.(http.Flusher).Flush()
		<-release
	}))
	t.Cleanup(func() { close(release) })
	dir := t.TempDir()
	f := quickFetcher(dir)
	f.idle = 200 * time.Millisecond
	path := filepath.Join(dir, "f")
	if err := f.download(t.Context(), source(url, body), path); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, body)
	if want := "bytes=100000-"; whole.ranges[0] != want {
		t.Errorf("got a request for %q, want %q", whole.ranges[0], want)
	}
}
