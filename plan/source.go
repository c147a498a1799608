package plan

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"

	"betalasso/data"
	"betalasso/model"
	"betalasso/run"
)

// Source determines which images a run is trained on. Two runs with the same
// Source can share a data set in memory.
type Source struct {
	Name, Dir      string
	Sum            string // of the user's own images; "" for a set of the table
	Side, Channels int    // that they are made to have; 0: as they are
	SkipBad        bool
	Extra          bool // SVHN's extra images too
}

// SourceOf is c's Source.
func SourceOf(c run.Config) Source {
	return Source{c.Data, c.DataDir, c.DataSum, c.Side, c.Channels, c.SkipBad, c.SVHNExtra}
}

// Options are those to load it with; a folder that the user named is not filled.
func (s Source) Options() data.Options {
	own := s.Sum != ""
	memory, _ := run.Memory()
	return data.Options{
		Memory: memory,
		Dir:    s.Dir, Extra: s.Extra, Fetch: s.Dir == "" && !own,
		Own: own, Sum: s.Sum, Side: s.Side, Channels: s.Channels, SkipBad: s.SkipBad,
	}
}

// lastOwn are the user's own images that were loaded last: they are read for the
// settings, and needed again right after.
var lastOwn struct {
	sync.Mutex
	from Source
	set  *data.Set
}

// Load reads the images, or has them from the last time where they are the user's.
func (s Source) Load(ctx context.Context, progress func(data.Progress)) (*data.Set, error) {
	opt := s.Options()
	opt.Progress = progress
	if !opt.Own {
		return data.Load(ctx, s.Name, opt)
	}
	lastOwn.Lock()
	defer lastOwn.Unlock()
	if lastOwn.set != nil && lastOwn.from == s {
		return lastOwn.set, nil
	}
	set, err := data.Load(ctx, s.Name, opt)
	if err == nil {
		lastOwn.from, lastOwn.set = s, set
	}
	return set, err
}

// Own reads the user's own images at path, which is absolute, and makes them c's:
// c.Side, c.Channels and c.SkipBad say how.
func Own(ctx context.Context, c *run.Config, path string, progress func(data.Progress)) (*data.Set, error) {
	c.Data, c.DataDir, c.DataSum = data.OwnName(path), path, ""
	s := SourceOf(*c)
	opt := s.Options()
	opt.Own, opt.Fetch, opt.Progress = true, false, progress
	set, err := data.Load(ctx, c.Data, opt)
	if err != nil {
		return nil, err
	}
	c.DataSum = set.Sum
	lastOwn.Lock()
	defer lastOwn.Unlock()
	lastOwn.from, lastOwn.set = SourceOf(*c), set
	return set, nil
}

// described are the data.Info of the user's own images asked for so far.
var described sync.Map

// Info is what is known of the images, as they come to the network.
func (s Source) Info() (data.Info, error) {
	if s.Sum == "" {
		info, err := data.Describe(s.Name)
		info.Side, info.Channels = cmp.Or(s.Side, info.Side), cmp.Or(s.Channels, info.Channels)
		return info, err
	}
	if info, ok := described.Load(s); ok {
		return info.(data.Info), nil
	}
	set, err := s.Load(context.Background(), nil)
	if err != nil {
		return data.Info{}, err
	}
	info := data.Info{
		Name: set.Name, Channels: set.Channels, Side: set.Side, Classes: set.Classes, Policy: set.Policy,
		Train: set.Train.Len() + set.Val.Len(), Test: set.Test.Len(),
	}
	described.Store(s, info)
	return info, nil
}

// Images are the numbers of images of a data set, those to validate among those to
// train on.
type Images struct{ Train, Test int }

// counted are the Images of every Source of the table asked for so far: a study asks
// for each of its trials.
var counted sync.Map

// Images are the numbers that loading it would give; if they are not known, the
// publisher's.
func (s Source) Images() Images {
	if s.Sum != "" {
		info, _ := s.Info() // what is wrong is said by who loads them
		return Images{info.Train, info.Test}
	}
	if n, ok := counted.Load(s); ok {
		return n.(Images)
	}
	train, test, err := data.Count(s.Name, s.Options())
	if err != nil {
		train, test, _ = data.Count(s.Name, data.Options{Extra: s.Extra}) // an unknown name is said elsewhere
	}
	n := Images{train, test}
	counted.Store(s, n)
	return n
}

// Counted is an error where Images cannot tell.
func (s Source) Counted() error {
	if s.Sum != "" {
		_, err := s.Info()
		return err
	}
	_, _, err := data.Count(s.Name, s.Options())
	return err
}

// SizeOf is the size of c's network on its data.
func SizeOf(c run.Config) model.Size {
	s := model.Size{Alpha: c.Alpha, Width: c.Width, Kernel: c.Kernel, Network: c.Network, Batch: c.Batch, Dropout: c.Dropout}
	if info, err := SourceOf(c).Info(); err == nil {
		s.Channels, s.Side, s.Classes = info.Channels, info.Side, len(info.Classes)
	}
	return s
}

// Examples is the number of training examples that c uses in an epoch: whole
// batches of those that are not held out.
func Examples(c run.Config) int {
	n := max(0, SourceOf(c).Images().Train-c.Val)
	if c.Train > 0 {
		n = min(n, c.Train)
	}
	return n / max(1, min(c.Batch, n)) * min(c.Batch, n)
}

// Steps is the number of steps of training c.
func Steps(c run.Config) int { return c.Epochs * (Examples(c) / max(1, min(c.Batch, Examples(c)))) }

// MACs is the number of multiply-adds of training c to its end, were all its
// weights dense: three times that of its forward passes.
func MACs(c run.Config) float64 {
	return 3 * exampleMACs(c) * float64(Examples(c)) * float64(c.Epochs)
}

// exampleMACs is model.MACs of c: the multiply-adds of one example's forward
// pass.
func exampleMACs(c run.Config) float64 {
	w, err := model.MACs(c.Model, SizeOf(c))
	if err != nil {
		return 0
	}
	return w
}

// Noise is a set of n images of the shape of c's, and as many to test on: enough
// to time steps with.
func Noise(c run.Config, n int) *data.Set {
	of, err := SourceOf(c).Info()
	if err != nil {
		panic(err) // c is valid and its images have been looked at
	}
	size := of.Channels * of.Side * of.Side
	r := rand.New(rand.NewPCG(1, 2))
	im := data.Images{Pix: make([]uint8, n*size), Labels: make([]uint16, n), ImageSize: size}
	for i := range im.Pix {
		im.Pix[i] = uint8(r.UintN(256))
	}
	for i := range im.Labels {
		im.Labels[i] = uint16(i % len(of.Classes))
	}
	return &data.Set{Name: c.Data, Classes: of.Classes, Channels: of.Channels, Side: of.Side, Policy: of.Policy, Train: im, Test: im}
}
