package data

import (
	"errors"
	"fmt"
	"io"
)

const (
	side      = 32
	channels  = 3
	plane     = side * side
	imageSize = channels * plane

	// imagesAtOnce is how many images a decoder reads at a time, so that memory
	// grows only with the bytes that really exist.
	imagesAtOnce = 256
)

// format is how the files of a data set are read.
type format interface {
	// read decodes what stands for f, size bytes of it, and appends it to im. A
	// user's own file may have more images than the publisher's, within reason.
	read(p *published, im Images, r io.Reader, size int64, f file) (Images, error)
	// count is the number of images in a file of size bytes, by its beginning.
	count(p *published, r io.Reader, size int64) (int, error)
	// growth is how many bytes of pixels a byte of a file holds at most, about.
	growth() int64
	// want describes what a file should be, for an error.
	want(p *published) string
}

// rowFiles are CIFAR's: rows of that many label bytes, the last of which counts,
// and the pixels in planes.
type rowFiles struct{ labels int }

func (l rowFiles) read(p *published, im Images, r io.Reader, size int64, f file) (Images, error) {
	return appendRows(im, r, size, 4*f.rows, l.labels, len(p.classes))
}

func (l rowFiles) count(p *published, _ io.Reader, size int64) (int, error) {
	return int(size) / (l.labels + p.imageSize()), nil
}

func (rowFiles) growth() int64 { return 1 }

func (l rowFiles) want(p *published) string {
	return fmt.Sprintf("rows of %d bytes, %d for labels and %d pixels", l.labels+p.imageSize(), l.labels, p.imageSize())
}

// appendRows reads rows of labels label bytes and im.ImageSize pixels, already in
// planes, to the end of r, and appends them to im. The last label byte counts:
// CIFAR-100 has the coarse label before the fine one. It returns im as far as
// it came, and refuses more than limit images; size is how many bytes r has.
func appendRows(im Images, r io.Reader, size int64, limit, labels, classes int) (Images, error) {
	row := labels + im.ImageSize
	if size > int64(limit)*int64(row) {
		return im, fmt.Errorf("%d bytes, want at most %d", size, int64(limit)*int64(row))
	}
	block := make([]byte, imagesAtOnce*row)
	for rows := 0; ; {
		n, err := fill(r, block)
		buf := block
		for ; n >= row; n -= row {
			if rows == limit {
				return im, fmt.Errorf("more than %d images", limit)
			}
			at := buf[:row]
			if int(at[labels-1]) >= classes {
				return im, fmt.Errorf("image %d has label %d, want less than %d", rows, at[labels-1], classes)
			}
			im.Labels = append(im.Labels, uint16(at[labels-1]))
			im.Pix = append(im.Pix, at[labels:]...)
			buf = buf[row:]
			rows++
		}
		switch {
		case err == nil:
			continue
		case err != io.EOF:
			return im, err
		case n > 0:
			return im, fmt.Errorf("ends inside image %d: %d of its %d bytes", rows, n, row)
		case rows == 0:
			return im, errors.New("empty")
		default:
			return im, nil
		}
	}
}

// fill reads until buf is full or r ends. The error is io.EOF at r's own end
// only: a source that breaks off, such as a truncated archive, keeps its error.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	if n == len(buf) {
		err = nil
	}
	return n, err
}
