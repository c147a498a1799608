// One chart on a canvas: lines, axes, a marker at the cursor, and what it reads.
import { plain, short, tail } from './format.js';

const left = 52, right = 8, top = 8, bottom = 24; // of the plot, in CSS pixels

export class Chart {
  // on.cursor(x) when a pointer or key moves the cursor, null when it leaves;
  // on.zoom(from, to) when a part of the axis is chosen; on.step(chart, how).
  constructor(title, on) {
    this.title = title;
    this.on = on;
    this.lines = [];
    this.figure = document.createElement('figure');
    this.figure.append(Object.assign(document.createElement('figcaption'), { textContent: title }));
    this.canvas = this.figure.appendChild(document.createElement('canvas'));
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute('role', 'img');
    this.readout = this.figure.appendChild(document.createElement('div'));
    this.readout.className = 'readout';
    this.readout.hidden = true;
    this.listen();
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.canvas);
  }

  // set gives what is to be drawn: lines of {name, color, dash, faint, xs, ys},
  // and the axes' {xlog, ylog, from, to, x}.
  set(lines, axes) {
    this.lines = lines;
    this.axes = axes;
    this.canvas.setAttribute('aria-label', `${this.title} by ${axes.x}, ${lines.length} lines. Arrow keys read values.`);
    this.draw();
  }

  listen() {
    const c = this.canvas;
    const at = (event) => event.clientX - c.getBoundingClientRect().left;
    c.addEventListener('pointerdown', (event) => {
      this.inside = true;
      if (event.pointerType !== 'mouse' || event.button !== 0) return;
      this.start = at(event);
      c.setPointerCapture(event.pointerId);
    });
    c.addEventListener('pointermove', (event) => {
      this.inside = this.pointed = true;
      this.end = at(event);
      if (this.scale) this.on.cursor(this.scale.back(this.end), this);
    });
    c.addEventListener('pointerup', () => {
      const { start, end, scale } = this;
      this.start = undefined;
      if (start !== undefined && end !== undefined && Math.abs(end - start) > 8) {
        this.on.zoom(...[start, end].sort((a, b) => a - b).map((x) => scale.back(Math.min(scale.right, Math.max(left, x)))));
      }
      this.draw();
    });
    c.addEventListener('pointercancel', () => { this.start = undefined; });
    const leave = () => { this.inside = this.pointed = false; this.start = undefined; this.on.cursor(null, this); };
    c.addEventListener('pointerleave', leave);
    c.addEventListener('blur', leave);
    c.addEventListener('dblclick', () => this.on.zoom(null, null));
    c.addEventListener('keydown', (event) => {
      const how = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity }[event.key];
      if (how !== undefined) { this.inside = true; this.pointed = false; this.on.step(how, this); }
      else if (event.key === '+' || event.key === '=') this.on.nearer(0.5);
      else if (event.key === '-') this.on.nearer(2);
      else if (event.key === '0') this.on.zoom(null, null);
      else if (event.key === 'Escape') leave();
      else return;
      event.preventDefault();
    });
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    const { canvas, axes } = this;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!axes || width === 0) return;
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const g = canvas.getContext('2d');
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    const ink = (name) => style.getPropertyValue(name);
    g.font = '11px ' + style.fontFamily;

    const xr = range(this.lines.map((l) => l.xs), axes.xlog) ?? [0, 1];
    if (axes.from !== null) xr[0] = Math.max(axes.xlog ? Number.MIN_VALUE : -Infinity, axes.from);
    if (axes.to !== null) xr[1] = axes.to;
    if (!(xr[1] > xr[0])) xr[1] = xr[0] + (axes.xlog ? xr[0] : 1);
    const parts = this.lines.map((l) => part(l.xs, xr));
    const seen = this.lines.map((l, i) => (l.faint ? [] : l.ys.slice(...parts[i])));
    const yr = pad(range(seen, axes.ylog) ?? (axes.ylog ? [1, 10] : [0, 1]), axes.ylog);
    const sx = scale(xr, left, width - right, axes.xlog);
    const sy = scale(yr, height - bottom, top, axes.ylog);
    const other = this.scale && (this.scale.low !== xr[0] || this.scale.high !== xr[1]);
    this.scale = Object.assign(sx, { low: xr[0], high: xr[1] });
    if (other && this.pointed) this.on.cursor(sx.back(this.end), this); // another value has come under the pointer

    g.textBaseline = 'middle';
    g.textAlign = 'right';
    g.lineWidth = 1;
    for (const v of ticks(yr, axes.ylog, 5)) {
      const y = Math.round(sy(v)) + 0.5;
      g.strokeStyle = ink('--grid');
      stroke(g, left, y, width - right, y);
      g.fillStyle = ink('--soft');
      g.fillText(tick(v), left - 6, y);
    }
    g.textBaseline = 'top';
    g.textAlign = 'center';
    for (const v of ticks(xr, axes.xlog, Math.max(2, Math.floor(width / 80)), axes.x === 'epoch' ? 1 : 0)) {
      const x = Math.round(sx(v)) + 0.5;
      g.strokeStyle = ink('--grid');
      stroke(g, x, top, x, height - bottom);
      g.fillStyle = ink('--soft');
      const text = tick(v), half = g.measureText(text).width / 2;
      g.fillText(text, Math.min(width - half, x), height - bottom + 6);
    }
    g.strokeStyle = ink('--line');
    stroke(g, left, height - bottom + 0.5, width - right, height - bottom + 0.5);

    g.save();
    g.beginPath();
    g.rect(left, top - 2, width - left - right, height - top - bottom + 4);
    g.clip();
    g.lineJoin = 'round';
    this.lines.forEach((l, i) => {
      g.strokeStyle = l.color;
      g.globalAlpha = l.faint ? 0.22 : l.dim ? 0.25 : 1;
      g.lineWidth = l.faint ? 1 : l.strong ? 2.6 : 1.6;
      g.setLineDash(l.dash ? [5, 3] : []);
      trace(g, l.xs, l.ys, parts[i], sx, sy, axes);
    });
    g.setLineDash([]);
    g.globalAlpha = 1;
    if (this.start !== undefined && this.end !== undefined) {
      g.fillStyle = ink('--mark') + '33';
      g.fillRect(Math.min(this.start, this.end), top, Math.abs(this.end - this.start), height - top - bottom);
    }
    this.cursor(g, sx, sy, xr, axes, ink);
    g.restore();
  }

  // cursor marks the points nearest to the cursor, and reads them where the
  // pointer or the focus is.
  cursor(g, sx, sy, xr, axes, ink) {
    const x = axes.cursor;
    this.readout.hidden = true;
    if (x === null || x < xr[0] || x > xr[1]) return;
    g.strokeStyle = ink('--soft');
    stroke(g, Math.round(sx(x)) + 0.5, top, Math.round(sx(x)) + 0.5, 1e4);
    const read = [];
    for (const l of this.lines) {
      if (l.faint || l.xs.length === 0) continue;
      const i = nearest(l.xs, x);
      const y = l.ys[i];
      const step = l.xs.length > 1 ? Math.abs(l.xs[i] - l.xs[i ? i - 1 : 1]) : Infinity;
      if (!Number.isFinite(y) || (axes.ylog && y <= 0) || Math.abs(l.xs[i] - x) > 0.51 * step) continue; // beyond its ends
      g.fillStyle = l.color;
      g.beginPath();
      g.arc(sx(l.xs[i]), sy(y), 3, 0, 7);
      g.fill();
      read.push({ l, y, x: l.xs[i] });
    }
    if (!this.inside || read.length === 0) return;
    const at = read.reduce((a, b) => (Math.abs(b.x - x) < Math.abs(a.x - x) ? b : a)).x;
    read.sort((a, b) => b.y - a.y);
    const head = Object.assign(document.createElement('strong'), { textContent: `${axes.x} ${plain(at)}` });
    const items = read.slice(0, 12).map(({ l, y }) => {
      const div = document.createElement('div');
      const swatch = div.appendChild(document.createElement('span'));
      swatch.className = 'swatch';
      swatch.style.background = l.color;
      div.append(tail(l.name), Object.assign(document.createElement('b'), { textContent: this.write(y) }));
      return div;
    });
    if (read.length > 12) items.push(`and ${read.length - 12} more`);
    this.readout.replaceChildren(head, ...items);
    this.readout.hidden = false;
    const beyond = sx(x) > (left + sx.right) / 2;
    this.readout.style.left = beyond ? left + 8 + 'px' : '';
    this.readout.style.right = beyond ? '' : right + 8 + 'px';
    this.on.read?.(`${this.title}, ${head.textContent}: ` + read.slice(0, 12).map(({ l, y }) => `${l.name} ${this.write(y)}`).join('; '));
  }

  write(v) { return v >= 1e5 ? short(v) : plain(v); }
}

