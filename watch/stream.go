package watch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"betalasso/run"
)

const (
	maxSelected = 24                     // runs whose events are streamed to a page
	lookEvery   = 400 * time.Millisecond // for events
	beatEvery   = 15 * time.Second       // at least so often something is sent: the page waits three times as long
)

// position is how much a page has: the list's version and a mark in each run's
// events. Its text is the id of every server-sent event, so that a browser that
// reconnects gets exactly what it lacks.
type position struct {
	version string
	marks   map[string]mark // by run
}

// String is "VERSION,RUN:MARK,RUN:MARK".
func (p position) String() string {
	parts := []string{p.version}
	for _, id := range slices.Sorted(maps.Keys(p.marks)) {
		parts = append(parts, id+":"+p.marks[id].String())
	}
	return strings.Join(parts, ",")
}

func parsePosition(text string) position {
	version, rest, _ := strings.Cut(text, ",")
	p := position{version, map[string]mark{}}
	for part := range strings.SplitSeq(rest, ",") {
		if id, m, ok := strings.Cut(part, ":"); ok {
			p.marks[id] = parseMark(m)
		}
	}
	return p
}

// points are events of a run as the page takes them.
type points struct {
	Run    string   `json:"run"`
	Again  bool     `json:"again"`  // forget what there was
	Mark   string   `json:"mark"`   // after them
	Layers []string `json:"layers"` // of the non-zeros
	Rows   [][]any  `json:"rows"`   // epoch, seconds, lr, training loss and accuracy, validation loss and accuracy, then non-zeros
}

func newPoints(id string, events []run.Event) points {
	p := points{Run: id, Rows: [][]any{}}
	if len(events) == 0 {
		return p
	}
	p.Layers = slices.SortedFunc(maps.Keys(events[len(events)-1].Nonzero), byDepth)
	for _, e := range events {
		r := []any{e.Epoch, e.Seconds, e.LR, e.TrainLoss, e.TrainAcc, e.ValLoss, e.ValAcc, measured(e.StepMS), nil}
		if e.MACs > 0 && e.DenseMACs > 0 {
			r[8] = e.MACs / e.DenseMACs
		}
		if e.Epoch == 0 { // before the first step nothing was trained on
			r[2], r[3], r[4] = nil, nil, nil
		}
		for _, layer := range p.Layers {
			r = append(r, e.Nonzero[layer])
		}
		p.Rows = append(p.Rows, r)
	}
	return p
}

// measured is x, or nil where it was not measured.
func measured(x float64) any {
	if x == 0 {
		return nil
	}
	return x
}

// byDepth puts conv2 before conv10, and those before fc1.
func byDepth(a, b string) int {
	stem := func(s string) string { return strings.TrimRight(s, "0123456789") }
	return cmp.Or(cmp.Compare(stem(a), stem(b)), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// stream sends rows as they change, and the events of the runs that the page
// has selected, from where it has got to.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		http.Error(w, fmt.Sprintf("%d pages are open already", maxStreams), http.StatusServiceUnavailable)
		return
	}
	from := r.Header.Get("Last-Event-ID")
	if from == "" {
		from = r.URL.Query().Get("from")
	}
	had := parsePosition(from)
	at := position{had.version, map[string]mark{}}
	var ids []string
	for id := range strings.SplitSeq(r.URL.Query().Get("runs"), ",") {
		if len(ids) < maxSelected && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	tails := make([]*tail, len(ids)) // nil where the run is not there, or not yet
	w.Header().Set("Content-Type", "text/event-stream")
	out := writer{w: w, control: http.NewResponseController(w)}
	out.control.SetReadDeadline(time.Time{}) // the request has been read; else its time limit would end the stream
	if r.Method == http.MethodHead {
		return
	}
	if out.send("retry: 1000\n\n") != nil {
		return
	}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		for i, id := range ids {
			if tails[i] != nil {
				continue
			}
			if p, ok := s.list.find(id, time.Now()); ok {
				tails[i], at.marks[id] = &tail{place: p, mark: had.marks[id]}, had.marks[id]
			}
		}
		u, version := s.list.since(at.version, time.Now())
		if version != at.version || u.All {
			at.version = version
			if out.event("runs", at, u) != nil {
				return
			}
		}
		for i, t := range tails {
			for more := t != nil; more; {
				whole := t.mark == (mark{}) // from the beginning, so nothing before it holds
				events, again, left, err := t.next()
				more = left && err == nil
				if len(events) == 0 && !again {
					continue
				}
				at.marks[ids[i]] = t.mark
				p := newPoints(ids[i], events)
				p.Again, p.Mark = again || whole, t.mark.String()
				if out.event("points", at, p) != nil {
					return
				}
			}
		}
		if time.Since(out.last) > s.beatEvery && out.send("event: beat\ndata: still here\n\n") != nil { // scripts see no comment
			return
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
}

// writer sends server-sent events.
type writer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	last    time.Time
}

func (o *writer) event(name string, at position, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return o.send(fmt.Sprintf("event: %s\nid: %s\ndata: %s\n\n", name, at, text))
}

// send writes text, and gives a browser half a minute to take it.
func (o *writer) send(text string) error {
	o.last = time.Now()
	if err := o.control.SetWriteDeadline(o.last.Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := o.w.Write([]byte(text)); err != nil {
		return err
	}
	return o.control.Flush()
}
