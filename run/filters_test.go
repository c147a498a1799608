package run

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFiltersAtEpochs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	d, err := Create(path, someConfig())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := FilterEpochs(os.DirFS(path)); err != nil || len(got) != 0 {
		t.Errorf("before the first: got %v, %v, want none", got, err)
	}
	for _, epoch := range []int{20, 0, 1000000, 5} {
		if err := d.WriteFiltersAt(epoch, []Tensor{{Name: "filters", Shape: []int{1}, Data: []float32{float32(epoch)}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"epoch-000007.safetensors.tmp", "epoch-7.safetensors", "epoch--00007.safetensors", "notes"} {
		if err := os.WriteFile(filepath.Join(path, FiltersDir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := FilterEpochs(os.DirFS(path)); err != nil || !slices.Equal(got, []int{0, 5, 20, 1000000}) {
		t.Errorf("got %v, %v, want 0, 5, 20 and 1000000", got, err)
	}
	list, _, err := ReadTensors(d.File(FiltersAt(20)))
	if err != nil || len(list) != 1 || list[0].Data[0] != 20 {
		t.Errorf("epoch 20: got %v, %v", list, err)
	}
	d.Close()
	again, err := OpenLocked(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := os.Stat(filepath.Join(path, FiltersDir, "epoch-000007.safetensors.tmp")); !os.IsNotExist(err) {
		t.Errorf("what a killed process was writing is there still: %v", err)
	}
}
