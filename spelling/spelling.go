// Package spelling guesses which word a mistyped one was meant to be.
package spelling

import (
	"fmt"
	"slices"
	"strings"
)

// Hint is `; did you mean "x"?` for the word that is nearest to got, or nothing
// where none is near: two letters off at most, the same letters, or a part of
// the word; without regard to case and to what divides words.
func Hint(got string, words []string) string {
	best, least := "", 3
	for _, w := range words {
		a, b := letters(got), letters(w)
		d := distance(a, b)
		switch {
		case d > 1 && sorted(a) == sorted(b): // as fc-3 for 3-fc
			d = 1
		case d > 2 && len(a) > 2 && strings.Contains(b, a): // as flip for flip-crop
			d = 2
		}
		if d < least {
			best, least = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// letters is a word without case or what divides its parts.
func letters(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(strings.ToLower(s))
}

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// distance is the number of letters to insert, drop or change to make a of b
// (Levenshtein's), or the length of an a that is too long for a word.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
