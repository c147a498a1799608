package watch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"betalasso/report"
	"betalasso/run"
)

// gallery caches the facts of files of filters, by path and stamp.
type gallery struct {
	mu    sync.Mutex
	facts map[string]report.Facts
}

// maxFacts is the number of cached facts; beyond it all are dropped.
const maxFacts = 20000

// of reads the facts of a run's file of filters, once for as long as it does
// not change, and gives the file's stamp.
func (g *gallery) of(p place, name string) (facts report.Facts, version string, err error) {
	info, err := p.stat(name)
	if err != nil {
		return report.Facts{}, "", err
	}
	version = stamp(info)
	key := fmt.Sprint(p.id(), name, version)
	g.mu.Lock()
	defer g.mu.Unlock() // one at a time, too: decoding takes memory
	if f, ok := g.facts[key]; ok {
		return f, version, nil
	}
	file, err := readGallery(p, name)
	if err != nil {
		return report.Facts{}, "", err
	}
	if g.facts == nil || len(g.facts) >= maxFacts {
		g.facts = map[string]report.Facts{}
	}
	g.facts[key] = file.Facts()
	return g.facts[key], version, nil
}

// stamp tells a file from another one at its path.
func stamp(info fs.FileInfo) string {
	return fmt.Sprintf("%x-%x", info.Size(), info.ModTime().UnixNano())
}

// picture draws a run's file of filters, one at a time: it takes memory too.
func (g *gallery) picture(p place, name string) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	file, err := readGallery(p, name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = file.PNG(&b, columns)
	return b.Bytes(), err
}

// maxFilters is the largest file of filters that is read, in bytes.
const maxFilters = 64 << 20

func readGallery(p place, name string) (report.Gallery, error) {
	f, err := p.open(name)
	if err != nil {
		return report.Gallery{}, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return report.Gallery{}, err
	} else if info.Size() > maxFilters {
		return report.Gallery{}, fmt.Errorf("%s is too large: %d bytes", name, info.Size())
	}
	tensors, err := run.ReadFilters(f)
	if err != nil {
		return report.Gallery{}, err
	}
	return report.NewGallery(name, tensors)
}

// kept is one set of a run's filters.
type kept struct {
	Epoch int    `json:"epoch"` // −1: those chosen when it ended, as for the report
	Stamp string `json:"stamp"` // of the file, for the address of its picture
	report.Facts
}

// filterFacts answers with the sets of filters that a run has kept, in the
// order of their epochs.
func (s *Server) filterFacts(w http.ResponseWriter, r *http.Request) {
	p, ok := s.list.find(r.PathValue("run"), time.Now())
	if !ok {
		http.Error(w, errNoRun.Error(), http.StatusNotFound)
		return
	}
	epochs, err := p.epochs()
	if err != nil {
		http.Error(w, "the run's filters cannot be listed", http.StatusNotFound)
		return
	}
	list := []kept{}
	for _, epoch := range append(epochs, -1) {
		facts, version, err := s.gallery.of(p, filtersFile(epoch))
		if err == nil { // one that cannot be read is not there to be shown
			list = append(list, kept{epoch, version, facts})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(list)
}

// epochs lists the epochs whose filters the run has kept.
func (p place) epochs() ([]int, error) {
	dir, err := fs.Sub(p.folder.root.FS(), filepath.ToSlash(p.path))
	if err != nil {
		return nil, err
	}
	return run.FilterEpochs(dir)
}

func filtersFile(epoch int) string {
	if epoch < 0 {
		return run.FiltersFile
	}
	return run.FiltersAt(epoch)
}

// filterPicture draws one set of filters: EPOCH.png, or end.png.
func (s *Server) filterPicture(w http.ResponseWriter, r *http.Request) {
	p, ok := s.list.find(r.PathValue("run"), time.Now())
	name, png := strings.CutSuffix(r.PathValue("picture"), ".png")
	epoch, err := strconv.Atoi(name)
	if name == "end" {
		epoch, err = -1, nil
	} else if epoch < 0 {
		err = errors.New("no epoch")
	}
	if !ok || !png || err != nil {
		http.Error(w, errNoRun.Error(), http.StatusNotFound)
		return
	}
	info, err := p.stat(filtersFile(epoch))
	if err != nil {
		http.Error(w, "the run kept no filters of that epoch", http.StatusNotFound)
		return
	}
	tag := `"` + stamp(info) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	picture, err := s.gallery.picture(p, filtersFile(epoch))
	if err != nil {
		w.Header().Del("ETag")
		http.Error(w, "the run's filters of that epoch cannot be read", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Write(picture)
}

// columns is the number of filters in a row.
const columns = 6
