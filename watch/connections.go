package watch

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// connections limits the number of connections, from one address and in all, so
// that no client takes all descriptors. Where there are too many, the one that
// has been waiting longest for its client (before a request, in the middle of
// one, or after the last) is closed to make room; one that is being answered
// never is.
type connections struct {
	net.Listener

	most int // at a time; half of them from one address

	mu      sync.Mutex
	open    map[*connection]bool
	clients map[netip.Addr]int
	number  uint64
}

func newConnections(l net.Listener) *connections {
	return &connections{Listener: l, most: min(512, descriptors()/2), open: map[*connection]bool{}, clients: map[netip.Addr]int{}}
}

// connection is one of them.
type connection struct {
	net.Conn
	all     *connections
	client  netip.Addr
	since   uint64 // the number of events before it began to wait
	answers int    // under way
	closed  bool
}

// Accept gives the next connection for which there is room.
func (c *connections) Accept() (net.Conn, error) {
	for {
		n, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		one := &connection{Conn: n, all: c, client: clientOf(n)}
		c.mu.Lock()
		ok := (c.clients[one.client] < c.most/2 || c.shed(one.client)) && (len(c.open) < c.most || c.shed(netip.Addr{}))
		if ok {
			c.number++
			one.since = c.number
			c.open[one] = true
			c.clients[one.client]++
		}
		c.mu.Unlock()
		if ok {
			return one, nil
		}
		n.Close()
	}
}

// clientOf is the address at the other end; the zero Addr if it is no TCP
// connection.
func clientOf(n net.Conn) netip.Addr {
	a, err := netip.ParseAddrPort(n.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// shed closes the connection that has been waiting longest: of that client, or of
// any for the zero Addr. It reports whether there was one.
func (c *connections) shed(client netip.Addr) bool {
	var oldest *connection
	for one := range c.open {
		if one.answers == 0 && (client == netip.Addr{} || one.client == client) && (oldest == nil || one.since < oldest.since) {
			oldest = one
		}
	}
	if oldest == nil {
		return false
	}
	c.remove(oldest)
	oldest.Conn.Close()
	return true
}

func (c *connections) remove(one *connection) {
	if one.closed {
		return
	}
	one.closed = true
	delete(c.open, one)
	if c.clients[one.client]--; c.clients[one.client] == 0 {
		delete(c.clients, one.client)
	}
}

// Close closes the connection.
func (one *connection) Close() error {
	one.all.mu.Lock()
	one.all.remove(one)
	one.all.mu.Unlock()
	return one.Conn.Close()
}

type connectionKey struct{}

// context keeps a connection for the handler of its requests.
func (c *connections) context(ctx context.Context, n net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, n)
}

// handler notes which connections are being answered.
func (c *connections) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if one, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.answer(one, 1)
			defer c.answer(one, -1)
		}
		next.ServeHTTP(w, r)
	})
}

func (c *connections) answer(one *connection, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one.answers += n
	c.number++
	one.since = c.number
}
