package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Find lists the directories of runs at or below the paths, each once, sorted. A
// path that cannot be read is an error; folders below it that cannot are skipped,
// and unread says which and why.
func Find(paths ...string) (found []string, unread []error, err error) {
	for _, root := range paths {
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
