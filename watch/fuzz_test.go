package watch

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"betalasso/run"
)

// FuzzHandler: whatever is asked, the answer is one that the server has, and no
// panic. The page is gone when it asks, so a stream ends with what is there.
func FuzzHandler(f *testing.F) {
	folder, err := os.MkdirTemp("", "fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(folder) })
	makeRun(f, filepath.Join(folder, "a"), 1)
	s, err := New(Options{Folders: []string{folder}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	handler := s.Handler()
	f.Add("/", "", "localhost", "")
	f.Add("/api/stream", "runs=a,b&from=1-2,a:1.2.3", "[::1]:80", "x-1,a:5.5.ff")
	f.Add("/api/runs/000000000000/filters/0.png", "token=x", "evil", "")
	f.Add("/api/runs/..%2f..%2fa/filters", "%zz", "127.0.0.1", ",:,")
	gone, leave := context.WithCancel(context.Background())
	leave()
	f.Fuzz(func(t *testing.T, path, query, host, last string) {
		r := httptest.NewRequestWithContext(gone, "GET", "http://localhost/", nil)
		r.URL.Path, r.URL.RawQuery, r.Host = path, query, host
		r.Header.Set("Last-Event-ID", last)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect, http.StatusNotFound, http.StatusMisdirectedRequest, http.StatusMethodNotAllowed, http.StatusBadRequest:
		default:
			t.Errorf("%q?%q of %q: got %d", path, query, host, w.Code)
		}
	})
}

// FuzzEvents: a tail of any file of events ends, and its mark comes back.
func FuzzEvents(f *testing.F) {
	folder, err := os.MkdirTemp("", "fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(folder) })
	at, err := openFolder(folder)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { at.root.Close() })
	f.Add([]byte("{\"epoch\":0}\n{\"epoch\":1}\n"))
	f.Add([]byte("\n\x00\nnull\n{\"epoch\":1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(folder, run.EventsFile)
		os.Remove(path) // a file that is cut and written again waits for the disk
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		one := &tail{place: place{at, "."}}
		if _, _, _, err := one.next(); err != nil {
			t.Fatal(err)
		}
		if m := parseMark(one.mark.String()); m != one.mark {
			t.Errorf("the mark %v came back as %v", one.mark, m)
		}
	})
}
