package cpu

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAssemblyNames wants no function of Go to have the name of data in assembly: the
// linker would make the two one, without a word.
func TestAssemblyNames(t *testing.T) {
	asm, err := filepath.Glob("*.s")
	if err != nil || len(asm) == 0 {
		t.Fatal(err, "no assembly")
	}
	data := map[string]string{}
	for _, file := range asm {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^GLOBL\s+·(\w+)\(SB\)`).FindAllStringSubmatch(string(text), -1) {
			data[m[1]] = file
		}
	}
	if len(data) < 5 {
		t.Fatalf("found the names of %d data in assembly, want 5 or more", len(data))
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && data[fn.Name.Name] != "" {
				t.Errorf("%s: %s has the name of data in %s", file, fn.Name.Name, data[fn.Name.Name])
			}
		}
	}
}
