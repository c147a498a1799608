package data

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxDownload bounds a file whose size is not known.
const maxDownload = 4 << 30

// maxBreaks is how often one download is resumed.
const maxBreaks = 100

var (
	errBroken  = errors.New("the download broke off")
	errSilent  = errors.New("silence")
	errRestart = errors.New("cannot go on from where it stopped")
	errTooLong = errors.New("more bytes than the file has")
)

// remote is a file on a host.
type remote struct {
	url, md5, sha256 string // sha256 "" where it is not known
	size             int64  // 0 where it is not known
}

// answerError is a response that is not the file.
type answerError struct{ url, answer string }

func (e *answerError) Error() string { return fmt.Sprintf("%s answers %s", e.url, e.answer) }

// download gets a file to path, by way of path.part, which stays when the
// download breaks off and goes when the checksum is wrong.
func (f *fetcher) download(ctx context.Context, src remote, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	part := path + ".part"
	for first := true; ; first = false {
		resumed, err := f.pull(ctx, src, part)
		if err != nil {
			return err
		}
		err = verifyPart(ctx, src, part)
		if err == nil {
			break
		}
		var sum *checksumError
		if !errors.As(err, &sum) {
			return err
		}
		discard(part)
		if !resumed || !first {
			return fmt.Errorf("%w; what came was removed: try again later, or from another network", err)
		}
		f.note("%v; once more from the beginning", err)
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	os.Remove(part + ".from")
	return nil
}

// discard removes a part and what is known of its source.
func discard(part string) {
	os.Remove(part)
	os.Remove(part + ".from")
}

func verifyPart(ctx context.Context, src remote, part string) error {
	in, _, err := openPlain(part)
	if err != nil {
		return err
	}
	defer in.Close()
	m, s := md5.New(), sha256.New()
	if _, err := io.Copy(io.MultiWriter(m, s), reader{ctx, in}); err != nil {
		return err
	}
	if got := hex.EncodeToString(m.Sum(nil)); got != src.md5 {
		return &checksumError{src.url, "md5 " + got, src.md5}
	}
	if got := hex.EncodeToString(s.Sum(nil)); src.sha256 != "" && got != src.sha256 {
		return &checksumError{src.url, "sha256 " + got, src.sha256}
	}
	return nil
}

// pull fills part to its end, resuming when the connection breaks. resumed says
// that it was not fetched in one go.
func (f *fetcher) pull(ctx context.Context, src remote, part string) (resumed bool, err error) {
	began := false // a host has answered
	var best int64 // how far it came; a host that cannot resume may get there again and again
	for failed, breaks := 0, 0; ; breaks++ {
		from, validator := partState(src, part)
		if src.size > 0 && from == src.size {
			return true, nil
		}
		resumed = resumed || from > 0
		got, err := f.once(ctx, src, part, from, validator)
		if err == nil {
			return resumed, nil
		}
		if ctx.Err() != nil { // whatever broke then broke because of it
			return resumed, ctx.Err()
		}
		began = began || got > 0
		switch {
		case errors.Is(err, errRestart):
			discard(part)
		case errors.Is(err, errBroken), began && errors.Is(err, ErrNoHost):
		default:
			return resumed, err
		}
		have, _ := partState(src, part)
		failed++
		if reached := max(have, got); reached > best {
			best, failed = reached, 0
		}
		if failed >= f.tries || breaks >= maxBreaks {
			return resumed, fmt.Errorf("%w after %d bytes: %s: %v; the same command goes on from there", errBroken, have, src.url, err)
		}
		select {
		case <-ctx.Done():
			return resumed, ctx.Err()
		case <-time.After(f.wait):
		}
	}
}

// partState is how much of the file part holds, and the validator (an ETag or
// a date) of the version it is of; 0 where either is not known.
func partState(src remote, part string) (size int64, validator string) {
	info, err := os.Stat(part)
	if err != nil {
		return 0, ""
	}
	from, err := os.ReadFile(part + ".from")
	if err != nil || len(from) > 4096 {
		return 0, ""
	}
	url, validator, _ := strings.Cut(strings.TrimSpace(string(from)), "\n")
	if url != src.url || validator == "" || src.size > 0 && info.Size() > src.size {
		return 0, ""
	}
	return info.Size(), validator
}

// once asks for the file from that byte on, and writes what comes to part. got
// is how many bytes came.
func (f *fetcher) once(ctx context.Context, src remote, part string, from int64, validator string) (got int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(f.answer, func() { cancel(errSilent) })
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, src.url, nil)
	if err != nil {
		return 0, err
	}
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		req.Header.Set("If-Range", validator)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		if context.Cause(ctx) == errSilent {
			err = fmt.Errorf("%s: no answer in %v", src.url, f.answer)
		}
		return 0, fmt.Errorf("%w: %w", ErrNoHost, err)
	}
	defer resp.Body.Close()
	from, err = accepted(resp, src, from)
	if err != nil {
		return 0, err
	}
	limit := src.size
	if limit == 0 {
		limit = maxDownload
	}
	total := src.size
	if resp.ContentLength >= 0 {
		total = from + resp.ContentLength
		if src.size > 0 && total != src.size || total > limit {
			return 0, &answerError{src.url, fmt.Sprintf("a file of %d bytes, want %d", total, limit)}
		}
	}
	out, err := openPart(src, part, from, resp.Header)
	if err != nil {
		return 0, err
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	got, err = f.copy(out, resp.Body, from, total, limit, filepath.Base(src.url), watch)
	switch {
	case errors.Is(err, errTooLong):
		discard(part)
		return got, &answerError{src.url, fmt.Sprintf("more than %d bytes", limit)}
	case err != nil && context.Cause(ctx) == errSilent:
		return got, fmt.Errorf("%w: nothing for %v", errBroken, f.idle)
	case err != nil:
		return got, err
	case total > 0 && from+got < total:
		return got, fmt.Errorf("%w: %d of %d bytes", errBroken, from+got, total)
	}
	return got, out.Sync()
}

