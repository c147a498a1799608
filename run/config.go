// Package run says what a run is: its Config, the Event of each epoch, its
// Result, and the directory of plain files that holds them. It does no
// arithmetic. Training writes a run's directory; reports read it; nothing else
// passes between them.
package run

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Config is everything that determines a run's numbers, and the place of its
// data. The yaml names are those of `betalasso train`'s flags.
type Config struct {
	Model  string `yaml:"model" json:"model"`                       // one of Models, or the name that Network gives itself
	Alpha  int    `yaml:"alpha,omitempty" json:"alpha,omitempty"`   // α, base channels (all but 3-fc)
	Width  int    `yaml:"width,omitempty" json:"width,omitempty"`   // hidden units (3-fc)
	Kernel int    `yaml:"kernel,omitempty" json:"kernel,omitempty"` // side of the windows (resnet18)

	// Network is the text of the file that describes a network that is not one
	// of Models; see package model.
	Network string `yaml:"network,omitempty" json:"network,omitempty"`

	Data    string `yaml:"data" json:"data"`                       // as in data.Names, or what the user calls their own images
	Val     int    `yaml:"val" json:"val"`                         // examples of the training set held out for validation
	Train   int    `yaml:"train,omitempty" json:"train,omitempty"` // use only this many training examples; 0: all
	Augment string `yaml:"augment" json:"augment"`                 // of package augment: none, flip-crop, fast-autoaugment, fast-autoaugment:P

	// AugmentUntil is the part of the epochs after which images are only cropped and
	// mirrored; 0: Augment is that of all epochs.
	AugmentUntil float64 `yaml:"augment-until,omitempty" json:"augment_until,omitempty"`

	// Whiten is ε if the pixels are whitened before the first layer, by ZCA of the training
	// images: (C + ε·v·I)^-½, with their covariance C and the mean v of their variances.
	// 0: they are not, as in the paper.
	Whiten float64 `yaml:"whiten,omitempty" json:"whiten,omitempty"`

	// DataSum identifies the user's own images, which are in DataDir and named
	// Data, by their content: the beginning of a SHA-256. Data is then not a name
	// in the table of data sets.
	DataSum  string `yaml:"data-sum,omitempty" json:"data_sum,omitempty"`
	Side     int    `yaml:"side,omitempty" json:"side,omitempty"`         // pixels of an image's side, which is resized; 0: as it is
	Channels int    `yaml:"channels,omitempty" json:"channels,omitempty"` // 1 grey, 3 colour; 0: as it is
	SkipBad  bool   `yaml:"skip-bad,omitempty" json:"skip_bad,omitempty"` // leave out pictures that cannot be read

	// SVHNExtra adds SVHN's extra images to its training set. The paper did not
	// use them, as far as its figures show; Fast AutoAugment's authors did.
	SVHNExtra bool `yaml:"svhn-extra,omitempty" json:"svhn_extra,omitempty"`

	Optimizer   string  `yaml:"optimizer" json:"optimizer"` // sgd, beta-lasso
	LR          float64 `yaml:"lr" json:"lr"`               // η at the first step; cosine to 0 at the last
	Momentum    float64 `yaml:"momentum" json:"momentum"`
	WeightDecay float64 `yaml:"weight-decay" json:"weight_decay"`
	Beta        float64 `yaml:"beta" json:"beta"`               // β
	LambdaConv  float64 `yaml:"lambda-conv" json:"lambda_conv"` // λ of the layer that corresponds to the convolution
	LambdaFC    float64 `yaml:"lambda-fc" json:"lambda_fc"`     // λ of the fully connected layers
	Dropout     float64 `yaml:"dropout" json:"dropout"`         // probability, before the last two fully connected layers

	// Regrowth is N if zero weights are examined only every N steps and stay zero
	// in the others, which is not the paper's algorithm. 0: at every step.
	Regrowth int `yaml:"regrowth,omitempty" json:"regrowth,omitempty"`

	// FromSum identifies the weights that the training began with, if not with random ones:
	// the beginning of the Checksum of another run's. That run is in the directory From.
	FromSum string `yaml:"from-sum,omitempty" json:"from_sum,omitempty"`
	From    string `yaml:"from,omitempty" json:"from,omitempty"`

	Epochs int    `yaml:"epochs" json:"epochs"`
	Batch  int    `yaml:"batch" json:"batch"`
	Seed   uint64 `yaml:"seed" json:"seed"`

	Precision string `yaml:"precision" json:"precision"`                 // auto, fp32, bf16; in a run's directory never auto
	Threads   int    `yaml:"threads,omitempty" json:"threads,omitempty"` // 0: all cores; changes no number
	Sparse    string `yaml:"sparse,omitempty" json:"sparse,omitempty"`   // auto (or ""), off: weights stay dense; changes no number
	Returns   bool   `yaml:"returns,omitempty" json:"returns,omitempty"` // events record the zero weights that return; changes no number
	DataDir   string `yaml:"data-dir,omitempty" json:"data_dir,omitempty"`

	// Name and Note are the user's own words for the run. They change no number.
	Name string `yaml:"name,omitempty" json:"name,omitempty"`
	Note string `yaml:"note,omitempty" json:"note,omitempty"`

	// Imported is the file, and the beginning of its SHA-256, of weights that
	// were trained elsewhere. How they were trained is then known only as far as
	// the file said. Such a Config cannot be trained.
	Imported string `yaml:"imported,omitempty" json:"imported,omitempty"`
}

