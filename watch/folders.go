package watch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// folder is a watched folder. Nothing outside it can be opened through its root,
// by .. or by a symbolic link.
type folder struct {
	path string // absolute
	root *os.Root
}

func openFolder(path string) (folder, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return folder{}, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return folder{}, fmt.Errorf("watch %s: %w", path, err)
	}
	return folder{abs, root}, nil
}

// place is where a run's directory is.
type place struct {
	folder folder
	path   string // within the folder; "." is the folder itself
}

// id names a run in addresses and links: the same for the same directory,
// whatever else is watched.
func (p place) id() string {
	sum := sha256.Sum256([]byte(filepath.Join(p.folder.path, p.path)))
	return hex.EncodeToString(sum[:6])
}

// stat looks at one of the run's files. One that is not a regular file within
// the folder is an error; one that is absent, fs.ErrNotExist.
func (p place) stat(name string) (fs.FileInfo, error) {
	info, err := p.folder.root.Stat(filepath.Join(p.path, name))
	if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", filepath.Join(p.path, name))
	}
	return info, err
}

// open opens one of the run's files, as stat has it.
func (p place) open(name string) (*os.File, error) {
	if _, err := p.stat(name); err != nil { // a pipe would wait for its writer
		return nil, err
	}
	return p.folder.root.Open(filepath.Join(p.path, name))
}
