package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"betalasso/data"
	"betalasso/plan"
	"betalasso/run"
	"betalasso/train"
)

// meter shows progress: on a terminal a line that is redrawn, and from time to
// time one that stays; elsewhere only those that stay; or JSON.
type meter struct {
	*session
	run   string    // the run's directory
	drawn time.Time // the line that is drawn over
	shown bool      // it is on the screen
	kept  time.Time // the last line that stayed
	file  string    // the file being fetched
}

const (
	redraw = 100 * time.Millisecond // between two drawings of the line
	rest   = 10 * time.Second       // between two lines that stay, in a run of many epochs
	few    = 30                     // epochs that each get a line
)

func (s *session) newMeter() *meter { return &meter{session: s} }

// training shows the progress of a run.
func (m *meter) training(p train.Progress) {
	switch {
	case p.Event != nil && m.json:
		m.object(struct {
			Kind string `json:"kind"`
			Run  string `json:"run"`
			run.Event
		}{"event", m.run, *p.Event})
	case p.Event != nil && !m.json && (p.Epochs <= few || p.Epoch == p.Epochs || time.Since(m.kept) > rest):
		m.keep(m.epochLine(p))
	}
	if m.terminal && time.Since(m.drawn) > redraw {
		m.draw(m.bar(p))
	}
}

// epochLine is the line that stays after an epoch.
func (m *meter) epochLine(p train.Progress) string {
	e := p.Event
	parts := []string{
		fmt.Sprintf("epoch %*d/%d", len(fmt.Sprint(p.Epochs)), e.Epoch, p.Epochs),
		fmt.Sprintf("train %.4f %5.2f %%", e.TrainLoss, 100*e.TrainAcc),
	}
	if e.ValLoss > 0 { // there are images to validate
		parts = append(parts, fmt.Sprintf("val %.4f %5.2f %%", e.ValLoss, 100*e.ValAcc))
	}
	parts = append(parts, nonzeros(p), m.left(p), plan.Thousands(int(e.ExamplesPerSecond))+" img/s")
	if !m.terminal {
		return strings.Join(parts, "  ")
	}
	text, _ := fitting(parts, m.width())
	return text
}

// left is the remaining time of the run and of all that follow it.
func (m *meter) left(p train.Progress) string {
	text := plan.Span(p.Remaining) + " left"
	if m.session != nil && m.after != nil {
		if more := m.after(); more > 0 {
			text += ", " + plan.Span(p.Remaining+more) + " in all"
		}
	}
	return text
}

// bar is the line that is drawn over; where the terminal is narrow, its least
// important parts are left out.
func (m *meter) bar(p train.Progress) string { return m.barIn(p, m.width()) }

func (m *meter) barIn(p train.Progress, columns int) string {
	parts := []string{
		fmt.Sprintf("epoch %d/%d", p.Epoch, p.Epochs),
		fmt.Sprintf("loss %.4f", p.Loss),
		fmt.Sprintf("acc %.1f %%", 100*p.Acc),
		m.left(p),
		nonzeros(p),
		plan.Thousands(int(p.ExamplesPerSecond)) + " img/s",
	}
	if p.Phase != "train" {
		parts[1] = map[string]string{"validate": "validating", "test": "testing"}[p.Phase]
	}
	done := 0.0
	if p.Steps > 0 {
		done = float64(p.Step) / float64(p.Steps)
	}
	const least = 8 // columns of the gauge
	text, room := fitting(parts, columns-least-3)
	return m.gauge(done, min(least+room, 24)) + "  " + text
}

// fitting joins as many of the parts, at least one, as fit in the given columns,
// and returns how many columns are left.
func fitting(parts []string, columns int) (text string, room int) {
	for n := len(parts); n > 0; n-- {
		text = strings.Join(parts[:n], "  ")
		if room = columns - utf8.RuneCountInString(text); room >= 0 {
			return text, room
		}
	}
	return text, 0
}

// gauge is a bar of the given width, filled to the fraction done.
func (m *meter) gauge(done float64, columns int) string {
	full, empty := "━", "─"
	if !unicodeTerminal() {
		full, empty = "#", "."
	}
	n := min(max(int(done*float64(columns)+0.5), 0), columns)
	text := strings.Repeat(full, n)
	if m.color {
		text = "\x1b[36m" + text + "\x1b[0m"
	}
	return text + strings.Repeat(empty, columns-n)
}

// fetching shows the progress of a download.
func (m *meter) fetching(p data.Progress) {
	if p.Note != "" {
		m.clear()
		fmt.Fprintln(os.Stderr, p.Note)
		return
	}
	if p.File != m.file {
		m.file = p.File
		if !m.terminal {
			fmt.Fprintf(m.notes, "fetching %s%s\n", p.File, ofTotal(p.Total))
		}
	}
	if m.terminal && time.Since(m.drawn) > redraw {
		text := fmt.Sprintf("fetching %s  %s%s", p.File, megabytes(p.Done), ofTotal(p.Total))
		if p.Total > 0 {
			text = m.gauge(float64(p.Done)/float64(p.Total), 24) + "  " + text
		}
		m.draw(text)
	}
}

func ofTotal(n int64) string {
	if n <= 0 {
		return ""
	}
	return " of " + megabytes(n)
}

// keep prints a line that stays.
func (m *meter) keep(text string) {
	m.clear()
	fmt.Fprintln(m.notes, text)
	m.kept = time.Now()
}

// draw shows text in the place of the line drawn before.
func (m *meter) draw(text string) {
	fmt.Fprintf(m.out, "\r\x1b[K%s", text)
	m.drawn, m.shown = time.Now(), true
}

// clear takes the drawn line away.
func (m *meter) clear() {
	if m.shown {
		fmt.Fprint(m.out, "\r\x1b[K")
		m.shown = false
	}
}

// object prints v as one line of JSON.
func (m *meter) object(v any) {
	line, err := json.Marshal(v)
	if err != nil {
		fmt.Fprintf(os.Stderr, "betalasso: %s\n", err)
		return
	}
	fmt.Fprintf(m.out, "%s\n", line)
}

// width is the terminal's number of columns.
func (s *session) width() int { return columnsOf(s.out) }

// columnsOf is the number of columns of the terminal that f is, 80 where it is
// none.
func columnsOf(f *os.File) int {
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return w
	}
	return 80
}

// unicodeTerminal reports whether the terminal's character set is UTF-8.
func unicodeTerminal() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(os.Getenv(name)); v != "" {
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8")
		}
	}
	return false
}

// nonzeros is how many weights are not zero, and their share.
func nonzeros(p train.Progress) string {
	share := 0.0
	if p.Weights > 0 {
		share = 100 * float64(p.Nonzero) / float64(p.Weights)
	}
	return fmt.Sprintf("nonzero %s (%.3g %%)", short(p.Nonzero), share)
}

// short is n in three digits and a letter: 25.6M.
func short(n int) string {
	switch x := float64(n); {
	case n < 1e4:
		return fmt.Sprint(n)
	case n < 1e6:
		return fmt.Sprintf("%.3gk", x/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.4gM", x/1e6)
	default:
		return fmt.Sprintf("%.4gG", x/1e9)
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
