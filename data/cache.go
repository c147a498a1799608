package data

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// CacheDir is the folder that Fetch fills: betalasso in the user's cache
// folder. It need not exist.
func CacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for data sets: %w; name a folder that has them", err)
	}
	return filepath.Join(dir, "betalasso"), nil
}

// lock waits until no other process fetches the set, or until ctx ends.
func (f *fetcher) lock(ctx context.Context, p *published) (unlock func(), err error) {
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(f.dir, p.name+".lock"))
	ok, err := l.TryLock()
	if err == nil && !ok {
		f.note("waiting for another process that fetches %s", p.name)
		_, err = l.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: cannot lock: %w", l.Path(), err)
	}
	return func() { l.Close() }, nil
}

// writeWhole writes path by from: under a temporary name, then renamed, so that
// path never holds half a file.
func writeWhole(path string, from func(io.Writer) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			t.Close()
			os.Remove(t.Name())
		}
	}()
	if err := from(t); err != nil {
		return err
	}
	if err := t.Chmod(0o644); err != nil {
		return err
	}
	if err := t.Sync(); err != nil {
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	return os.Rename(t.Name(), path)
}

// write is writeWhole of what has the wanted md5.
func write(path, md5sum string, from func(io.Writer) error) error {
	return writeWhole(path, func(w io.Writer) error {
		h := md5.New()
		if err := from(io.MultiWriter(w, h)); err != nil {
			return err
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != md5sum {
			return &checksumError{path, got, md5sum}
		}
		return nil
	})
}

// checksumError means that a download is not the publisher's file.
type checksumError struct{ what, got, want string }

func (e *checksumError) Error() string {
	return fmt.Sprintf("%s: checksum %s, want %s", e.what, e.got, e.want)
}

// sumFile is the md5 of the file at path.
func sumFile(ctx context.Context, path string) (string, error) {
	f, _, err := openPlain(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, reader{ctx, f}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// FileStatus is what Verify found of one file.
type FileStatus struct {
	Path     string
	Size     int64
	Present  bool
	Verified bool   // the publisher's checksum
	Optional bool   // SVHN's extra images
	MD5      string // of what is there
	Want     string // the publisher's
}

// Verify compares the named set's files in dir ("" is the cache) with the
// publisher's checksums: those that Load would read. A missing or a foreign
// file is no error; one that cannot be read is.
func Verify(name, dir string) ([]FileStatus, error) {
	p, err := find(name)
	if err != nil || p.drawn != nil {
		return nil, err
	}
	if dir == "" {
		if dir, err = CacheDir(); err != nil {
			return nil, err
		}
	}
	at, err := p.locate(dir, false)
	if at.archive != "" {
		s, err := status(at.archive, p.archive.md5)
		return []FileStatus{s}, err
	}
	folder := filepath.Join(dir, p.folder)
	if err == nil {
		folder = filepath.Dir(at.paths[0])
	}
	var all []FileStatus
	for _, f := range p.files {
		s, err := status(filepath.Join(folder, f.name), f.md5)
		if err != nil {
			return nil, err
		}
		s.Optional = f.use == extra
		all = append(all, s)
	}
	return all, nil
}

func status(path, want string) (FileStatus, error) {
	s := FileStatus{Path: path, Want: want}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Present, s.Size = true, info.Size()
	if s.MD5, err = sumFile(context.Background(), path); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	s.Verified = s.MD5 == want
	return s, nil
}
