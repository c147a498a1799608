package examples

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// notebook is what the test reads of a Jupyter notebook.
type notebook struct {
	Cells []struct {
		Outputs []struct {
			Name string
			Data map[string]any
		}
	}
}

// shown is what a notebook's cells have shown: the words of each table, and the
// number of pictures.
func shown(t *testing.T, path string) (tables [][]string, pictures int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var n notebook
	if err := json.Unmarshal(text, &n); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, c := range n.Cells {
		for _, o := range c.Outputs {
			if o.Data["image/png"] != nil {
				pictures++
			} else if lines, ok := o.Data["text/plain"].([]any); ok {
				var words []string
				for _, l := range lines {
					words = append(words, strings.Fields(l.(string))...)
				}
				tables = append(tables, words)
			}
		}
	}
	return tables, pictures
}

// TestNotebook runs notebook.ipynb and compares what its cells show to what they
// showed when it was saved.
func TestNotebook(t *testing.T) {
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import pandas, matplotlib, nbconvert, ipykernel").Run() != nil {
		t.Skipf("%s has no pandas, matplotlib, nbconvert and ipykernel", python)
	}
	dir := t.TempDir()
	if text, err := exec.Command("go", "build", "-o", filepath.Join(dir, "betalasso"), "../cmd/betalasso").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	run := exec.Command(python, "-m", "nbconvert", "--to", "notebook", "--execute", "notebook.ipynb", "--output-dir", dir, "--output", "executed.ipynb")
	run.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	if text, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	want, pictures := shown(t, "notebook.ipynb")
	got, drawn := shown(t, filepath.Join(dir, "executed.ipynb"))
	if len(want) != 3 || pictures != 3 {
		t.Errorf("the saved notebook shows %d tables and %d pictures, want 3 of each", len(want), pictures)
	}
	if drawn != pictures || len(got) != len(want) {
		t.Fatalf("got %d tables and %d pictures, want those of the saved notebook: %d and %d", len(got), drawn, len(want), pictures)
	}
	for i := range want {
		if g, w := strings.Join(got[i], " "), strings.Join(want[i], " "); g != w {
			t.Errorf("table %d differs from the saved notebook's:\ngot  %s\nwant %s", i+1, g, w)
		}
	}
}
