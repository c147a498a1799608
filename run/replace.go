package run

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"betalasso/disk"
)

// temporary ends the name of a file that is being written.
const temporary = ".tmp"

// replace writes a file whole or not at all: under a temporary name beside it,
// synced, then renamed over it. After an error the old file is still there. Only
// one process may replace a path at a time, which a run's lock ensures.
func replace(path string, write func(io.Writer) error) error {
	f, err := disk.Create(path + temporary)
	if err != nil {
		return full(err, path)
	}
	return replaceBy(f, path, write)
}

// WriteWhole writes a file whole or not at all, as the files of a run are written.
// Several processes may write one path at a time: the last one's file stays.
func WriteWhole(path string, write func(io.Writer) error) error {
	f, err := disk.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*"+temporary)
	if err != nil {
		return full(err, path)
	}
	return replaceBy(f, path, write)
}

// Replace is WriteWhole of a text.
func Replace(path string, text []byte) error {
	return WriteWhole(path, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// replaceBy writes f, syncs it and makes it the file at path.
func replaceBy(f *disk.File, path string, write func(io.Writer) error) error {
	err := write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = disk.Rename(f.Name(), path)
	}
	if err != nil {
		disk.Remove(f.Name())
		return full(err, path)
	}
	return disk.SyncDir(filepath.Dir(path))
}

// full explains err, from writing path, if the disk is full.
func full(err error, path string) error {
	if !disk.Full(err) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	space := ""
	if n, ok := FreeSpace(filepath.Dir(path)); ok {
		space = fmt.Sprintf(" (%.1f MB free)", float64(n)/1e6)
	}
	kept := ""
	if _, gone := os.Stat(path); gone == nil {
		kept = "; the one that was there is intact"
	}
	return fmt.Errorf("write %s: the disk is full%s%s: %w", path, space, kept, err)
}
