package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// percent is a share in percent.
func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

// points is a difference in percentage points, signed.
func points(d float64) string {
	if math.IsNaN(d) {
		return "–"
	}
	text := fmt.Sprintf("%+.1f", d)
	return strings.Replace(text, "-", "−", 1)
}

// commas writes a whole number in groups of three digits.
func commas(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// short writes a count with a suffix: 540, 62.2 k, 25.6 M.
func short(x float64) string {
	for _, u := range []struct {
		unit   float64
		suffix string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if x >= 0.9995*u.unit {
			return strconv.FormatFloat(round3(x/u.unit), 'f', -1, 64) + u.suffix
		}
	}
	return strconv.FormatFloat(round3(x), 'f', -1, 64)
}

// round3 rounds to three digits.
func round3(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// span is a time as text.
func span(seconds float64) string {
	if !(seconds >= 0 && seconds < 1e9) {
		return "an unknown time"
	}
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 100*time.Second:
		return fmt.Sprintf("%.3g s", seconds)
	case d < 100*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return commas(n) + " " + noun + "s"
}

// list joins words as in a sentence.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// exponent writes a small number as 1e−5; a line does not break at a minus.
func exponent(x float64) string {
	if x == 0 {
		return "0"
	}
	return strings.NewReplacer("e-0", "e−", "e-", "e−").Replace(strconv.FormatFloat(x, 'e', -1, 64))
}
