package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// finished makes the directory of a finished run of three epochs, as training
// leaves it.
func finished(t testing.TB, seed uint64) *Dir {
	t.Helper()
	c := someConfig()
	c.Epochs, c.Seed = 3, seed
	d, err := Create(filepath.Join(t.TempDir(), "run"), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	list := []Tensor{
		{Name: "fc1.weight", Shape: []int{2, 3}, Data: []float32{1, 2, 3, 4, 5, float32(seed)}},
		{Name: "velocity/fc1.weight", Shape: []int{2, 3}, Data: make([]float32, 6)},
	}
	for e := range c.Epochs + 1 {
		check(d.AppendEvent(Event{Epoch: e, Step: 2 * e, TrainLoss: 1 / float64(e+1), Nonzero: map[string]int{"fc1": 6}, Seconds: 1.5}))
	}
	check(d.SaveBest(2, list[:1]))
	check(d.SaveCheckpoint(State{Epoch: 3, BestEpoch: 2, BestValAcc: 0.5, WallSeconds: 4.5}, list))
	check(errors.Join(d.WriteFilters(list[:1]), d.WriteFiltersAt(0, list[:1])))
	check(d.WriteResult(Result{
		Last: Score{Epoch: 3, TestAcc: 0.5}, Best: Score{Epoch: 2, ValAcc: 0.5}, Seed: seed,
		Layers: []Layer{{"fc1", 6, 6}}, WeightsSum: Checksum(list[:1]),
	}))
	return d
}

// edit changes a file.
func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(bytes.Clone(text)), 0o666); err != nil {
		t.Fatal(err)
	}
}

func swap(from, to string) func([]byte) []byte {
	return func(text []byte) []byte {
		if !bytes.Contains(text, []byte(from)) {
			panic("there is no " + from)
		}
		return bytes.Replace(text, []byte(from), []byte(to), 1)
	}
}

func become(text string) func([]byte) []byte { return func([]byte) []byte { return []byte(text) } }

// readAll reads a run by all that readers have: its settings, result, events and
// weights.
func readAll(path string) error {
	d, err := Open(path)
	if err != nil {
		return err
	}
	r, err := d.Result()
	if err != nil {
		return err
	}
	events, err := d.Events()
	if err != nil {
		return err
	}
	if err := r.CheckEvents(events); err != nil {
		return err
	}
	_, _, last := d.Weights(false)
	_, _, best := d.Weights(true)
	_, filters := d.Filters()
	f, err := OpenFile(d.File(FiltersAt(0)))
	if err != nil {
		return err
	}
	defer f.Close()
	_, followed := ReadFilters(f)
	return errors.Join(last, best, filters, followed)
}

