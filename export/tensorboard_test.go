package export

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"betalasso/run"
)

// scalar is one point of a curve.
type scalar struct {
	step, tag string
	value     float32
	time      float64
}

// fields splits a protocol buffer message: the bytes of each field in turn.
func fields(t *testing.T, m []byte) (numbers []protowire.Number, values [][]byte) {
	t.Helper()
	for len(m) > 0 {
		number, kind, n := protowire.ConsumeTag(m)
		size := protowire.ConsumeFieldValue(number, kind, m[max(n, 0):])
		if n < 0 || size < 0 {
			t.Fatalf("no field at %x", m)
		}
		v := m[n : n+size]
		if kind == protowire.BytesType {
			v, _ = protowire.ConsumeBytes(v)
		}
		numbers, values = append(numbers, number), append(values, v)
		m = m[n+size:]
	}
	return numbers, values
}

// decodeEvents reads an event file as TensorFlow's documentation describes it.
func decodeEvents(t *testing.T, file []byte) (version string, list []scalar) {
	t.Helper()
	sum := func(data []byte) uint32 {
		c := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
		return c>>15 + c<<17 + 0xa282ead8
	}
	for len(file) > 0 {
		n := binary.LittleEndian.Uint64(file)
		if got := binary.LittleEndian.Uint32(file[8:]); got != sum(file[:8]) {
			t.Fatalf("the sum of a length is %x", got)
		}
		data := file[12 : 12+n]
		if got := binary.LittleEndian.Uint32(file[12+n:]); got != sum(data) {
			t.Fatalf("the sum of a record is %x", got)
		}
		file = file[16+n:]
		s := scalar{step: "none"}
		numbers, values := fields(t, data)
		for i, v := range values {
			switch numbers[i] {
			case 1:
				s.time = math.Float64frombits(binary.LittleEndian.Uint64(v))
			case 2:
				step, _ := protowire.ConsumeVarint(v)
				s.step = fmt.Sprint(step)
			case 3:
				version = string(v)
			case 5:
				_, points := fields(t, v)
				for _, p := range points {
					_, pair := fields(t, p)
					s.tag, s.value = string(pair[0]), math.Float32frombits(binary.LittleEndian.Uint32(pair[1]))
					list = append(list, s)
				}
			}
		}
	}
	return version, list
}

// TestTensorBoard: a folder for each run, with the curves of its events.
func TestTensorBoard(t *testing.T) {
	c := tinyConfig("s-fc")
	c.Epochs = 2
	d := trained(t, c)
	out := t.TempDir()
	if n, _, err := TensorBoard([]string{d.Path()}, out); n != 1 || err != nil {
		t.Fatalf("got %d runs, %v", n, err)
	}
	file, err := os.ReadFile(filepath.Join(out, "s-fc", eventFile))
	if err != nil {
		t.Fatal(err)
	}
	// Every event file in the world begins so.
	if want := []byte("\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\x22"); !bytes.HasPrefix(file, want) {
		t.Errorf("the file begins with % x, want % x", file[:12], want)
	}
	version, list := decodeEvents(t, file)
	if version != "brain.Event:2" {
		t.Errorf("the version is %q", version)
	}
	got := map[string]float32{}
	for i, s := range list {
		got[s.tag+" "+s.step] = s.value
		if i > 0 && s.time < list[i-1].time {
			t.Errorf("%s at %s is earlier than what comes before", s.tag, s.step)
		}
	}
	events, _ := d.Events()
	want := map[string]float32{}
	for _, e := range events {
		step := fmt.Sprintf(" %d", e.Epoch)
		want["loss/validation"+step], want["accuracy/validation"+step] = float32(e.ValLoss), float32(e.ValAcc)
		want["learning_rate"+step] = float32(e.LR)
		for layer, n := range e.Nonzero {
			want["nonzero/"+layer+step] = float32(n)
		}
		if e.Epoch > 0 {
			want["loss/train"+step], want["accuracy/train"+step] = float32(e.TrainLoss), float32(e.TrainAcc)
			want["speed/examples_per_second"+step] = float32(e.ExamplesPerSecond)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if took := list[len(list)-1].time - list[0].time; math.Abs(took-events[1].Seconds-events[2].Seconds) > 1e-5 {
		t.Errorf("the curves span %v s, want the %v s of both epochs", took, events[1].Seconds+events[2].Seconds)
	}
}

// Where nothing was held out there is no validation to show.
func TestTensorBoardWithoutValidation(t *testing.T) {
	file := tensorBoardFile([]run.Event{{Epoch: 1, TrainLoss: 1}}, 0, false)
	if _, list := decodeEvents(t, file); len(list) == 0 || slices.ContainsFunc(list, func(s scalar) bool { return strings.HasSuffix(s.tag, "/validation") }) {
		t.Errorf("got %v", list)
	}
}

func TestRunNames(t *testing.T) {
	for _, c := range []struct{ dirs, want string }{
		{"[runs/a]", "[a]"},
		{"[runs/a runs/b]", "[a b]"},
		{"[runs/x/a runs/y/a]", "[x/a y/a]"},
		{"[runs/x/a other/a]", "[runs/x/a other/a]"},
		{"[/p/a /q/b]", "[p/a q/b]"},
		{"[runs/a/b runs/a]", "[a/b a]"},
	} {
		var dirs []string
		for _, f := range bytes.Fields(bytes.Trim([]byte(c.dirs), "[]")) {
			dirs = append(dirs, string(f))
		}
		got, err := runNames(dirs)
		for i := range got {
			got[i] = filepath.ToSlash(got[i])
		}
		if fmt.Sprint(got) != c.want || err != nil {
			t.Errorf("%s: got %v, %v, want %s", c.dirs, got, err, c.want)
		}
	}
}
