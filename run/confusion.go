package run

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Counts are numbers of images by predicted class. In JSON they are one line,
// "980 0 1".
type Counts []int

// MostConfused is the largest number of classes for which a result has a
// confusion matrix.
const MostConfused = 100

// MarshalText is the line.
func (c Counts) MarshalText() ([]byte, error) {
	var b []byte
	for i, n := range c {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return b, nil
}

// UnmarshalText reads the line.
func (c *Counts) UnmarshalText(text []byte) error {
	*c = nil
	for _, word := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 {
			return fmt.Errorf("%q is no number of images", Printable(word))
		}
		*c = append(*c, n)
	}
	return nil
}

// WriteConfusion writes a confusion matrix as CSV: a row for each class of
// images, a column for each predicted class.
func WriteConfusion(w io.Writer, classes []string, counts []Counts) error {
	c := csv.NewWriter(w)
	head := []string{"class"}
	for _, name := range classes { // a folder's, which may begin with =
		head = append(head, Cell(name))
	}
	c.Write(head)
	for i, row := range counts {
		line := []string{head[i+1]}
		for _, n := range row {
			line = append(line, strconv.Itoa(n))
		}
		c.Write(line)
	}
	c.Flush()
	return c.Error()
}
