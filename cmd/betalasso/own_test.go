package main

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/run"
)

// squares is a folder of two classes, warm and cold squares, with n pictures each.
func squares(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "my squares")
	for class, c := range map[string]color.RGBA{"cold": {40, 80, 230, 255}, "warm": {240, 120, 30, 255}} {
		if err := os.MkdirAll(filepath.Join(dir, class), 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			m := image.NewRGBA(image.Rect(0, 0, 30+i, 24))
			for at := range m.Pix {
				m.Pix[at] = uint8(at * at >> 3 & 63)
			}
			for y := range 12 {
				for x := range 12 {
					m.SetRGBA(x+9+i%6, y+i%8, c)
				}
			}
			f, err := os.Create(filepath.Join(dir, class, fmt.Sprintf("%03d.png", i)))
			if err == nil {
				err = png.Encode(f, m)
				f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// One's own images from the first command to the last: a bad file is named, skipped
// and recorded; the run goes on and is tested with the same images wherever they lie,
// and with no others; pictures are told apart without them.
func TestOwnImages(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := squares(t, 30)
	bad := filepath.Join(dir, "warm", "bad.png")
	if err := os.WriteFile(bad, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "run")
	train := []string{"train", "--data", dir, "--side=16", "--model=s-conv", "--alpha=2", "--epochs=8", "--batch=16", "--threads=1", "--precision=fp32", "--out", out}
	_, stderr := want(t, exitUsage, train...)
	if !strings.Contains(stderr, bad) || !strings.Contains(stderr, "--skip-bad") {
		t.Errorf("a bad file: got %q", stderr)
	}
	_, stderr = want(t, 0, append(train, "--skip-bad")...)
	if !strings.Contains(stderr, "left out, and the run records them: 1, the first ") {
		t.Errorf("a bad file, skipped: got %q", stderr)
	}
	r, err := run.ReadResult(out)
	if err != nil {
		t.Fatal(err)
	}
	if s := r.DataSet; s.Train != 44 || s.Val != 4 || s.Test != 12 || s.Side != 16 || len(s.Skipped) != 1 || strings.Join(s.Classes, " ") != "cold warm" || r.Last.TestAcc < 0.9 {
		t.Errorf("got %+v with accuracy %v", s, r.Last.TestAcc)
	}
	again := filepath.Join(t.TempDir(), "again")
	want(t, 0, "train", "--config", filepath.Join(out, run.ConfigFile), "--out", again)
	if weights(t, again) != weights(t, out) {
		t.Error("its config.yaml trains other weights")
	}

	moved := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	_, stderr = want(t, exitFailure, "eval", out)
	if !strings.Contains(stderr, "not there any more") {
		t.Errorf("moved images: got %q", stderr)
	}
	matrix := t.TempDir()
	stdout, _ := want(t, 0, "eval", out, "--data-dir", moved, "--per-class", "--confusion", "--out", matrix)
	if !strings.Contains(stdout, "RECALL") || !strings.Contains(stdout, "warm   6") {
		t.Errorf("eval: got %q", stdout)
	}
	text, err := os.ReadFile(filepath.Join(matrix, "confusion.csv"))
	if err != nil || !strings.HasPrefix(string(text), "class,cold,warm\ncold,") {
		t.Errorf("confusion.csv: %q, %v", text, err)
	}
	stdout, _ = want(t, 0, "predict", "--json", out, filepath.Join(moved, "warm", "003.png"), filepath.Join(moved, "cold", "004.png"))
	for i, line := range strings.Split(strings.TrimSpace(stdout), "\n") {
		var p predicted
		if err := json.Unmarshal([]byte(line), &p); err != nil || p.Side != 16 || p.Classes[0].Class != []string{"warm", "cold"}[i] || p.Classes[0].Probability < 0.5 {
			t.Errorf("predict: %+v, %v", p, err)
		}
	}
	_, stderr = want(t, exitFailure, "predict", out, filepath.Join(moved, "warm", "bad.png"))
	if !strings.Contains(stderr, "bad.png: not a PNG") {
		t.Errorf("a bad picture: got %q", stderr)
	}
	sheet := filepath.Join(t.TempDir(), "sheet.png")
	want(t, 0, "data", "show", moved, "--skip-bad", "--side=16", "--images=4", "--out", sheet)
	f, err := os.Open(sheet)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if m, err := png.Decode(f); err != nil || m.Bounds().Dx() < 6*96 || m.Bounds().Dy() < 4*96 {
		t.Errorf("the sheet: %v, %v", m.Bounds(), err)
	}

	os.Remove(filepath.Join(moved, "cold", "000.png"))
	_, stderr = want(t, exitFailure, "eval", out, "--data-dir", moved)
	if !strings.Contains(stderr, "are others than those that the settings are of") {
		t.Errorf("a picture less: got %q", stderr)
	}
	if found := run.Verify(out); found != nil {
		t.Errorf("verify: %v", found)
	}
}

// What is written wrong about data is a mistake with a hint.
func TestDataMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flags, want string }{
		{"--data=no/such/folder", "there is nothing there"},
		{"--data=minst", `did you mean "mnist"?`},
		{"--data=digits --side=7", "side: must be a whole number from 8 to 96"},
		{"--data=digits --channels=2", "channels: must be 1 or 3"},
		{"--data=digits --skip-bad", "only pictures of your own"},
		{"--data=" + t.TempDir(), "no pictures in it"},
	} {
		_, stderr := want(t, exitUsage, append([]string{"train", "--alpha=1", "--epochs=1", "--out", t.TempDir() + "/run"}, strings.Fields(c.flags)...)...)
		if !strings.Contains(stderr, c.want) {
			t.Errorf("%s: got %q, want %q", c.flags, stderr, c.want)
		}
	}
}

// TestImportOwn: a network comes back to the user's own images, the same ones or
// others, wherever they lie, with the file's word for how they are read or
// without it.
func TestImportOwn(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir, more, tmp := squares(t, 30), squares(t, 40), t.TempDir()
	at := func(name string) string { return filepath.Join(tmp, name) }
	want(t, 0, "train", "--data", dir, "--side=16", "--val=7", "--model=s-conv", "--alpha=2", "--epochs=1", "--batch=16", "--threads=1", "--precision=fp32", "--out", at("run"))
	want(t, 0, "export", at("run"), "--format=safetensors", "--out", at("w.safetensors"))
	list, _, err := run.ReadTensors(at("w.safetensors"))
	if err == nil {
		_, err = run.WriteTensors(at("bare.safetensors"), list, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	mistaken, err := os.ReadFile(at("w.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"huge": strings.Replace(string(mistaken), `\"side\":16`, `\"side\":99`, 1), "cut": string(mistaken[:len(mistaken)-5])} {
		if to == string(mistaken) {
			t.Fatal("the file's settings do not have the side")
		}
		if err := os.WriteFile(at(name+".safetensors"), []byte(to), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	trained, err := run.Open(at("run"))
	if err != nil {
		t.Fatal(err)
	}
	same := trained.Config().DataSum
	for i, c := range []struct {
		args []string
		same bool // images
		val  int
	}{
		{[]string{"w.safetensors", "--data-dir", dir}, true, 7},
		{[]string{"w.safetensors", "--data", dir}, true, 7},
		{[]string{"w.safetensors", "--val=5", "--data", dir}, true, 5},
		{[]string{"w.safetensors", "--data", more}, false, 6},
		{[]string{"bare.safetensors", "--side=16", "--data", dir}, true, 4},
	} {
		out := at(fmt.Sprint("back", i))
		want(t, 0, append([]string{"import", at(c.args[0]), "--threads=1", "--out", out}, c.args[1:]...)...)
		d, err := run.Open(out)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Config(); (got.DataSum == same) != c.same || got.Val != c.val || got.Side != 16 || got.Data != "my-squares" {
			t.Errorf("%q: got the settings %+v", c.args, got)
		}
		want(t, 0, "eval", out)
		want(t, 0, "predict", out, filepath.Join(dir, "warm", "001.png"))
		if found := run.Verify(out); found != nil {
			t.Errorf("%q: verify: %v", c.args, found)
		}
	}
	for _, c := range []struct {
		status int
		args   []string
		want   string
	}{
		{exitUsage, []string{"w.safetensors", "--data", "no/such/folder"}, "there is nothing there"},
		{exitFailure, []string{"w.safetensors"}, "--data-dir"},
		{exitFailure, []string{"w.safetensors", "--data-dir", more}, "are others than those"},
		{exitUsage, []string{"w.safetensors", "--data", dir, "--data-dir", dir}, "leave it out"},
		{exitUsage, []string{"w.safetensors", "--data", dir, "--side", "97"}, "side: must be"},
		{exitFailure, []string{"w.safetensors", "--data", dir, "--side", "24"}, "fc1.weight, expected"},
		{exitFailure, []string{"bare.safetensors", "--data", dir}, "fc1.weight, expected"},
		{exitUsage, []string{"huge.safetensors", "--data", dir}, "side: must be"},
		{exitFailure, []string{"cut.safetensors", "--data", dir}, "cut.safetensors"},
		{exitFailure, []string{"", "--data", dir}, "no plain file"},
	} {
		args := append([]string{"import", at(c.args[0]), "--out", at("none")}, c.args[1:]...)
		if _, stderr := want(t, c.status, args...); !strings.Contains(stderr, c.want) {
			t.Errorf("%q: got %q, want %q", c.args, stderr, c.want)
		}
		if _, err := os.Stat(at("none")); err == nil {
			t.Fatalf("%q: a refused import left a directory", c.args)
		}
	}
}
