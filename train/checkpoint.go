package train

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"betalasso/nn"
	"betalasso/run"
)

// tensors are the network's parameters and running averages under their names,
// sharing its memory.
func tensors(net *nn.Net) []run.Tensor {
	var list []run.Tensor
	for _, p := range net.Params() {
		rows, cols := p.Shape()
		list = append(list, run.Tensor{Name: p.Name, Shape: []int{rows, cols}, Rows: p})
	}
	for _, b := range net.Buffers() {
		list = append(list, run.Tensor{Name: b.Name, Shape: []int{b.Value.Rows, b.Value.Cols}, Data: b.Value.Data})
	}
	return list
}

// velocities are the optimiser's buffers, sharing its memory.
func (t *trainer) velocities() []run.Tensor {
	if t.Config.Momentum == 0 {
		return nil
	}
	var list []run.Tensor
	for _, p := range t.params {
		v := p.Velocity()
		list = append(list, run.Tensor{Name: "velocity/" + p.Name, Shape: []int{v.Rows, v.Cols}, Data: v.Data})
	}
	return list
}

// load copies the tensors of from into those of to that bear their names; all
// of to must be there, in its shape.
func load(to, from []run.Tensor) error {
	if err := fits(to, from); err != nil {
		return err
	}
	byName := map[string]run.Tensor{}
	for _, f := range from {
		byName[f.Name] = f
	}
	for _, d := range to {
		run.Copy(d, byName[d.Name])
	}
	return nil
}

// fits says what of to is not in from, or of another shape.
func fits(to, from []run.Tensor) error {
	byName := map[string]run.Tensor{}
	for _, f := range from {
		byName[f.Name] = f
	}
	for _, d := range to {
		s, ok := byName[d.Name]
		if !ok {
			return fmt.Errorf("tensor %q is missing: these weights are of another network", d.Name)
		}
		if fmt.Sprint(s.Shape) != fmt.Sprint(d.Shape) {
			return fmt.Errorf("tensor %q is %v, want %v: these weights are of a network of another size", d.Name, s.Shape, d.Shape)
		}
	}
	return nil
}

// mostKept is the number of weights, as they are stored, up to which the best
// epoch's are kept in memory until the next save. More are written at once.
var mostKept = 1 << 26 // less in tests

// keepBest copies the network's state as that of the best epoch.
func (t *trainer) keepBest() error {
	if t.stored() > mostKept {
		t.best, t.bestSaved = nil, true
		return t.Dir.SaveBest(t.state.BestEpoch, tensors(t.net))
	}
	t.best, t.bestSaved = t.best[:0], false
	for _, s := range tensors(t.net) {
		t.best = append(t.best, run.Keep(s))
	}
	return nil
}

// stored is the number of the network's weights, as they are stored.
func (t *trainer) stored() (n int) {
	for _, p := range t.params {
		if p.Weights != nil {
			n += p.Weights.Stored()
		}
	}
	return n
}

// save replaces the checkpoint. The best epoch's weights go first: should the
// process die in between, the steps since the checkpoint are taken again and
// come to the same best weights.
func (t *trainer) save() error {
	began := time.Now()
	if len(t.best) > 0 && !t.bestSaved {
		if err := t.Dir.SaveBest(t.state.BestEpoch, t.best); err != nil {
			return err
		}
		t.bestSaved = true
	}
	if err := t.Dir.SaveCheckpoint(t.state, append(tensors(t.net), t.velocities()...)); err != nil {
		return err
	}
	t.saved, t.saving = time.Now(), time.Since(began)
	return nil
}

// restore brings the run to its last checkpoint, or to its beginning.
func (t *trainer) restore() error {
	state, saved, err := t.Dir.LoadCheckpoint()
	if errors.Is(err, fs.ErrNotExist) {
		return t.begin()
	}
	if err != nil {
		return err
	}
	if n := t.steps(); state.Step > 0 && (state.Step >= n || state.Seen != state.Step*t.batchSize()) {
		return fmt.Errorf("%s: its state is impossible: step %d of %d, %d examples seen", t.Dir.File(run.WeightsFile), state.Step, n, state.Seen)
	}
	t.state = state
	if err := load(append(tensors(t.net), t.velocities()...), saved); err != nil {
		return fmt.Errorf("%s: %w", t.Dir.File(run.WeightsFile), err)
	}
	if state.BestEpoch > 0 {
		best, err := t.Dir.LoadBest(state)
		if err != nil {
			return err
		}
		if err := fits(tensors(t.net), best); err != nil {
			return fmt.Errorf("%s: %w", t.Dir.File(run.BestFile), err)
		}
		if t.bestSaved = true; t.stored() <= mostKept {
			t.best = best
		}
	}
	t.count()
	return t.Dir.TruncateEvents(state.Epoch)
}

// begin sets the first weights and records the state before the first step.
func (t *trainer) begin() error {
	if err := t.Dir.TruncateEvents(-1); err != nil {
		return err
	}
	if t.Config.FromSum != "" {
		if err := t.startFrom(); err != nil {
			return err
		}
	}
	t.count()
	if err := t.followFilters(0); err != nil {
		return err
	}
	e := run.Event{LR: t.Config.LR, Nonzero: t.counts()}
	e.ValLoss, e.ValAcc = t.evaluate(t.val, nil)
	return t.Dir.AppendEvent(e)
}

// startFrom begins with another run's weights. The last layer, which tells the
// classes apart, stays random if that run had other images.
func (t *trainer) startFrom() error {
	b, err := t.Config.Beginning()
	if err != nil {
		return fmt.Errorf("from: %w", err)
	}
	own := tensors(t.net)
	if b.Config.Data != t.Config.Data || b.Config.DataSum != t.Config.DataSum {
		layers := t.layers()
		last := layers[len(layers)-1].Name + "."
		own = slices.DeleteFunc(own, func(x run.Tensor) bool { return strings.HasPrefix(x.Name, last) })
	}
	if err := load(own, b.Tensors); err != nil {
		return run.Problems{fmt.Sprintf("from: %s: %v", t.Config.From, err)}
	}
	return nil
}

// count counts the non-zeros afresh; steps keep the counts up to date.
func (t *trainer) count() {
	for _, p := range t.params {
		p.Count()
	}
}

// layers are the weight matrices with their counts of non-zeros.
func (t *trainer) layers() []run.Layer {
	var list []run.Layer
	for _, p := range t.params {
		if p.Group != nn.None {
			list = append(list, run.Layer{
				Name:    strings.TrimSuffix(p.Name, ".weight"),
				Params:  p.Len(),
				Nonzero: p.Nonzero,
			})
		}
	}
	return list
}
