package data

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// maxUnpacked bounds what is read out of an archive: several times what any
// of the publishers' holds.
const maxUnpacked = 1 << 30

// eachMember calls f with the plain files in a .tar.gz, in their order, and reads
// r to its end, so that the checksums are verified.
func eachMember(r io.Reader, f func(name string, size int64, r io.Reader) error) error {
	z, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return err
	}
	if err := eachUnpacked(z, f); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return err
}

// eachUnpacked is eachMember of a .tar.
func eachUnpacked(r io.Reader, f func(name string, size int64, r io.Reader) error) error {
	limited := &io.LimitedReader{R: r, N: maxUnpacked}
	t := tar.NewReader(limited)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err == nil && h.Typeflag == tar.TypeReg {
			err = f(h.Name, h.Size, t)
		}
		if err != nil {
			return tooLarge(limited, err)
		}
	}
	if _, err := io.Copy(io.Discard, limited); err != nil {
		return err
	}
	return tooLarge(limited, nil)
}

func tooLarge(r *io.LimitedReader, err error) error {
	if r.N <= 0 {
		return fmt.Errorf("unpacks to more than %d bytes", maxUnpacked)
	}
	return err
}

// readArchive reads the set from its .tar.gz.
func (p *published) readArchive(ctx context.Context, set *Set, name string) error {
	f, size, err := openPlain(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer f.Close()
	sum := md5.New()
	known, err := p.appendArchive(set, io.TeeReader(reader{ctx, f}, sum), size)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w; want the publisher's archive of %d bytes, md5 %s; replace the file, or `betalasso data fetch %s`",
			name, err, p.archive.size, p.archive.md5, p.name)
	}
	got := hex.EncodeToString(sum.Sum(nil))
	set.Files = append(set.Files, File{Path: name, MD5: got, Verified: known || got == p.archive.md5})
	return nil
}

// appendArchive appends the images of a .tar.gz of size bytes to set: its
// files in the publisher's order, wherever they lie in it. known says that each
// has the publisher's checksum.
func (p *published) appendArchive(set *Set, r io.Reader, size int64) (known bool, err error) {
	return p.appendMembers(set, size, func(f func(string, int64, io.Reader) error) error { return eachMember(r, f) })
}

// appendMembers is appendArchive of what each goes through.
func (p *published) appendMembers(set *Set, size int64, each func(func(string, int64, io.Reader) error) error) (known bool, err error) {
	type part struct {
		images Images
		known  bool
	}
	parts := map[string]part{}
	err = each(func(name string, claim int64, r io.Reader) error {
		i := slices.IndexFunc(p.files, func(f file) bool { return f.name == path.Base(name) })
		if i < 0 {
			return nil
		}
		f := p.files[i]
		if _, twice := parts[f.name]; twice {
			return fmt.Errorf("a second %s", f.name)
		}
		im := Images{ImageSize: p.imageSize()}
		if n := min(claim, size) / int64(im.ImageSize); n <= int64(f.rows) {
			im.Pix = slices.Grow(im.Pix, int(n)*im.ImageSize)
		}
		h := md5.New()
		im, err := p.format.read(p, im, io.TeeReader(r, h), claim, f)
		if err != nil {
			return fmt.Errorf("%s in it: %w", name, err)
		}
		parts[f.name] = part{im, hex.EncodeToString(h.Sum(nil)) == f.md5}
		return nil
	})
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("truncated: %w", err)
		}
		return false, err
	}
	var missing []string
	for _, f := range p.files {
		if _, ok := parts[f.name]; !ok {
			missing = append(missing, f.name)
		}
	}
	if missing != nil {
		return false, fmt.Errorf("lacks %s", strings.Join(missing, ", "))
	}
	known = true
	for _, f := range p.files {
		from, to := parts[f.name], set.into(f.use)
		known = known && from.known
		if to.Labels == nil {
			to.Pix, to.Labels = from.images.Pix, from.images.Labels
		} else {
			to.Pix = append(to.Pix, from.images.Pix...)
			to.Labels = append(to.Labels, from.images.Labels...)
		}
		delete(parts, f.name)
	}
	return known, set.complete()
}
