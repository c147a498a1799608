package main

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"betalasso/compute/cpu"
)

// The manual page has every command and every flag that --help shows, and
// nothing in it is taken for a request to roff that is not one.
func TestManual(t *testing.T) {
	t.Parallel()
	page, _ := want(t, 0, "docs", "--man")
	reference, _ := want(t, 0, "docs")
	plain := strings.NewReplacer(`\-`, "-", `\e`, `\`, `\&`, "").Replace(page)
	terms := regexp.MustCompile("(?m)^## (.*)$|^\\| `(.*?)` \\|").FindAllStringSubmatch(reference, -1)
	if len(terms) < 100 {
		t.Fatalf("got %d commands and flags in the reference, want more than 100", len(terms))
	}
	for _, m := range terms {
		if line := ".SS \"" + m[1] + "\"\n"; m[1] != "" && !strings.Contains(plain, line) {
			t.Errorf("no section for %s", m[1])
		}
		if line := "\n.B " + m[2] + "\n"; m[2] != "" && !strings.Contains(plain, line) {
			t.Errorf("no entry for %s", m[2])
		}
	}
	requests := []string{`.\"`, ".TH", ".SH", ".SS", ".B", ".I", ".RI", ".PP", ".TP", ".RS", ".RE", ".nf", ".fi"}
	for line := range strings.Lines(page) {
		if word := strings.Fields(line + " x")[0]; strings.HasPrefix(word, ".") && !slices.Contains(requests, word) || strings.HasPrefix(word, "'") {
			t.Errorf("roff would take this line for a request: %q", line)
		}
	}
	if got, want := roff(`.a-b\c`), `\&.a\-b\ec`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("no groff")
	}
	c := exec.Command(groff, "-k", "-man", "-Tutf8", "-ww", "-z")
	c.Stdin = strings.NewReader(page)
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	stdout, _ := want(t, 0, "version", "--json")
	var r versionResult
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err, stdout)
	}
	if r.Go != runtime.Version() || r.OS != runtime.GOOS+"/"+runtime.GOARCH || r.Cores != runtime.NumCPU() || r.Features == nil ||
		!slices.Equal(r.FP32, cpu.Kernels(false)) || !slices.Equal(r.BF16, cpu.Kernels(true)) {
		t.Errorf("got %+v", r)
	}
	if slices.Contains(r.FP32, "avx512") && !slices.Contains(r.Features, "AVX512F") || slices.Contains(r.FP32, "avx2") && !slices.Contains(r.Features, "AVX2") {
		t.Errorf("kernels %v that the processor, with %v, cannot run", r.FP32, r.Features)
	}
	stdout, _ = want(t, 0, "version")
	for _, w := range []string{"betalasso ", r.CPU, "bf16: kernel " + r.BF16[0], "fp32: kernel " + r.FP32[0], "--precision auto"} {
		if !strings.Contains(stdout, w) {
			t.Errorf("no %q in %s", w, stdout)
		}
	}
}
