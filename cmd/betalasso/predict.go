package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"betalasso/data"
	"betalasso/run"
	"betalasso/train"
)

// predictCommand is `betalasso predict`.
type predictCommand struct {
	Dir     string   `arg:"" help:"the run's directory"`
	Image   []string `arg:"" help:"PNG, JPEG, WebP or BMP files, of any size"`
	Top     int      `default:"3" placeholder:"N" help:"classes shown (default 3)"`
	Best    bool     `help:"the weights of the best validation, not the last (default off)"`
	DataDir *string  `placeholder:"DIR" help:"folder with the data set's files, for a run of an earlier version (default: as the run)"`
	JSON    bool     `name:"json" help:"one JSON object per line, for each picture (default off)"`
}

// Help is the end of `betalasso predict --help`.
func (predictCommand) Help() string {
	return `Example:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 1 --out runs/mine
    betalasso data show digits --out digits.png
    betalasso predict runs/mine digits.png

Each image's middle square is resized to the network's input size with the filter described in docs/data.md.`
}

// predicted is the prediction for a picture.
type predicted struct {
	Image   string     `json:"image"`
	Width   int        `json:"width"` // of the picture
	Height  int        `json:"height"`
	Side    int        `json:"side"` // of what the network saw of it
	Classes []likeness `json:"classes"`
}

// likeness is a class with its probability.
type likeness struct {
	Class       string  `json:"class"`
	Label       int     `json:"label"`
	Probability float64 `json:"probability"`
}

// Run classifies the pictures. Those that cannot be read are reported at the end.
func (p *predictCommand) Run() error {
	if p.Top < 1 {
		return usageError{fmt.Errorf("top: must be 1 or more, not %d", p.Top)}
	}
	d, err := run.Open(p.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	c := d.Config()
	c.Precision = precision(c.Precision)
	if p.DataDir != nil {
		c.DataDir = *p.DataDir
	}
	s := newSession(p.JSON)
	defer s.close()
	shape, err := s.shape(d, c)
	if err != nil {
		return err
	}
	_, weights, err := d.Weights(p.Best)
	if err != nil {
		return err
	}
	dev, err := newDevice(c)
	if err != nil {
		return err
	}
	var set *data.Set
	if c.Whiten > 0 {
		if set, err = s.load(c); err != nil {
			return fmt.Errorf("the network sees whitened pixels, which takes the images that it was trained on: %w", err)
		}
		if set.Side != shape.Side || set.Channels != shape.Channels {
			return fmt.Errorf("%s: its network is for images of %d x %d x %d, and those it was trained on are %d x %d x %d", p.Dir, shape.Channels, shape.Side, shape.Side, set.Channels, set.Side, set.Side)
		}
	}
	if err := s.unguarded(); err != nil {
		return err
	}
	white, err := whiten(dev, c, set, 1)
	if err != nil {
		return err
	}
	net, err := train.NewPredictor(dev, c, shape, weights, white, 1)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Dir, err)
	}
	bad := 0
	for _, path := range p.Image {
		pix, wide, high, err := data.Picture(path, shape.Channels, shape.Side)
		if err != nil {
			fmt.Fprintf(os.Stderr, "betalasso: %s\n", run.Printable(err.Error()))
			bad++
			continue
		}
		probs, err := net.Probabilities([][]uint8{pix})
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		s.predicted(predicted{path, wide, high, shape.Side, likeliest(shape.Classes, probs[0], p.Top)})
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d pictures could not be read", bad, len(p.Image))
	}
	return nil
}

// likeliest are the n classes of the largest probabilities.
func likeliest(classes []string, probs []float64, n int) []likeness {
	list := make([]likeness, len(probs))
	for i, v := range probs {
		list[i] = likeness{classes[i], i, v}
	}
	slices.SortStableFunc(list, func(a, b likeness) int {
		switch {
		case a.Probability > b.Probability:
			return -1
		case a.Probability < b.Probability:
			return 1
		}
		return 0
	})
	return list[:min(n, len(list))]
}

// predicted prints one picture's classes.
func (s *session) predicted(r predicted) {
	if s.json {
		s.newMeter().object(r)
		return
	}
	size := fmt.Sprintf("%d x %d", r.Width, r.Height)
	switch {
	case r.Width == r.Side && r.Height == r.Side:
	case r.Width == r.Height:
		size += fmt.Sprintf(", resized to %d x %d", r.Side, r.Side)
	default:
		size += fmt.Sprintf(", its middle square resized to %d x %d", r.Side, r.Side)
	}
	fmt.Fprintf(s.out, "%s (%s)\n", run.Printable(r.Image), size)
	for _, l := range r.Classes {
		fmt.Fprintf(s.out, "  %6.2f %%  %s\n", 100*l.Probability, run.Printable(l.Class))
	}
}

// shape is the input and the classes of the network of the run in d: from its
// result, or, if it has none or one of an earlier version, from its data set.
func (s *session) shape(d *run.Dir, c run.Config) (run.DataSet, error) {
	if r, err := d.Result(); err == nil && r.DataSet.Side > 0 && len(r.DataSet.Classes) > 0 {
		return r.DataSet, nil
	}
	set, err := s.load(c)
	if err != nil {
		return run.DataSet{}, err
	}
	images, val, err := train.Split(set, c)
	if err != nil {
		return run.DataSet{}, err
	}
	shape := train.DescribeData(set, images, val)
	shape.Classes = set.Classes
	return shape, nil
}
