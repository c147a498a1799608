// The charts of the selected runs: loss, accuracy, non-zeros of each layer.
import { Chart, nearest } from './chart.js';
import { curves, labels, rows, smooth } from './store.js';
import { view, selected } from './view.js';
import { color } from './color.js';

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
    drawCharts();
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
  read(text) { // for screen readers, when the cursor rests
    clearTimeout(speech);
    speech = setTimeout(() => { if (spoken.textContent !== text) spoken.textContent = text; }, 400);
  },
};

// zoom makes the range of the horizontal axis larger by a factor, about the
// cursor or the middle.
export function zoom(factor) {
  const xs = shown().map(({ curve }) => horizontal(curve)).filter((list) => list.length);
  if (!xs.length) return;
  const whole = [Math.min(...xs.map((l) => l[0])), Math.max(...xs.map((l) => l.at(-1)))];
  const from = view.from ?? whole[0], to = view.to ?? whole[1];
  const middle = cursor !== null && cursor > from && cursor < to ? cursor : (from + to) / 2;
  const a = middle - (middle - from) * factor, b = middle + (to - middle) * factor;
  if (a <= whole[0] && b >= whole[1]) on.zoom(null, null);
  else on.zoom(Math.max(a, whole[0]), Math.min(b, whole[1]));
}

const horizontal = (curve) => curve.values[view.x === 'hours' ? 'hours' : 'epoch'];

// shown are the selected runs that have points.
const shown = () => view.runs.flatMap((id, slot) => (id && curves.get(id)?.values.epoch.length ? [{ id, slot, curve: curves.get(id) }] : []));

// drawCharts draws them all.
export function drawCharts() {
  const runs = shown();
  names = labels(selected());
  const layers = [];
  for (const { curve } of runs) layers.push(...curve.layers.filter((l) => !layers.includes(l)));
  layers.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const list = [
    { key: 'loss', title: 'Loss', log: view.ylog, lines: pairs(runs, 'trainLoss', 'valLoss', 1) },
    { key: 'acc', title: 'Accuracy, %', log: false, lines: pairs(runs, 'trainAcc', 'valAcc', 100) },
    ...layers.map((layer) => ({
      key: 'nonzero ' + layer, title: 'Non-zeros, ' + layer, log: view.nlog,
      lines: runs.filter((r) => r.curve.nonzero[layer]).map((r) => line(r, horizontal(r.curve), r.curve.nonzero[layer])),
    })),
  ];
  for (const [key, chart] of charts) {
    if (!list.some((c) => c.key === key)) {
      chart.watcher.disconnect();
      chart.figure.remove();
      charts.delete(key);
    }
  }
  list.forEach((c, i) => {
    if (!charts.has(c.key)) charts.set(c.key, new Chart(c.title, on));
    const chart = charts.get(c.key);
    if (home.children[i] !== chart.figure) home.insertBefore(chart.figure, home.children[i] ?? null);
    chart.set(c.lines, { x: view.x === 'hours' ? 'hours' : 'epoch', xlog: view.xlog, ylog: c.log, from: view.from, to: view.to, cursor });
  });
}

const line = ({ id, slot }, xs, ys, more) => ({ name: names.get(id), color: color(slot), strong: strong === id, dim: strong && strong !== id, xs, ys, ...more });

// pairs are the lines of training and validation; where they are smoothed, the
// values themselves are drawn faintly.
function pairs(runs, train, val, factor) {
  const list = [];
  for (const run of runs) {
    const { curve } = run;
    const add = (key, more) => {
      const raw = scaled(curve, key, factor);
      if (view.smooth > 0) list.push(line(run, horizontal(curve), raw, { ...more, faint: true }));
      const l = line(run, horizontal(curve), smooth(raw, view.smooth), more);
      list.push({ ...l, name: view.part === 'both' ? `${l.name} ${more.dash ? 'val' : 'train'}` : l.name });
    };
    if (view.part !== 'val') add(train, { dash: false });
    if (view.part !== 'train' && rows.get(run.id)?.config.val !== 0) add(val, { dash: view.part === 'both' });
  }
  return list;
}

const made = new WeakMap(); // array of values → what is drawn of it

// scaled is a column times a factor, grown as the column grows. There is no
// training loss or accuracy before the first step: they begin with a gap.
function scaled(curve, key, factor) {
  const values = curve.values[key];
  if (!made.has(values)) made.set(values, []);
  const list = made.get(values);
  for (let i = list.length; i < values.length; i++) {
    list.push(curve.values.epoch[i] === 0 && key.startsWith('train') ? NaN : factor * values[i]);
  }
  return list;
}
