// The charts of the selected runs: loss, accuracy, learning rate, non-zeros of
// each layer, what a step costs; and their files.
import { Chart, nearest } from './chart.js';
import { save, svg } from './svg.js';
import { curves, labels, rows, smooth } from './store.js';
import { view, selected } from './view.js';
import { color, dash, slots } from './color.js';

const home = document.getElementById('charts');
const spoken = document.getElementById('spoken');
const charts = new Map(); // by key
let names = new Map(); // of the selected runs
let cursor = null;
let strong = null; // the run that is pointed at in the list of the selected
let changed = () => {};
let speech = 0;

// onZoom is called when the view's range has been changed here.
export const onZoom = (f) => { changed = f; };

// point makes one run's lines stand out; null: none.
export function point(id) {
  strong = id;
  drawCharts();
}

const on = {
  cursor(x) {
    cursor = x;
    for (const chart of charts.values()) chart.mark(x);
  },
  zoom(from, to) {
    view.from = from === null ? null : Number(from.toPrecision(5));
    view.to = to === null ? null : Number(to.toPrecision(5));
    changed();
  },
  nearer: (factor) => zoom(factor),
  // step moves the cursor to another point of the chart's longest line.
  step(how, chart) {
    const line = chart.lines.reduce((a, b) => (b.xs.length > (a?.xs.length ?? 0) ? b : a), null);
    if (!line) return;
    const at = cursor === null ? (how > 0 ? -1 : line.xs.length) : nearest(line.xs, cursor);
    const to = how === -Infinity ? 0 : how === Infinity ? line.xs.length - 1 : at + how;
    this.cursor(line.xs[Math.max(0, Math.min(line.xs.length - 1, to))]);
  },
  read(text, chart) { // for screen readers, when the cursor rests
    if (document.activeElement !== chart.canvas) return; // all charts have the cursor, and one is read
    clearTimeout(speech);
    speech = setTimeout(() => { if (spoken.textContent !== text) spoken.textContent = text; }, 400);
  },
  save(chart) {
    const { x, y } = chart.u.scales;
    const axes = { x: chart.axes.x, xlog: chart.axes.xlog, ylog: chart.axes.ylog, min: x.min, max: x.max, low: y.min, high: y.max };
    save(chart.title.toLowerCase().replace(/[^a-z0-9]+/g, '-') + '.svg', 'image/svg+xml', svg(chart.title, chart.lines.map((l) => ({ ...l, color: color(l.slot, false) })), axes));
  },
};

// zoom makes the range of the horizontal axis larger by a factor, about the
// cursor or the middle.
export function zoom(factor) {
  const xs = shown().map((r) => r.xs).filter((list) => list.length);
  if (!xs.length) return;
  const whole = [Math.min(...xs.map((l) => l[0])), Math.max(...xs.map((l) => l.at(-1)))];
  const from = view.from ?? whole[0], to = view.to ?? whole[1];
  const middle = cursor !== null && cursor > from && cursor < to ? cursor : (from + to) / 2;
  const a = middle - (middle - from) * factor, b = middle + (to - middle) * factor;
  if (a <= whole[0] && b >= whole[1]) on.zoom(null, null);
  else on.zoom(Math.max(a, whole[0]), Math.min(b, whole[1]));
}

const horizontal = (curve) => curve.values[view.x === 'hours' ? 'hours' : 'epoch'];

// shown are the selected runs that have points, with their horizontal axis; with
// view.band, those that differ in their seed alone as one, with all as its twins.
function shown() {
  const groups = new Map(); // by slot
  for (const [id, slot] of slots()) {
    const curve = curves.get(id);
    if (!curve?.values.epoch.length) continue;
    if (!groups.has(slot)) groups.set(slot, { id, slot, curve, xs: horizontal(curve), twins: [] });
    groups.get(slot).twins.push({ id, curve });
  }
  const runs = [...groups.values()];
  for (const r of runs) if (r.twins.length > 1) pool(r);
  const pointed = (r) => r.twins.some(({ id }) => id === strong);
  const some = runs.some(pointed);
  for (const r of runs) {
    r.strong = pointed(r);
    r.dim = some && !r.strong;
  }
  return runs;
}

// pool puts twins on one axis: the epochs that all of them have, or the means of
// their hours at these.
function pool(r) {
  r.curve = r.twins.reduce((a, { curve }) => (curve.values.epoch.length > a.values.epoch.length ? curve : a), r.curve);
  const places = r.twins.map(({ curve }) => new Map(curve.values.epoch.map((epoch, i) => [epoch, i])));
  const epochs = r.curve.values.epoch.filter((epoch) => places.every((place) => place.has(epoch)));
  r.at = epochs.map((epoch) => places.map((place) => place.get(epoch))); // places in the twins' columns
  r.xs = r.at.map((at) => mean(at.map((i, twin) => horizontal(r.twins[twin].curve)[i])));
}

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length; // NaN of none

