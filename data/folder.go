package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// maxFiles is how many pictures a folder may have.
const maxFiles = 1 << 24

// picture is one file of a folder.
type picture struct {
	path  string // in the folder
	class int
	part  int // 0 to train, 1 to validate, 2 to test
	size  int64
	time  int64 // it was changed, in nanoseconds
}

// parts are what folders of a split are called.
var parts = map[string]int{"train": 0, "training": 0, "val": 1, "valid": 1, "validation": 1, "test": 2, "testing": 2}

// readFolder reads a folder with a folder for each class, or with such folders in
// train, val and test. The pictures are decoded once, by all cores; what they come
// to is kept in the cache, and taken from there as long as the files' names, sizes
// and times are the same.
func readFolder(ctx context.Context, opt Options) (*Set, error) {
	list, classes, err := listFolder(opt.Dir)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no pictures in it; want a folder for each class, with PNG, JPEG, WebP or BMP files", opt.Dir)
	}
	kept, print := keptFile(opt), fingerprint(list, classes, opt)
	if set, err := readKept(kept, print); err == nil {
		return set, nil
	}
	set, err := decodeFolder(ctx, list, classes, opt)
	if err != nil {
		return nil, err
	}
	if kept == "" {
		return set, nil
	}
	if err := writeKept(kept, print, set); err != nil && opt.Progress != nil { // it is decoded again next time
		opt.Progress(Progress{Note: fmt.Sprintf("the decoded pictures cannot be kept: %v", err)})
	}
	return set, nil
}

// listFolder finds the pictures of a folder, in the order of their paths within
// each part. A link to a file is followed, one inside a class to a folder is not.
// Hidden files and those that are no pictures by their ending are left out.
func listFolder(dir string) (list []picture, classes []string, err error) {
	top, err := folders(dir)
	if err != nil {
		return nil, nil, err
	}
	type place struct {
		path string
		part int
	}
	places := []place{{"", 0}}
	split := slices.ContainsFunc(top, func(name string) bool {
		inner, err := folders(filepath.Join(dir, name))
		part, ok := parts[strings.ToLower(name)]
		return ok && part == 0 && err == nil && len(inner) > 0
	})
	if split {
		places = nil
		for _, name := range top {
			part, ok := parts[strings.ToLower(name)]
			if !ok {
				return nil, nil, fmt.Errorf("%s: %s beside train is none of train, val, test", dir, name)
			}
			places = append(places, place{name, part})
		}
		slices.SortStableFunc(places, func(a, b place) int { return a.part - b.part })
	}
	found := map[string]bool{}
	inside := make([][]string, len(places)) // each place's own: where case does not matter, "cat" opens "Cat"
	for i, p := range places {
		if inside[i], err = folders(filepath.Join(dir, p.path)); err != nil {
			return nil, nil, err
		}
		for _, name := range inside[i] {
			found[name] = true
		}
	}
	for name := range found {
		classes = append(classes, name)
	}
	slices.Sort(classes)
	if len(classes) > maxClasses {
		return nil, nil, fmt.Errorf("%s: %d folders, want at most %d, one for each class", dir, len(classes), maxClasses)
	}
	for i, p := range places {
		for c, name := range classes {
			if !slices.Contains(inside[i], name) {
				continue
			}
			if list, err = listClass(list, dir, filepath.Join(p.path, name), c, p.part); err != nil {
				return nil, nil, err
			}
		}
	}
	return list, cleanNames(classes), nil
}

// folders are the names of the folders in dir, links to some among them.
func folders(dir string) (names []string, err error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// listClass adds the pictures below the folder at path in dir, if there is one.
func listClass(list []picture, dir, path string, class, part int) ([]picture, error) {
	root, err := filepath.EvalSymlinks(filepath.Join(dir, path))
	if err != nil {
		if os.IsNotExist(err) {
			err = nil
		}
		return list, err
	}
	err = filepath.WalkDir(root, func(at string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case at != root && strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir() || !slices.Contains(pictureTypes, strings.ToLower(filepath.Ext(at))):
			return nil
		case len(list) == maxFiles:
			return fmt.Errorf("%s: more than %d pictures", dir, maxFiles)
		}
		rel, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		p := picture{path: filepath.Join(path, rel), class: class, part: part}
		if info, err := os.Stat(at); err == nil { // else it is told when it is read
			if info.IsDir() {
				return nil
			}
			p.size, p.time = info.Size(), info.ModTime().UnixNano()
		}
		list = append(list, p)
		return nil
	})
	return list, err
}

