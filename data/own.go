package data

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Bounds of images that networks are made for. Within them no count of weights
// overflows, and a picture is as small as the paper's are.
const (
	MinSide    = 8
	MaxSide    = 96
	maxClasses = 1 << 16
	maxPix     = 1 << 34 // bytes of all images of a set
)

// ownSide is the side of pictures that are not all of one.
const ownSide = 32

// IsOwn reports whether name is the path of the user's own images, and not a name
// of the table: there is something there.
func IsOwn(name string) bool {
	if _, err := find(name); err == nil {
		return false
	}
	_, err := os.Stat(name)
	return err == nil
}

// OwnName is what images at a path are called: its last part without what a name
// should not have.
func OwnName(path string) string {
	name := filepath.Base(path)
	for before := ""; name != before; {
		before, name = name, strings.TrimSuffix(strings.TrimSuffix(name, ".npz"), ".bin")
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, name)
	if name = strings.Trim(name, ".-"); name == "" || len(name) > 100 {
		return "own"
	}
	return name
}

// loadOwn reads the user's own images at opt.Dir: a folder of a folder for each
// class, an .npz file, or CIFAR-like .bin files. Without test images a fifth of
// each class is held out, the same whatever the run's seed.
func loadOwn(ctx context.Context, name string, opt Options) (*Set, error) {
	if opt.Dir == "" { // a published run's
		return nil, fmt.Errorf("the run does not say where the images of %s are: %w; say it with --data-dir", name, fs.ErrNotExist)
	}
	info, err := os.Stat(opt.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: the images of %s are not there any more: %w; say where they are with --data-dir", opt.Dir, name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	var set *Set
	switch ext := strings.ToLower(filepath.Ext(opt.Dir)); {
	case info.IsDir():
		if bins, _ := filepath.Glob(filepath.Join(globbed(opt.Dir), "*.bin")); len(bins) > 0 {
			set, err = readBins(ctx, bins, opt)
		} else {
			set, err = readFolder(ctx, opt)
		}
	case ext == ".npz":
		set, err = readNPZ(ctx, opt.Dir, opt.mostPix())
	case ext == ".bin":
		set, err = readBins(ctx, []string{opt.Dir}, opt)
	default:
		err = fmt.Errorf("%s: own images are a folder with a folder for each class, an .npz file or a .bin file", opt.Dir)
	}
	if err != nil {
		return nil, err
	}
	set.Name, set.Policy = name, "cifar"
	if err := set.fit(opt.Side, opt.Channels, opt.mostPix()); err != nil {
		return nil, fmt.Errorf("%s: %w", opt.Dir, err)
	}
	if err := set.usable(); err != nil {
		return nil, fmt.Errorf("%s: %w", opt.Dir, err)
	}
	set.Sum = set.identity()
	if opt.Sum != "" && opt.Sum != set.Sum {
		return nil, fmt.Errorf("%s: its images are others than those that the settings are of (%s, want %s); put those back, or begin another run", opt.Dir, set.Sum, opt.Sum)
	}
	if set.Test.Len() == 0 {
		if set.Train, set.Test, err = Split(set.Train, len(set.Classes), set.Train.Len()/5, 1); err != nil {
			return nil, fmt.Errorf("%s: %w", opt.Dir, err)
		}
		if err := set.trained(); err != nil {
			return nil, fmt.Errorf("%s: when a fifth is held out to test, %w; give it more images, or test images", opt.Dir, err)
		}
	}
	return set, nil
}

// mostPix is the most that images may take, in bytes: a quarter of the memory, as
// copies of them may be resized.
func (o Options) mostPix() int64 {
	if o.Memory > 0 && o.Memory/4 < maxPix {
		return int64(o.Memory / 4)
	}
	return maxPix
}

// globbed is a path as a pattern that matches it alone.
func globbed(path string) string {
	if filepath.Separator != '\\' { // else a backslash is no escape
		path = strings.ReplaceAll(path, `\`, `\\`)
	}
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path)
}

// usable is an error where no network can be trained with the images.
func (s *Set) usable() error {
	switch {
	case len(s.Classes) < 2 || len(s.Classes) > maxClasses:
		return fmt.Errorf("it has %d classes, want 2 to %d", len(s.Classes), maxClasses)
	case s.Side < MinSide || s.Side > MaxSide:
		return fmt.Errorf("its images are of side %d, want %d to %d; resize them with --side", s.Side, MinSide, MaxSide)
	case s.Train.Len() < 10:
		return fmt.Errorf("it has %d training images, want 10 or more", s.Train.Len())
	}
	return s.trained()
}

// trained is an error where a class has no training images.
func (s *Set) trained() error {
	counts := make([]int, len(s.Classes))
	for _, l := range s.Train.Labels {
		counts[l]++
	}
	if c := slices.Index(counts, 0); c >= 0 {
		return fmt.Errorf("its class %s has no training images", s.Classes[c])
	}
	return nil
}

// identity is the beginning of a SHA-256 of all that a run can see of the images:
// pixels, labels, parts, and the classes' names.
func (s *Set) identity() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %q\n", s.Channels, s.Side, s.Classes)
	for _, im := range []Images{s.Train, s.Val, s.Test} {
		fmt.Fprintln(h, im.Len())
		h.Write(im.Pix)
		binary.Write(h, binary.LittleEndian, im.Labels)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// fit resizes the images to a side and converts them to a number of channels; 0
// leaves either. They may take at most most bytes.
func (s *Set) fit(side, channels int, most int64) error {
	if channels != 0 && channels != 1 && channels != 3 {
		return fmt.Errorf("channels: must be 1 or 3, not %d", channels)
	}
	if side != 0 && (side < MinSide || side > MaxSide) {
		return fmt.Errorf("side: must be from %d to %d, not %d", MinSide, MaxSide, side)
	}
	if side == 0 {
		side = s.Side
	}
	if channels == 0 {
		channels = s.Channels
	}
	if side == s.Side && channels == s.Channels {
		return nil
	}
	if n := int64(s.Train.Len()+s.Val.Len()+s.Test.Len()) * int64(channels*side*side); n > most {
		return fmt.Errorf("its images take %.1f GB at side %d, and %.1f GB are the most on this machine; take a smaller --side", float64(n)/1e9, side, float64(most)/1e9)
	}
	scale := newScaler(s.Side, side)
	for _, im := range []*Images{&s.Train, &s.Val, &s.Test} {
		from, to := im.ImageSize/s.Channels, side*side
		pix := make([]uint8, im.Len()*channels*to)
		full := make([]uint8, 3*to)
		for i := range im.Len() {
			src := im.Image(i)
			for c := range s.Channels {
				scale.plane(full[c*to:][:to], src[c*from:][:from])
			}
			dst := pix[i*channels*to:][:channels*to]
			switch {
			case channels == s.Channels:
				copy(dst, full)
			case channels == 1:
				greyOf(dst, full)
			default:
				for c := range 3 {
					copy(dst[c*to:], full[:to])
				}
			}
		}
		im.Pix, im.ImageSize, im.places = pix, channels*to, nil
	}
	s.Side, s.Channels = side, channels
	return nil
}

// numberedClasses are the names of n classes that have none.
func numberedClasses(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// readBins reads CIFAR-like files: a byte for the label, then the planes, image
// after image. What has test in its name is to test on, what has val to validate.
// Their images are of side opt.Side and opt.Channels, or as CIFAR's. Names of the
// classes are in batches.meta.txt beside them, one a line, or nowhere.
func readBins(ctx context.Context, paths []string, opt Options) (*Set, error) {
	s := &Set{Channels: opt.Channels, Side: opt.Side}
	if s.Channels == 0 {
		s.Channels = 3
	}
	if s.Side == 0 {
		s.Side = ownSide
	}
	if s.Side < MinSide || s.Side > MaxSide || s.Channels != 1 && s.Channels != 3 {
		return nil, s.fit(opt.Side, opt.Channels, opt.mostPix())
	}
	size := s.Channels * s.Side * s.Side
	s.Train.ImageSize, s.Val.ImageSize, s.Test.ImageSize = size, size, size
	classes := 0
	for _, path := range paths {
		im := &s.Train
		switch name := strings.ToLower(filepath.Base(path)); {
		case len(paths) == 1:
		case strings.Contains(name, "test"):
			im = &s.Test
		case strings.Contains(name, "val"):
			im = &s.Val
		}
		f, bytes, err := openPlain(path)
		if err == nil {
			if bytes > maxPix {
				err = fmt.Errorf("%d bytes, want at most %d", bytes, int64(maxPix))
			} else {
				*im, err = appendRows(*im, reader{ctx, f}, bytes, int(bytes)/(1+size)+1, 1, 256)
			}
			f.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w; want rows of a label byte and %d pixels, %d x %d x %d (other sizes with --side and --channels)",
				path, err, size, s.Channels, s.Side, s.Side)
		}
		for _, l := range im.Labels {
			classes = max(classes, int(l)+1)
		}
	}
	s.Classes = numberedClasses(classes)
	if text, err := readSmall(filepath.Join(filepath.Dir(paths[0]), "batches.meta.txt"), 1<<20); err == nil {
		if names := strings.Fields(string(text)); len(names) >= classes {
			s.Classes = cleanNames(names)
		}
	}
	return s, nil
}

// readSmall reads a plain file of at most the given number of bytes.
func readSmall(path string, most int64) ([]byte, error) {
	f, size, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > most {
		return nil, fmt.Errorf("%d bytes, want at most %d", size, most)
	}
	b := make([]byte, size)
	if n, err := fill(f, b); err != nil {
		return nil, fmt.Errorf("ends after %d of %d bytes: %w", n, size, err)
	}
	return b, nil
}

// cleanNames are names as pages show them: without what cannot be shown.
func cleanNames(names []string) []string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return unicode.ReplacementChar
			}
			return r
		}, n)
	}
	return list
}
