package main

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"betalasso/plan"
	"betalasso/run"
	"betalasso/train"
)

func TestNumbersForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{short(0), "0"}, {short(9999), "9999"}, {short(12344), "12.3k"}, {short(25_600_000), "25.6M"}, {short(256_240_000), "256.2M"}, {short(2e9), "2G"},
		{plan.Thousands(0), "0"}, {plan.Thousands(999), "999"}, {plan.Thousands(1000), "1,000"}, {plan.Thousands(25600000), "25,600,000"}, {plan.Thousands(-1234), "-1,234"}, {plan.Thousands(-123), "-123"},
		{plan.Span(0), "0s"}, {plan.Span(59400 * time.Millisecond), "59s"}, {plan.Span(185 * time.Second), "3m05s"}, {plan.Span(2*time.Hour + 7*time.Minute), "2h07m"}, {plan.Span(28 * time.Hour), "1d04h"},
		{quoteFor("linux", "runs/a-b"), "runs/a-b"}, {quoteFor("linux", "it's"), `'it'\''s'`}, {quoteFor("linux", ""), "''"}, {quoteFor("linux", `a\b`), `'a\b'`},
		{quoteFor("windows", `C:\runs\a-b`), `C:\runs\a-b`}, {quoteFor("windows", "it's mine"), `"it's mine"`},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	for text, want := range map[string]int{"512k": 512000, "25.6M": 25_600_000, "0.8m": 800_000, "1e6": 1_000_000, "25,600,000": 25_600_000, "2G": 2e9} {
		if got, err := parseCount(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "M", "-5", "0", "1e30", "NaN", "many", "5 MB"} {
		if got, err := parseCount(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

// The line that is drawn over must never be wider than the terminal, or it
// would wrap and stay.
func TestTheBarFitsTheTerminal(t *testing.T) {
	p := train.Progress{
		Phase: "train", Epoch: 123, Epochs: 4000, Step: 44, Steps: 87, Loss: 1.23456, Acc: 0.6543,
		Nonzero: 1234567, Weights: 25_600_000, ExamplesPerSecond: 12345, Remaining: 7 * time.Hour,
		Event: &run.Event{Epoch: 123, TrainLoss: 1.2, ValLoss: 1.3},
	}
	m := (&session{out: os.Stdin, terminal: true}).newMeter()
	for columns := 20; columns < 200; columns += 5 {
		text := m.barIn(p, columns)
		if n := utf8.RuneCountInString(text); n > max(columns-1, 33) {
			t.Errorf("%d columns: got %d: %q", columns, n, text)
		}
	}
	if wide := m.barIn(p, 200); !strings.Contains(wide, "7h00m left") || !strings.Contains(wide, "1.235M (4.82 %)") || !strings.Contains(wide, "12,345 img/s") {
		t.Errorf("got %q", wide)
	}
	p.Phase = "validate"
	if text := m.barIn(p, 100); !strings.Contains(text, "validating") {
		t.Errorf("got %q", text)
	}
}

// A line says what is left of the run, and of all.
func TestLeftInAll(t *testing.T) {
	m := &meter{session: &session{after: func() time.Duration { return time.Minute }}}
	if got := m.left(train.Progress{Remaining: 5 * time.Second}); got != "5s left, 1m05s in all" {
		t.Errorf("got %q", got)
	}
}
