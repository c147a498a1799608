package watch

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"betalasso/run"
)

// list is the runs in the folders. It is updated when a page asks, and no more
// often than necessary.
type list struct {
	folders []folder
	warn    func(error)
	name    string // of this list: versions of another server's mean nothing here

	// reading is held while files are read, which may take long; a page that asks
	// meanwhile is told what is known so far.
	reading    sync.Mutex
	entries    map[string]*entry // by id
	checked    time.Time         // the runs that are running
	checkedAll time.Time         // and the others, and whether there are more
	took       time.Duration     // to do that
	unread     map[string]bool
	ready      atomic.Bool // they have been read once

	mu      sync.Mutex
	shown   map[string]shown // by id
	version uint64
	shrunk  uint64 // the version at which a run last went away
}

// shown is what pages are sent about a run.
type shown struct {
	place   place
	row     row
	version uint64 // of the list when row last changed
}

func newList(folders []folder, warn func(error)) *list {
	return &list{folders: folders, warn: warn, name: rand.Text()[:8], entries: map[string]*entry{}, shown: map[string]shown{}, unread: map[string]bool{}}
}

const (
	checkEvery    = 500 * time.Millisecond // looking at the runs that are running
	checkAllEvery = 2 * time.Second        // looking at all, and for more; or 20 times what it takes
)

// update is what a page needs to be up to date.
type update struct {
	Rows []row `json:"rows"`
	All  bool  `json:"all"` // these are all rows: forget the others
}

// since gives the rows that have changed after the version that a page has, and
// the version that it has then.
func (l *list) since(version string, now time.Time) (u update, next string) {
	l.look(now)
	l.mu.Lock()
	defer l.mu.Unlock()
	name, digits, _ := strings.Cut(version, "-")
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || name != l.name || n < l.shrunk || n > l.version {
		n, u.All = 0, true
	}
	u.Rows = []row{}
	for _, e := range l.shown {
		if e.version > n {
			u.Rows = append(u.Rows, e.row)
		}
	}
	slices.SortFunc(u.Rows, func(a, b row) int { return cmp.Compare(a.Name, b.Name) })
	return u, l.name + "-" + strconv.FormatUint(l.version, 10)
}

// find gives the place of the run with an id.
func (l *list) find(id string, now time.Time) (place, bool) {
	l.look(now)
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.shown[id]
	return e.place, ok
}

// look updates the list, unless another goroutine is doing so. The first time it
// waits: a page asks for the events of runs that it knows of.
func (l *list) look(now time.Time) {
	if !l.ready.Load() {
		l.reading.Lock()
	} else if !l.reading.TryLock() {
		return
	}
	defer l.ready.Store(true)
	defer l.reading.Unlock()
	l.refresh(now)
}

func (l *list) refresh(now time.Time) {
	all := now.Sub(l.checkedAll) > max(checkAllEvery, 20*l.took)
	if !all && now.Sub(l.checked) < checkEvery {
		return
	}
	began := time.Now()
	if all {
		l.search()
	}
	for id, e := range l.entries {
		if !all && e.row.State != run.Running {
			continue
		}
		changed, there := e.refresh()
		if _, err := json.Marshal(e.row); err != nil { // one run must not hide the others
			e.row = row{ID: e.row.ID, Name: e.row.Name, State: run.Broken, Note: "it cannot be shown: " + err.Error()}
		}
		if !there {
			l.forget(id)
		} else if changed {
			l.show(id, e)
		}
	}
	l.checked = now
	if all {
		l.checkedAll, l.took = now, time.Since(began)
	}
}

// search finds the runs in the folders. A symbolic link to a folder is not
// followed.
func (l *list) search() {
	found := map[string]bool{}
	for _, f := range l.folders {
		fs.WalkDir(f.root.FS(), ".", func(at string, d fs.DirEntry, err error) error {
			p := place{f, filepath.FromSlash(at)}
			if err == nil && d.IsDir() {
				_, err = p.stat(run.ConfigFile)
			} else if err == nil {
				return nil
			}
			if err != nil {
				l.missed(filepath.Join(f.path, p.path), err)
				return nil
			}
			id := p.id()
			found[id] = true
			if l.entries[id] == nil {
				name := run.Printable(path.Join(filepath.Base(f.path), at))
				l.entries[id] = &entry{place: p, row: row{ID: id, Name: name}}
			}
			return fs.SkipDir
		})
	}
	for id := range l.entries {
		if !found[id] {
			l.forget(id)
		}
	}
}

// missed warns of a folder that cannot be read, and so hides its runs.
func (l *list) missed(path string, err error) {
	if l.warn == nil || errors.Is(err, fs.ErrNotExist) || l.unread[path] {
		return
	}
	l.unread[path] = true
	l.warn(fmt.Errorf("runs in %s are not seen: %w", path, err))
}

// show tells pages about a new row.
func (l *list) show(id string, e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version++
	l.shown[id] = shown{e.place, e.row, l.version}
}

// forget takes out a run that is no longer there.
func (l *list) forget(id string) {
	delete(l.entries, id)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.shown[id]; !ok {
		return
	}
	delete(l.shown, id)
	l.version++
	l.shrunk = l.version
}

var errNoRun = errors.New("there is no such run")
