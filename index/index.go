// Package index keeps what is known of runs in an SQLite file, so that
// thousands of them list at once. It is made from the runs' own files, and can
// be deleted at any time: the next Refresh makes it again.
package index

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"betalasso/run"
)

// Index is an index of runs. The zero Index keeps nothing, and reads all files
// at each Refresh.
type Index struct {
	path   string
	db     *sql.DB
	Note   string  // what was wrong with the file, where it had to be made anew or was not used
	Unread []error // the folders that the last Refresh could not read
}

const (
	application = 0x62657461 // SQLite's application_id: "beta"
	version     = 2          // of the table and of run.Snapshot; another one is made anew
)

// Path is where the index of this user is: in the cache folder, which is the
// machine's own where the runs may be on a shared one.
func Path() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "betalasso", "runs.sqlite"), err
}

// Open opens the index at path, and makes it where there is none. A file that
// is damaged, or is something else, is moved to path.old, and Note says so. One
// that another process keeps locked is an error, and stays.
func Open(path string) (*Index, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	x := &Index{path: path}
	err := x.open()
	if damaged(err) {
		err = x.renew(err)
	}
	if err != nil {
		return nil, fmt.Errorf("index %s: %w", path, err)
	}
	return x, nil
}

// open opens the file and makes the table where the file is empty.
func (x *Index) open() error {
	// Processes wait for each other; a transaction that will write takes its
	// lock at once, so that none has to give up half-way.
	name := (&url.URL{Scheme: "file", Path: filepath.ToSlash(x.path), RawQuery: "_pragma=busy_timeout(10000)&_pragma=synchronous(off)&_txlock=immediate"}).String()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = prepare(db)
	if err != nil {
		db.Close()
		return err
	}
	x.db = db
	return nil
}

func prepare(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var id, v, tables int
	if err := tx.QueryRow("SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id, pragma_user_version").Scan(&id, &v, &tables); err != nil {
		return err
	}
	if id == application && v == version {
		return nil
	}
	if id != 0 || v != 0 || tables != 0 {
		return errForeign
	}
	_, err = tx.Exec(fmt.Sprintf("CREATE TABLE runs (dir TEXT PRIMARY KEY, stamp TEXT NOT NULL, row BLOB NOT NULL) WITHOUT ROWID; PRAGMA application_id = %d; PRAGMA user_version = %d", application, version))
	if err != nil {
		return err
	}
	return tx.Commit()
}

var errForeign = errors.New("it is not an index of this version")

// damaged says whether err is the file's own fault. A lock or a full disk is
// not: the file may be whole, and in use by another process.
func damaged(err error) bool {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff { // the rest says more of the same
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR: // the last: no such table
			return true
		}
	}
	return errors.Is(err, errForeign)
}

// giveUp makes the file anew if it is damaged, and else goes on without one:
// the index only saves time, so no fault of it may keep runs from being listed.
func (x *Index) giveUp(err error) {
	if damaged(err) {
		err = x.renew(err)
	}
	if err != nil {
		x.Note = fmt.Sprintf("%s is not used: %s", x.path, err)
		x.Close()
	}
}

// renew moves the file aside and begins another.
func (x *Index) renew(why error) error {
	x.Close()
	if err := os.Rename(x.path, x.path+".old"); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("%w; and it cannot be moved: %w", why, err)
	}
	os.Remove(x.path + "-journal") // of the file that was moved
	x.Note = fmt.Sprintf("%s was made anew: %s", x.path, why)
	return x.open()
}

// Close closes the file.
func (x *Index) Close() error {
	if x.db == nil {
		return nil
	}
	defer func() { x.db = nil }()
	return x.db.Close()
}

// kept is a row as the index has it.
type kept struct {
	stamp string
	row   []byte
}

// look is what a run's directory says, by what the index has of it where its
// files have not changed since. A directory that cannot be opened is a run that
// says so.
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
	known, err := x.load(ctx, list)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
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
		// A file may change twice within a tick of its clock.
		if x.db != nil && (!have || old.stamp != r.Stamp) && now.Sub(r.Updated) > 2*time.Second {
			text, err := json.Marshal(r)
			if err != nil {
				return nil, fmt.Errorf("index %s: %w", dir, err)
			}
			changed[dir] = kept{r.Stamp, text}
		}
		delete(known, dir)
		rows = append(rows, r)
	}
	if err := x.store(ctx, changed, known); ctx.Err() != nil {
		return nil, ctx.Err()
	} else if err != nil {
		x.giveUp(err)
	}
	return rows, nil
}

// load reads what the index has at or below the roots.
func (x *Index) load(ctx context.Context, roots []string) (map[string]kept, error) {
	known := map[string]kept{}
	if x.db == nil {
		return known, nil
	}
	for _, root := range roots {
		below := strings.TrimSuffix(root, string(filepath.Separator)) + string(filepath.Separator)
		after := below[:len(below)-1] + string(filepath.Separator+1)
		rows, err := x.db.QueryContext(ctx, "SELECT dir, stamp, row FROM runs WHERE dir = ? OR dir >= ? AND dir < ?", root, below, after)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var dir string
			var k kept
			if err := rows.Scan(&dir, &k.stamp, &k.row); err != nil {
				rows.Close()
				return nil, err
			}
			known[dir] = k
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// store writes what changed and forgets what is gone, all or nothing.
func (x *Index) store(ctx context.Context, changed, gone map[string]kept) error {
	if x.db == nil || len(changed)+len(gone) == 0 {
		return nil
	}
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for dir, k := range changed {
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", dir, k.stamp, k.row); err != nil {
			return err
		}
	}
	for dir := range gone {
		if _, err := tx.ExecContext(ctx, "DELETE FROM runs WHERE dir = ?", dir); err != nil {
			return err
		}
	}
	return tx.Commit()
}
