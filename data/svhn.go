package data

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// matFiles are SVHN's.
type matFiles struct{}

func (matFiles) read(_ *published, im Images, r io.Reader, size int64, f file) (Images, error) {
	return appendSVHN(im, r, size, 4*f.rows)
}

func (matFiles) growth() int64 { return 2 } // the publisher's are shrunk by less than a half

func (matFiles) want(*published) string {
	return "a MATLAB level 5 file with X, [32 32 3 N], and y, [N 1]"
}

func (matFiles) count(_ *published, r io.Reader, size int64) (int, error) {
	m, err := newMatReader(r, size)
	if err != nil {
		return 0, err
	}
	found := errors.New("found") // ends the reading
	n := int64(0)
	err = m.each(func(m *matReader) error {
		a, err := m.array()
		if err != nil || a.name != "X" {
			return err
		}
		if n, err = a.images(int(size)); err != nil {
			return err
		}
		return found
	})
	if err == nil {
		err = errors.New("no X in it")
	}
	if err != found {
		return 0, err
	}
	return int(n), nil
}

// appendSVHN reads a MATLAB file of that many bytes with X [32, 32, 3, N], the
// images, and y [N, 1], their digits, and appends them to im. MATLAB keeps the
// first index closest, so each plane comes column by column and is turned;
// the publisher's label for the digit 0 is 10. More than limit images are
// refused.
func appendSVHN(im Images, r io.Reader, size int64, limit int) (Images, error) {
	if most := int64(limit+1) * 2 * imageSize; size > most {
		return im, fmt.Errorf("%d bytes, want at most %d", size, most)
	}
	m, err := newMatReader(r, size)
	if err != nil {
		return im, err
	}
	var pix, labels bool
	before := im.Len()
	pixBefore := len(im.Pix)
	err = m.each(func(m *matReader) error {
		a, err := m.array()
		if err != nil {
			return err
		}
		switch a.name {
		case "X":
			if pix {
				return errors.New("a second X")
			}
			pix = true
			n, err := a.images(limit)
			if err != nil {
				return err
			}
			return m.numbers(n*imageSize, func(b []byte) error {
				im.Pix = append(im.Pix, b...)
				return nil
			})
		case "y":
			if labels {
				return errors.New("a second y")
			}
			labels = true
			n, err := a.length(limit)
			if err != nil {
				return err
			}
			return m.numbers(n, func(b []byte) error {
				for _, v := range b {
					switch {
					case v > 10:
						return fmt.Errorf("label %d, want 1 to 10", v)
					case v == 10:
						v = 0
					}
					im.Labels = append(im.Labels, uint16(v))
				}
				return nil
			})
		}
		return nil
	})
	switch images := (len(im.Pix) - pixBefore) / imageSize; {
	case err != nil:
		return im, err
	case !pix || !labels:
		return im, errors.New("no X and y in it")
	case images != im.Len()-before:
		return im, fmt.Errorf("%d images in X and %d labels in y", images, im.Len()-before)
	case images == 0:
		return im, errors.New("no images in it")
	}
	for at := pixBefore; at < len(im.Pix); at += plane {
		transpose(im.Pix[at : at+plane])
	}
	return im, nil
}

// images is N where the array is X.
func (a matArray) images(limit int) (int64, error) {
	d := a.dims
	if len(d) == 3 { // one image: the last 1 is not written
		d = append(slices.Clone(d), 1)
	}
	if a.class < mxDOUBLE || a.class > mxUINT64 || a.complex || len(d) != 4 || d[0] != side || d[1] != side || d[2] != channels {
		return 0, fmt.Errorf("array X has class %d and size %v, want numbers, [32 32 3 N]", a.class, a.dims)
	}
	return a.counted(d[3], limit)
}

// length is N where the array is y.
func (a matArray) length(limit int) (int64, error) {
	if a.class < mxDOUBLE || a.class > mxUINT64 || a.complex || len(a.dims) != 2 || a.dims[0] != 1 && a.dims[1] != 1 {
		return 0, fmt.Errorf("array y has class %d and size %v, want numbers, [N 1]", a.class, a.dims)
	}
	return a.counted(a.dims[0]*a.dims[1], limit)
}

func (a matArray) counted(n int64, limit int) (int64, error) {
	if n > int64(limit) {
		return 0, fmt.Errorf("%s claims %d images, want at most %d", a.name, n, limit)
	}
	return n, nil
}

// transpose turns one 32x32 plane.
func transpose(p []uint8) {
	for r := range side {
		for c := range r {
			p[r*side+c], p[c*side+r] = p[c*side+r], p[r*side+c]
		}
	}
}
