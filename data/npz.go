package data

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Bounds of .npz files beyond that of their numbers, maxPix.
const (
	maxMembers   = 64
	maxNPYHeader = 1 << 16
	maxNames     = 64 << 20 // bytes of classes' names
)

// npy is what comes before an array's numbers.
type npy struct {
	kind  byte // u, i, U or S, as NumPy has it
	width int  // bytes of a number, of a character of U 4, of a string of S
	count int  // characters of a string of U; else 1
	order binary.ByteOrder
	shape []int64
}

// readNPZ reads x_train, y_train, x_test, y_test and, where they are there, x_val,
// y_val and classes, the names. Images are bytes, [N, side, side], [N, side, side,
// channels] or [N, channels, side, side]; labels are whole numbers, [N] or [N, 1].
func readNPZ(ctx context.Context, path string, most int64) (*Set, error) {
	f, size, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := parseNPZ(ctx, f, size, most)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return s, err
}

// parseNPZ is readNPZ of a file of size bytes, whose images take no more than most:
// compressed, a few megabytes hold gigabytes.
func parseNPZ(ctx context.Context, in io.ReaderAt, size, most int64) (*Set, error) {
	z, err := zip.NewReader(in, size)
	if err != nil {
		return nil, err
	}
	if len(z.File) > maxMembers {
		return nil, fmt.Errorf("%d members, want at most %d", len(z.File), maxMembers)
	}
	s := &Set{}
	members := map[string]*zip.File{}
	for _, m := range z.File {
		members[strings.TrimSuffix(m.Name, ".npy")] = m
	}
	classes := 0
	for _, part := range []struct {
		name string
		to   *Images
	}{{"train", &s.Train}, {"val", &s.Val}, {"test", &s.Test}} {
		x, y := members["x_"+part.name], members["y_"+part.name]
		if x == nil && y == nil && part.name != "train" {
			continue
		}
		if x == nil || y == nil {
			return nil, fmt.Errorf("no x_%s and y_%s in it; it has %s", part.name, part.name, strings.Join(memberNames(z), ", "))
		}
		if err := s.npzImages(ctx, x, size, most, part.to); err != nil {
			return nil, fmt.Errorf("x_%s: %w", part.name, err)
		}
		most -= int64(len(part.to.Pix))
		if part.to.Labels, err = npzLabels(ctx, y, size, len(part.to.Pix)/part.to.ImageSize); err != nil {
			return nil, fmt.Errorf("y_%s: %w", part.name, err)
		}
		for _, l := range part.to.Labels {
			classes = max(classes, int(l)+1)
		}
	}
	s.Val.ImageSize, s.Test.ImageSize = s.Train.ImageSize, s.Train.ImageSize
	s.Classes = numberedClasses(classes)
	if m := members["classes"]; m != nil {
		names, err := npzNames(m, size)
		if err != nil {
			return nil, fmt.Errorf("classes: %w", err)
		}
		if len(names) < classes {
			return nil, fmt.Errorf("classes: %d names, and labels up to %d", len(names), classes-1)
		}
		s.Classes = cleanNames(names)
	}
	return s, nil
}

func memberNames(z *zip.Reader) (names []string) {
	for _, m := range z.File {
		names = append(names, strconv.QuoteToGraphic(m.Name))
	}
	return names
}

// member opens an array: its header and its numbers, of which there are as many
// bytes as the header says, at most most and at most what a file of size bytes
// can hold.
func member(m *zip.File, size, most int64) (npy, io.ReadCloser, int64, error) {
	var a npy
	in, err := m.Open()
	if err != nil {
		return a, nil, 0, err
	}
	if a, err = npyHeader(in); err != nil {
		in.Close()
		return a, nil, 0, err
	}
	n := int64(a.width * a.count)
	for _, d := range a.shape {
		if d < 0 || d > 0 && n > most/d {
			in.Close()
			return a, nil, 0, fmt.Errorf("shape %v is more than can be", a.shape)
		}
		n *= d
	}
	if n > size*deflateMost {
		in.Close()
		return a, nil, 0, fmt.Errorf("shape %v, and %d bytes for it", a.shape, size)
	}
	return a, in, n, nil
}