// accepted is the byte at which the answer's body begins, or why it cannot be
// used.
func accepted(resp *http.Response, src remote, from int64) (int64, error) {
	switch resp.StatusCode {
	case http.StatusOK:
		return 0, nil
	case http.StatusPartialContent:
		var start int64
		if _, err := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-", &start); err != nil || start != from || from == 0 {
			return 0, errRestart
		}
		return from, nil
	case http.StatusRequestedRangeNotSatisfiable:
		if from > 0 {
			return 0, errRestart
		}
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return 0, fmt.Errorf("%w: %w", ErrNoHost, &answerError{src.url, resp.Status})
	}
	return 0, &answerError{src.url, resp.Status}
}

// openPart opens part for what follows byte from, and notes which version of
// the file it is, where the host says so.
func openPart(src remote, part string, from int64, h http.Header) (*os.File, error) {
	if from > 0 {
		return os.OpenFile(part, os.O_WRONLY|os.O_APPEND, 0o644)
	}
	discard(part)
	validator := h.Get("ETag")
	if validator == "" || strings.HasPrefix(validator, "W/") { // a weak one is not for ranges
		validator = h.Get("Last-Modified")
	}
	if validator != "" {
		if err := os.WriteFile(part+".from", []byte(src.url+"\n"+validator+"\n"), 0o644); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
}

// copy moves the body to out and reports its progress. An error of the body is
// errBroken, one of out is itself.
func (f *fetcher) copy(out io.Writer, body io.Reader, from, total, limit int64, name string, watch *time.Timer) (got int64, err error) {
	buf := make([]byte, 1<<18)
	var told time.Time
	tell := func() {
		if f.progress != nil {
			f.progress(Progress{File: name, Done: from + got, Total: total})
		}
		told = time.Now()
	}
	defer tell()
	for {
		watch.Reset(f.idle)
		n, err := body.Read(buf)
		if from+got+int64(n) > limit {
			return got, errTooLong
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return got, err
		}
		got += int64(n)
		if time.Since(told) > 100*time.Millisecond {
			tell()
		}
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, fmt.Errorf("%w: %w", errBroken, err)
		}
	}
}
