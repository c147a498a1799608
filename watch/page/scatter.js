// The runs that are found as points of any two quantities.
import { labels, rows, title } from './store.js';
import { found, varies } from './table.js';
import { view } from './view.js';
import { color, dash, slots } from './color.js';
import { room, tick, write } from './chart.js';
import { save, svg } from './svg.js';

const { uPlot } = window;
const home = document.getElementById('scatter');
let u = null;
let form = '';
let points = []; // {id, x, y}, by x
let picked = () => {};

// onPick is called with the id of a run whose point is clicked.
export const onPick = (f) => { picked = f; };

// fields are what a point can be of: a key and its words.
export const fields = [
  ['nonzero', 'non-zeros'], ['val', 'validation accuracy, %'], ['best', 'best validation accuracy, %'], ['test', 'test accuracy, %'],
  ['params', 'weights'], ['seconds', 'seconds of training'], ['epoch', 'epochs done'],
  ...['lambda_conv', 'lambda_fc', 'beta', 'lr', 'alpha', 'width', 'momentum', 'weight_decay', 'dropout', 'batch', 'epochs', 'train', 'seed'].map((key) => [key, key.replaceAll('_', '-')]),
];

// quantity is one of the fields of a run; undefined where there is none.
export function quantity(r, key) {
  if (key === 'val' || key === 'best' || key === 'test') return r[key] === undefined ? undefined : 100 * r[key];
  if (key === 'nonzero' || key === 'params') return r[key] || undefined;
  if (key === 'seconds' || key === 'epoch') return r[key];
  return r.config[key] ?? (key in { train: 0, width: 0, alpha: 0 } ? undefined : 0);
}

// wide says whether values call for a logarithm.
const wide = (values) => values.length > 0 && values.every((v) => v > 0) && Math.max(...values) / Math.min(...values) > 30;

const words = (key) => fields.find(([k]) => k === key)?.[1] ?? key;

// drawScatter draws the points: those of selected runs in their colours.
export function drawScatter() {
  points = found.map((r) => ({ id: r.id, x: quantity(r, view.sx), y: quantity(r, view.sy) }))
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)).sort((a, b) => a.x - b.x);
  const chosen = [...slots()].filter(([id]) => points.some((p) => p.id === id));
  const xlog = wide(points.map((p) => p.x)), ylog = wide(points.map((p) => p.y));
  const data = [points.map((p) => p.x), points.map((p) => (view.runs.includes(p.id) ? null : p.y)), ...chosen.map(([id]) => points.map((p) => (p.id === id ? p.y : null)))];
  const next = JSON.stringify([view.sx, view.sy, xlog, ylog, chosen.map(([, slot]) => [slot, color(slot)])]);
  if (next !== form || !u) {
    form = next;
    u?.destroy();
    u = make(xlog, ylog, chosen, data);
  } else u.setData(data);
}

function make(xlog, ylog, chosen, data) {
  const ink = (name) => getComputedStyle(home).getPropertyValue(name);
  const font = '11px ' + getComputedStyle(home).fontFamily;
  const axis = (label, size) => ({ label, labelFont: font, labelSize: 18, size, font, stroke: () => ink('--soft'), grid: { stroke: () => ink('--grid'), width: 1 }, ticks: { show: false }, values: (_, list) => list.map((v) => (v === null ? '' : tick(v))) });
  const dots = (ink, size, hollow) => ({ paths: () => null, points: { show: true, size, width: hollow ? 2 : 1, fill: hollow ? 'transparent' : ink, stroke: ink } });
  const range = (log) => (_, min, max) => {
    if (min === null || max === null) return log ? [1, 10] : [0, 1];
    if (log) return [10 ** Math.floor(Math.log10(min)), 10 ** Math.ceil(Math.log10(max * 1.0001))];
    const room = max > min ? 0.06 * (max - min) : Math.abs(max) * 0.1 || 1;
    return [min - room, max + room];
  };
  const chart = new uPlot({
    width: home.clientWidth - 16, height: home.clientHeight - 12, legend: { show: false }, padding: [10, 12, 0, 0],
    series: [{}, dots(ink('--soft') || '#888', 6), ...chosen.map(([, slot]) => dots(color(slot), 9, dash(slot)))],
    scales: { x: { time: false, distr: xlog ? 3 : 1, range: range(xlog) }, y: { distr: ylog ? 3 : 1, range: range(ylog) } },
    axes: [axis(words(view.sx), 30), axis(words(view.sy), room(50))],
    cursor: { drag: { x: false, y: false }, points: { show: false }, x: false, y: false },
    hooks: { setCursor: [(c) => say(nearestPoint(c))] },
  }, data, home);
  chart.over.addEventListener('click', () => { const p = nearestPoint(chart); if (p) picked(p.id); });
  return chart;
}

// nearestPoint is the point within some pixels of the pointer.
function nearestPoint(c) {
  const { left, top } = c.cursor;
  if (!(left >= 0)) return null;
  let best = null, least = 20 ** 2;
  for (const p of points) {
    const d = (c.valToPos(p.x, 'x') - left) ** 2 + (c.valToPos(p.y, 'y') - top) ** 2;
    if (d < least) [best, least] = [p, d];
  }
  return best;
}

function say(p) {
  const text = p && rows.has(p.id) ? `${title(rows.get(p.id))} ${varies(rows.get(p.id))}: ${words(view.sx)} ${write(p.x)}, ${words(view.sy)} ${write(p.y)}` : '';
  document.getElementById('scatter-value').textContent = text;
}

// saveScatter has the browser download the points as SVG.
export function saveScatter() {
  if (!points.length) return;
  const { x, y } = u.scales;
  const names = labels(view.runs.filter(Boolean)), numbers = slots();
  const line = (name, list, ink, hollow) => ({ name, color: ink, dots: true, hollow, xs: list.map((p) => p.x), ys: list.map((p) => p.y) });
  const chosen = points.filter((p) => view.runs.includes(p.id));
  const lines = [line(`${points.length - chosen.length} other runs`, points.filter((p) => !chosen.includes(p)), '#888888'),
    ...chosen.map((p) => line(names.get(p.id), [p], color(numbers.get(p.id), false), dash(numbers.get(p.id))))];
  save('scatter.svg', 'image/svg+xml', svg(`${words(view.sy)} by ${words(view.sx)}`, lines, { x: words(view.sx), xlog: x.distr === 3, ylog: y.distr === 3, min: x.min, max: x.max, low: y.min, high: y.max }));
}

new ResizeObserver(() => u?.setSize({ width: home.clientWidth - 16, height: home.clientHeight - 12 })).observe(home);
