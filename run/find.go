package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Followed is a path for filepath.WalkDir, which then goes through it even where it
// is a symbolic link to a folder: that it was named says that it is meant.
func Followed(root string) string {
	if info, err := os.Lstat(root); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return root
	}
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return root
	}
	return root + string(filepath.Separator)
}

// Find lists the directories of runs at or below the paths, each once, sorted. A
// path that cannot be read is an error; folders below it that cannot are skipped,
// and unread says which and why.
func Find(paths ...string) (found []string, unread []error, err error) {
	for _, root := range paths {
		root = Followed(root)
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil: // of the folder itself
			case !e.IsDir():
				return nil
			default:
				_, err = os.Stat(filepath.Join(path, ConfigFile))
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				if err == nil {
					found = append(found, filepath.Clean(path))
					return filepath.SkipDir
				}
			}
			if path == root {
				return err
			}
			if !errors.Is(err, fs.ErrNotExist) { // else it was deleted meanwhile
				unread = append(unread, fmt.Errorf("runs in %s are not seen: %w", path, err))
			}
			return filepath.SkipDir
		})
		if err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(found)
	return slices.Compact(found), unread, nil
}