function stroke(g, x0, y0, x1, y1) {
  g.beginPath();
  g.moveTo(x0, y0);
  g.lineTo(x1, y1);
  g.stroke();
}

// trace draws a line. Of the points that fall into one column of pixels only
// the first, the lowest, the highest and the last are drawn.
function trace(g, xs, ys, [from, to], sx, sy, axes) {
  g.beginPath();
  let column = NaN, low = 0, high = 0, last = 0, pen = false, lone = 0;
  const flush = () => {
    if (Number.isNaN(column)) return;
    if (low !== high) { g.lineTo(column, low); g.lineTo(column, high); }
    g.lineTo(column, last);
  };
  for (let i = from; i < to; i++) {
    if (!Number.isFinite(ys[i]) || (axes.ylog && ys[i] <= 0) || (axes.xlog && xs[i] <= 0)) {
      flush();
      column = NaN;
      pen = false;
      continue;
    }
    const x = Math.round(2 * sx(xs[i])) / 2, y = sy(ys[i]);
    if (x === column) {
      low = Math.min(low, y);
      high = Math.max(high, y);
      last = y;
      continue;
    }
    flush();
    if (pen) g.lineTo(x, y);
    else { g.moveTo(x, y); lone = i; }
    pen = true;
    column = x;
    low = high = last = y;
  }
  flush();
  if (pen && lone === to - 1) g.rect(sx(xs[lone]) - 1, sy(ys[lone]) - 1, 2, 2); // one point is no line
  g.stroke();
}

