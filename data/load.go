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
	"slices"
	"strings"
)

// Options say where Load looks and what it may do. The zero value reads the
// cache and fetches nothing.
type Options struct {
	Dir      string         // a folder of the user's own, never written; "" is the cache
	Extra    bool           // SVHN: add the extra images to the training set
	Fetch    bool           // fetch into the cache what is not there; not with Dir
	Progress func(Progress) // called now and then, never at once; may be nil
}

// Progress is how far a fetch is, or a message.
type Progress struct {
	File  string // what is being fetched
	Done  int64  // bytes
	Total int64  // bytes; 0 where it is not known
	Note  string // a line for the user; then the rest is empty
}

// Load reads the named set. Files that lack the publisher's checksum are used
// from a Dir, as not verified, and refused in the cache. An error wraps
// fs.ErrNotExist where files are missing, and ErrNoHost where they could not
// be fetched because nobody answered.
func Load(ctx context.Context, name string, opt Options) (*Set, error) {
	if name == digitsName {
		return Digits(digitsTrain, digitsTest, digitsSeed), nil
	}
	p, err := find(name)
	if err != nil {
		return nil, err
	}
	if opt.Dir != "" {
		return p.load(ctx, opt.Dir, opt.Extra)
	}
	dir, err := CacheDir()
	if err != nil {
		return nil, err
	}
	set, err := p.loadVerified(ctx, dir, opt.Extra)
	if err == nil || !opt.Fetch || ctx.Err() != nil {
		return set, err
	}
	if err := newFetcher(dir, opt.Progress).fetch(ctx, p, opt.Extra); err != nil {
		return nil, err
	}
	return p.loadVerified(ctx, dir, opt.Extra)
}

// loadVerified is load for the cache.
func (p *published) loadVerified(ctx context.Context, dir string, withExtra bool) (*Set, error) {
	set, err := p.load(ctx, dir, withExtra)
	if err != nil {
		return nil, err
	}
	for _, f := range set.Files {
		if !f.Verified {
			return nil, fmt.Errorf("%s has md5 %s, which is not the publisher's; `betalasso data fetch %s` replaces it", f.Path, f.MD5, p.name)
		}
	}
	return set, nil
}

// place is where a set's files were found.
type place struct {
	archive string   // the archive's path, or "" and
	paths   []string // the files', as wanted lists them
}

// locate looks for the files themselves in the set's folder in dir and in dir,
// then for the archive.
func (p *published) locate(dir string, withExtra bool) (place, error) {
	if _, err := os.Stat(dir); err != nil {
		return place{}, fmt.Errorf("%s: %w; %s", p.name, err, p.remedy(withExtra))
	}
	files := p.wanted(withExtra)
	missing := files
	where := dir
	for _, folder := range []string{filepath.Join(dir, p.folder), dir} {
		var at place
		var absent []file
		for _, f := range files {
			path := filepath.Join(folder, f.name)
			at.paths = append(at.paths, path)
			if _, err := os.Stat(path); err != nil {
				absent = append(absent, f)
			}
		}
		if len(absent) == 0 {
			return at, nil
		}
		if len(absent) < len(missing) {
			missing, where = absent, folder
		}
	}
	var names []string
	for _, f := range missing {
		names = append(names, f.name)
	}
	want := strings.Join(names, ", ")
	if p.archive.name != "" {
		path := filepath.Join(dir, p.archive.name)
		if _, err := os.Stat(path); err == nil {
			return place{archive: path}, nil
		}
		want += " or " + p.archive.name
	}
	hint := ""
	if _, err := os.Stat(filepath.Join(dir, strings.Replace(p.folder, "-bin", "-py", 1))); err == nil && p.name == "cifar10" {
		hint = " (the Python version is there; the binary version is what is read)"
	}
	return place{}, fmt.Errorf("%s: %w: %s lacks %s%s; %s", p.name, fs.ErrNotExist, where, want, hint, p.remedy(withExtra))
}

func (p *published) remedy(withExtra bool) string {
	flag := ""
	if withExtra {
		flag = " --extra"
	}
	return fmt.Sprintf("`betalasso data fetch %s%s` gets it into the cache", p.name, flag)
}

// load reads the set from dir, whether verified or not.
func (p *published) load(ctx context.Context, dir string, withExtra bool) (*Set, error) {
	at, err := p.locate(dir, withExtra)
	if err != nil {
		return nil, err
	}
	set := &Set{
		Name: p.name, Classes: slices.Clone(p.classes), Channels: channels, Side: side,
		Train: Images{Size: imageSize}, Test: Images{Size: imageSize},
	}
	if at.archive != "" {
		err = p.readArchive(ctx, set, at.archive)
	} else {
		err = p.readFiles(ctx, set, at.paths, p.wanted(withExtra))
	}
	if err != nil {
		return nil, err
	}
	return set, nil
}

// into is the part of set that a file's images belong to.
func (s *Set) into(u use) *Images {
	if u == test {
		return &s.Test
	}
	return &s.Train
}

// appendRows decodes what stands for f, size bytes of it, and appends it to im.
// Someone's own file may have more images than the publisher's, within reason.
func (p *published) appendRows(im Images, r io.Reader, size int64, f file) (Images, error) {
	limit := 4 * f.rows
	if p.labels == 0 {
		return appendSVHN(im, r, size, limit)
	}
	return appendCIFAR(im, r, size, limit, p.labels, len(p.classes))
}

// readFiles reads the files at paths, which are those of files.
func (p *published) readFiles(ctx context.Context, set *Set, paths []string, files []file) error {
	for i, f := range files {
		im := set.into(f.use)
		left := 0 // images of this kind still to come, by the files' real sizes
		for j := i; j < len(files); j++ {
			if files[j].use == test == (f.use == test) {
				left += imagesIn(paths[j], files[j].rows)
			}
		}
		im.Pix = slices.Grow(im.Pix, left*imageSize)
		im.Labels = slices.Grow(im.Labels, left)
		sum, err := p.readFile(ctx, im, paths[i], f)
		if err != nil {
			return p.foreign(ctx, paths[i], f, err)
		}
		set.Files = append(set.Files, File{Path: paths[i], MD5: sum, Verified: sum == f.md5})
	}
	return nil
}

// imagesIn is rows, or less where the file at path is too small to hold so
// many: the publishers' MATLAB files are shrunk by less than a half.
func imagesIn(path string, rows int) int {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return int(min(int64(rows), info.Size()*2/imageSize))
}

// readFile decodes the file at path, which stands for f, to the end of im, and
// tells its checksum.
func (p *published) readFile(ctx context.Context, im *Images, path string, f file) (sum string, err error) {
	in, size, err := openPlain(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	h := md5.New()
	r := io.TeeReader(reader{ctx, in}, h)
	*im, err = p.appendRows(*im, r, size, f)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// openPlain opens a regular file and tells its size.
func openPlain(path string) (*os.File, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}

// foreign says of a file that could not be read what was expected and what to
// do.
func (p *published) foreign(ctx context.Context, path string, f file, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	want := fmt.Sprintf("rows of %d bytes, %d for labels and %d pixels", p.labels+imageSize, p.labels, imageSize)
	if p.labels == 0 {
		want = "a MATLAB level 5 file with X, [32 32 3 N], and y, [N 1]"
	}
	return fmt.Errorf("%s: %w; want %s, as the publisher's %s (md5 %s); replace the file, or `betalasso data fetch %s`",
		path, err, want, f.name, f.md5, p.name)
}

// reader stops reading when its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
