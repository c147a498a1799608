package augment

import (
	"fmt"
	"strings"
)

// The pipelines, as Config.Augment names them.
const (
	none     = "none"
	flipCrop = "flip-crop"
	fastAuto = "fast-autoaugment"
)

// Names are the pipelines, weakest first.
func Names() []string { return []string{none, flipCrop, fastAuto} }

// unknown says which pipelines there are and which one may be meant.
func unknown(name string) error {
	guess := ""
	for _, n := range Names() {
		if near(letters(name), letters(n)) {
			guess = fmt.Sprintf(" Did you mean %s?", n)
		}
	}
	return fmt.Errorf("augment: no pipeline %q; there are %s, %s and %s.%s", name, none, flipCrop, fastAuto, guess)
}

// letters is a name without case or what divides its words.
func letters(name string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
}

// near holds for names of which one is part of the other, or that differ in
// no more than a third of their letters.
func near(given, name string) bool {
	if len(given) < 3 || len(given) > 2*len(name) {
		return false
	}
	if strings.Contains(name, given) || strings.Contains(given, name) {
		return true
	}
	// Levenshtein's distance, row by row.
	row := make([]int, len(name)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(given) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(name) {
			swap := corner
			if given[i] != name[j] {
				swap++
			}
			corner = row[j+1]
			row[j+1] = min(swap, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(name)] <= max(1, len(name)/3)
}
