package export

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTables reads back, as CSV, the tables of two runs with different layers.
func TestTables(t *testing.T) {
	c := tinyConfig("s-fc")
	c.Epochs, c.Optimizer, c.Beta, c.LambdaConv, c.LambdaFC = 2, "beta-lasso", 50, 1e-4, 2e-5
	runs := []string{trained(t, c).Path(), trained(t, tinyConfig("3-fc")).Path()}
	one, other := opened(t, mustOpen(t, runs[0]), false), mustOpen(t, runs[1])

	events, left := Events(append(runs, t.TempDir()))
	if len(left) != 1 {
		t.Errorf("got %v left out, want the folder that is no run", left)
	}
	rows := readBack(t, events)
	if len(rows) != 3+2 {
		t.Fatalf("got %d rows, want those of epochs 0 to 2 and 0 to 1", len(rows))
	}
	recorded, _ := mustOpen(t, runs[0]).Events()
	for i, e := range recorded {
		for column, want := range map[string]float64{
			"epoch": float64(e.Epoch), "step": float64(e.Step), "learning_rate": e.LR, "val_acc": e.ValAcc, "train_loss": e.TrainLoss,
			"nonzero_conv1": float64(e.Nonzero["conv1"]), "nonzero_fc2": float64(e.Nonzero["fc2"]), "lambda_conv": 1e-4, "alpha": 2,
		} {
			if e.Epoch == 0 && (column == "train_loss" || column == "learning_rate") {
				if rows[i][column] != "" {
					t.Errorf("before the first step: %s is %q, want nothing", column, rows[i][column])
				}
				continue
			}
			if got, err := strconv.ParseFloat(rows[i][column], 64); err != nil || got != want {
				t.Errorf("row %d: %s is %q, want %v", i, column, rows[i][column], want)
			}
		}
	}
	if got := rows[3]; got["nonzero_conv1"] != "" || got["nonzero_fc3"] != "120" || got["model"] != "3-fc" || got["id"] != other.Config().ID() {
		t.Errorf("the first row of 3-fc is %v", got)
	}
	if got := strings.Join(events.Columns[len(events.Columns)-4:], " "); got != "nonzero_conv1 nonzero_fc1 nonzero_fc2 nonzero_fc3" {
		t.Errorf("the last columns are %s", got)
	}

	results, left := Results(append(runs, t.TempDir()))
	if len(left) != 1 {
		t.Errorf("got %v left out, want the folder that is no run", left)
	}
	rows = readBack(t, results)
	res, _ := mustOpen(t, runs[0]).Result()
	if len(rows) != 2 || rows[0]["weights_sha256"] != res.WeightsSum || rows[0]["last_test_acc"] != strconv.FormatFloat(res.Last.TestAcc, 'g', -1, 64) {
		t.Errorf("got the results %v", rows)
	}
	work, dense := 0.0, 0.0
	for _, e := range recorded {
		work, dense = work+e.MACs, dense+e.DenseMACs
	}
	for column, want := range map[string]float64{"work": work, "dense_work": dense} {
		if got, err := strconv.ParseFloat(rows[0][column], 64); err != nil || got != want || want == 0 {
			t.Errorf("%s of the training: got %q, want %v", column, rows[0][column], want)
		}
	}
	if got := strconv.Itoa(one.Net.Params()[0].Len()); rows[0]["params_conv1"] != got {
		t.Errorf("conv1 has %s weights, want %s", rows[0]["params_conv1"], got)
	}
	if slices.Contains(results.Columns, "threads") {
		t.Error("threads change no number, and are a column")
	}
}

// readBack is a table by way of its CSV: rows of cells by column.
func readBack(t *testing.T, table Table) []map[string]string {
	t.Helper()
	var text bytes.Buffer
	if err := table.CSV(&text); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}
