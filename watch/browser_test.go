package watch

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var (
	shots = flag.String("shots", "", "folder to leave screenshots in")
	real  = flag.String("real", "", "folder of runs to take screenshots of")
)

// browser is a page in a real Chromium.
type browser struct {
	t      *testing.T
	ctx    context.Context
	mu     sync.Mutex
	errors []string // what its console said
}

// openBrowser starts one; the test is skipped where there is none. What the
// console says against the page fails the test.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("there is no Chromium here")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	limited, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	allocated, cancel := chromedp.NewExecAllocator(limited, options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	b.do(chromedp.EmulateViewport(1440, 900))
	console := chromedp.Console(ctx)
	go func() {
		for m, err := range console {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleException || m.Type == "error" || m.Type == "warning" {
				b.mu.Lock()
				b.errors = append(b.errors, fmt.Sprintf("%s: %s", m.Type, m.Text))
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, e := range b.errors {
			t.Errorf("the console says %s", e)
		}
	})
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// eval gives the value of a JavaScript expression as JSON.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// until waits for a JavaScript expression to hold, and says how long it took.
func (b *browser) until(expression string, limit time.Duration) time.Duration {
	b.t.Helper()
	began := time.Now()
	for b.eval("Boolean("+expression+")") != "true" {
		if time.Since(began) > limit {
			b.t.Fatalf("after %s this does not hold: %s\nthe page says: %s\nits console: %q", limit, expression, b.eval("document.body.innerText.slice(0, 1500)"), b.errors)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}

func (b *browser) dark(on bool) {
	b.t.Helper()
	scheme := map[bool]string{false: "light", true: "dark"}[on]
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		b.t.Fatal(err)
	}
}

// shoot leaves a picture of the whole page, where the flag asks for one.
func (b *browser) shoot(name string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	time.Sleep(400 * time.Millisecond)
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name), picture, 0o666); err != nil {
		b.t.Fatal(err)
	}
}

// served starts a server over the folders.
func served(t *testing.T, o Options) *httptest.Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.done = ctx.Done()
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		cancel()
		server.Close()
		s.Close()
	})
	return server
}

const (
	live    = `document.querySelector("#link").textContent === "live"`
	names   = `[...document.querySelectorAll("#rows td.name")].map((e) => e.innerText.trim())`
	select2 = `[...document.querySelectorAll("#rows input")].slice(0, 2).forEach((e) => e.click())`
)

// TestScreenshots leaves pictures to be looked at: go test -run Screenshots
// -args -shots FOLDER -real RUNS.
func TestScreenshots(t *testing.T) {
	if *shots == "" || *real == "" {
		t.Skip("no -shots and -real are given")
	}
	server := served(t, Options{Folders: []string{*real}})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL + "/#sort=name&down=false"))
	b.until(live+` && document.querySelectorAll("#rows tr").length > 0`, 5*time.Second)
	b.eval(`[...document.querySelectorAll("#rows tr")].filter((e) => !/3fc/.test(e.innerText)).forEach((e) => e.querySelector("input").click())`)
	b.until(`document.querySelectorAll("#charts canvas").length >= 5 && [...document.querySelectorAll("#gallery img")].some((e) => e.src)`, 10*time.Second)
	b.eval(`document.querySelectorAll("#charts canvas")[1].focus(), document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true}))`)
	b.shoot("watch-light.png")
	b.dark(true)
	b.shoot("watch-dark.png")
	b.dark(false)
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	b.shoot("watch-phone.png")
}
