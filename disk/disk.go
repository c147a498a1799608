// Package disk has the operations that change this program's files: create,
// write, sync, rename, remove. They are those of package os, except that none
// follows a symbolic link when it writes, and that a test may watch them and make
// them fail.
package disk

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The kinds of Op.
const (
	OpCreate = "create"
	OpAppend = "open to append"
	OpWrite  = "write"
	OpSync   = "sync"
	OpRename = "rename"
	OpRemove = "remove"
	OpDir    = "sync folder"
)

// Op is one operation.
type Op struct {
	Kind string
	Path string
	To   string // of a rename
	Data []byte // of a write
}

// Watch, if a test has set it before anything was written, is called with every
// operation before it happens. Its error becomes the operation's; of a write, the
// first n bytes are then written all the same, as on a disk that fills up.
var Watch func(Op) (n int, err error)

func watched(op Op) (int, error) {
	if Watch == nil {
		return 0, nil
	}
	n, err := Watch(op)
	if err != nil {
		err = &fs.PathError{Op: op.Kind, Path: op.Path, Err: err}
	}
	return min(n, len(op.Data)), err
}

// File is a file that is open to be written.
type File struct{ f *os.File }

// Create makes a new file, in the place of one that is there: a link is
// replaced, never followed.
func Create(path string) (*File, error) {
	if _, err := watched(Op{Kind: OpCreate, Path: path}); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// CreateTemp makes a new file as os.CreateTemp does, for everybody to read.
func CreateTemp(dir, pattern string) (*File, error) {
	if _, err := watched(Op{Kind: OpCreate, Path: filepath.Join(dir, pattern)}); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(0o644); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return &File{f}, nil
}

// Append opens a plain file to write at its end, and makes it where there is
// none.
func Append(path string) (*File, error) {
	if _, err := watched(Op{Kind: OpAppend, Path: path}); err != nil {
		return nil, err
	}
	f, err := open(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// Name is the file's path.
func (f *File) Name() string { return f.f.Name() }

func (f *File) Write(text []byte) (int, error) {
	if n, err := watched(Op{Kind: OpWrite, Path: f.Name(), Data: text}); err != nil {
		n, _ = f.f.Write(text[:n])
		return n, err
	}
	return f.f.Write(text)
}

// Sync makes what was written outlast a power cut.
func (f *File) Sync() error {
	if _, err := watched(Op{Kind: OpSync, Path: f.Name()}); err != nil {
		return err
	}
	return f.f.Sync()
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

// Rename gives the file at from the name to.
func Rename(from, to string) error {
	if _, err := watched(Op{Kind: OpRename, Path: from, To: to}); err != nil {
		return err
	}
	return patiently(func() error { return os.Rename(from, to) })
}

// Remove removes the file at path.
func Remove(path string) error {
	if _, err := watched(Op{Kind: OpRemove, Path: path}); err != nil {
		return err
	}
	return patiently(func() error { return os.Remove(path) })
}

// SyncDir makes the names in a folder outlast a power cut.
func SyncDir(path string) error {
	if _, err := watched(Op{Kind: OpDir, Path: path}); err != nil {
		return err
	}
	return syncDir(path)
}

// Open opens a plain file to read it. A symbolic link, a named pipe, a device
// or a folder in its place is an error.
func Open(path string) (*os.File, error) { return open(path, os.O_RDONLY) }

// OpenToWrite is Open of a file that is there, or is made, to read and write.
func OpenToWrite(path string) (*os.File, error) { return open(path, os.O_RDWR|os.O_CREATE) }

// open opens a plain file without waiting: a named pipe may have no other end.
func open(path string, flag int) (*os.File, error) {
	info, err := os.Lstat(path)
	return plain(path, info, err, func() (*os.File, error) { return os.OpenFile(path, flag|guarded, 0o666) })
}

// OpenIn is Open of a file in root, and cannot leave it. Its errors have the
// file's name there.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	info, err := root.Lstat(name)
	return plain(name, info, err, func() (*os.File, error) { return root.OpenFile(name, os.O_RDONLY|guarded, 0) })
}

// plain opens a file of which Lstat said info or err.
func plain(path string, info fs.FileInfo, err error, open func() (*os.File, error)) (*os.File, error) {
	if err == nil && !info.Mode().IsRegular() {
		return nil, &NotPlainError{path, info.Mode()}
	}
	f, err := open()
	if err != nil {
		return nil, err
	}
	info, err = f.Stat() // of the file that was opened, whatever has changed in between
	if err == nil && !info.Mode().IsRegular() {
		err = &NotPlainError{path, info.Mode()}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// NotPlainError is that something else is in the place of a plain file.
type NotPlainError struct {
	Path string
	Mode fs.FileMode
}

func (e *NotPlainError) Error() string {
	kind := "no plain file"
	switch {
	case e.Mode&fs.ModeSymlink != 0:
		kind = "a symbolic link, which is not followed"
	case e.Mode&fs.ModeNamedPipe != 0:
		kind = "a named pipe"
	case e.Mode.IsDir():
		kind = "a folder"
	}
	return e.Path + " is " + kind + "; put a plain file in its place, or remove it"
}

// TooLargeError is that a file is larger than anything that belongs in it.
type TooLargeError struct {
	Path        string
	Size, Limit int64
}

func (e *TooLargeError) Error() string {
	return e.Path + " is too large to be read: " + sizes(e.Size) + ", where " + sizes(e.Limit) + " are the most"
}

// ReadFile reads a plain file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	return readAll(f, path, limit)
}

// ReadFileIn is ReadFile of a file in root; see OpenIn.
func ReadFileIn(root *os.Root, name string, limit int64) ([]byte, error) {
	f, err := OpenIn(root, name)
	if err != nil {
		return nil, err
	}
	return readAll(f, name, limit)
}

func readAll(f *os.File, path string, limit int64) ([]byte, error) {
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, &TooLargeError{path, info.Size(), limit}
	}
	text := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	_, err = text.ReadFrom(io.LimitReader(f, limit+1)) // it may be growing
	if err == nil && int64(text.Len()) > limit {
		return nil, &TooLargeError{path, int64(text.Len()), limit}
	}
	return text.Bytes(), err
}
