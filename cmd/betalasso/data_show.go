package main

import (
	"fmt"
	"image/png"
	"io"

	"betalasso/augment"
	"betalasso/data"
	"betalasso/pictures"
	"betalasso/plan"
	"betalasso/run"
)

// dataShowCommand is `betalasso data show`.
type dataShowCommand struct {
	Name     string `arg:"" help:"${datasets}; or the path of your own images"`
	Out      string `placeholder:"FILE" help:"the picture (default NAME.png)"`
	Augment  string `default:"fast-autoaugment" placeholder:"HOW" help:"none, flip-crop, fast-autoaugment, or fast-autoaugment:P for a share P of the images (default fast-autoaugment)"`
	Images   int    `default:"10" placeholder:"N" help:"images of the training set (default 10)"`
	Seed     uint64 `default:"1" placeholder:"N" help:"of the choice and of the augmentation (default 1)"`
	Side     int    `default:"0" placeholder:"N" help:"resize images to N x N pixels (default: as they are)"`
	Channels int    `default:"0" placeholder:"1|3" help:"make the images grey or coloured (default: as they are)"`
	SkipBad  bool   `name:"skip-bad" help:"skip images that cannot be read (default off)"`
	DataDir  string `placeholder:"DIR" help:"folder with the data set's files (default: the cache, downloaded)"`
}

// Help is the end of `betalasso data show --help`.
func (dataShowCommand) Help() string {
	return `Example:

    betalasso data show digits --out digits.png

Each row is an image with its class: the original, then five versions as the network sees it in training.`
}

// Columns of the sheet beside the image as it is.
const shownAugmented = 5

// Run draws the sheet.
func (d *dataShowCommand) Run() error {
	c := run.Default()
	flags := settings{Data: d.Name, DataDir: d.DataDir, Val: c.Val}
	c.Data, c.DataDir, c.Augment, c.Side, c.Channels, c.SkipBad = d.Name, d.DataDir, d.Augment, d.Side, d.Channels, d.SkipBad
	given := origin{}
	if d.DataDir != "" {
		given["data-dir"] = byFlag
	}
	if err := flags.settleData(&c, given); err != nil {
		return err
	}
	if c.DataSum == "" {
		if _, err := data.Describe(c.Data); err != nil {
			return usageError{err}
		}
	}
	if d.Images < 1 || d.Images > 100 {
		return usageError{fmt.Errorf("images: must be from 1 to 100, not %d", d.Images)}
	}
	s := newSession(false)
	defer s.close()
	set, err := s.load(c)
	if err != nil {
		return err
	}
	if err := s.unguarded(); err != nil {
		return err
	}
	some, err := data.Limit(set.Train, len(set.Classes), d.Images, d.Seed)
	if err != nil {
		return err
	}
	mean, std := data.MeanStd(set.Train, set.Channels)
	pipe, err := augment.New(d.Augment, set.Policy, set.Channels, set.Side, mean, std)
	if err != nil {
		return usageError{err}
	}
	heads := []string{"as it is", d.Augment}
	var rows []pictures.Row
	var scratch augment.Scratch
	seen := make([]float32, set.Train.ImageSize)
	for i := range min(d.Images, some.Len()) {
		row := pictures.Row{Label: run.Printable(set.Classes[some.Labels[i]]), Images: [][]uint8{some.Image(i)}}
		for k := range shownAugmented {
			pipe.Apply(seen, some.Image(i), augment.Seed(d.Seed, k, i), &scratch)
			row.Images = append(row.Images, pixels(seen, mean, std))
		}
		rows = append(rows, row)
	}
	if d.Out == "" {
		d.Out = c.Data + ".png"
	}
	sheet := pictures.Sheet(heads, rows, set.Channels, set.Side, max(1, 96/set.Side))
	if err := run.WriteWhole(d.Out, func(w io.Writer) error { return png.Encode(w, sheet) }); err != nil {
		return err
	}
	fmt.Printf("%s: %d of %s training images of %s, %d x %d x %d, %d classes\n",
		run.Printable(d.Out), len(rows), plan.Thousands(set.Train.Len()), run.Printable(set.Name), set.Channels, set.Side, set.Side, len(set.Classes))
	return nil
}

// pixels are the bytes of an image that was normalised.
func pixels(x []float32, mean, std []float64) []uint8 {
	pix := make([]uint8, len(x))
	area := len(x) / len(mean)
	for i, v := range x {
		c := i / area
		pix[i] = uint8(min(255, max(0, 255*(float64(v)*std[c]+mean[c])+0.5)))
	}
	return pix
}
