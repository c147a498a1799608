package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// allowed says which of our packages each of our packages may import; tests
// may import more. ARCHITECTURE.md has the same in words.
var allowed = map[string][]string{
	"run":     {"data", "augment", "disk", "spelling"},
	"data":    {"spelling"},
	"augment": {"spelling"},

	"paper":               {},
	"filters":             {},
	"spelling":            {},
	"pictures":            {},
	"disk":                {},
	"compute":             {},
	"compute/ref":         {"compute"},
	"compute/cpu":         {"compute"},
	"compute/computetest": {"compute", "compute/ref"},
	"nn":                  {"compute"},
	"model":               {"nn", "compute", "run", "spelling"},
	"optim":               {"nn", "compute"},
	"train":               {"run", "data", "augment", "filters", "model", "optim", "nn", "compute"},
	"studies":             {"paper", "plan", "model", "run"},
	"plan":                {"run", "model", "data", "filters", "train", "sweep", "compute"},
	"report":              {"run", "augment", "filters", "paper", "pictures", "compare"},
	"sweep":               {"run", "disk", "model", "spelling"},
	"compare":             {"run", "data", "augment"},
	"index":               {"run"},
	"watch":               {"run", "report"},
	"explain":             {"nn", "compute"},
	"export":              {"run", "model", "nn", "compute", "filters"},
}

func TestImportsGoOneWay(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root && d.Name() != ".." || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		if strings.HasPrefix(pkg, "cmd/") || strings.HasPrefix(pkg, "examples/") || strings.HasPrefix(pkg, "bench/") {
			return nil
		}
		may, known := allowed[pkg]
		if !known {
			t.Errorf("%s: package %s is not in the list of what may import what", path, pkg)
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if ours, ok := strings.CutPrefix(name, "betalasso/"); ok && !slices.Contains(may, ours) {
				t.Errorf("%s imports %s, which %s may not", path, ours, pkg)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