var (
	npyDescr   = regexp.MustCompile(`['"]descr['"]:\s*['"]([<>|=]?)([a-zA-Z])(\d{1,6})['"]`)
	npyFortran = regexp.MustCompile(`['"]fortran_order['"]:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`['"]shape['"]:\s*\(([\d,\s]*)\)`)
)

// npyHeader reads the header of a .npy file.
func npyHeader(r io.Reader) (npy, error) {
	var a npy
	start := make([]byte, 10)
	if _, err := io.ReadFull(r, start); err != nil {
		return a, fmt.Errorf("ends inside its header: %w", err)
	}
	if string(start[:6]) != "\x93NUMPY" {
		return a, errors.New("no NumPy array")
	}
	n := int(binary.LittleEndian.Uint16(start[8:]))
	if start[6] > 1 {
		more := make([]byte, 2)
		if _, err := io.ReadFull(r, more); err != nil {
			return a, fmt.Errorf("ends inside its header: %w", err)
		}
		n |= int(binary.LittleEndian.Uint16(more)) << 16
	}
	if n > maxNPYHeader {
		return a, fmt.Errorf("a header of %d bytes, want at most %d", n, maxNPYHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return a, fmt.Errorf("ends inside its header: %w", err)
	}
	descr, fortran, shape := npyDescr.FindSubmatch(text), npyFortran.FindSubmatch(text), npyShape.FindSubmatch(text)
	if descr == nil || fortran == nil || shape == nil {
		return a, fmt.Errorf("a header that is not understood: %.100q", text)
	}
	if string(fortran[1]) == "True" {
		return a, errors.New("it is in Fortran's order; save numpy.ascontiguousarray of it")
	}
	a.order = binary.LittleEndian
	if string(descr[1]) == ">" {
		a.order = binary.BigEndian
	}
	a.kind, a.count = descr[2][0], 1
	a.width, _ = strconv.Atoi(string(descr[3]))
	if a.kind == 'U' {
		a.count, a.width = a.width, 4
	}
	for _, d := range strings.FieldsFunc(string(shape[1]), func(r rune) bool { return r == ',' || r <= ' ' }) {
		v, err := strconv.ParseInt(d, 10, 40)
		if err != nil || len(a.shape) == 8 {
			return a, fmt.Errorf("shape (%s)", shape[1])
		}
		a.shape = append(a.shape, v)
	}
	return a, nil
}

// npzImages reads images into im, and their shape into s where it has none yet.
func (s *Set) npzImages(ctx context.Context, m *zip.File, size, most int64, im *Images) error {
	a, in, n, err := member(m, size, maxPix)
	if err != nil {
		return err
	}
	defer in.Close()
	if a.kind != 'u' || a.width != 1 {
		return fmt.Errorf("its numbers are %c%d, want bytes (uint8) from 0 to 255", a.kind, a.width)
	}
	d := a.shape
	channels, side, last := int64(1), int64(0), false // last: the channels are the innermost
	grey := func(c int64) bool { return c == 1 || c == 3 }
	switch {
	case len(d) == 3 && d[1] == d[2]:
		side = d[1]
	case len(d) == 4 && d[1] == d[2] && grey(d[3]):
		side, channels, last = d[1], d[3], true
	case len(d) == 4 && d[2] == d[3] && grey(d[1]):
		side, channels = d[2], d[1]
	default:
		return fmt.Errorf("shape %v, want [N, side, side], [N, side, side, channels] or [N, channels, side, side]", d)
	}
	if side < 1 || side > 1<<12 {
		return fmt.Errorf("shape %v: images of side %d, want at most %d", d, side, 1<<12)
	}
	if s.Side == 0 {
		s.Side, s.Channels = int(side), int(channels)
	}
	if s.Side != int(side) || s.Channels != int(channels) {
		return fmt.Errorf("shape %v, and those to train on are %d x %d x %d", d, s.Channels, s.Side, s.Side)
	}
	if n > most {
		return fmt.Errorf("shape %v takes %.1f GB, where %.1f GB are the most", d, float64(n)/1e9, float64(most)/1e9)
	}
	im.ImageSize = s.Channels * s.Side * s.Side
	im.Pix = make([]byte, 0, n)
	r := bufio.NewReaderSize(reader{ctx, in}, 1<<14)
	one, turned := make([]byte, im.ImageSize), make([]byte, im.ImageSize)
	for range n / int64(im.ImageSize) {
		if _, err := io.ReadFull(r, one); err != nil {
			return fmt.Errorf("ends after %d of %d bytes: %w", len(im.Pix), n, err)
		}
		if last && channels == 3 {
			area := len(one) / 3
			for i := range area {
				turned[i], turned[area+i], turned[2*area+i] = one[3*i], one[3*i+1], one[3*i+2]
			}
			im.Pix = append(im.Pix, turned...)
			continue
		}
		im.Pix = append(im.Pix, one...)
	}
	return ended(r)
}

// ended is an error where something follows or the member's checksum is wrong.
func ended(r io.Reader) error {
	n, err := io.CopyN(io.Discard, r, 1)
	if n > 0 {
		return errors.New("it goes on after its last number")
	}
	if err != io.EOF {
		return err
	}
	return nil
}

// npzLabels reads n labels.
func npzLabels(ctx context.Context, m *zip.File, size int64, n int) ([]uint16, error) {
	a, in, bytes, err := member(m, size, maxPix)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	flat := len(a.shape) == 1 || len(a.shape) == 2 && a.shape[1] == 1
	if a.kind != 'u' && a.kind != 'i' || !slices.Contains([]int{1, 2, 4, 8}, a.width) || !flat {
		return nil, fmt.Errorf("numbers %c%d, shape %v; want whole numbers, [N] or [N, 1]", a.kind, a.width, a.shape)
	}
	if bytes/int64(a.width) != int64(n) {
		return nil, fmt.Errorf("%d labels, and %d images", bytes/int64(a.width), n)
	}
	r := bufio.NewReader(reader{ctx, in})
	labels := make([]uint16, n)
	var b [8]byte
	for i := range labels {
		if _, err := io.ReadFull(r, b[:a.width]); err != nil {
			return nil, fmt.Errorf("ends after %d of %d labels: %w", i, n, err)
		}
		v := uint64(b[0])
		switch a.width {
		case 2:
			v = uint64(a.order.Uint16(b[:]))
		case 4:
			v = uint64(a.order.Uint32(b[:]))
		case 8:
			v = a.order.Uint64(b[:])
		}
		if v >= maxClasses || a.kind == 'i' && a.width < 4 && v>>(8*a.width-1) != 0 {
			return nil, fmt.Errorf("label %d is not from 0 to %d", i, maxClasses-1)
		}
		labels[i] = uint16(v)
	}
	return labels, ended(r)
}

// npzNames reads an array of strings.
func npzNames(m *zip.File, size int64) ([]string, error) {
	a, in, n, err := member(m, size, maxNames)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	each := a.width * a.count
	if a.kind != 'U' && a.kind != 'S' || len(a.shape) != 1 || a.shape[0] > maxClasses || each == 0 {
		return nil, fmt.Errorf("%c, shape %v; want at most %d strings", a.kind, a.shape, maxClasses)
	}
	text, err := io.ReadAll(io.LimitReader(in, n+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) != n {
		return nil, fmt.Errorf("%d bytes, want %d", len(text), n)
	}
	names := make([]string, a.shape[0])
	for i := range names {
		b := text[i*each:][:each]
		if a.kind == 'S' {
			names[i] = string(bytes.TrimRight(b, "\x00"))
			continue
		}
		var runes []rune
		for ; len(b) > 0; b = b[4:] {
			if c := a.order.Uint32(b); c != 0 {
				runes = append(runes, rune(c))
			}
		}
		names[i] = string(runes)
	}
	return names, nil
}
