package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"betalasso/compute"
	"betalasso/data"
	"betalasso/export"
	"betalasso/model"
	"betalasso/nn"
	"betalasso/run"
	"betalasso/train"
)

// importCommand is `betalasso import`.
type importCommand struct {
	Weights string `arg:"" help:"safetensors file of a PyTorch state_dict"`
	Out     string `placeholder:"DIR" help:"the run's directory (default runs/imported-NAME, by the file's name)"`
	JSON    bool   `name:"json" help:"one JSON object: the result (default off)"`

	Model  string    `placeholder:"NAME" group:"network" help:"${models}, or a network's file (default: by the weights)"`
	Alpha  *int      `placeholder:"N" group:"network" help:"base channels α; not for 3-fc (default: by the file)"`
	Width  *int      `placeholder:"N" group:"network" help:"hidden units per layer of 3-fc (default: by the file)"`
	Kernel *int      `placeholder:"N" group:"network" help:"kernel size of resnet18 (default: by the file)"`
	Mean   []float64 `placeholder:"R,G,B" group:"network" help:"mean subtracted in training from pixels of 0 to 1 (default: by the file, or the data set's)"`
	Std    []float64 `placeholder:"R,G,B" group:"network" help:"standard deviation that they were divided by (default: by the file, or the data set's)"`

	Data     string  `placeholder:"NAME|PATH" group:"data" help:"${datasets}; or your own, as train takes them (default: by the file, or cifar10)"`
	DataDir  string  `placeholder:"DIR" group:"data" help:"folder with its files (default: the cache, downloaded)"`
	Side     *int    `placeholder:"N" group:"data" help:"pixels of an image's side, which is resized (default: by the file, or as it is)"`
	Channels *int    `placeholder:"1|3" group:"data" help:"make the images grey or coloured (default: by the file, or as they are)"`
	SkipBad  bool    `name:"skip-bad" group:"data" help:"leave out pictures that cannot be read (default: by the file)"`
	Val      *int    `placeholder:"N" group:"data" help:"training examples held out to validate (default: by the file, or 5000, of your own a tenth)"`
	Seed     *uint64 `placeholder:"N" group:"data" help:"of the split into them, and of the filters shown (default: by the file, or 1)"`
	Threads  int     `default:"0" placeholder:"N" group:"data" help:"changes no result; 0 is all cores (default 0)"`
}

// Help is the end of `betalasso import --help`.
func (importCommand) Help() string {
	return `Example: export a network, import it again, and get the same score:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 1 --out runs/mine
    betalasso export runs/mine --format safetensors --out mine.safetensors
    betalasso import mine.safetensors --out runs/back
    betalasso eval runs/back && betalasso filters runs/back

The tensors must have the names and shapes that docs/export.md lists. For a file from another program, the names and shapes determine the network and its size; flags give the rest:

    betalasso import net.safetensors --data cifar10 --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5
    betalasso import net.safetensors --data pictures/flowers --side 32 --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5`
}

// Run makes the directory.
func (i *importCommand) Run() error {
	if i.Out == "" {
		i.Out = filepath.Join("runs", "imported-"+strings.TrimSuffix(filepath.Base(i.Weights), filepath.Ext(i.Weights)))
	}
	if run.Vacant(i.Out) != nil {
		return usageError{fmt.Errorf("%s holds a run already, and import makes a new one; choose another --out, or remove it", i.Out)}
	}
	weights, err := export.Read(i.Weights)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, export.ErrPickle) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	c, err := i.config(weights)
	if err != nil {
		return err
	}
	s := newSession(i.JSON)
	defer s.close()
	set, err := s.load(c)
	if err != nil {
		return err
	}
	dev, err := newDevice(c)
	if err != nil {
		return err
	}
	size := model.Size{Alpha: c.Alpha, Width: c.Width, Kernel: c.Kernel, Network: c.Network, Channels: set.Channels, Side: set.Side, Classes: len(set.Classes), Batch: 1}
	n, err := weights.Network(dev, c, size)
	if err != nil {
		return fmt.Errorf("%s: %w", i.Weights, err)
	}
	white, err := whiten(dev, c, set, c.Batch)
	if err != nil {
		return err
	}
	if err := n.CheckWhitening(white); err != nil {
		return usageError{fmt.Errorf("%s: %w", i.Weights, err)}
	}
	if err := i.normalise(n, weights, c, set); err != nil {
		return err
	}
	r, err := imported(n, c, set, dev, white)
	if err != nil {
		return err
	}
	d, err := run.Create(i.Out, c)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := keep(d, n, r, set); err != nil {
		return errors.Join(err, d.Remove())
	}
	if s.json {
		s.newMeter().object(r)
	}
	s.tell(d.Path(), r)
	return nil
}

// keep writes the files of an imported run.
func keep(d *run.Dir, n *export.Network, r run.Result, set *data.Set) error {
	c := d.Config()
	state := run.State{Epoch: c.Epochs, BestEpoch: r.Best.Epoch, BestValAcc: r.Best.ValAcc, LastValAcc: r.Last.ValAcc}
	if err := d.SaveCheckpoint(state, n.Own()); err != nil {
		return err
	}
	if err := d.WriteFilters(train.Filters(n.Net, set.Channels, set.Side, c.Seed)); err != nil {
		return err
	}
	return d.WriteResult(r)
}

