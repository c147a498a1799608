package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"betalasso/run"
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
// console says against the page fails the test, so that the server is started
// before: it then outlives the page.
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
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // addresses have an &
	if err := enc.Encode(v); err != nil {
		b.t.Fatal(err)
	}
	return strings.TrimSpace(text.String())
}

// patience is long enough for any machine, however busy: what has to be there soon is
// measured where it is.
const patience = 30 * time.Second

// until waits for a JavaScript expression to hold, and says how long it took.
func (b *browser) until(expression string) time.Duration {
	b.t.Helper()
	began := time.Now()
	for b.eval("Boolean("+expression+")") != "true" {
		if time.Since(began) > patience {
			b.t.Fatalf("after %s this does not hold: %s\nthe page says: %s\nits console: %q", patience, expression, b.eval("document.body.innerText.slice(0, 1500)"), b.errors)
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
	b.shootBy(chromedp.FullScreenshot(100), name)
}

func (b *browser) shootBy(shot chromedp.Action[[]byte], name string) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	time.Sleep(400 * time.Millisecond)
	picture, err := chromedp.Run(b.ctx, shot)
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
	names   = `[...document.querySelectorAll("#rows td.name .path")].map((e) => e.innerText.trim()).join()`
	reading = `(document.querySelector("#charts .readout")?.innerText ?? "")`
)

// press sends a key to what has the focus.
func (b *browser) press(key string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(key))
}

// end moves the first chart's cursor to the last epoch, again until the chart has it
// and says the text, and says how long it took.
func (b *browser) end(text string) time.Duration {
	b.t.Helper()
	return b.until(fmt.Sprintf(`((e) => e && (e.focus(), e.dispatchEvent(new KeyboardEvent("keydown", {key: "End"})), %s.includes(%q)))(document.querySelector("#charts canvas"))`, reading, text))
}

// TestPage opens the page, selects runs with the keyboard, and sees an epoch
// arrive within two seconds of its being written.
func TestPage(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"one", "two", "three"} {
		makeRun(t, filepath.Join(folder, name), 4)
	}
	for _, epoch := range []int{0, 1, 2, 5} {
		writeFilters(t, filepath.Join(folder, "one"), epoch)
	}
	server := served(t, Options{Folders: []string{folder}})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL + "/#sort=name&down=false"))
	b.until(live + ` && document.querySelectorAll("#rows tr").length === 3`)
	base := filepath.Base(folder)
	if got, want := b.eval(names), fmt.Sprintf(`"%[1]s/one,%[1]s/three,%[1]s/two"`, base); got != want {
		t.Errorf("the runs: got %s, want %s", got, want)
	}

	b.press("/") // goes to the search
	b.do(chromedp.KeyEvent("thr"))
	b.until(names + ` === "` + base + `/three"`)
	b.do(chromedp.KeyEvent(kb.Backspace + kb.Backspace + kb.Backspace))
	b.until(`document.querySelectorAll("#rows tr").length === 3`)
	b.eval(`document.querySelector("#rows input").focus()`)
	b.press(" ")
	b.press(kb.ArrowDown)
	b.press(" ")
	b.until(`document.querySelectorAll("#charts canvas").length === 7`) // loss, accuracy, conv1, fc1, learning rate, multiply-adds, time of a step
	b.until(`document.querySelectorAll("#chosen li").length === 2`)

	b.end("epoch 4")
	appendTo(t, filepath.Join(folder, "one", run.EventsFile), event(t, 5))
	took := b.end("epoch 5")
	if took > 2*time.Second {
		t.Errorf("an epoch took %s to arrive", took)
	}
	b.until(reading + `.includes("0.3333")`)
	t.Logf("an epoch was on the chart %.2f s after it was written", took.Seconds())
	b.until(`document.querySelector("#rows tr td.progress").innerText.trim() === "5/100"`)
	b.until(`document.querySelector("#spoken").textContent.includes("epoch 5")`)

	// Zoom by keys, smooth by the slider's arrows, look at other filters.
	b.press("+")
	b.until(`/from=/.test(location.hash)`)
	b.eval(`document.querySelector("#smooth").focus()`)
	for range 50 {
		b.press(kb.ArrowRight)
	}
	b.until(`document.querySelector("#smooth-value").textContent === "0.50"`)
	b.until(`document.querySelector("#epoch").max === "3" && document.querySelector("#gallery img").naturalWidth > 0`)
	b.eval(`document.querySelector("#epoch").focus()`)
	b.press(kb.ArrowLeft)
	b.until(`document.querySelector("#epoch-value").textContent === "epoch 2" && document.querySelector("#gallery img").src.includes("/2.png?v=")`)
	b.eval(`document.querySelector("#ylog").click()`)
	if got := b.eval(`document.querySelector("#settings").innerText`); !strings.Contains(got, "same settings") {
		t.Errorf("differences of equal runs: got %s", got)
	}
	b.shoot("watch-test.png")

	// The address alone brings all of it back.
	b.until(`/ylog=true/.test(location.hash) && /smooth=0.5/.test(location.hash) && /epoch=2/.test(location.hash)`)
	all := `JSON.stringify([location.hash, ["smooth", "epoch", "ylog", "query", "x"].map((id) => [document.getElementById(id).value, document.getElementById(id).checked]),
		[...document.querySelectorAll("#chosen li")].map((e) => [e.children[0].style.background, e.innerText]), document.querySelector("#gallery img")?.src,
		document.querySelectorAll("#charts canvas").length])`
	want := b.eval(all)
	address := b.eval(`location.href`)
	b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(strings.Trim(address, `"`)))
	b.until(live + ` && document.querySelector("#gallery img")?.src`)
	b.until(fmt.Sprintf("%s === %s", all, want))
}

