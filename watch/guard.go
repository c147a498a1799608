package watch

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// policy lets the page load what this server has, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard answers only requests to read, made to this machine by a name of its
// own, with the token where one is asked for.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		if r.ContentLength != 0 { // nobody here reads a body, and nobody waits for one
			h.Set("Connection", "close")
			http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
		}
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "this server only shows: use GET or HEAD", http.StatusMethodNotAllowed)
		case !s.knows(r.Host):
			http.Error(w, "this server does not go by the name "+r.Host+"; start it with --host to add a name", http.StatusMisdirectedRequest)
		case !utf8.ValidString(r.URL.Path):
			http.Error(w, "there is no such page: its name is not UTF-8", http.StatusBadRequest)
		case s.options.Token != "" && !s.admitted(w, r):
			// admitted has answered
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// knows reports whether host, of a request, is an address, localhost, or one of
// the names given. A page of another site that has its name point at this machine
// (DNS rebinding) sends its own name, and is turned away.
func (s *Server) knows(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if _, err := netip.ParseAddr(name); err == nil || name == "localhost" {
		return true
	}
	return slices.ContainsFunc(s.options.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// admitted reports whether the request has the token in its cookie. A right token
// in the address becomes that cookie, and the address is cleared of it.
func (s *Server) admitted(w http.ResponseWriter, r *http.Request) bool {
	cookie := cookieName(r.Host)
	sum := sha256.Sum256([]byte(s.options.Token)) // a cookie cannot hold every text
	value := hex.EncodeToString(sum[:])
	if c, err := r.Cookie(cookie); err == nil && same(c.Value, value) {
		return true
	}
	if same(r.URL.Query().Get("token"), s.options.Token) {
		http.SetCookie(w, &http.Cookie{
			Name: cookie, Value: value, Path: "/",
			HttpOnly: true, SameSite: http.SameSiteLaxMode, // the address may be followed from another site's page
		})
		q := r.URL.Query()
		q.Del("token")
		to := url.URL{Path: "/", RawQuery: q.Encode()}
		http.Redirect(w, r, to.String(), http.StatusSeeOther)
		return false
	}
	http.Error(w, "open the address that `betalasso watch` printed: it has the token", http.StatusUnauthorized)
	return false
}

// cookieName tells servers on several ports of a machine apart, which browsers
// do not.
func cookieName(host string) string {
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		port = "80"
	}
	return "betalasso-" + port
}

// same compares in a time that does not depend on where two strings differ, nor
// on their lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
