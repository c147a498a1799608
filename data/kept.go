package data

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// Decoded pictures are kept in a file of the cache: a line that says so, the length
// of a header, the header in JSON, the pixels and labels of the parts, and the
// SHA-256 of all that.
const (
	keptMagic  = "betalasso pictures 1\n"
	maxKeptHdr = 64 << 20
)

// keptHeader says what follows it.
type keptHeader struct {
	Fingerprint    string
	Channels, Side int
	Classes        []string
	Skipped        []string
	Counts         [3]int // of images to train, validate, test
}

// keptFile is the path of what is kept of the folder opt.Dir, or "".
func keptFile(opt Options) string {
	dir, err := CacheDir()
	if err != nil {
		return ""
	}
	path, err := filepath.Abs(opt.Dir)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d %d %v", path, opt.Side, opt.Channels, opt.SkipBad))
	return filepath.Join(dir, "own", OwnName(path)+"-"+hex.EncodeToString(sum[:6])+".pictures")
}

// writeKept makes path hold s, whole or not at all.
func writeKept(path, fingerprint string, s *Set) error {
	h := keptHeader{Fingerprint: fingerprint, Channels: s.Channels, Side: s.Side, Classes: s.Classes, Skipped: s.Skipped}
	all := []Images{s.Train, s.Val, s.Test}
	for i, im := range all {
		h.Counts[i] = im.Len()
	}
	head, err := json.Marshal(h)
	if err != nil {
		return err
	}
	sum := sha256.New()
	return writeWhole(path, func(w io.Writer) error {
		both := io.MultiWriter(w, sum)
		io.WriteString(both, keptMagic)
		binary.Write(both, binary.LittleEndian, uint32(len(head)))
		both.Write(head)
		for _, im := range all {
			both.Write(im.Pix)
			if err := binary.Write(both, binary.LittleEndian, im.Labels); err != nil {
				return err
			}
		}
		_, err := w.Write(sum.Sum(nil))
		return err
	})
}

// readKept reads what writeKept wrote for the fingerprint. Whatever is wrong with
// the file, the pictures are there to be decoded again.
func readKept(path, fingerprint string) (*Set, error) {
	f, size, err := openPlain(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseKept(bufio.NewReaderSize(f, 1<<20), size, fingerprint)
}

// parseKept is readKept of a file of size bytes.
func parseKept(in io.Reader, size int64, fingerprint string) (*Set, error) {
	sum := sha256.New()
	r := io.TeeReader(in, sum)
	start := make([]byte, len(keptMagic)+4)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(start[len(keptMagic):]))
	if !bytes.HasPrefix(start, []byte(keptMagic)) || n > maxKeptHdr || n > size {
		return nil, errors.New("no kept pictures")
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	var h keptHeader
	if err := json.Unmarshal(head, &h); err != nil {
		return nil, err
	}
	if h.Fingerprint != fingerprint {
		return nil, errors.New("of other pictures")
	}
	if h.Side < MinSide || h.Side > MaxSide || h.Channels != 1 && h.Channels != 3 {
		return nil, errors.New("a shape that cannot be")
	}
	s := &Set{Channels: h.Channels, Side: h.Side, Classes: h.Classes, Skipped: h.Skipped}
	each := int64(h.Channels * h.Side * h.Side)
	want := int64(len(start)) + n + sha256.Size
	for _, c := range h.Counts {
		if c < 0 || int64(c) > maxPix/each {
			return nil, errors.New("a count that cannot be")
		}
		want += int64(c) * (each + 2)
	}
	if want != size {
		return nil, fmt.Errorf("%d bytes, want %d", size, want)
	}
	for i, im := range []*Images{&s.Train, &s.Val, &s.Test} {
		*im = Images{Pix: make([]uint8, int64(h.Counts[i])*each), Labels: make([]uint16, h.Counts[i]), ImageSize: int(each)}
		if _, err := io.ReadFull(r, im.Pix); err != nil {
			return nil, err
		}
		if err := binary.Read(r, binary.LittleEndian, im.Labels); err != nil {
			return nil, err
		}
		for _, l := range im.Labels {
			if int(l) >= len(h.Classes) {
				return nil, errors.New("a label that cannot be")
			}
		}
	}
	got := sum.Sum(nil)
	mark := make([]byte, sha256.Size)
	if _, err := io.ReadFull(in, mark); err != nil {
		return nil, err
	}
	if !bytes.Equal(mark, got) {
		return nil, errors.New("its checksum is another")
	}
	return s, nil
}
