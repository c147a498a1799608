// One chart: lines drawn by uPlot, and below it what they read at the cursor.
import { paint } from './color.js';
import { plain, short } from './format.js';

const { uPlot } = window;

export class Chart {
  // on.cursor(x, chart) when a pointer or key moves the cursor, null when it
  // leaves; on.zoom(from, to) when a part of the axis is chosen; on.nearer(by);
  // on.step(how, chart) for another point; on.read(text, chart) with what it reads
  // at the cursor; on.save(chart) for a file.
  constructor(title, on) {
    this.title = title;
    this.on = on;
    this.lines = [];
    this.cursor = null;
    this.figure = document.createElement('figure');
    const caption = this.figure.appendChild(document.createElement('figcaption'));
    caption.append(Object.assign(document.createElement('span'), { textContent: title }));
    const save = caption.appendChild(Object.assign(document.createElement('button'), { type: 'button', textContent: 'SVG' }));
    save.ariaLabel = `Download ${title} as SVG`;
    save.addEventListener('click', () => on.save(this));
    this.plot = this.figure.appendChild(document.createElement('div'));
    this.plot.className = 'plot';
    this.readout = this.figure.appendChild(document.createElement('div'));
    this.readout.className = 'readout';
    this.watcher = new ResizeObserver(() => this.u?.setSize(this.size()));
    this.watcher.observe(this.plot);
  }

  // close gives up what the chart holds.
  close() {
    this.watcher.disconnect();
    this.u?.destroy();
    this.figure.remove();
  }

  size() { return { width: this.plot.clientWidth, height: this.plot.clientHeight }; }

  // set gives what is to be drawn: lines of {name, slot, color, dash, faint, dim,
  // strong, xs, ys} and, of a band, {low, high}; and axes {x, xlog, ylog, from, to}.
  set(lines, axes) {
    this.lines = lines;
    this.axes = axes;
    const form = JSON.stringify([axes.x, axes.xlog, axes.ylog, ...lines.map((l) => [l.color, l.dash, l.faint, Boolean(l.low)])]);
    const count = lines.map((l) => l.ys.length + ' ' + l.version).join();
    if (form !== this.form) this.make(form);
    else if (count !== this.count || lines.some((l, i) => l.ys !== this.drawn[i])) this.u.setData(this.data());
    this.count = count;
    this.drawn = lines.map((l) => l.ys);
    let at = 0;
    for (const l of lines) {
      const s = this.u.series[++at];
      s.width = (l.faint ? 1 : l.strong ? 2.6 : 1.6);
      s.alpha = l.faint ? 0.22 : l.dim ? 0.25 : 1;
      if (l.low) at += 2;
    }
    this.u.batch(() => {
      this.u.setScale('x', this.range());
      this.u.redraw(true, true);
    });
    this.canvas.setAttribute('aria-label', `${this.title} by ${axes.x}, ${lines.length} lines. Arrow keys read values.`);
    this.mark(this.cursor);
  }

  // data is the lines on one axis: where a line has no point, nothing is.
  data() {
    const { xlog, ylog } = this.axes;
    const value = (v) => (Number.isFinite(v) && !(ylog && v <= 0) ? v : null);
    const tables = [];
    for (const l of this.lines) {
      const from = xlog ? l.xs.findIndex((x) => x > 0) : 0;
      const xs = from < 0 ? [] : l.xs.slice(from);
      for (const ys of l.low ? [l.ys, l.high, l.low] : [l.ys]) tables.push([xs, from < 0 ? [] : ys.slice(from).map(value)]);
    }
    if (!tables.length) return [[0, 1]];
    const [[xs]] = tables;
    const same = tables.every(([other]) => other === xs || (other.length === xs.length && other.every((x, i) => x === xs[i])));
    return same ? [xs, ...tables.map(([, ys]) => ys)] : uPlot.join(tables);
  }

  // range is what the horizontal axis shows.
  range() {
    const { from, to, xlog } = this.axes;
    let low = Infinity, high = -Infinity;
    for (const { xs } of this.lines) {
      const first = xlog ? xs.find((x) => x > 0) : xs[0];
      if (first !== undefined) { low = Math.min(low, first); high = Math.max(high, xs.at(-1)); }
    }
    if (!(low <= high)) [low, high] = xlog ? [1, 10] : [0, 1];
    const min = from !== null && !(xlog && from <= 0) ? from : low;
    const max = to ?? high;
    return { min, max: max > min ? max : min + (xlog ? min : 1) };
  }

