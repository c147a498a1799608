package report

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"betalasso/paper"
	"betalasso/run"
)

// Runs on the user's own images: the report says whose they are, what was left
// out, how to repeat them, and shows what the best of them takes for what, as a
// picture and a table.
func TestOwnImagesReport(t *testing.T) {
	m := &maker{t: t, root: t.TempDir()}
	for i, acc := range []float64{0.5, 0.75, 0.6} {
		c := m.config(paper.Cases[0], "flowers", uint64(i+1))
		c.DataSum, c.DataDir, c.SkipBad, c.Val = "0123456789abcdef", "/my pictures/flowers", true, 40
		d := m.begin("own"+string(rune('a'+i)), c, 1)
		right := int(acc * 20)
		err := d.WriteResult(run.Result{
			Last: run.Score{Epoch: c.Epochs, ValAcc: acc, TestAcc: acc, TestLoss: 1}, Best: run.Score{Epoch: c.Epochs}, Seed: c.Seed, WeightsSum: "ab",
			DataSet: run.DataSet{
				Name: "flowers", Train: 200, Val: 40, Test: 40, Channels: 1, Side: 16, Mean: []float64{0.5}, Std: []float64{0.25},
				Classes: []string{"rose <b>", "tulip"}, Skipped: []string{"rose/1.png: broken"},
			},
			Confusion: []run.Counts{{right, 20 - right}, {20 - right, right}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	out := t.TempDir()
	sum, err := Write(m.dirs, out, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := "Own images: flowers (SHA-256 0123456789abcdef…)"; !strings.Contains(sum.Lead, want) {
		t.Errorf("the lead is %q, want %q in it", sum.Lead, want)
	}
	text, err := os.ReadFile(filepath.Join(out, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## What is taken for what", "ownb, test accuracy 75.00 %", "left out, it cannot be read: rose/1.png: broken", "--data '/my pictures/flowers'", "--skip-bad"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("report.md has no %q", want)
		}
	}
	if strings.Contains(string(text), "--data-sum") || strings.Contains(string(text), "--data-dir") {
		t.Error("the command to repeat a run has flags that nobody gives")
	}
	table, err := os.ReadFile(filepath.Join(out, "tables", "confusion-flowers.csv"))
	if err != nil || string(table) != "class,rose <b>,tulip\nrose <b>,15,5\ntulip,5,15\n" {
		t.Errorf("the table is %q, %v", table, err)
	}
	f, err := os.Open(filepath.Join(out, "figures", "confusion-flowers.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := png.Decode(f); err != nil {
		t.Error(err)
	}
}
