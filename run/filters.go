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

// inRows is list with pictures as rows, so that their zeros take no room in a file.
func inRows(list []Tensor) []Tensor {
	list = slices.Clone(list)
	for i, t := range list {
		if t.Rows == nil && len(t.Shape) == 4 {
			list[i].Rows, list[i].Data = oneRow(t.Data), nil
		}
	}
	return list
}

// oneRow are numbers as Rows.
type oneRow []float32

func (r oneRow) Shape() (rows, cols int)    { return 1, len(r) }
func (r oneRow) Read(dst []float32, _ int)  { copy(dst, r) }
func (r oneRow) Write(_ int, src []float32) { copy(r, src) }

// WriteFilters writes the filters of the end.
func (d *Dir) WriteFilters(list []Tensor) error {
	_, err := d.writeWeights(FiltersFile, inRows(list), map[string]string{})
	return err
}

// Filters reads them. The error is fs.ErrNotExist where there are none.
func (d *Dir) Filters() ([]Tensor, error) {
	list, _, err := d.readWeights(FiltersFile)
	return list, err
}

// ReadFilters reads a file of filters that is open, at its beginning, and checks
// it by its sum; one of an earlier version has none.
func ReadFilters(f *os.File) ([]Tensor, error) {
	list, meta, err := ReadOpenTensors(f)
	if err == nil {
		err = checkTensors(list, meta)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return list, nil
}

// WriteFiltersAt writes that file.
func (d *Dir) WriteFiltersAt(epoch int, list []Tensor) error {
	if err := d.filtersDir(); err != nil {
		return err
	}
	if err := os.MkdirAll(d.File(FiltersDir), 0o777); err != nil {
		return full(err, d.File(FiltersDir))
	}
	_, err := d.writeWeights(FiltersAt(epoch), inRows(list), map[string]string{})
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
