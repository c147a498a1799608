package run

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable is text from a file or a folder's name, made safe to show: what a
// terminal would obey (escapes, line ends), what changes the direction of the
// surrounding text, and what is not UTF-8 are replaced by \x1b and the like.
func Printable(text string) string {
	if !strings.ContainsFunc(text, hidden) && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		_, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case hidden(r) && r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden reports whether a character is obeyed and not shown.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// Cell is text as a cell of a CSV file. Spreadsheets take one that begins with =,
// +, - or @ for a formula, and are kept from it by an apostrophe.
func Cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// PrintableLines is Printable of each line of a text.
func PrintableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(Printable(strings.ReplaceAll(line, "\t", "    ")), "\r", "")
	}
	return strings.Join(lines, "\n")
}