// TestPhone wants no scrolling to the side, with and without selected runs.
func TestPhone(t *testing.T) {
	folder := t.TempDir()
	for i := range 12 {
		dir := filepath.Join(folder, "a-study-with-a-long-name", fmt.Sprintf("s-fc-cifar10-beta-lasso-lambda-1e-5-s%d", i))
		makeRun(t, dir, 30)
		writeFilters(t, dir, 0)
	}
	server := served(t, Options{Folders: []string{folder}})
	b := openBrowser(t)
	b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile, chromedp.EmulateTouch))
	b.do(chromedp.Navigate(server.URL))
	b.until(live + ` && document.querySelectorAll("#rows tr").length === 10`)
	const width = `document.documentElement.scrollWidth`
	if got := b.eval(width); got != "360" {
		t.Errorf("nothing selected: the page is %s wide, want 360", got)
	}
	b.eval(`[...document.querySelectorAll("#rows input")].slice(0, 5).forEach((e) => e.click())`)
	b.until(`document.querySelectorAll("#charts canvas").length === 7 && document.querySelectorAll("#gallery img[src]").length === 5`)
	b.eval(`document.querySelector("#same").click()`)
	b.end("epoch 30")
	if got := b.eval(width); got != "360" {
		t.Errorf("five selected: the page is %s wide, want 360", got)
	}
	b.shoot("watch-test-phone.png")
}

// TestManyRunsAndEpochs opens a page of 2,000 runs, two of them of 4,000 epochs.
func TestManyRunsAndEpochs(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 2,000 runs")
	}
	folder := t.TempDir()
	makeRuns(t, folder, 2000)
	for _, name := range []string{"0007", "0008"} {
		os.RemoveAll(filepath.Join(folder, name))
		makeRun(t, filepath.Join(folder, name), 4000)
	}
	server := served(t, Options{Folders: []string{folder}})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL + "/#size=100"))
	took := b.until(live + ` && document.querySelector("#pages").textContent.endsWith("of 2000")`)
	t.Logf("2,000 runs were listed after %.2f s", took.Seconds())
	if got := b.eval(`document.querySelectorAll("#rows tr").length`); got != "100" {
		t.Errorf("got %s rows in the page, want 100", got)
	}
	// how long the page is busy with one change, in milliseconds
	busy := func(change string) (ms float64) {
		t.Helper()
		text := b.eval(`(async () => {
			const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
			await frame();
			const began = performance.now();
			` + change + `;
			await frame();
			await frame();
			return performance.now() - began;
		})()`)
		if err := json.Unmarshal([]byte(text), &ms); err != nil {
			t.Fatal(err)
		}
		return ms
	}
	find := busy(`const e = document.querySelector("#query"); e.value = "/0008"; e.dispatchEvent(new Event("input"))`)
	b.until(`document.querySelectorAll("#rows tr").length === 1`)
	b.eval(`document.querySelector("#rows input").click()`)
	b.eval(`(() => { const e = document.querySelector("#query"); e.value = "/0007"; e.dispatchEvent(new Event("input")) })()`)
	b.until(`document.querySelector("#rows td.name .path").innerText.endsWith("/0007")`)
	b.eval(`document.querySelector("#rows input").click()`)
	took = b.end("epoch 4000")
	t.Logf("4,000 epochs were drawn %.2f s after the run was selected", took.Seconds())
	smooth := busy(`const e = document.querySelector("#smooth"); e.value = "0.9"; e.dispatchEvent(new Event("input"))`)
	move := busy(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft"}))`)
	t.Logf("finding took %.0f ms, smoothing %.0f ms, moving the cursor %.0f ms", find, smooth, move)
	for what, ms := range map[string]float64{"finding": find, "smoothing": smooth, "moving the cursor": move} {
		if ms > 1000 { // some 50 on an idle machine
			t.Errorf("%s took %.0f ms", what, ms)
		}
	}
	b.shoot("watch-test-many.png")
}

