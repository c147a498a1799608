package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hostile are texts by which a YAML library can be kept busy without end.
func hostile() map[string]string {
	aliases := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	merges := "m0: &m0 {x: 1}\n"
	for i := range 9 {
		before, now := string(rune('0'+i)), string(rune('1'+i))
		aliases += "a" + now + ": &a" + now + " [*a" + before + strings.Repeat(", *a"+before, 8) + "]\n"
		merges += "m" + now + ": &m" + now + " {<<: *m" + before + "}\n"
	}
	return map[string]string{
		"aliases":        aliases,
		"merges":         merges,
		"brackets":       strings.Repeat("[", 60_000),
		"more brackets":  strings.Repeat("[", 400_000),
		"braces":         strings.Repeat("{a: ", 15_000),
		"dashes":         strings.Repeat("- ", 30_000),
		"question marks": strings.Repeat("? ", 30_000),
		"unknown keys":   strings.Repeat("key: 1\n", 9000),
		"a long comment": "#" + strings.Repeat("x", 1<<20),
		"steps to the side": func() (text string) {
			for i := range 300 {
				text += strings.Repeat(" ", i) + "a:\n"
			}
			return text
		}(),
		"tags":      "a: !!binary x\n",
		"documents": strings.Repeat("---\n", 15_000) + "&a b",
		"escapes":   "model: \x1b[31m\n",
		"an escape in quotes": `imported: "\e[31m"
alpha: 1
`,
	}
}

func TestHostileConfigs(t *testing.T) {
	path := filepath.Join(t.TempDir(), ConfigFile)
	for name, text := range hostile() {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error that names the file", name, err)
		} else if text := err.Error(); len(text) > 2000 || text != PrintableLines(text) {
			t.Errorf("%s: the error cannot be shown: %d bytes, %.200q", name, len(text), text)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"runs/mine é 漢": "runs/mine é 漢", "a\x1b[31mb": `a\x1b[31mb`, "a\r\nb": `a\x0d\x0ab`, "\u009b31m": `\x9b31m`,
		"\u202eevil": `\u202eevil`, "\xff\xfe": `\xff\xfe`, "\x7f": `\x7f`, "": "",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := PrintableLines("a\tb\r\n\x1bc"); got != "a    b\\x0d\n\\x1bc" {
		t.Errorf("lines: got %q", got)
	}
	for text, want := range map[string]string{"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "s-fc": "s-fc", "": "", "a=b": "a=b"} {
		if got := Cell(text); got != want {
			t.Errorf("cell %q: got %q, want %q", text, got, want)
		}
	}
}
