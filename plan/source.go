package plan

import (
	"math/rand/v2"
	"sync"

	"betalasso/data"
	"betalasso/model"
	"betalasso/run"
)

// Source is what says which images a run is trained on. Two runs with the same
// Source can share a data set in memory.
type Source struct {
	Name, Dir string
	Extra     bool // SVHN's extra images too
}

// SourceOf is c's Source.
func SourceOf(c run.Config) Source { return Source{c.Data, c.DataDir, c.SVHNExtra} }

// Options are those to load it with; a folder that the user named is not filled.
func (s Source) Options() data.Options {
	return data.Options{Dir: s.Dir, Extra: s.Extra, Fetch: s.Dir == ""}
}

// Images are the numbers of images of a data set.
type Images struct{ Train, Test int }

// counted are the Images of every Source asked for so far: a study asks for each
// of its points.
var counted sync.Map

// Images are those that loading it would give; where that cannot be told, as
// many as the publisher has.
func (s Source) Images() Images {
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

// SizeOf is the size of c's network on its data.
func SizeOf(c run.Config) model.Size {
	s := model.Size{Alpha: c.Alpha, Width: c.Width, Batch: c.Batch, Dropout: c.Dropout}
	if info, err := data.Describe(c.Data); err == nil {
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

// Work is the number of multiplications of training c to its end, were all its
// weights dense: three times that of its forward passes.
func Work(c run.Config) float64 {
	return 3 * exampleWork(c) * float64(Examples(c)) * float64(c.Epochs)
}

// exampleWork is model.Work of c: the multiplications of one example's forward
// pass.
func exampleWork(c run.Config) float64 {
	w, err := model.Work(c.Model, SizeOf(c))
	if err != nil {
		return 0
	}
	return w
}

// Noise is a set of n images of the shape of c's, and as many to test on: enough
// to time steps by.
func Noise(c run.Config, n int) *data.Set {
	of, err := data.Describe(c.Data)
	if err != nil {
		panic(err) // c is valid, so its data set is known
	}
	size := of.Channels * of.Side * of.Side
	r := rand.New(rand.NewPCG(1, 2))
	im := data.Images{Pix: make([]uint8, n*size), Labels: make([]uint16, n), Size: size}
	for i := range im.Pix {
		im.Pix[i] = uint8(r.UintN(256))
	}
	for i := range im.Labels {
		im.Labels[i] = uint16(i % len(of.Classes))
	}
	return &data.Set{Name: c.Data, Classes: of.Classes, Channels: of.Channels, Side: of.Side, Policy: of.Policy, Train: im, Test: im}
}
