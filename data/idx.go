package data

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// idxFiles are MNIST's: gzip files of bytes with a header of big-endian numbers,
// images [N, side, side] in one and labels [N] in another.
type idxFiles struct{}

// Headers of IDX files: two zero bytes, the type of the numbers, how many
// dimensions there are; then the dimensions.
const (
	idxLabels = 0x00000801 // unsigned bytes, one dimension
	idxImages = 0x00000803
)

func (idxFiles) growth() int64 { return deflateMost }

// deflateMost is how many bytes DEFLATE makes of one at most.
const deflateMost = 1032

func (idxFiles) want(p *published) string {
	return fmt.Sprintf("a gzip file of bytes in the IDX form, [N %d %d] for images or [N] for labels", p.side, p.side)
}

func (idxFiles) read(p *published, im Images, r io.Reader, size int64, f file) (Images, error) {
	return appendIDX(im, r, size, 4*f.rows, f.beside, p.side, len(p.classes))
}

func (idxFiles) count(p *published, r io.Reader, size int64) (int, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return 0, err
	}
	n, _, err := idxHeader(z, p.side)
	return int(min(n, size*deflateMost)), err
}

// idxHeader reads the header of images of that side or of labels.
func idxHeader(r io.Reader, side int) (n int64, labels bool, err error) {
	var head [4]uint32
	read := func(i int) bool {
		var b [4]byte
		if _, e := io.ReadFull(r, b[:]); e != nil {
			err = fmt.Errorf("ends inside its header: %w", e)
		}
		head[i] = binary.BigEndian.Uint32(b[:])
		return err == nil
	}
	if !read(0) {
		return 0, false, err
	}
	switch head[0] {
	case idxLabels:
		read(1)
		return int64(head[1]), true, err
	case idxImages:
		if !read(1) || !read(2) || !read(3) {
			return 0, false, err
		}
		if head[2] != uint32(side) || head[3] != uint32(side) {
			return 0, false, fmt.Errorf("images of %d by %d pixels, want %d by %d", head[2], head[3], side, side)
		}
		return int64(head[1]), false, nil
	}
	return 0, false, fmt.Errorf("begins with %#08x, want %#08x for images or %#08x for labels", head[0], idxImages, idxLabels)
}

// appendIDX reads a gzip file of size bytes and appends to im its labels or, if
// not labels, its images of that side. More than limit are refused.
func appendIDX(im Images, r io.Reader, size int64, limit int, labels bool, side, classes int) (Images, error) {
	z, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return im, err
	}
	n, isLabels, err := idxHeader(z, side)
	switch {
	case err != nil:
		return im, err
	case isLabels != labels && labels:
		return im, errors.New("it holds images, want labels")
	case isLabels != labels:
		return im, errors.New("it holds labels, want images")
	case n > int64(limit):
		return im, fmt.Errorf("it claims %d images, want at most %d", n, limit)
	case n == 0:
		return im, errors.New("no images in it")
	}
	each := int64(1)
	if !labels {
		each = int64(im.ImageSize)
	}
	if n*each > size*deflateMost {
		return im, fmt.Errorf("it claims %d images and has %d bytes", n, size)
	}
	block := make([]byte, min(n*each, imagesAtOnce*each))
	for at, left := int64(0), n*each; left > 0; {
		b := block[:min(left, int64(len(block)))]
		if got, err := fill(z, b); err == io.EOF {
			return im, fmt.Errorf("ends after %d of %d bytes", n*each-left+int64(got), n*each)
		} else if err != nil {
			return im, err
		}
		left -= int64(len(b))
		if !labels {
			im.Pix = append(im.Pix, b...)
			continue
		}
		for _, v := range b {
			if int(v) >= classes {
				return im, fmt.Errorf("label %d is %d, want less than %d", at, v, classes)
			}
			im.Labels = append(im.Labels, uint16(v))
			at++
		}
	}
	// To the end, for the checksum, and no further than there should be anything.
	switch n, err := io.CopyN(io.Discard, z, 1); {
	case n > 0:
		return im, errors.New("it goes on after its last number")
	case err != io.EOF:
		return im, err
	}
	return im, nil
}
