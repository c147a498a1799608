package augment

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"io"
	"os"
	"strconv"
	"testing"
)

func unpack(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pictures are the images of testdata: shades, noise, shapes, a flat one, few
// values, dim.
func pictures(t testing.TB) [][]uint8 {
	t.Helper()
	all := unpack(t, "testdata/images.bin.gz")
	var p [][]uint8
	for len(all) > 0 {
		p, all = append(p, all[:3*32*32]), all[3*32*32:]
	}
	return p
}

// Every operation at every value that a policy holds, with both signs, and at
// a ladder of others, is what Pillow makes of it, byte for byte.
// testdata/goldens.py made the figures.
func TestOperationsArePILs(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(unpack(t, "testdata/goldens.csv.gz"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	images := pictures(t)
	var w workspace
	dst := make([]uint8, 3*32*32)
	wrong, cases := map[string]int{}, map[string]int{}
	for _, row := range rows {
		name, want := row[0], row[5]
		k, ok := kinds[name]
		if !ok {
			t.Fatalf("no operation %q", name)
		}
		v, x, y := number(t, row[1]), number(t, row[2]), number(t, row[3])
		n, err := strconv.Atoi(row[4])
		if err != nil {
			t.Fatal(err)
		}
		src := images[n]
		for i := range dst {
			dst[i] = 77
		}
		o := newOperation(k, v, 32)
		switch k {
		case cutout:
			cutoutAt(dst, src, 32, v, x, y)
		case shearX, shearY, translateX, translateY, rotate:
			o.moves[0].apply(dst, src, 32)
		default:
			o.apply(dst, src, 32, nil, &w)
		}
		cases[name]++
		sum := sha256.Sum256(dst)
		if got := hex.EncodeToString(sum[:8]); got != want {
			if wrong[name]++; wrong[name] <= 3 {
				t.Errorf("%s(%s) of image %d: got %s, want %s", name, row[1], n, got, want)
			}
		}
	}
	for name := range kinds {
		if cases[name] == 0 {
			t.Errorf("%s: no cases", name)
		}
		if wrong[name] > 0 {
			t.Errorf("%s: %d of %d cases differ", name, wrong[name], cases[name])
		}
	}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