// range is the lowest and highest of lists of numbers; of those above 0, if log.
function range(lists, log) {
  let low = Infinity, high = -Infinity;
  for (const list of lists) {
    for (const v of list) {
      if (!Number.isFinite(v) || (log && v <= 0)) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  return low <= high ? [low, high] : null;
}

function pad([low, high], log) {
  if (log) return high / low < 1.05 ? [low / 1.3, high * 1.3] : [low / (high / low) ** 0.04, high * (high / low) ** 0.04];
  const room = high > low ? 0.04 * (high - low) : Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

// scale maps the values of a range to pixels; back is its inverse.
function scale([low, high], from, to, log) {
  const f = log ? Math.log : (v) => v;
  const a = f(low), span = f(high) - a || 1;
  const s = (v) => from + ((f(v) - a) / span) * (to - from);
  s.back = (p) => (log ? Math.exp : (v) => v)(a + ((p - from) / (to - from)) * span);
  s.right = to;
  return s;
}

// ticks are about count round numbers of a range, no closer than least.
function ticks([low, high], log, count, least = 0) {
  if (log && high / low > 3) {
    const list = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
      for (const m of high / low < 1e3 ? [1, 2, 5] : [1]) {
        const v = m * 10 ** e;
        if (v >= low && v <= high) list.push(v);
      }
    }
    const skip = Math.ceil(list.length / (count + 3));
    return list.filter((_, i) => i % skip === 0);
  }
  const rough = Math.max(least, (high - low) / count), unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((m) => m * unit >= rough * 0.999);
  const list = [];
  for (let i = Math.ceil(low / step); i * step <= high && list.length < 100; i++) list.push(i * step);
  return list;
}

const tick = (v) => (Math.abs(v) >= 1e4 ? short(v) : plain(Number(v.toPrecision(6))));

// part is from where to where a line is within a range, and one point beyond.
function part(xs, [low, high]) {
  const first = (v, strict) => {
    let a = 0, b = xs.length;
    while (a < b) {
      const m = (a + b) >> 1;
      if (strict ? xs[m] <= v : xs[m] < v) a = m + 1;
      else b = m;
    }
    return a;
  };
  return [Math.max(0, first(low, false) - 1), Math.min(xs.length, first(high, true) + 1)];
}

export function nearest(xs, x) {
  let a = 0, b = xs.length - 1;
  while (a < b) {
    const m = (a + b) >> 1;
    if (xs[m] < x) a = m + 1;
    else b = m;
  }
  return a > 0 && x - xs[a - 1] < xs[a] - x ? a - 1 : a;
}
