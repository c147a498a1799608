// Package data reads image sets from their publishers' files: those that the
// paper trains on (CIFAR-10, CIFAR-100, SVHN), MNIST and Fashion-MNIST. It
// generates one of its own, digits, offline, and reads the user's own images. It
// fetches, verifies, decodes and splits, and gives the order of the examples in
// an epoch. One table describes all sets (table.go).
package data

// Images are labelled images: each Channels·Side·Side bytes in planes as in
// the CIFAR files (all of red, then green, then blue, each row by row). A part
// of a set shares its Pix.
type Images struct {
	Pix       []uint8
	Labels    []uint16
	ImageSize int     // bytes an image
	places    []int32 // of the images in Pix; nil: one after the other
}

// Len is the number of images.
func (im Images) Len() int { return len(im.Labels) }

// Image is the pixels of image i.
func (im Images) Image(i int) []uint8 {
	p := im.place(i)
	return im.Pix[p*im.ImageSize : (p+1)*im.ImageSize]
}

func (im Images) place(i int) int {
	if im.places != nil {
		return int(im.places[i])
	}
	return i
}

// Set is one data set.
type Set struct {
	Name           string   // as in Names, or the user's for images of their own
	Classes        []string // by label
	Channels, Side int
	Train, Test    Images
	Val            Images // to validate, where the user's own images say which; else none
	Policy         string // of Fast AutoAugment
	Files          []File // what it was read from; none for one that is generated

	// Of the user's own images:
	Sum     string   // the beginning of a SHA-256 of them all
	Skipped []string // pictures that could not be read, with the reasons
}

// File is one file that a Set was read from.
type File struct {
	Path     string
	MD5      string
	Verified bool // the publisher's checksum
}