// Layer is the count of one weight matrix.
type Layer struct {
	Name    string `json:"name"` // conv1, fc1, fc2, ...
	Params  int    `json:"params"`
	Nonzero int    `json:"nonzero"`
}

// Event is one line of events.jsonl: the state after one epoch. Epoch 0 is the
// state before the first step, which has no training loss. What was not measured
// is 0 here and absent from the file.
type Event struct {
	Epoch             int            `json:"epoch"` // 1 after the first pass
	Step              int            `json:"step"`
	LR                float64        `json:"lr,omitzero"` // of the epoch's last step
	TrainLoss         float64        `json:"train_loss,omitzero"`
	TrainAcc          float64        `json:"train_acc,omitzero"` // 0 to 1, on augmented examples as trained
	ValLoss           float64        `json:"val_loss,omitzero"`
	ValAcc            float64        `json:"val_acc,omitzero"`
	Nonzero           map[string]int `json:"nonzero"` // by layer name
	Seconds           float64        `json:"seconds"` // of this epoch, training and validation
	ExamplesPerSecond float64        `json:"examples_per_second,omitzero"`
	StepMS            float64        `json:"step_ms,omitempty"`    // milliseconds of a training step, on average
	MACs              float64        `json:"work,omitempty"`       // multiply-adds of the epoch's products, as they were done
	DenseMACs         float64        `json:"dense_work,omitempty"` // and as dense products of all weights would take

	// Returns is what Config.Returns records, by layer name, of those before a batch norm.
	Returns map[string]Returns `json:"returns,omitempty"`
}

// Returns counts the weights of one layer that were 0 before a step and not after
// it, over the steps of an epoch, and says of which units they were. Std and Left
// are histograms: of the standard deviation σ of a unit's output in that step's
// batch, as batch norm divides by it, and of the non-zero weights that the unit had
// before the step.
type Returns struct {
	Weights int   `json:"weights"`
	Most    int   `json:"most,omitempty"`  // of these weights, in the step with the most
	Steps   []int `json:"steps,omitempty"` // of these weights, by step; none of an epoch of more than ReturnSteps
	Std     []int `json:"std,omitempty"`   // of these weights, by StdBin of their unit
	Left    []int `json:"left,omitempty"`  // of these weights, by LeftBin of their unit

	// Norm is the Euclidean norm of all weights of the layer after the epoch's last step:
	// gradients behind a batch norm grow as one over it.
	Norm float64 `json:"norm,omitempty"`

	// Of all units of the layer, at the epoch's last step: what Std and Left are to
	// be compared with.
	UnitStd  []int `json:"unit_std,omitempty"`
	UnitLeft []int `json:"unit_left,omitempty"`
}

// ReturnSteps is the most steps of an epoch by which Returns counts weights.
const ReturnSteps = 1000