// TestMouseAndDark drags across a chart, and has it drawn in other colours when
// the system's change.
func TestMouseAndDark(t *testing.T) {
	folder := t.TempDir()
	makeRun(t, filepath.Join(folder, "one"), 100)
	server := served(t, Options{Folders: []string{folder}})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL))
	b.until(live + ` && document.querySelectorAll("#rows tr").length === 1`)
	b.do(chromedp.Click(chromedp.CSS("#rows label")))
	b.until(`document.querySelectorAll("#charts canvas").length === 7`)
	b.end("epoch 100")
	b.eval(`document.querySelector("#charts canvas").scrollIntoView({block: "center"})`)
	b.eval(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`) // the layout rests
	var box struct{ X, Y, Width float64 }
	if err := json.Unmarshal([]byte(b.eval(`document.querySelector("#charts canvas").getBoundingClientRect().toJSON()`)), &box); err != nil {
		t.Fatal(err)
	}
	plot := box.Width - 64 // beside the numbers of the axis
	at := func(share float64) float64 { return box.X + 52 + share*plot }
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at(0.3), box.Y+50))
	b.until(reading + `.includes("epoch 30")`)
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, at(0.3), box.Y+50, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at(0.6), box.Y+60, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, at(0.6), box.Y+60, chromedp.ButtonLeft))
	b.until(`/from=(29|30)[.0-9]*&to=(59|60)/.test(location.hash)`)
	b.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at(0.5), box.Y+50))
	b.until(reading + `.includes("epoch 45")`)
	b.do(chromedp.Click(chromedp.CSS("#zoom-all")))
	b.until(`!/from=/.test(location.hash)`)

	const colors = `[getComputedStyle(document.body).backgroundColor, document.querySelector("#chosen .swatch").style.background,
		document.querySelectorAll("#charts canvas")[3].toDataURL()]`
	before := b.eval(colors)
	b.dark(true)
	b.until(fmt.Sprintf(`%s.every((color, i) => color !== %s[i])`, colors, before))
}

// TestModules asks the page's modules for what can be worked out by hand.
func TestModules(t *testing.T) {
	server := served(t, Options{Folders: []string{t.TempDir()}})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL))
	// The page is not to ask for the filters of runs that only the expressions know.
	b.eval(`(window.fetch = () => new Promise(() => {}), 0)`)
	for _, c := range []struct{ module, expression, want string }{
		{"store", `m.smooth([4, 4, 4], 0.9).map((v) => v.toFixed(9))`, `["4.000000000","4.000000000","4.000000000"]`},
		{"store", `m.smooth([1, 3], 0.5)`, `[1,2.3333333333333335]`}, // (0.25·1 + 0.5·3) / 0.75
		{"store", `m.smooth([NaN, 2, NaN, 2], 0.5)`, `[null,2,null,2]`},
		{"store", `(() => { const a = [1, 3]; m.smooth(a, 0.5); a.push(5); return m.smooth(a, 0.5).length })()`, `3`},
		{"store", `(m.takePoints({run: "r", again: true, mark: "9.9.0", layers: ["fc1"], rows: [[0, 60, 1, 0, 0, 2, 0.1, 1, 1, 7], [1, 60, 1, 2, 0.5, 2, 0.1, 1, 1, 6]]}), [m.curves.get("r").nonzero.fc1, m.curves.get("r").values.hours[1].toFixed(4), m.position("v-1", ["r", "s"])])`, `[[7,6],"0.0333","v-1,r:9.9.0"]`},
		{"store", `(m.takePoints({run: "r", again: true, mark: "5.5.0", layers: ["fc1"], rows: [[0, 60, 1, 0, 0, 2, 0.1, 1, 1, 7]]}), m.curves.get("r").nonzero.fc1)`, `[7]`},
		{"store", `(m.takeRows({all: true, rows: [{id: "a", name: "r/x/1", state: "done", epoch: 1, config: {model: "s-fc", alpha: 4, optimizer: "sgd", epochs: 1, train: 9, lambda_fc: 1e-5, seed: 1, threads: 1}}, {id: "b", name: "r/x/2", state: "done", epoch: 1, config: {model: "s-fc", alpha: 4, optimizer: "sgd", epochs: 1, seed: 1, threads: 2}}]}), [...m.labels(["a", "b", "c"]).values()])`,
			`["S-FC α=4, SGD lambda-fc=1e-5 train=9","S-FC α=4, SGD train=–","c"]`},
		{"store", `[...m.labels(["a"]).values()]`, `["S-FC α=4, SGD"]`},
		{"format", `[m.short(3145728), m.short(512), m.short(34309), m.plain(0.00002), m.plain(1.23456), m.plain(34309), m.plain(12345), m.plain(999999), m.plain(34309.4), m.plain(2e6), m.span(45), m.span(600), m.span(7200), m.span(400000)]`, `["3.15 M","512","34.3 k","2.00e-5","1.235","34309","12345","999999","34309","2.00e+6","45 s","10 min","2.0 h","4.6 d"]`},
		{"view", `(location.hash = "#runs=0123456789ab,,zz,0123456789ab,ffffffffffff,&smooth=7&page=-3&size=x&q=a%20b%&state=%E0&xlog=true&nope=1&from=1e2", m.read(), [m.view.runs, m.view.smooth, m.view.page, m.view.size, m.view.q, m.view.state, m.view.xlog, m.view.from, m.view.to])`,
			`[["0123456789ab",null,null,null,"ffffffffffff"],0.99,0,10,"","",true,100,null]`},
		{"view", `(m.view.runs = [], m.toggle("a"), m.toggle("b"), m.toggle("c"), m.toggle("b"), m.toggle("d"), m.toggle("c"), m.view.runs)`, `["a","d"]`},
		{"view", `(m.view.runs = [], [...Array(25).keys()].map((i) => m.toggle("r" + i)).filter(Boolean).length)`, `24`},
		{"chart", `[m.write(34309), m.write(123456), m.write(1234567), m.write(0.123456)]`, `["34309","123456","1.23 M","0.1235"]`},
		{"chart", `[34310, 34320, 1234.5, 1235, 0.1 + 0.2, 2e6, 0.0001, 0.00012, 0, -0.5].map(m.tick)`, `["34.31 k","34.32 k","1234.5","1235","0.3","2 M","1e-4","1.2e-4","0","-0.5"]`},
		{"color", `[...Array(12).keys()].flatMap((slot) => [m.color(slot, false), m.color(slot, true)]).filter((c) => !/^#[0-9a-f]{6}$/.test(c))`, `[]`},
		{"color", `new Set([...Array(24).keys()].flatMap((slot) => [false, true].map((val) => m.color(slot) + m.dash(slot, val)))).size`, `48`},
		{"chart", `[m.nearest([0, 1, 2, 5], 3.4), m.nearest([0, 1, 2, 5], 3.6), m.nearest([0, 1], -7), m.nearest([0, 1], 9)]`, `[2,3,0,1]`},
	} {
		if got := b.eval(`import("/` + c.module + `.js").then((m) => ` + c.expression + `)`); got != c.want {
			t.Errorf("%s.js: %s\ngot  %s\nwant %s", c.module, c.expression, got, c.want)
		}
	}
}

