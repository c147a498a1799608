// Package index keeps a summary of runs in one file, so that thousands are listed
// at once. It is made from the runs' own files and can be deleted at any time:
// the next Refresh makes it again.
package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"betalasso/run"
)

// Index is an index of runs. The zero Index keeps nothing, and reads all files
// at each Refresh.
type Index struct {
	path   string
	Note   string  // what was wrong with the file, where it had to be made anew or was not used
	Unread []error // the folders that the last Refresh could not read
}

// header is the first line of the file. Its number is of the lines' form and of
// run.Snapshot's; a file with another is made anew.
const header = "betalasso's index of runs, 4\n"

// Path is where the index of this user is: in the cache folder, which is the
// machine's own where the runs may be on a shared one.
func Path() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "betalasso", "runs.index"), err
}

// Open opens the index at path, or makes the folder where it will be. A file that
// is damaged, or is something else, is moved to path.old, and Note says so.
func Open(path string) (*Index, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	x := &Index{path: path}
	_, err := x.read()
	if errors.Is(err, errDamaged) {
		err = x.renew(err)
	}
	if err != nil {
		return nil, fmt.Errorf("index %s: %w", path, err)
	}
	return x, nil
}

var errDamaged = errors.New("it is not an index of this version, or it is damaged")

// giveUp recreates the file if it is damaged, and otherwise continues without
// one: the index only saves time, so no fault of it may keep runs from being
// listed.
func (x *Index) giveUp(err error) {
	if errors.Is(err, errDamaged) {
		err = x.renew(err)
	}
	if err != nil {
		x.Note = fmt.Sprintf("%s is not used: %s", x.path, err)
		x.path = ""
	}
}

// renew moves the file aside.
func (x *Index) renew(why error) error {
	if err := os.Rename(x.path, x.path+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; and it cannot be moved: %w", why, err)
	}
	x.Note = fmt.Sprintf("%s was made anew: %s", x.path, why)
	return nil
}

// kept is a run as the index has it.
type kept struct {
	stamp string
	row   []byte // a run.Snapshot as JSON
}

// line is a run's line in the file: a checksum of what follows, its directory,
// its stamp and its snapshot.
func line(dir string, k kept) []byte {
	text := fmt.Appendf(nil, "%s\t%s\t%s", strconv.Quote(dir), strconv.Quote(k.stamp), k.row)
	return fmt.Appendf(nil, "%08x\t%s\n", crc32.ChecksumIEEE(text), text)
}

// read reads the whole file; where there is none, nothing is known.
func (x *Index) read() (map[string]kept, error) {
	known := map[string]kept{}
	if x.path == "" {
		return known, nil
	}
	text, err := os.ReadFile(x.path)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return known, err
	}
	text, ok := bytes.CutPrefix(text, []byte(header))
	if !ok {
		return known, errDamaged
	}
	for l := range bytes.Lines(text) {
		sum, rest, _ := bytes.Cut(bytes.TrimSuffix(l, []byte("\n")), []byte("\t"))
		fields := bytes.SplitN(rest, []byte("\t"), 3)
		if len(fields) != 3 || string(sum) != fmt.Sprintf("%08x", crc32.ChecksumIEEE(rest)) {
			return map[string]kept{}, errDamaged
		}
		dir, err := strconv.Unquote(string(fields[0]))
		stamp, also := strconv.Unquote(string(fields[1]))
		if err != nil || also != nil {
			return map[string]kept{}, errDamaged
		}
		known[dir] = kept{stamp, fields[2]}
	}
	return known, nil
}

// load reads what the index has at or below the roots.
func (x *Index) load(roots []string) (map[string]kept, error) {
	known, err := x.read()
	maps.DeleteFunc(known, func(dir string, _ kept) bool {
		return !slices.ContainsFunc(roots, func(root string) bool {
			return dir == root || strings.HasPrefix(dir, strings.TrimSuffix(root, string(filepath.Separator))+string(filepath.Separator))
		})
	})
	return known, err
}

// store writes what changed and forgets what is gone. The file is replaced as a
// whole; of two processes that do so at once, the runs that only one has seen may
// be lost, and are read again.
func (x *Index) store(changed, gone map[string]kept) error {
	if x.path == "" || len(changed)+len(gone) == 0 {
		return nil
	}
	all, err := x.read()
	if err != nil {
		return err
	}
	maps.DeleteFunc(all, func(dir string, _ kept) bool { _, is := gone[dir]; return is })
	maps.Copy(all, changed)
	text := []byte(header)
	for _, dir := range slices.Sorted(maps.Keys(all)) {
		text = append(text, line(dir, all[dir])...)
	}
	return run.Replace(x.path, text)
}

// look is the Snapshot of a run's directory, from the index if its files have not
// changed since. A directory that cannot be opened is a run that says so.
func look(dir string, had kept) (run.Snapshot, bool) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return run.Look(dir), !errors.Is(err, fs.ErrNotExist)
	}
	defer root.Close()
	var before run.Snapshot
	if json.Unmarshal(had.row, &before) != nil {
		before = run.Snapshot{}
	}
	before.Dir = dir
	return run.LookAgain(root, before)
}

// Refresh lists the runs at or below the roots, in the order of their
// directories. It reads those whose files have changed, and forgets those that
// are gone.
func (x *Index) Refresh(ctx context.Context, roots ...string) ([]run.Snapshot, error) {
	var list []string
	for _, root := range roots {
		abs, err := filepath.Abs(root)
		if err != nil {
			return nil, err
		}
		list = append(list, abs)
	}
	dirs, unread, err := run.Find(list...)
	x.Unread = unread
	if err != nil {
		return nil, err
	}
	known, err := x.load(list)
	if err != nil {
		x.giveUp(err)
		known = map[string]kept{}
	}
	now := time.Now()
	var rows []run.Snapshot
	changed := map[string]kept{}
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		old, have := known[dir]
		r, there := look(dir, old)
		if !there { // deleted since it was found
			continue
		}
		// A file may change twice within a tick of its clock, and one that could not be
		// read may be later: by its owner's leave, or by another version of the program.
		if x.path != "" && len(r.Unread) == 0 && (!have || old.stamp != r.Stamp) && now.Sub(r.Updated) > 2*time.Second {
			text, err := json.Marshal(r)
			if err != nil {
				return nil, fmt.Errorf("index %s: %w", dir, err)
			}
			changed[dir] = kept{r.Stamp, text}
		}
		delete(known, dir)
		rows = append(rows, r)
	}
	if err := x.store(changed, known); err != nil {
		x.giveUp(err)
	}
	return rows, nil
}