// drawCharts draws them all.
export function drawCharts() {
  const runs = shown();
  names = view.band ? labels(runs.map((r) => r.id), ['seed']) : labels(selected());
  const layers = [];
  for (const { curve } of runs) layers.push(...curve.layers.filter((l) => !layers.includes(l)));
  layers.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const list = [
    { key: 'loss', title: 'Loss', log: view.ylog, lines: pairs(runs, 'trainLoss', 'valLoss', 1) },
    { key: 'acc', title: 'Accuracy, %', log: false, lines: pairs(runs, 'trainAcc', 'valAcc', 100) },
    ...layers.map((layer) => ({
      key: 'nonzero ' + layer, title: 'Non-zeros, ' + layer, log: view.nlog,
      lines: runs.filter((r) => r.curve.nonzero[layer]).map((r) => line(r, (c) => c.nonzero[layer] ?? [])),
    })),
    { key: 'lr', title: 'Learning rate', log: false, lines: runs.map((r) => line(r, (c) => c.values.lr.map((v) => v ?? NaN))) },
    ...[['work', 'Multiply-adds of a step, % of a dense one', 100], ['stepMs', 'Time of a step, ms', 1]].flatMap(([key, title, factor]) => {
      const some = runs.filter((r) => r.twins.some(({ curve }) => curve.values[key].some(Number.isFinite))); // older runs did not measure it
      return some.length ? [{ key, title, log: false, lines: some.map((r) => line(r, (c) => c.values[key].map((v) => (v === null ? NaN : v * factor)))) }] : [];
    }),
  ];
  for (const [key, chart] of charts) {
    if (!list.some((c) => c.key === key)) {
      chart.close();
      charts.delete(key);
    }
  }
  list.forEach((c, i) => {
    if (!charts.has(c.key)) charts.set(c.key, new Chart(c.title, on));
    const chart = charts.get(c.key);
    if (home.children[i] !== chart.figure) home.insertBefore(chart.figure, home.children[i] ?? null);
    chart.set(c.lines, { x: view.x === 'hours' ? 'hours' : 'epoch', xlog: view.xlog, ylog: c.log, from: view.from, to: view.to });
  });
}

// line is a run's line of what of gives of a curve; of several twins their mean,
// with a band from the lowest to the highest, where all of them have a value.
function line(r, of, more) {
  const l = { name: names.get(r.id), slot: r.slot, color: color(r.slot), dash: dash(r.slot), strong: r.strong, dim: r.dim, xs: r.xs, ys: of(r.curve), version: r.curve.version, ...more };
  if (r.twins.length < 2) return l;
  const all = r.twins.map(({ curve }) => of(curve));
  const has = all.map((values) => values.some(Number.isFinite)); // older runs did not measure everything
  l.name += ` (${has.filter(Boolean).length} seeds)`;
  const points = r.at.map((at) => at.map((i, twin) => all[twin][i] ?? NaN).filter((_, twin) => has[twin])); // NaN of one is NaN of all
  l.ys = points.map(mean);
  l.low = points.map((values) => Math.min(...values));
  l.high = points.map((values) => Math.max(...values));
  return l;
}

// pairs are the lines of training and validation; where they are smoothed, the
// values themselves are drawn faintly.
function pairs(runs, train, val, factor) {
  const list = [];
  for (const run of runs) {
    const add = (key, what) => {
      const raw = (curve) => scaled(curve, key, factor), both = view.part === 'both';
      const more = { dash: dash(run.slot, both && what === 'val') };
      if (view.smooth > 0 && run.twins.length === 1) list.push(line(run, raw, { ...more, faint: true }));
      const l = line(run, (curve) => smooth(raw(curve), view.smooth), more);
      list.push({ ...l, name: both ? `${l.name} ${what}` : l.name });
    };
    if (view.part !== 'val') add(train, 'train');
    if (view.part !== 'train' && rows.get(run.id)?.config.val !== 0) add(val, 'val');
  }
  return list;
}

const made = new WeakMap(); // array of values → what is drawn of it

// scaled is a column times a factor, grown as the column grows. What was not
// measured is a gap.
function scaled(curve, key, factor) {
  const values = curve.values[key];
  if (!made.has(values)) made.set(values, []);
  const list = made.get(values);
  for (let i = list.length; i < values.length; i++) list.push(values[i] === null ? NaN : factor * values[i]);
  return list;
}

// saveTable has the browser download the points of the selected runs as CSV: what
// was not measured is empty.
export function saveTable() {
  const ids = selected().filter((id) => curves.has(id)), all = labels(ids);
  const layers = [...new Set(ids.flatMap((id) => curves.get(id).layers))];
  const keys = ['epoch', 'seconds', 'lr', 'trainLoss', 'trainAcc', 'valLoss', 'valAcc', 'stepMs', 'work'];
  const plain = (v) => (typeof v === 'string' && /^[=+\-@\t\r]/.test(v) ? "'" + v : String(v)); // a spreadsheet would take it for a formula
  const cell = (v) => (v === null || v === undefined || Number.isNaN(v) ? '' : /[",\n\r]/.test(v) ? `"${plain(v).replaceAll('"', '""')}"` : plain(v));
  const lines = [['run', 'name', 'epoch', 'seconds', 'lr', 'train_loss', 'train_acc', 'val_loss', 'val_acc', 'step_ms', 'work_share', ...layers.map((l) => 'nonzero_' + l)]];
  for (const id of ids) {
    const { values, nonzero } = curves.get(id), r = rows.get(id);
    values.epoch.forEach((_, i) => {
      const point = keys.map((key) => (key.startsWith('val') && r?.config.val === 0 ? null : values[key][i]));
      lines.push([r?.name ?? id, all.get(id), ...point, ...layers.map((l) => nonzero[l]?.[i])]);
    });
  }
  save('runs.csv', 'text/csv', lines.map((l) => l.map(cell).join()).join('\n') + '\n');
}
