package run

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"math"
	"slices"
	"strings"
)

// Checksum is the SHA-256, in hex, of the tensors' names, shapes and numbers, so
// that two runs' weights can be compared whatever else their files say.
func Checksum(list []Tensor) string {
	h := sha256.New()
	sumTensors(h, list)
	return hex.EncodeToString(h.Sum(nil))
}

func sumTensors(h hash.Hash, list []Tensor) {
	var buf []byte
	for _, t := range list {
		sumName(h, t)
		t.each(func(row []float32) error {
			for part := range slices.Chunk(row, bufferSize/4) {
				buf = appendNumbers(buf[:0], part)
				h.Write(buf)
			}
			return nil
		})
	}
}

// appendNumbers adds numbers to text as a checksum has them.
func appendNumbers(text []byte, list []float32) []byte {
	for _, x := range list {
		text = binary.LittleEndian.AppendUint32(text, math.Float32bits(x))
	}
	return text
}

// sumName adds the part of a checksum that precedes a tensor's numbers. Types
// other than F32 were added later and changed no checksum of F32.
func sumName(h io.Writer, t Tensor) {
	fmt.Fprintf(h, "%s %v%s\n", t.Name, t.Shape, t.DType)
}

// ofNetwork reports whether a tensor of a checkpoint is of the network, and not
// the optimiser's.
func ofNetwork(t Tensor) bool { return !strings.HasPrefix(t.Name, "velocity/") }

// eventSum adds up events: how many, and a checksum of all but their times, the
// work that was done and what Config.Returns records, which are of one training
// and not of its settings.
type eventSum struct {
	n    int
	hash hash.Hash
}

func newEventSum() *eventSum { return &eventSum{hash: sha256.New()} }

func (s *eventSum) add(e Event) {
	e.Seconds, e.ExamplesPerSecond, e.StepMS, e.MACs, e.DenseMACs = 0, 0, 0, 0, 0
	e.Returns = nil
	line, err := json.Marshal(summedEvent(e))
	if err != nil {
		panic(fmt.Sprintf("run: an event that was read cannot be written: %v", err))
	}
	s.hash.Write(append(line, '\n'))
	s.n++
}

// summedEvent is an Event as sums have it, whatever its own JSON leaves out. A
// field that Event gets later must be left out here at zero, for the sake of
// existing sums.
type summedEvent struct {
	Epoch             int            `json:"epoch"`
	Step              int            `json:"step"`
	LR                float64        `json:"lr"`
	TrainLoss         float64        `json:"train_loss"`
	TrainAcc          float64        `json:"train_acc"`
	ValLoss           float64        `json:"val_loss"`
	ValAcc            float64        `json:"val_acc"`
	Nonzero           map[string]int `json:"nonzero"`
	Seconds           float64        `json:"seconds"`
	ExamplesPerSecond float64        `json:"examples_per_second"`
	StepMS            float64        `json:"step_ms,omitempty"`
	MACs              float64        `json:"work,omitempty"`
	DenseMACs         float64        `json:"dense_work,omitempty"`

	Returns map[string]Returns `json:"returns,omitempty"`
}

// String is "COUNT SHA-256".
func (s *eventSum) String() string { return fmt.Sprintf("%d %x", s.n, s.hash.Sum(nil)) }

func sumEvents(list []Event) string {
	s := newEventSum()
	for _, e := range list {
		s.add(e)
	}
	return s.String()
}
