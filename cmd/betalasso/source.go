package main

import (
	"sync"

	"betalasso/data"
	"betalasso/run"
)

// dataSource is what says which images there are.
type dataSource struct {
	name, dir string
	extra     bool // SVHN's extra images too
}

func sourceOf(c run.Config) dataSource { return dataSource{c.Data, c.DataDir, c.SVHNExtra} }

// infoOf is what is known of c's data set.
func infoOf(c run.Config) (data.Info, error) { return data.Describe(c.Data) }

// options are those to load it with.
func (d dataSource) options() data.Options {
	return data.Options{Dir: d.dir, Extra: d.extra, Fetch: d.dir == ""}
}

// images are the numbers of images of a data set.
type images struct{ train, test int }

// counted are the images of every dataSource asked for so far: a study asks for
// each of its points.
var counted sync.Map

// images are those that loading it would give; where that cannot be told, as
// many as the publisher has.
func (d dataSource) images() images {
	if n, ok := counted.Load(d); ok {
		return n.(images)
	}
	train, test, err := data.Count(d.name, d.options())
	if err != nil {
		train, test, _ = data.Count(d.name, data.Options{Extra: d.extra}) // an unknown name is said elsewhere
	}
	n := images{train, test}
	counted.Store(d, n)
	return n
}