// TestTokenInTheBrowser comes with the token in the address, and goes on
// without it.
func TestTokenInTheBrowser(t *testing.T) {
	folder := t.TempDir()
	makeRun(t, filepath.Join(folder, "one"), 4)
	server := served(t, Options{Folders: []string{folder}, Token: "a-token-for-this-test"})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL + "/?token=a-token-for-this-test#q=one"))
	b.until(live + ` && document.querySelectorAll("#rows tr").length === 1`)
	if got, want := b.eval(`location.href`), `"`+server.URL+`/#q=one"`; got != want {
		t.Errorf("the address: got %s, want %s", got, want)
	}
}

// writeFilters keeps 24 filters of an epoch: some noise that fades.
func writeFilters(t *testing.T, dir string, epoch int) {
	t.Helper()
	d, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	data := make([]float32, 24*3*8*8)
	for i := range data {
		if r.IntN(epoch+1) == 0 {
			data[i] = float32(r.NormFloat64())
		}
	}
	if err := d.WriteFiltersAt(epoch, []run.Tensor{
		{Name: "filters", Shape: []int{24, 3, 8, 8}, Data: data},
		{Name: "eligible", Shape: []int{2}, Data: []float32{24, 256}},
		{Name: "locality", Shape: []int{1, 5}, Data: []float32{60, 40, 8, 8, 3}},
	}); err != nil {
		t.Fatal(err)
	}
}

// TestScreenshots leaves pictures to be looked at: go test -run Screenshots
// -args -shots FOLDER -real RUNS.
func TestScreenshots(t *testing.T) {
	if *shots == "" || *real == "" {
		t.Skip("no -shots and -real are given")
	}
	server := served(t, Options{Folders: []string{*real}})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL + "/#sort=name&down=false"))
	b.until(live + ` && document.querySelectorAll("#rows tr").length > 0`)
	b.eval(`[...document.querySelectorAll("#rows tr")].filter((e) => !/3fc|fig2/.test(e.innerText)).forEach((e) => e.querySelector("input").click())`)
	b.until(`document.querySelectorAll("#charts canvas").length >= 5 && [...document.querySelectorAll("#gallery img")].some((e) => e.src)`)
	b.eval(`document.querySelectorAll("#charts canvas")[1].focus(), document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true}))`)
	b.shoot("watch-light.png")
	b.do(chromedp.EmulateViewport(1300, 1020))
	b.shootBy(chromedp.CaptureScreenshot(), "watch-view.png")
	b.do(chromedp.EmulateViewport(1440, 900))
	b.eval(`(() => { const e = document.querySelector("#epoch"); e.value = 4; e.dispatchEvent(new Event("input")) })()`)
	b.do(chromedp.Sleep(time.Second))
	b.shoot("watch-gallery.png")
	b.dark(true)
	b.shoot("watch-dark.png")
	b.dark(false)
	b.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	b.shoot("watch-phone.png")
	b.eval(`scrollTo(0, 0)`)
	b.shootBy(chromedp.CaptureScreenshot(), "watch-phone-top.png")
}