// config is the run's Config: what the file says, what the flags say, and that
// it is imported.
func (i *importCommand) config(w *export.Weights) (run.Config, error) {
	c := w.Config
	if i.Model != "" && i.Model != c.Model {
		c.Model, c.Network, c.Alpha, c.Width, c.Kernel = i.Model, "", 0, 0, 0
		if model.IsFile(i.Model) {
			n, text, err := model.ReadFile(i.Model)
			if err != nil {
				return c, usageError{fmt.Errorf("model: %w", err)}
			}
			c.Model, c.Network = n.Name, text
		}
	}
	if i.Alpha != nil {
		c.Alpha = *i.Alpha
	}
	if i.Width != nil {
		c.Width = *i.Width
	}
	if i.Kernel != nil {
		c.Kernel = *i.Kernel
	}
	if i.Val != nil {
		c.Val = *i.Val
	}
	if i.Seed != nil {
		c.Seed = *i.Seed
	}
	c.DataDir, c.Threads, c.Precision = i.DataDir, i.Threads, precision(c.Precision)
	if err := i.settleData(&c); err != nil {
		return c, err
	}
	if c.Model == "" {
		return c, usageError{fmt.Errorf("model: the tensors' names do not tell; give it with --model. The file has %s, ..., where docs/export.md has conv1.weight or fc1.weight", w.Tensors[0].Name)}
	}
	sum, err := checksum(i.Weights)
	if err != nil {
		return c, err
	}
	c.Imported = fmt.Sprintf("%s, SHA-256 %s", filepath.Base(i.Weights), sum[:16])
	return c, c.Validate()
}

// settleData sets whose images they are, as train does, and how they are read: as
// the file says about its own images, unless flags say otherwise.
func (i *importCommand) settleData(c *run.Config) error {
	file, own := *c, data.IsOwn(i.Data)
	if i.Data != "" && (own || i.Data != c.Data) {
		c.Data, c.SVHNExtra, c.DataSum = i.Data, false, ""
		if !own || file.DataSum == "" {
			c.Side, c.Channels, c.SkipBad = 0, 0, false
		}
	}
	if i.Side != nil {
		c.Side = *i.Side
	}
	if i.Channels != nil {
		c.Channels = *i.Channels
	}
	c.SkipBad = c.SkipBad || i.SkipBad
	if c.DataSum != "" { // the file's own: --data-dir says where they are
		return nil
	}
	given := origin{"data": byFlag}
	if i.Val != nil {
		given["val"] = byFlag
	}
	if i.DataDir != "" {
		given["data-dir"] = byFlag
	}
	if err := (settings{Data: i.Data, Val: c.Val}).settleData(c, given); err != nil {
		return err
	}
	if own && i.Val == nil && c.DataSum == file.DataSum {
		c.Val = file.Val
	}
	return nil
}

// checksum is the SHA-256 of a file in hex.
func checksum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// normalise adapts n to images normalised as runs of c normalise them.
func (i *importCommand) normalise(n *export.Network, w *export.Weights, c run.Config, set *data.Set) error {
	images, _, err := train.Split(set, c)
	if err != nil {
		return err
	}
	mean, std := data.MeanStd(images, set.Channels)
	for _, f := range []struct {
		to   *[]float64
		list [3][]float64
	}{
		{&n.Mean, [3][]float64{i.Mean, w.Mean, mean}},
		{&n.Std, [3][]float64{i.Std, w.Std, std}},
	} {
		for _, v := range f.list {
			if *f.to == nil {
				*f.to = v
			}
		}
	}
	if i.Mean == nil && w.Mean == nil || i.Std == nil && w.Std == nil {
		fmt.Fprintf(os.Stderr, "warning: %s does not say by which channel means and deviations its images were normalised; those of %s are assumed (mean %s, std %s). If they were others, the accuracy here is too low: give them with --mean and --std\n",
			i.Weights, set.Name, listed(n.Mean), listed(n.Std))
	}
	exact, err := n.Renormalise(mean, std)
	if err != nil {
		return usageError{err}
	}
	if !exact {
		fmt.Fprintf(os.Stderr, "warning: %s was trained with other channel means, and its windows reach over the images' borders: its answers here differ a little from those there\n", i.Weights)
	}
	return nil
}

// listed are numbers as a flag takes them.
func listed(values []float64) string {
	var parts []string
	for _, v := range values {
		parts = append(parts, fmt.Sprintf("%.4g", v))
	}
	return strings.Join(parts, ",")
}

// imported is the result of n on the data, behind a whitening or none.
func imported(n *export.Network, c run.Config, set *data.Set, dev compute.Device, white *nn.Whitening) (run.Result, error) {
	scores, err := train.Evaluate(train.Options{Config: c, Device: dev, Whiten: white, Set: set, Threads: threads(c)}, n.Own())
	if err != nil {
		return run.Result{}, err
	}
	images, val, err := train.Split(set, c)
	if err != nil {
		return run.Result{}, err
	}
	if n.Epoch < 1 || n.Epoch > c.Epochs {
		n.Epoch = c.Epochs
	}
	score := run.Score{Epoch: n.Epoch, ValAcc: scores.ValAcc, TestAcc: scores.TestAcc, TestLoss: scores.TestLoss}
	r := run.Result{
		Last: score, Best: score,
		Machine: run.ThisMachine(threads(c), dev.Name()), PeakRSS: run.PeakRSS(),
		Version: run.Version(), Go: run.GoVersion(),
		DataSet: train.DescribeData(set, images, val),
		Seed:    c.Seed, WeightsSum: run.Checksum(n.Own()),
	}
	for _, f := range set.Files {
		r.Sources = append(r.Sources, run.Source{File: filepath.Base(f.Path), MD5: f.MD5, Verified: f.Verified})
	}
	r.Layers = n.Layers()
	for _, l := range r.Layers {
		r.Params += l.Params
	}
	return r, nil
}