// The bins of Returns. StdBin's are eight to a factor of ten, from √ε of batch
// norm, below which no σ falls; LeftBin's are 0, 1, 2 to 3, 4 to 7, ...
const (
	StdBins  = 36
	LeftBins = 18
)

// StdBin is the bin of a standard deviation.
func StdBin(std float64) int {
	return min(max(int(math.Floor(8*(math.Log10(std)+2.5))), 0), StdBins-1)
}

// StdOf is the standard deviation in the middle of a bin.
func StdOf(bin int) float64 { return math.Pow(10, (float64(bin)+0.5)/8-2.5) }

// LeftBin is the bin of a number of weights.
func LeftBin(n int) int { return min(bits.Len(uint(n)), LeftBins-1) }

// Score is the outcome on the test set of one state of the network.
type Score struct {
	Epoch    int     `json:"epoch"`
	ValAcc   float64 `json:"val_acc"`
	TestAcc  float64 `json:"test_acc"` // 0 to 1
	TestLoss float64 `json:"test_loss"`
}

// Source is one file that the data came from.
type Source struct {
	File     string `json:"file"` // its name without the folder
	MD5      string `json:"md5"`
	Verified bool   `json:"verified"` // equals the publisher's checksum
}

// Result is result.json: the outcome of a finished run.
type Result struct {
	Last        Score    `json:"last"`
	Best        Score    `json:"best"` // of the epoch with the best validation accuracy
	Params      int      `json:"params"`
	Layers      []Layer  `json:"layers"` // weight matrices, input to output, counted at the end
	WallSeconds float64  `json:"wall_seconds"`
	PeakRSS     int64    `json:"peak_rss_bytes"`
	Machine     Machine  `json:"machine"`
	Version     string   `json:"version"`
	Go          string   `json:"go"`
	Sources     []Source `json:"data_sources"`
	DataSet     DataSet  `json:"data_set"`
	Seed        uint64   `json:"seed"`
	WeightsSum  string   `json:"weights_sha256"` // of the last epoch's weights: Checksum
	Files       FileSums `json:"files,omitzero"` // set by WriteResult

	// Confusion counts the test images of each class (row) by the class that the
	// last epoch's weights predict (column); none beyond MostConfused classes.
	Confusion []Counts `json:"confusion,omitempty"`

	// Unrounded is of the weights as they were trained, where those of the directory
	// were rounded to be published; the scores, counts and sums above are of these.
	Unrounded *Unrounded `json:"unrounded,omitempty"`
}

// Unrounded is what a Result said before its run's weights were rounded.
type Unrounded struct {
	Last       Score   `json:"last"`
	Best       Score   `json:"best"`
	WeightsSum string  `json:"weights_sha256"`
	Below      float64 `json:"below,omitempty"` // weights of smaller magnitude were then set to 0; 0: none
}

// DataSet says what was trained on.
type DataSet struct {
	Name  string `json:"name"`
	Train int    `json:"train"`
	Val   int    `json:"val"`
	Test  int    `json:"test"`

	// The input and the classes of the run's network; not in runs of earlier
	// versions.
	Channels    int       `json:"channels,omitempty"`
	Side        int       `json:"side,omitempty"`
	Classes     []string  `json:"classes,omitempty"` // names by label
	Mean        []float64 `json:"mean,omitempty"`    // by channel, of pixels from 0 to 1
	Std         []float64 `json:"std,omitempty"`
	Skipped     []string  `json:"skipped,omitempty"` // pictures that could not be read; the first hundred
	SkippedMore int       `json:"skipped_more,omitempty"`
}

// Machine says what it was trained on.
type Machine struct {
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Threads int    `json:"threads"`
	Device  string `json:"device"` // compute.Device.Name
	OS      string `json:"os"`
}

// SizeText is the size of c's network in words: "α = 28", "width 9", "α = 8,
// kernel 7", or "" where it has but one.
func (c Config) SizeText() string {
	var words []string
	if c.Alpha > 0 {
		words = append(words, fmt.Sprintf("α = %d", c.Alpha))
	}
	if c.Width > 0 {
		words = append(words, fmt.Sprintf("width %d", c.Width))
	}
	if c.Kernel > 0 {
		words = append(words, fmt.Sprintf("kernel %d", c.Kernel))
	}
	return strings.Join(words, ", ")
}
