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

	Side     int // of the images, 8 to 96; they are resized. 0: as they are
	Channels int // 1 or 3; 0: as they are

	// Own says that Dir is the user's own images, under a name that is theirs: a
	// folder with a folder for each class, an .npz or a .bin file.
	Own     bool
	Sum     string // what Set.Sum has to be; "": any
	SkipBad bool   // leave out pictures that cannot be read

	Memory float64 // bytes that there are, which bound the user's own compressed images; 0: unknown
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
	if opt.Own {
		return loadOwn(ctx, name, opt)
	}
	p, err := find(name)
	if err != nil {
		return nil, err
	}
	set, err := p.get(ctx, opt)
	if err != nil {
		return nil, err
	}
	return set, set.fit(opt.Side, opt.Channels, opt.mostPix())
}

// get is Load for a set of the table, as it is.
func (p *published) get(ctx context.Context, opt Options) (*Set, error) {
	if p.drawn != nil {
		return p.drawn.draw(), nil
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
	if _, err := os.Stat(filepath.Join(dir, p.decoy)); err == nil && p.decoy != "" {
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
		Name: p.name, Classes: slices.Clone(p.classes), Channels: p.channels, Side: p.side, Policy: p.policy,
		Train: Images{ImageSize: p.imageSize()}, Test: Images{ImageSize: p.imageSize()},
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

// readFiles reads the files at paths, which are those of files.
func (p *published) readFiles(ctx context.Context, set *Set, paths []string, files []file) error {
	for i, f := range files {
		im := set.into(f.use)
		left := 0 // images of this kind still to come, by the files' real sizes
		for j := i; j < len(files); j++ {
			if files[j].use == test == (f.use == test) {
				left += p.imagesIn(paths[j], files[j])
			}
		}
		im.Pix = slices.Grow(im.Pix, left*im.ImageSize)
		im.Labels = slices.Grow(im.Labels, left)
		sum, err := p.readFile(ctx, im, paths[i], f)
		if err != nil {
			return p.foreign(ctx, paths[i], f, err)
		}
		set.Files = append(set.Files, File{Path: paths[i], MD5: sum, Verified: sum == f.md5})
	}
	return set.complete()
}

// complete is an error where there are not as many labels as images.
func (s *Set) complete() error {
	for _, im := range []Images{s.Train, s.Test} {
		if n := len(im.Pix) / im.ImageSize; n != im.Len() {
			return fmt.Errorf("%s: %d images and %d labels: the files are not of one set", s.Name, n, im.Len())
		}
	}
	return nil
}

// imagesIn is the images of f, or less where the file at path is too small to hold
// as many.
func (p *published) imagesIn(path string, f file) int {
	info, err := os.Stat(path)
	if err != nil || f.beside {
		return 0
	}
	return int(min(int64(f.rows), info.Size()*p.format.growth()/int64(p.imageSize())))
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
	*im, err = p.format.read(p, *im, r, size, f)
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
	return fmt.Errorf("%s: %w; want %s, as the publisher's %s (md5 %s); replace the file, or `betalasso data fetch %s`",
		path, err, p.format.want(p), f.name, f.md5, p.name)
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
