package data

import (
	"bytes"
	"encoding/binary"
)

// orientation is the orientation of the picture in b by its EXIF data: 1 upright,
// 2 to 8 rotated or mirrored, as TIFF's tag Orientation numbers them. Without
// EXIF data that is understood it is 1.
func orientation(b []byte) int {
	exif := bytes.TrimPrefix(exifOf(b), []byte("Exif\x00\x00"))
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(exif, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(exif, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return 1
	}
	first := from(exif, 4, 4)
	if first == nil {
		return 1
	}
	at := int64(order.Uint32(first))
	head := from(exif, at, 2)
	if head == nil {
		return 1
	}
	for i := range int64(order.Uint16(head)) {
		entry := from(exif, at+2+12*i, 12)
		if entry == nil {
			return 1
		}
		const tag, short = 0x112, 3
		if order.Uint16(entry) != tag {
			continue
		}
		o := order.Uint16(entry[8:])
		if order.Uint16(entry[2:]) != short || order.Uint32(entry[4:]) != 1 || o < 1 || o > 8 {
			return 1
		}
		return int(o)
	}
	return 1
}

// from are n bytes of b from at on; nil where it has them not.
func from(b []byte, at, n int64) []byte {
	if at < 0 || at > int64(len(b))-n {
		return nil
	}
	return b[at : at+n]
}

// exifOf is the EXIF of a JPEG, PNG or WebP picture, or nil.
func exifOf(b []byte) []byte {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8")):
		return exifOfJPEG(b)
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return chunkOf(b, 8, func(head []byte) ([]byte, int64, int64) {
			return head[4:], int64(binary.BigEndian.Uint32(head)), 4 // a CRC follows
		}, "eXIf")
	case len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return chunkOf(b, 12, func(head []byte) ([]byte, int64, int64) {
			n := int64(binary.LittleEndian.Uint32(head[4:]))
			return head[:4], n, n & 1 // an even length
		}, "EXIF")
	}
	return nil
}

// exifOfJPEG looks through the segments before the picture's own data.
func exifOfJPEG(b []byte) []byte {
	const app1, startOfScan = 0xe1, 0xda
	for at := int64(2); ; {
		head := from(b, at, 4)
		if head == nil || head[0] != 0xff {
			return nil
		}
		marker := head[1]
		switch {
		case marker == 0xff: // a byte that fills
			at++
			continue
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd7: // these stand alone
			at += 2
			continue
		case marker == startOfScan:
			return nil
		}
		n := int64(binary.BigEndian.Uint16(head[2:])) // itself among them
		segment := from(b, at+2, n)
		if n < 2 || segment == nil {
			return nil
		}
		if marker == app1 && bytes.HasPrefix(segment[2:], []byte("Exif\x00\x00")) {
			return segment[2:]
		}
		at += 2 + n
	}
}

// chunkOf is the first chunk of that name. read says of the eight bytes before a
// chunk what its name is, how long it is, and how many bytes follow it.
func chunkOf(b []byte, at int64, read func(head []byte) (name []byte, n, after int64), name string) []byte {
	for {
		head := from(b, at, 8)
		if head == nil {
			return nil
		}
		got, n, after := read(head)
		if string(got) == name {
			return from(b, at+8, n)
		}
		at += 8 + n + after
	}
}

// lying says how a picture lies that is to be seen otherwise.
type lying struct{ flipX, flipY, swap bool }

// lyings are those of the orientations from 1 on: the picture is mirrored along
// either axis of its own, and then rows become columns.
var lyings = [...]lying{
	{false, false, false}, {true, false, false}, {true, true, false}, {false, true, false},
	{false, false, true}, {false, true, true}, {true, true, true}, {true, false, true},
}

// place is the place in a square of n x n pixels of what is seen at (x, y).
func (l lying) place(n, x, y int) int {
	if l.swap {
		x, y = y, x
	}
	if l.flipX {
		x = n - 1 - x
	}
	if l.flipY {
		y = n - 1 - y
	}
	return y*n + x
}

// middle is where the middle n of all pixels begin along an axis: of the two
// middles of an odd border the one that is to the left, or above, as it is seen.
func middle(all, n int, flipped bool) int {
	if flipped {
		return (all - n + 1) / 2
	}
	return (all - n) / 2
}