// TestNamesSeedsScatterAndFiles looks at what tells runs apart, at a study's
// seeds as one line, at runs by two quantities, and at what can be downloaded.
func TestNamesSeedsScatterAndFiles(t *testing.T) {
	folder := t.TempDir()
	for _, lambda := range []float64{1e-5, 1e-4} {
		for seed := range uint64(2) {
			dir := filepath.Join(folder, fmt.Sprintf("%g-%d", lambda, seed+1))
			makeRun(t, dir, 4)
			c := run.Default()
			c.Model, c.Alpha, c.Data, c.Optimizer, c.Beta, c.LambdaConv, c.Seed = "s-fc", 1, "digits", "beta-lasso", 50, lambda, seed+1
			if lambda == 1e-4 && seed == 1 {
				c.Name, c.Note = "the one that counts", "after lunch"
			}
			if err := run.WriteConfig(filepath.Join(dir, run.ConfigFile), c); err != nil {
				t.Fatal(err)
			}
		}
	}
	writeFilters(t, filepath.Join(folder, "1e-05-1"), 0)
	server := served(t, Options{Folders: []string{folder}})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL + "/#sort=name&down=false"))
	for _, width := range []int{1280, 390} {
		b.do(chromedp.EmulateViewport(int64(width), 900))
		b.until(live + ` && document.querySelectorAll("#rows tr").length === 4`)
		got := b.eval(`[...document.querySelectorAll("#rows td.name .names")].map((e) => e.innerText.replace(/\n/g, " | ").trim())`)
		for _, want := range []string{"S-FC α=1, β-lasso β=50 | lambda-conv=1e-5", "lambda-conv=1e-4", "the one that counts", "after lunch"} {
			if !strings.Contains(got, want) {
				t.Errorf("at %d pixels the names are %s, want %q", width, got, want)
			}
		}
		if got := b.eval(`[...document.querySelectorAll("#rows .varies, #rows .title")].filter((e) => e.offsetParent === null || e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow !== "visible").length`); got != "0" {
			t.Errorf("at %d pixels %s names are clipped", width, got)
		}
		if got := b.eval(`document.documentElement.scrollWidth <= innerWidth`); got != "true" {
			t.Errorf("at %d pixels the page scrolls to the side", width)
		}
	}
	b.do(chromedp.EmulateViewport(1280, 900))

	// A click anywhere on a row selects it, and a second one no longer.
	b.eval(`document.querySelector("#rows tr td.nonzero").click()`)
	b.until(`document.querySelectorAll("#chosen li").length === 1`)
	b.eval(`document.querySelector("#rows tr td.nonzero").click()`)
	b.until(`document.querySelectorAll("#chosen li").length === 0`)
	b.eval(`[...document.querySelectorAll("#rows tr td.nonzero")].forEach((e) => e.click())`)
	b.until(`document.querySelectorAll("#charts figure").length === 7 && [...document.querySelectorAll("#charts figcaption span")].some((e) => e.textContent === "Learning rate")`)

	// What a step costs, beside a dense one and in milliseconds.
	b.eval(`document.querySelectorAll("#charts canvas")[5].focus(), document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true}))`)
	b.until(`((f) => f[5].querySelector("figcaption").innerText.startsWith("Multiply-adds of a step") && f[5].querySelector(".readout").innerText.includes("25") && f[6].querySelector(".readout").innerText.includes("12.5"))(document.querySelectorAll("#charts figure"))`)

	// Values stand below the chart and cover nothing.
	if got := b.eval(`[...document.querySelectorAll("#charts figure")].every((f) => f.querySelector(".readout").getBoundingClientRect().top >= f.querySelector("canvas").getBoundingClientRect().bottom - 1)`); got != "true" {
		t.Error("what a chart reads covers the chart")
	}
	const lines = `document.querySelectorAll("#charts figure:nth-child(3) .readout div").length`
	b.until(lines + " === 4")
	b.eval(`document.querySelector("#band").click()`)
	b.until(lines + ` === 2 && document.querySelector("#charts .readout").innerText.includes("(2 seeds)") && /band=true/.test(location.hash)`)

	// Filters: one figure, and one line for those without.
	b.until(`document.querySelectorAll("#gallery figure").length === 1 && document.querySelector("#unfiltered").innerText.startsWith("No filters are kept") && document.querySelector("#unfiltered").innerText.split(";").length === 3`)

	// The scatter has a canvas with a point for each run, in words that it says.
	b.eval(`(() => { for (const [id, v] of [["sx", "lambda_conv"], ["sy", "val"]]) { const e = document.getElementById(id); e.value = v; e.dispatchEvent(new Event("change")) } })()`)
	b.until(`/sx=lambda_conv/.test(location.hash) && document.querySelector("#scatter canvas")`)

	// What is downloaded.
	b.eval(`(window.files = [], URL.createObjectURL = (blob) => { blob.text().then((text) => files.push(text)); return "#files" }, HTMLAnchorElement.prototype.click = function () { files.push(this.download) }, 0)`)
	b.eval(`document.querySelector("#csv").click(), document.querySelector("#charts figcaption button").click(), document.querySelector("#scatter-svg").click()`)
	b.until(`files.length === 6`)
	got := b.eval(`files.filter((f) => f.length > 60)`)
	for _, want := range []string{`run,name,epoch,seconds,lr,train_loss,train_acc,val_loss,val_acc,step_ms,work_share,nonzero_conv1,nonzero_fc1`, `,0,1,,,,2.5,0.4,,,1000,50`, `<svg xmlns=`, `(2 seeds) train</text>`, `validation accuracy, % by lambda-conv`} {
		if !strings.Contains(got, want) {
			t.Errorf("the files do not hold %q:\n%.1500s", want, got)
		}
	}
	if got := b.eval(`files.filter((f) => f.startsWith("<svg")).map((f) => new DOMParser().parseFromString(f, "image/svg+xml").querySelector("parsererror") === null)`); got != "[true,true]" {
		t.Errorf("the SVG files are not well-formed: %s", got)
	}
	if got := b.eval(`files.filter((f) => f.length <= 60).sort()`); got != `["loss.svg","runs.csv","scatter.svg"]` {
		t.Errorf("the files are called %s", got)
	}
	b.shoot("watch-test-study.png")
}

