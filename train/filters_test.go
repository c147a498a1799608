package train

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"

	"betalasso/run"
)

// TestFiltersAreFollowed stops a run again and again, and wants the filters of
// every kept epoch as a run that never stopped keeps them: the same units, the
// same bytes.
func TestFiltersAreFollowed(t *testing.T) {
	c := smallConfig()
	c.Epochs = 3
	straight := start(t, c, 1)
	mustRun(t, straight)
	stopped := start(t, c, 2)
	for err := error(ErrStopped); err != nil; {
		stop := make(chan struct{})
		first := true
		stopped.Stop = stop
		stopped.Progress = func(Progress) {
			if first {
				close(stop)
				first = false
			}
		}
		if _, err = Run(stopped); err != nil && !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
	}
	epochs, err := run.FilterEpochs(os.DirFS(straight.Dir.Path()))
	if err != nil || !slices.Equal(epochs, []int{0, 1, 2, 3}) {
		t.Fatalf("got filters of the epochs %v (%v), want 0, 1, 2 and the last, 3", epochs, err)
	}
	var units []float32
	var before []float32
	for _, epoch := range epochs {
		want, err := os.ReadFile(straight.Dir.File(run.FiltersAt(epoch)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(stopped.Dir.File(run.FiltersAt(epoch))); err != nil || !bytes.Equal(got, want) {
			t.Errorf("epoch %d: the files of the stopped run and of the straight one differ (%v)", epoch, err)
		}
		list, _, err := run.ReadTensors(straight.Dir.File(run.FiltersAt(epoch)))
		if err != nil {
			t.Fatal(err)
		}
		if list[0].Name != "filters" || list[0].Shape[0] != followed || list[1].Name != "index" {
			t.Fatalf("epoch %d: got %q %v and %q", epoch, list[0].Name, list[0].Shape, list[1].Name)
		}
		if units != nil && !slices.Equal(units, list[1].Data) {
			t.Errorf("epoch %d: got the units %v, want those of epoch 0, %v", epoch, list[1].Data, units)
		}
		if slices.Equal(before, list[0].Values()) {
			t.Errorf("epoch %d: the filters are those of the epoch before", epoch)
		}
		units, before = list[1].Data, list[0].Values()
	}
}
