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

	// chunk is how many images a decoder reads at a time, so that memory grows
	// with the bytes that are really there.
	chunk = 256
)

// appendCIFAR reads rows of labels label bytes and 3072 pixels, already in
// planes, to the end of r, and appends them to im. The last label byte counts:
// CIFAR-100 has the coarse label before the fine one. It returns im as far as
// it came, and refuses more than limit images; size is how many bytes r has.
func appendCIFAR(im Images, r io.Reader, size int64, limit, labels, classes int) (Images, error) {
	row := labels + imageSize
	if size > int64(limit)*int64(row) {
		return im, fmt.Errorf("%d bytes, want at most %d", size, int64(limit)*int64(row))
	}
	block := make([]byte, chunk*row)
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
			im.Labels = append(im.Labels, at[labels-1])
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