// TestDamageIsFound damages each file of a finished run in the ways there are;
// readers and Verify name the file.
func TestDamageIsFound(t *testing.T) {
	whole := finished(t, 1)
	if err := errors.Join(append(Verify(whole.Path()), readAll(whole.Path()))...); err != nil {
		t.Fatalf("a run without damage: %v", err)
	}
	other := finished(t, 2)
	events, err := os.ReadFile(whole.File(EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(events, []byte("\n"))
	bit := func(at int) func([]byte) []byte { // from the end
		return func(text []byte) []byte { text[len(text)-at] ^= 1; return text }
	}
	for _, c := range []struct {
		rule, file string
		change     func([]byte) []byte
		want       string
	}{
		{"the seed edited", ConfigFile, swap("seed: 1", "seed: 5"), "result.json"},
		{"the epochs edited", ConfigFile, swap("epochs: 3", "epochs: 4"), "result.json"},
		{"the learning rate edited", ConfigFile, swap("lr: 0.1", "lr: 0.2"), "settings"},
		{"a learning rate that is none", ConfigFile, swap("lr: 0.1", "lr: .nan"), "lr: "},
		{"a bit of the weights", WeightsFile, bit(30), "weights.safetensors: it is damaged"},
		{"a bit of the momentum", WeightsFile, bit(1), "weights.safetensors: it is damaged"},
		{"a digit of the state", WeightsFile, swap(`best_val_acc\":0.5`, `best_val_acc\":0.6`), "weights.safetensors: it is damaged"},
		{"a bit of the best weights", BestFile, bit(1), "best.safetensors: it is damaged"},
		{"another seed's checkpoint", WeightsFile, become(read(t, other.File(WeightsFile))), "weights.safetensors: it is of the settings"},
		{"another seed's best weights", BestFile, become(read(t, other.File(BestFile))), "best.safetensors: it is of the settings"},
		{"a bit of the filters", FiltersFile, bit(1), "filters.safetensors: it is damaged"},
		{"another seed's filters", FiltersFile, become(read(t, other.File(FiltersFile))), "filters.safetensors: it is of the settings"},
		{"a bit of an epoch's filters", FiltersAt(0), bit(1), "epoch-000000.safetensors: it is damaged"},
		{"another seed's result", ResultFile, become(read(t, other.File(ResultFile))), "result.json: it is of the settings"},
		{"another seed's result, of an earlier version", ResultFile, become(`{"last": {"epoch": 3}, "seed": 2}`), "result.json: it is of the seed 2"},
		{"no result", ResultFile, become("null"), "result.json: it holds nothing"},
		{"an empty result", ResultFile, become("{}"), "result.json: it is of 0 epochs"},
		{"two results", ResultFile, become("{}{}"), "result.json: something follows"},
		{"an absurd accuracy", ResultFile, swap(`"test_acc": 0.5`, `"test_acc": 50`), "result.json: test_acc"},
		{"another accuracy", ResultFile, swap(`"test_acc": 0.5`, `"test_acc": 0.7`), "result.json: it was edited or damaged"},
		{"another name in a result", ResultFile, swap(`"name": "fc1"`, `"name": "fc2"`), "result.json: it was edited or damaged"},
		{"an event missing", EventsFile, become(string(lines[0]) + string(lines[2]) + string(lines[3])), "events.jsonl, line 2"},
		{"an event twice", EventsFile, become(string(lines[0]) + string(lines[1]) + string(events[len(lines[0]):])), "events.jsonl, line 3"},
		{"the last event missing", EventsFile, become(string(events[:len(events)-len(lines[3])])), "events.jsonl"},
		{"no events", EventsFile, become(""), "events.jsonl"},
		{"a garbage line", EventsFile, swap(string(lines[1]), "{\"epoch\": \x1b[31m\n"), "events.jsonl, line 2"},
		{"an edited event", EventsFile, swap(`"train_loss":0.5`, `"train_loss":0.4`), "events.jsonl"},
		{"an absurd event", EventsFile, swap(`"train_loss":0.5`, `"train_loss":-1`), "line 2: train_loss"},
		{"more epochs than the settings have", EventsFile, become(string(events) + `{"epoch":4}` + "\n\n"), "line 5"},
	} {
		wantRefused(t, whole, c.rule, c.file, c.change, c.want)
	}
}

// published makes the directory of a finished run whose weights are sparse and
// rounded to bfloat16.
func published(t testing.TB) *Dir {
	t.Helper()
	d := finished(t, 1)
	m := &dense{100, make([]float32, 400)}
	m.data[7], m.data[390] = 1, -0.5
	list := []Tensor{{Name: "fc1.weight", Shape: []int{4, 100}, Rows: m, DType: "BF16"}}
	state, _, err := d.LoadCheckpoint()
	err = errors.Join(err, d.SaveCheckpoint(state, list), d.SaveBest(2, list))
	r, lost := d.Result()
	r.Unrounded = &Unrounded{Last: r.Last, Best: r.Best, WeightsSum: r.WeightsSum}
	if err := errors.Join(err, lost, d.WriteResult(r)); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDamageToPublishedWeights: the same of rounded, sparse weights.
func TestDamageToPublishedWeights(t *testing.T) {
	whole := published(t)
	if err := errors.Join(append(Verify(whole.Path()), readAll(whole.Path()))...); err != nil {
		t.Fatalf("a run without damage: %v", err)
	}
	from := func(at int, value byte) func([]byte) []byte { // from the end: 4 bytes of values, 4 of gaps
		return func(text []byte) []byte { text[len(text)-at] = value; return text }
	}
	for _, c := range []struct {
		rule, file string
		change     func([]byte) []byte
		want       string
	}{
		{"a value", WeightsFile, from(7, 0x40), "weights.safetensors: it is damaged"},
		{"a value that is not finite", WeightsFile, swap("\x80\x3f\x00\xbf", "\x80\x7f\x00\xbf"), "damaged"},
		{"the place of a non-zero", BestFile, from(4, 8), "best.safetensors: it is damaged"},
		{"a gap into which a non-zero falls", WeightsFile, from(3, 100), "its gaps are of 3 non-zeros, and it has 2 values; put back a copy"},
		{"a gap beyond the end", WeightsFile, from(2, 254), "of 400; put back a copy"},
		{"another type of values", WeightsFile, swap(`"dtype":"BF16"`, `"dtype":"F16" `), "its values are F16"},
		{"another shape", WeightsFile, swap("\x04\x00\x00\x00\x64\x00\x00\x00", "\x64\x00\x00\x00\x04\x00\x00\x00"), "weights.safetensors: it is damaged"},
		{"a shape beyond all memory", WeightsFile, swap("\x04\x00\x00\x00\x64\x00\x00\x00", "\xff\xff\xff\x7f\x64\x00\x00\x00"), "its shape is [2147483647 100]"},
		{"an absurd score", ResultFile, swap(`"unrounded": {
    "last": {
      "epoch": 3,`, `"unrounded": {
    "last": {
      "epoch": 4,`), "result.json: epoch"},
	} {
		wantRefused(t, whole, c.rule, c.file, c.change, c.want)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What a checkpoint's metadata claims is checked even where its sum fits.
func TestImpossibleStates(t *testing.T) {
	for _, c := range []struct {
		rule  string
		state State
		want  string
	}{
		{"before the beginning", State{Epoch: -1}, "epoch: -1"},
		{"after the end", State{Epoch: 4}, "epoch: 4"},
		{"steps after the last epoch", State{Epoch: 3, Step: 1}, "step after"},
		{"a step below zero", State{Step: -1}, "step: -1"},
		{"an accuracy above 1", State{Epoch: 1, BestValAcc: 2}, "best_val_acc: 2"},
		{"more right than seen", State{Correct: 2, Seen: 1}, "correct: 2"},
		{"a best epoch to come", State{Epoch: 1, BestEpoch: 2}, "best_epoch: 2"},
	} {
		d := finished(t, 1)
		if err := d.SaveCheckpoint(c.state, nil); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.LoadCheckpoint(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.rule, err, c.want)
		}
	}
}

// Numbers that are not finite are the file's fault, and not the learning rate's.
func TestNotANumberInACheckpoint(t *testing.T) {
	d := finished(t, 1)
	zero := float32(0)
	if _, err := WriteTensors(d.File(WeightsFile), []Tensor{{Name: "fc1.weight", Shape: []int{2}, Data: []float32{1, zero / zero}}}, map[string]string{"state": "{}"}); err != nil {
		t.Fatal(err)
	}
	for _, err := range append(Verify(d.Path()), func() error { _, _, err := d.LoadCheckpoint(); return err }()) {
		if err == nil || !strings.Contains(err.Error(), `weights.safetensors: tensor "fc1.weight" has a number that is not finite, at 1`) {
			t.Errorf("got %v", err)
		}
	}
}

// A checkpoint of an earlier version has no sums, and its times in its state.
func TestCheckpointOfAnEarlierVersion(t *testing.T) {
	d := finished(t, 1)
	list := []Tensor{{Name: "fc1.weight", Shape: []int{1}, Data: []float32{5}}}
	state := State{Epoch: 3, BestEpoch: 2, WallSeconds: 77, Seconds: 1}
	text, _ := json.Marshal(state)
	if _, err := WriteTensors(d.File(WeightsFile), list, map[string]string{"state": string(text)}); err != nil {
		t.Fatal(err)
	}
	if got, tensors, err := d.LoadCheckpoint(); err != nil || !reflect.DeepEqual(got, state) || len(tensors) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	// Its result has the sum of its weights alone.
	for sum, fits := range map[string]bool{Checksum(list): true, Checksum(nil): false} {
		text, _ := json.Marshal(Result{Last: Score{Epoch: 3}, Best: Score{Epoch: 2}, Seed: 1, WeightsSum: sum})
		if err := os.WriteFile(d.File(ResultFile), text, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Weights(false); (err == nil) != fits {
			t.Errorf("weights of the result's sum: %t; got %v", fits, err)
		}
		if wrong := Verify(d.Path()); (wrong == nil) != fits {
			t.Errorf("weights of the result's sum: %t; verified: %v", fits, wrong)
		}
	}
}

// The weights of two trainings are the same file, however long they took; the
// times are kept beside it, and a kill between any two files loses none.
func TestTimesAreBesideTheWeights(t *testing.T) {
	var files []string
	for _, seconds := range []float64{1, 2} {
		c := someConfig()
		d, err := Create(filepath.Join(t.TempDir(), "run"), c)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := d.AppendEvent(Event{Seconds: seconds, ExamplesPerSecond: 100 * seconds}); err != nil {
			t.Fatal(err)
		}
		first := State{Step: 1, Seen: 5, Seconds: seconds}
		second := State{Step: 2, Seen: 10, Seconds: 2 * seconds}
		if err := d.SaveCheckpoint(first, nil); err != nil {
			t.Fatal(err)
		}
		before := read(t, d.File(WeightsFile))
		if err := d.SaveCheckpoint(second, nil); err != nil {
			t.Fatal(err)
		}
		files = append(files, read(t, d.File(WeightsFile)))
		for text, want := range map[string]State{before: first, files[len(files)-1]: second} { // the former as after a kill
			if err := os.WriteFile(d.File(WeightsFile), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			if got, _, err := d.LoadCheckpoint(); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		}
	}
	if files[0] != files[1] {
		t.Error("the files differ")
	}
}

// Files that hang or lead elsewhere are errors, to Verify too.
func TestVerifyOfWhatIsNoRun(t *testing.T) {
	if wrong := Verify(t.TempDir()); len(wrong) != 1 || !errors.Is(wrong[0], fs.ErrNotExist) {
		t.Errorf("an empty folder: got %v", wrong)
	}
}

// TestWithoutTheSecondCopy takes away the best epoch's weights: those of the
// checkpoint stand for them where it is of that epoch, and nothing does elsewhere.
func TestWithoutTheSecondCopy(t *testing.T) {
	for _, best := range []int{3, 2} {
		d := finished(t, 1)
		state := State{Epoch: 3, BestEpoch: best}
		list := []Tensor{{Name: "fc1.weight", Shape: []int{1}, Data: []float32{5}}}
		if err := d.SaveBest(best, list); err != nil {
			t.Fatal(err)
		}
		if err := d.SaveCheckpoint(state, list); err != nil {
			t.Fatal(err)
		}
		if err := d.WriteResult(Result{Last: Score{Epoch: 3}, Best: Score{Epoch: best}, Seed: 1, WeightsSum: Checksum(list)}); err != nil {
			t.Fatal(err)
		}
		if _, got, err := d.Weights(true); err != nil || len(got) != 1 {
			t.Fatalf("best epoch %d: %v", best, err)
		}
		if err := os.Remove(d.File(BestFile)); err != nil {
			t.Fatal(err)
		}
		_, got, err := d.Weights(true)
		if fits := best == 3; fits && (err != nil || len(got) != 1 || got[0].Data[0] != 5) || !fits && (!errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "leave out --best")) {
			t.Errorf("best epoch %d: got %v, %v", best, got, err)
		}
	}
}

// wantRefused wants a copy of whole with a changed file neither read nor verified, for
// the reason want.
func wantRefused(t *testing.T, whole *Dir, rule, file string, change func([]byte) []byte, want string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS(whole.Path())); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, file), change)
	if err := readAll(dir); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s, read: got %v, want %q", rule, err, want)
	}
	if err := errors.Join(Verify(dir)...); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s, verified: got %v, want %q", rule, err, want)
	}
}