// spy keeps the lines that charts are given, by the charts' titles.
const spy = `import("/chart.js").then((m) => {
	const set = m.Chart.prototype.set;
	window.drawn = {};
	m.Chart.prototype.set = function (lines, axes) { drawn[this.title] = lines; set.call(this, lines, axes) };
	return 0;
})`

// makeSeed makes a run of a study: its validation loss is its seed, and an epoch
// takes it as many hours.
func makeSeed(t *testing.T, dir string, lr float64, seed uint64, epochs int) {
	t.Helper()
	makeRun(t, dir, 0)
	c := run.Default()
	c.Model, c.Alpha, c.Data, c.LR, c.Seed = "s-fc", 1, "digits", lr, seed
	if err := run.WriteConfig(filepath.Join(dir, run.ConfigFile), c); err != nil {
		t.Fatal(err)
	}
	var text []byte
	for e := range epochs + 1 {
		line, err := json.Marshal(run.Event{Epoch: e, TrainLoss: 1, ValLoss: float64(seed), Nonzero: map[string]int{"fc1": 50}, Seconds: 3600 * float64(seed)})
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	if err := os.WriteFile(filepath.Join(dir, run.EventsFile), text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestSeedsOfUnequalLength looks at the mean of seeds that have not come equally
// far, at which lines stand out, and at what is spoken.
func TestSeedsOfUnequalLength(t *testing.T) {
	folder := t.TempDir()
	makeSeed(t, filepath.Join(folder, "1"), 0.1, 1, 4)
	makeSeed(t, filepath.Join(folder, "2"), 0.1, 2, 2)
	makeSeed(t, filepath.Join(folder, "3"), 0.2, 3, 4)
	makeSeed(t, filepath.Join(folder, "4"), 0.3, 4, -1) // has no epoch yet
	server := served(t, Options{Folders: []string{folder}})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL + "/#sort=name&down=false"))
	b.until(live + ` && document.querySelectorAll("#rows tr").length === 4`)
	b.eval(spy)
	b.eval(`[...document.querySelectorAll("#rows input")].forEach((e) => e.click())`)
	b.until(`drawn.Loss?.length === 6`)
	b.eval(`document.querySelector("#part").value = "val", document.querySelector("#part").dispatchEvent(new Event("change")), document.querySelector("#band").click()`)
	b.until(`drawn.Loss.length === 2 && drawn.Loss[0].low`)
	const mean = `[drawn.Loss[0].xs, drawn.Loss[0].ys, drawn.Loss[0].low, drawn.Loss[0].high]`
	if got, want := b.eval(mean), `[[0,1,2],[1.5,1.5,1.5],[1,1,1],[2,2,2]]`; got != want {
		t.Errorf("the mean of a seed of 4 epochs and one of 2: got %s, want %s", got, want)
	}
	b.eval(`document.querySelector("#x").value = "hours", document.querySelector("#x").dispatchEvent(new Event("change"))`)
	b.until(`drawn.Loss[0].xs[0] > 0`)
	if got, want := b.eval(mean), `[[1.5,3,4.5],[1.5,1.5,1.5],[1,1,1],[2,2,2]]`; got != want {
		t.Errorf("the mean by hours: got %s, want %s", got, want)
	}

	// Seeds of a band have its colour, and the next run has the next.
	if got, want := b.eval(`[...document.querySelectorAll("#chosen .swatch")].map((e) => e.style.background)`), `["rgb(11, 98, 164)","rgb(11, 98, 164)","rgb(209, 72, 15)","rgb(29, 138, 74)"]`; got != want {
		t.Errorf("the colours: got %s, want %s", got, want)
	}

	// The chip of any seed has its band stand out, by pointer and by focus; that of a
	// run without lines fades none, and one that goes is no longer pointed at.
	const chip = `document.querySelectorAll("#chosen li")`
	const lines = `drawn.Loss.map((l) => [Boolean(l.strong), Boolean(l.dim)])`
	for _, c := range []struct{ do, want string }{
		{chip + `[1].dispatchEvent(new PointerEvent("pointerenter"))`, `[[true,false],[false,true]]`},
		{chip + `[1].dispatchEvent(new PointerEvent("pointerleave"))`, `[[false,false],[false,false]]`},
		{chip + `[2].querySelector("button").dispatchEvent(new FocusEvent("focusin", {bubbles: true}))`, `[[false,true],[true,false]]`},
		{chip + `[2].querySelector("button").dispatchEvent(new FocusEvent("focusout", {bubbles: true}))`, `[[false,false],[false,false]]`},
		{chip + `[3].dispatchEvent(new PointerEvent("pointerenter"))`, `[[false,false],[false,false]]`},
		{chip + `[2].dispatchEvent(new PointerEvent("pointerenter"))`, `[[false,true],[true,false]]`},
	} {
		b.eval(c.do + `, 0`)
		b.until(fmt.Sprintf(`JSON.stringify(%s) === %q`, lines, c.want))
	}
	b.eval(chip + `[2].querySelector("button").click()`)
	b.until(chip + `.length === 3 && drawn.Loss.length === 1`)
	b.eval(`document.querySelectorAll("#rows input")[2].click()`)
	b.until(chip + `.length === 4 && drawn.Loss.length === 2`)
	if got, want := b.eval(lines), `[[false,false],[false,false]]`; got != want {
		t.Errorf("a run that was taken out and in again: got %s, want %s", got, want)
	}

	// Of the charts, which have one cursor, the one with the focus is read.
	b.eval(`document.querySelectorAll("#charts figcaption button")[1].focus()`)
	b.press(kb.Tab)
	b.press(kb.Home)
	b.until(`document.querySelector("#spoken").textContent.startsWith("Accuracy, %, hours ")`)
	if got := b.eval(`getComputedStyle(document.activeElement).outlineOffset`); got != `"-2px"` {
		t.Errorf("the outline of the chart with the focus is %s outside of what is shown", got)
	}
}

// TestNamesInOrderAndWhatIsMissing sorts names by their numbers, and what is
// missing last. The way to the curves leaves the view as it is.
func TestNamesInOrderAndWhatIsMissing(t *testing.T) {
	folder := t.TempDir()
	for i, c := range []struct{ beta, lambda float64 }{{0.2, 1e-5}, {0.15, 1e-4}, {0.15, 1e-5}, {0.15, 0.2}, {0.15, 0.15}} {
		dir := filepath.Join(folder, fmt.Sprint(i))
		makeRun(t, dir, 1)
		config := run.Default()
		config.Model, config.Alpha, config.Data, config.Optimizer, config.Beta, config.LambdaConv = "s-fc", 1, "digits", "beta-lasso", c.beta, c.lambda
		if err := run.WriteConfig(filepath.Join(dir, run.ConfigFile), config); err != nil {
			t.Fatal(err)
		}
		if i < 2 {
			spoil(t, dir, run.ResultFile, fmt.Sprintf(`{"last": {"epoch": 100, "test_acc": 0.%d}, "seed": 1}`, 5-i))
		}
	}
	server := served(t, Options{Folders: []string{folder}})
	b := openBrowser(t)
	for _, c := range []struct{ sort, want string }{
		{"sort=name&down=false", "21430"},
		{"sort=name&down=true", "03412"},
		{"sort=test&down=false", "10234"},
		{"sort=test&down=true", "01234"},
	} {
		b.do(chromedp.Navigate("about:blank"), chromedp.Navigate(server.URL+"/#"+c.sort))
		b.until(live + ` && document.querySelectorAll("#rows tr").length === 5`)
		if got := b.eval(`[...document.querySelectorAll("#rows td.name .path")].map((e) => e.innerText.trim().at(-1)).join("")`); got != `"`+c.want+`"` {
			t.Errorf("%s: got %s, want %s", c.sort, got, c.want)
		}
	}

	b.eval(`document.querySelector("#rows input").click()`)
	b.until(`document.querySelectorAll("#chosen li").length === 1 && /runs=/.test(location.hash)`)
	b.eval(`document.querySelector(".skip").click()`)
	b.until(`document.activeElement.id === "curves"`)
	b.eval(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))`)
	if got := b.eval(`[document.querySelectorAll("#chosen li").length, /runs=/.test(location.hash)]`); got != `[1,true]` {
		t.Errorf("on the way to the curves the selection is lost: %s", got)
	}
}

// TestFilesForPaper saves charts while the page is dark.
func TestFilesForPaper(t *testing.T) {
	folder := t.TempDir()
	makeRun(t, filepath.Join(folder, "one"), 3)
	makeRun(t, filepath.Join(folder, "two"), 3)
	server := served(t, Options{Folders: []string{folder}})
	b := openBrowser(t)
	b.dark(true)
	b.do(chromedp.Navigate(server.URL))
	b.until(live + ` && document.querySelectorAll("#rows tr").length === 2`)
	b.eval(`[...document.querySelectorAll("#rows input")].forEach((e) => e.click())`)
	b.until(`document.querySelectorAll("#charts canvas").length === 7`)
	b.eval(`(window.files = [], URL.createObjectURL = (blob) => { blob.text().then((text) => files.push(text)); return "#files" }, HTMLAnchorElement.prototype.click = () => {}, 0)`)
	b.eval(`document.querySelector("#charts figcaption button").click(), document.querySelector("#scatter-svg").click()`)
	b.until(`files.length === 2`)
	for _, file := range []string{"0", "1"} {
		if got := b.eval(`[files[` + file + `].includes("#0b62a4"), files[` + file + `].includes("#6cb8f0")]`); got != `[true,false]` {
			t.Errorf("file %s has the colours of the light page, and of the dark: %s", file, got)
		}
	}
	if got := b.eval(`[...document.querySelectorAll("#settings thead th")].map((e) => getComputedStyle(e).color === getComputedStyle(document.body).color && Boolean(e.querySelector(".swatch")))`); got != `[false,true,true]` {
		t.Errorf("headings of settings in the colour of text, beside a swatch: %s", got)
	}
}

// TestPicturesThatFail has a picture that cannot be loaded at first, and then one
// of another run in the same folder.
func TestPicturesThatFail(t *testing.T) {
	folder := t.TempDir()
	dir := filepath.Join(folder, "one")
	makeRun(t, dir, 4)
	writeFilters(t, dir, 1)
	writeFilters(t, dir, 2)
	s := newServer(t, Options{Folders: []string{folder}})
	ctx, cancel := context.WithCancel(context.Background())
	s.done = ctx.Done()
	var fails atomic.Bool
	handler := s.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails.Load() && strings.HasSuffix(r.URL.Path, "/1.png") {
			w.Header().Set("Content-Type", "image/png") // an error's status would be on the console
			fmt.Fprint(w, "no picture")
			return
		}
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	defer cancel()
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL))
	b.until(live + ` && document.querySelectorAll("#rows tr").length === 1`)
	b.eval(`document.querySelector("#rows input").click()`)
	const picture = `document.querySelector("#gallery img")`
	b.until(picture + `?.src.includes("/2.png")`)
	fails.Store(true)
	const move = `((e) => { e.value = %s; e.dispatchEvent(new Event("input")) })(document.querySelector("#epoch"))`
	b.eval(fmt.Sprintf(move, "0"))
	b.until(`document.querySelector("#gallery small").innerText.startsWith("Epoch 1,") && getComputedStyle(` + picture + `).display === "none"`)
	fails.Store(false)
	b.eval(fmt.Sprintf(move, "0"))
	b.until(picture + `.src.includes("/1.png") && getComputedStyle(` + picture + `).display !== "none"`)

	address := b.eval(picture + `.src`)
	writeFilters(t, dir, 1)
	appendTo(t, filepath.Join(dir, run.EventsFile), event(t, 5))
	b.until(picture + `.src !== ` + address)
}

// TestSilentConnection has the page connect again where nothing comes, as from
// a tunnel whose other end is gone.
func TestSilentConnection(t *testing.T) {
	server := served(t, Options{Folders: []string{t.TempDir()}})
	b := openBrowser(t)
	b.do(chromedp.Navigate(server.URL))
	b.until(live)
	got := b.eval(`import("/stream.js?another").then((m) => {
		const sources = [], timers = new Map(), said = [], { setTimeout, clearTimeout, EventSource } = window;
		let last = 0;
		window.setTimeout = (f, ms) => { timers.set(++last, {f, ms}); return last };
		window.clearTimeout = (id) => timers.delete(id);
		window.EventSource = class {
			constructor() { this.heard = {}; this.closed = false; sources.push(this) }
			addEventListener(name, f) { this.heard[name] = f }
			close() { this.closed = true }
		};
		try {
			m.connect([], {rows() {}, points() {}, state(text, kind) { said.push(kind) }});
			sources[0].onopen();
			const [before] = timers.keys();
			sources[0].heard.beat({});
			const [[after, {f, ms}]] = timers;
			timers.delete(after);
			f();
			return [before !== after, ms, said.join(), sources.map((s) => s.closed), timers.size];
		} finally {
			Object.assign(window, { setTimeout, clearTimeout, EventSource });
		}
	})`)
	if want := `[true,45000,"live,lost",[true,false],1]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
