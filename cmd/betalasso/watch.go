package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"betalasso/watch"
)

// watchCommand is `betalasso watch`.
type watchCommand struct {
	Dir    []string `arg:"" help:"run directories, or folders that contain them"`
	Listen string   `default:"127.0.0.1:4117" placeholder:"HOST:PORT" help:"address; port 0 is any free one (default 127.0.0.1:4117)"`
	Token  string   `placeholder:"TEXT" help:"token that a browser must present, at least 16 characters (default: none for this machine alone, else a new one)"`
	Host   []string `placeholder:"NAME" help:"host names under which browsers may reach this machine (default: localhost, addresses, the host's name)"`
	Open   bool     `help:"open a browser (default off)"`
}

// Help is the end of `betalasso watch --help`.
func (watchCommand) Help() string {
	return `Example: train in one terminal and watch in a browser:

    betalasso train --model s-fc --alpha 1 --data digits --epochs 20 --out runs/mine
    betalasso watch runs

By default only this machine can open the page. To watch a cluster node, use a tunnel:

    ssh -L 4117:127.0.0.1:4117 NODE

or listen on an address of the node; browsers then need the printed token:

    betalasso watch runs --listen 0.0.0.0:4117

The page writes nothing and reaches no file outside the folders. See docs/watch.md.`
}

// Run serves the page until it is interrupted.
func (c *watchCommand) Run() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen %s: %w; give an address and a port, as in 127.0.0.1:4117", c.Listen, err)}
	}
	if c.Token == "" && !loopback(host) {
		c.Token = rand.Text()
	}
	if c.Token != "" && len(c.Token) < 16 {
		return usageError{fmt.Errorf("--token: %d characters can be guessed; give at least 16", len(c.Token))}
	}
	if name, err := os.Hostname(); err == nil {
		c.Host = append(c.Host, name)
	}
	s, err := watch.New(watch.Options{Folders: c.Dir, Token: c.Token, Hosts: c.Host, Warn: warn})
	if err != nil {
		return usageError{err}
	}
	defer s.Close()
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w; choose another port with --listen", err)
	}
	address := pageAddress(l.Addr(), c.Token)
	fmt.Printf("%s\nCtrl-C ends it.\n", address)
	if c.Open {
		if err := openBrowser(address); err != nil {
			warn(fmt.Errorf("no browser can be opened: %w", err))
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return s.Serve(ctx, l)
}

// loopback reports whether only this machine can reach host.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// pageAddress is where the page is, with the token, if there is one. A server
// that listens on all addresses is reached by this machine's name.
func pageAddress(a net.Addr, token string) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "localhost"
		if name, err := os.Hostname(); err == nil {
			host = strings.ToLower(name)
		}
	}
	address := "http://" + net.JoinHostPort(host, port) + "/"
	if token != "" {
		address += "?token=" + url.QueryEscape(token)
	}
	return address
}

func openBrowser(address string) error {
	var c *exec.Cmd
	switch runtime.GOOS {
	case "darwin":
		c = exec.Command("open", address)
	case "windows":
		c = exec.Command("rundll32", "url.dll,FileProtocolHandler", address)
	default:
		c = exec.Command("xdg-open", address)
	}
	if err := c.Start(); err != nil {
		return err
	}
	go c.Wait()
	return nil
}