  make(form) {
    const focused = this.canvas !== undefined && document.activeElement === this.canvas;
    this.form = form;
    this.canvas = null;
    this.u?.destroy();
    const { axes } = this;
    const ink = (name) => getComputedStyle(this.figure).getPropertyValue(name);
    const font = '11px ' + getComputedStyle(this.figure).fontFamily;
    const axis = (more) => ({ stroke: () => ink('--soft'), grid: { stroke: () => ink('--grid'), width: 1 }, ticks: { show: false }, font, ...more, values: (_, list) => list.map((v) => (v === null ? '' : tick(v))) });
    const series = [{}], bands = [];
    for (const l of this.lines) {
      const common = { stroke: l.color, dash: l.dash, auto: !l.faint, points: { show: l.ys.length === 1 } };
      series.push(common);
      if (l.low) {
        series.push({ stroke: null, points: { show: false } }, { stroke: null, points: { show: false } });
        bands.push({ series: [series.length - 2, series.length - 1], fill: l.color + '2b' });
      }
    }
    this.u = new uPlot({
      ...this.size(),
      series, bands,
      legend: { show: false },
      padding: [10, 12, 0, 0],
      scales: {
        x: { time: false, distr: axes.xlog ? 3 : 1, range: () => Object.values(this.range()) },
        y: { distr: axes.ylog ? 3 : 1 },
      },
      axes: [axis({ size: 30, incrs: axes.x === 'epoch' ? whole : undefined }), axis({ size: room(52) })],
      cursor: {
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => { this.on.zoom(null, null); return null; } },
        points: { size: 6 },
      },
      hooks: {
        setCursor: [(u) => { if (!this.marking) this.on.cursor(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, 'x') : null, this); }],
        setSelect: [(u) => {
          const { left, width } = u.select;
          if (width > 8) this.on.zoom(u.posToVal(left, 'x'), u.posToVal(left + width, 'x'));
          if (width > 0) u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        }],
      },
    }, this.data(), this.plot);
    const canvas = this.canvas = this.u.ctx.canvas;
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'img');
    canvas.addEventListener('keydown', (event) => this.key(event));
    canvas.addEventListener('blur', () => { if (this.canvas === canvas) this.on.cursor(null, this); });
    if (focused) canvas.focus({ preventScroll: true });
  }

  key(event) {
    const how = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity }[event.key];
    if (how !== undefined) this.on.step(how, this);
    else if (event.key === '+' || event.key === '=') this.on.nearer(0.5);
    else if (event.key === '-') this.on.nearer(2);
    else if (event.key === '0') this.on.zoom(null, null);
    else if (event.key === 'Escape') this.on.cursor(null, this);
    else return;
    event.preventDefault();
  }

  // mark sets the cursor at a value of the horizontal axis, and reads the lines
  // there; null: nowhere, and the last values are read.
  mark(x) {
    this.cursor = x;
    if (!this.u) return;
    this.marking = true;
    const left = x === null ? -10 : this.u.valToPos(x, 'x');
    if (this.u.cursor.left !== left) this.u.setCursor({ left, top: x === null ? -10 : Math.max(0, this.u.cursor.top) }, false);
    this.marking = false;
    const read = [];
    for (const l of this.lines) {
      if (l.faint || l.xs.length === 0) continue;
      let i = x === null ? l.ys.findLastIndex(Number.isFinite) : nearest(l.xs, x);
      const step = l.xs.length > 1 && i >= 0 ? Math.abs(l.xs[i] - l.xs[i ? i - 1 : 1]) : Infinity;
      if (i < 0 || !Number.isFinite(l.ys[i]) || (x !== null && Math.abs(l.xs[i] - x) > 0.51 * step)) continue; // beyond its ends
      read.push({ l, y: l.ys[i], x: l.xs[i] });
    }
    const at = x === null || !read.length ? null : read.reduce((a, b) => (Math.abs(b.x - x) < Math.abs(a.x - x) ? b : a)).x;
    const head = at === null ? 'latest' : `${this.axes.x} ${plain(at)}`;
    const text = JSON.stringify([head, read.map(({ l, y }) => [l.name, l.color, l.dash, y])]);
    if (text === this.said) return;
    this.said = text;
    this.readout.replaceChildren(Object.assign(document.createElement('strong'), { textContent: head }), ...read.map(({ l, y }) => {
      const div = document.createElement('div');
      const swatch = div.appendChild(document.createElement('span'));
      swatch.className = 'swatch';
      paint(swatch, l.color, l.dash);
      const name = div.appendChild(Object.assign(document.createElement('span'), { textContent: l.name, title: l.name }));
      name.className = 'what';
      div.append(Object.assign(document.createElement('b'), { textContent: write(y) }));
      return div;
    }));
    if (at !== null) this.on.read?.(`${this.title}, ${head}: ` + read.slice(0, 12).map(({ l, y }) => `${l.name} ${write(y)}`).join('; '), this);
  }
}

const whole = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5];

export const write = (v) => (v >= 1e6 ? short(v) : plain(v));

// tick is a number at an axis. All its digits are written, so that no two are the
// same however close they are; beyond the twelfth they are noise.
export function tick(v) {
  const a = Math.abs(v);
  if (a >= 1e4) return short(v, 12);
  const exact = Number(v.toPrecision(12));
  return a !== 0 && a < 1e-3 ? exact.toExponential() : String(exact);
}

// room is the width of a vertical axis, in pixels: least, or what its labels need.
export const room = (least) => (_, labels) => Math.max(least, ...(labels ?? []).map((text) => 12 + 6.5 * text.length));

// nearest is the place of the number nearest to x.
export function nearest(xs, x) {
  let a = 0, b = xs.length - 1;
  while (a < b) {
    const m = (a + b) >> 1;
    if (xs[m] < x) a = m + 1;
    else b = m;
  }
  return a > 0 && x - xs[a - 1] < xs[a] - x ? a - 1 : a;
}
