package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	filtersPrefix = "epoch-"
	filtersSuffix = ".safetensors"
)

// FiltersAt is the name, within a run's directory, of the file of first-layer
// filters kept after an epoch: filters/epoch-000010.safetensors.
func FiltersAt(epoch int) string {
	return filepath.Join(FiltersDir, fmt.Sprintf("%s%06d%s", filtersPrefix, epoch, filtersSuffix))
}

// WriteFiltersAt writes that file.
func (d *Dir) WriteFiltersAt(epoch int, list []Tensor) error {
	if err := d.filtersDir(); err != nil {
		return err
	}
	if err := os.MkdirAll(d.File(FiltersDir), 0o777); err != nil {
		return full(err, d.File(FiltersDir))
	}
	_, err := WriteTensors(d.File(FiltersAt(epoch)), list, nil)
	return err
}

// filtersDir is an error where something else than a folder is in the place of
// that for filters: a link could lead anywhere.
func (d *Dir) filtersDir() error {
	info, err := os.Lstat(d.File(FiltersDir))
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is no folder; remove it", d.File(FiltersDir))
	}
	return nil
}

// FilterEpochs lists, in order, the epochs of the filters in a run's directory.
// There are none in a run of an earlier version.
func FilterEpochs(dir fs.FS) ([]int, error) {
	entries, err := fs.ReadDir(dir, FiltersDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []int
	for _, e := range entries {
		digits, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), filtersSuffix), filtersPrefix)
		if n, err := strconv.Atoi(digits); ok && err == nil && n >= 0 && filepath.Base(FiltersAt(n)) == e.Name() {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, err
}