// fingerprint tells folders and ways to read them apart.
func fingerprint(list []picture, classes []string, opt Options) string {
	h := sha256.New()
	fmt.Fprintf(h, "2 %d %d %v %q\n", opt.Side, opt.Channels, opt.SkipBad, classes)
	for _, p := range list {
		fmt.Fprintf(h, "%q %d %d %d %d\n", p.path, p.class, p.part, p.size, p.time)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// decodeFolder decodes the pictures of a list. Those that cannot be read are an
// error that names the first, or are left out and told of if opt.SkipBad.
func decodeFolder(ctx context.Context, list []picture, classes []string, opt Options) (*Set, error) {
	side := opt.Side
	if side == 0 {
		side = commonSide(ctx, list, opt.Dir)
	}
	if side < MinSide || side > MaxSide {
		return nil, fmt.Errorf("side: must be from %d to %d, not %d", MinSide, MaxSide, side)
	}
	size := 3 * side * side
	if n, most := int64(len(list))*int64(size), opt.mostPix(); n > most {
		return nil, fmt.Errorf("%s: %d pictures of side %d take %.1f GB, and %.1f GB are the most on this machine; take a smaller --side", opt.Dir, len(list), side, float64(n)/1e9, float64(most)/1e9)
	}
	if opt.Progress != nil && len(list) >= 1000 {
		opt.Progress(Progress{Note: fmt.Sprintf("%s: decoding %d pictures, once", opt.Dir, len(list))})
	}
	all, bad := make([]uint8, len(list)*size), make([]error, len(list))
	var colour atomic.Bool
	room := newBudget(maxPixels)
	each(ctx, len(list), func(i int) {
		pix, grey, err := readPicture(filepath.Join(opt.Dir, list[i].path), side, room)
		if bad[i] = err; err != nil {
			return
		}
		copy(all[i*size:], pix)
		if !grey {
			colour.Store(true)
		}
	})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s := &Set{Classes: classes, Channels: 3, Side: side}
	good := all[:0] // what is good moves to the front
	var labels [3][]uint16
	var counts [3]int
	for i, p := range list {
		if bad[i] != nil {
			s.Skipped = append(s.Skipped, fmt.Sprintf("%s: %v", p.path, bad[i]))
			continue
		}
		good = append(good, all[i*size:][:size]...)
		labels[p.part] = append(labels[p.part], uint16(p.class))
		counts[p.part]++
	}
	if len(s.Skipped) > 0 && !opt.SkipBad {
		more := ""
		if n := len(s.Skipped) - 1; n > 0 {
			more = fmt.Sprintf(" (and %d more files)", n)
		}
		return nil, fmt.Errorf("%s%s; repair or remove it, or leave out what cannot be read with --skip-bad", filepath.Join(opt.Dir, s.Skipped[0]), more)
	}
	s.Skipped = cleanNames(s.Skipped)
	at := 0
	for part, im := range []*Images{&s.Train, &s.Val, &s.Test} {
		end := at + counts[part]*size
		*im = Images{Pix: good[at:end:end], Labels: labels[part], ImageSize: size}
		at = end
	}
	if opt.Channels == 1 || opt.Channels == 0 && !colour.Load() {
		return s, s.fit(0, 1, opt.mostPix())
	}
	return s, nil
}

// each calls f with 0 to n-1 on all cores, until ctx ends.
func each(ctx context.Context, n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(i)
			}
		})
	}
	wg.Wait()
}

// commonSide is the side of pictures that are all squares of one side that
// networks take, else ownSide.
func commonSide(ctx context.Context, list []picture, dir string) int {
	sides := make([]int, len(list))
	each(ctx, len(list), func(i int) {
		b, err := readSmall(filepath.Join(dir, list[i].path), maxPicture)
		if err != nil {
			return
		}
		_, w, h, err := codecOf(b, maxPixels)
		if err == nil && w == h && w >= MinSide && w <= MaxSide {
			sides[i] = w
		} else if err == nil {
			sides[i] = -1
		}
	})
	side := 0
	for _, s := range sides {
		switch {
		case s == 0: // it is told when it is read
		case s < 0 || side != 0 && side != s:
			return ownSide
		default:
			side = s
		}
	}
	if side == 0 {
		return ownSide
	}
	return side
}

// readPicture reads a picture of a folder, once there is room for its pixels.
func readPicture(path string, side int, room *budget) (pix []uint8, grey bool, err error) {
	b, err := readSmall(path, maxPicture)
	if err != nil {
		return nil, false, plainError(err)
	}
	_, w, h, err := codecOf(b, maxPixels)
	if err != nil {
		return nil, false, err
	}
	room.take(w * h)
	defer room.give(w * h)
	return decodePicture(b, side, maxPixels)
}

// plainError is err without the path that it names.
func plainError(err error) error {
	if p, ok := err.(*fs.PathError); ok {
		return p.Err
	}
	return err
}
