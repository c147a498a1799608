// Package watch serves one page that shows runs while they train: their table,
// their curves, the filters of their first layers and the settings they differ
// in. It reads the files that training writes in the given folders and nothing
// else, and it writes nothing.
package watch

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"time"
)

// Options say what is shown, and to whom.
type Options struct {
	Folders []string    // runs are looked for at and below them
	Token   string      // that a browser must bring; "": none is asked for
	Hosts   []string    // names this machine is reached by, beside its addresses and localhost
	Warn    func(error) // told once of each folder below Folders that cannot be read; may be nil
}

// Server shows runs. Close closes the folders.
type Server struct {
	options Options
	folders []folder
	list    *list
	gallery gallery
	streams chan struct{} // one for each open stream
	done    <-chan struct{}

	beatEvery time.Duration
}

// maxStreams is how many pages may be open at once.
const maxStreams = 200

//go:embed page
var page embed.FS

// New opens the folders. It is an error where one of them is not a directory.
func New(o Options) (*Server, error) {
	if len(o.Folders) == 0 {
		return nil, errors.New("no folders to watch")
	}
	s := &Server{options: o, streams: make(chan struct{}, maxStreams), done: make(chan struct{}), beatEvery: beatEvery}
	for _, path := range o.Folders {
		f, err := openFolder(path)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.folders = append(s.folders, f)
	}
	s.list = newList(s.folders, o.Warn)
	return s, nil
}

// Close closes the folders.
func (s *Server) Close() error {
	var errs []error
	for _, f := range s.folders {
		errs = append(errs, f.root.Close())
	}
	return errors.Join(errs...)
}

// Handler answers the page and what it asks for.
func (s *Server) Handler() http.Handler {
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the page is not in the binary
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /api/stream", s.stream)
	mux.HandleFunc("GET /api/runs/{run}/filters", s.filterFacts)
	mux.HandleFunc("GET /api/runs/{run}/filters/{picture}", s.filterPicture)
	return s.guard(mux)
}

// Serve answers at l until ctx is done, then ends the streams, waits for the
// answers under way, and returns nil.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.done = ctx.Done()
	conns := newConnections(l)
	server := &http.Server{
		Handler:           conns.handler(s.Handler()),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       15 * time.Second, // of a body, which nothing here asks for; a stream lifts it
		WriteTimeout:      time.Minute,      // a stream moves its own deadline
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnContext:       conns.context,
		ErrorLog:          log.New(io.Discard, "", 0), // broken connections are no news
	}
	go s.list.since("", time.Now()) // so that it is ready when the page asks
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(conns) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if server.Shutdown(grace) != nil {
		return server.Close()
	}
	return nil
}
