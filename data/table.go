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
	name   string
	use    use
	rows   int    // images in it, or labels
	beside bool   // it holds the labels of another file's images
	md5    string // of the whole file
	url    string // "" where it comes inside the archive
	size   int64  // bytes; 0 where the publisher's figure is not known
}

// archive is the one download that holds a set's files.
type archive struct {
	name, url, md5, sha256 string
	size                   int64
}

// published is what is known of one data set, its row of the table. Whoever
// needs to know something of a data set asks the table.
type published struct {
	name           string
	title          string
	channels, side int      // of an image
	classes        []string // by label
	files          []file
	format         format // how the files are read
	archive        archive
	folder         string // the files' folder in the archive and in the cache
	decoy          string // a folder that is taken for it and is not
	npm            *npmPackage
	module         *goModule
	policy         string // of Fast AutoAugment, as in package augment
	terms          string
	drawn          *drawn // for a set that is made here and has no files
}

// drawn is a set that is made here.
type drawn struct {
	train, test int // images
	draw        func() *Set
}

// sets is the table, in the order of Names.
var sets = []*published{
	{
		name: "cifar10", title: "CIFAR-10, binary version", folder: "cifar-10-batches-bin", decoy: "cifar-10-batches-py",
		channels: 3, side: 32, classes: cifar10Classes,
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
		format: rowFiles{labels: 1}, npm: &cifar10Package, policy: "cifar",
		terms: "no licence stated; cite Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images",
	},
	{
		name: "cifar100", title: "CIFAR-100, binary version, fine labels", folder: "cifar-100-binary", decoy: "cifar-100-python",
		channels: 3, side: 32, classes: cifar100Classes,
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
		format: rowFiles{labels: 2}, policy: "cifar",
		terms: "no licence stated; cite Krizhevsky (2009), Learning Multiple Layers of Features from Tiny Images",
	},
	{
		name: "svhn", title: "SVHN, cropped digits", folder: "svhn",
		channels: 3, side: 32, classes: digitClasses,
		files: []file{
			{name: "train_32x32.mat", rows: 73257, md5: "e26dedcc434d2e4c54c9b2d4a06d8373", size: 182040794,
				url: "http://ufldl.stanford.edu/housenumbers/train_32x32.mat"},
			{name: "test_32x32.mat", use: test, rows: 26032, md5: "eb5a983be6a315427106f1b164d9cef3", size: 64275384,
				url: "http://ufldl.stanford.edu/housenumbers/test_32x32.mat"},
			{name: "extra_32x32.mat", use: extra, rows: 531131, md5: "a93ce644f1a588dc4d68dda5feec44a7",
				url: "http://ufldl.stanford.edu/housenumbers/extra_32x32.mat"},
		},
		format: matFiles{}, policy: "svhn",
		terms: "for non-commercial use only; cite Netzer et al. (2011), Reading Digits in Natural Images",
	},
	{
		name: "mnist", title: "MNIST, handwritten digits", folder: "mnist",
		channels: 1, side: 28, classes: digitClasses,
		files: []file{
			{name: "train-images-idx3-ubyte.gz", rows: 60000, md5: "f68b3c2dcbeaaa9fbdd348bbdeb94873", size: 9912422,
				url: "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz"},
			{name: "train-labels-idx1-ubyte.gz", rows: 60000, beside: true, md5: "d53e105ee54ea40749a09fcbcd1e9432", size: 28881,
				url: "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz"},
			{name: "t10k-images-idx3-ubyte.gz", use: test, rows: 10000, md5: "9fb629c4189551a2d022fa330f9573f3", size: 1648877,
				url: "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz"},
			{name: "t10k-labels-idx1-ubyte.gz", use: test, rows: 10000, beside: true, md5: "ec29112dd5afa0611ce80d1b7f02629c", size: 4542,
				url: "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz"},
		},
		format: idxFiles{}, module: &mnistModule, policy: "svhn",
		terms: "no licence stated; cite LeCun et al. (1998), Gradient-Based Learning Applied to Document Recognition",
	},
	{
		name: "fashion-mnist", title: "Fashion-MNIST, Zalando's articles", folder: "fashion-mnist",
		channels: 1, side: 28, classes: fashionClasses,
		files: []file{
			{name: "train-images-idx3-ubyte.gz", rows: 60000, md5: "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
				url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz"},
			{name: "train-labels-idx1-ubyte.gz", rows: 60000, beside: true, md5: "25c81989df183df01b3e8a0aad5dffbe",
				url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz"},
			{name: "t10k-images-idx3-ubyte.gz", use: test, rows: 10000, md5: "bef4ecab320f06d8554ea6380940ec79",
				url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz"},
			{name: "t10k-labels-idx1-ubyte.gz", use: test, rows: 10000, beside: true, md5: "bb300cfdad3c16e7a12a480ee83cd310",
				url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz"},
		},
		format: idxFiles{}, policy: "cifar",
		terms: "MIT; cite Xiao, Rasul and Vollgraf (2017), arXiv 1708.07747",
	},
	{
		name: "digits", title: "house-number-like digits, generated on the fly",
		channels: 3, side: 32, classes: digitClasses, policy: "cifar",
		drawn: &drawn{20000, 5000, func() *Set { return Digits(20000, 5000, 1) }},
		terms: "generated; no download",
	},
}

// Names are the data sets that Load knows by name.
func Names() []string {
	var names []string
	for _, p := range sets {
		names = append(names, p.name)
	}
	return names
}

// Info describes one data set.
type Info struct {
	Name, Title    string
	Channels, Side int
	Classes        []string
	Train, Test    int      // images
	URLs           []string // where its publisher keeps it; none for a set that is generated
	Bytes          int64    // of the download, as far as known
	Extra          bool     // it has further training images, read only when asked for
	Policy         string   // of Fast AutoAugment
	Terms          string   // what its publisher asks of those who use it
}

// Describe tells what is known of the named set.
func Describe(name string) (Info, error) {
	p, err := find(name)
	if err != nil {
		return Info{}, err
	}
	in := Info{
		Name: p.name, Title: p.title, Channels: p.channels, Side: p.side, Classes: p.classes,
		Bytes: p.archive.size, Policy: p.policy, Terms: p.terms,
	}
	if p.drawn != nil {
		in.Train, in.Test = p.drawn.train, p.drawn.test
	}
	if p.archive.url != "" {
		in.URLs = []string{p.archive.url}
	}
	for _, f := range p.files {
		switch {
		case f.use == extra:
			in.Extra = true
		case f.beside:
		case f.use == test:
			in.Test += f.rows
		default:
			in.Train += f.rows
		}
		if f.url != "" {
			in.URLs = append(in.URLs, f.url)
		}
		in.Bytes += f.size
	}
	return in, nil
}

// find is the row of that name, or an error that says which there are.
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

// imageSize is the bytes of an image.
func (p *published) imageSize() int { return p.channels * p.side * p.side }
