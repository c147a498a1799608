// The page: it joins the view, the connection and what is drawn.
import { view, selected, toggle, read, write, maxSelected } from './view.js';
import { takeRows, takePoints, rows, labels, keep } from './store.js';
import { connect, disconnect } from './stream.js';
import { Table } from './table.js';
import { drawCharts, onZoom, point, saveTable, zoom } from './charts.js';
import { drawGallery, start } from './gallery.js';
import { drawSettings } from './settings.js';
import { drawScatter, fields, onPick, saveScatter } from './scatter.js';
import { color, darkness, dash, paint, slots } from './color.js';
import { percent, span } from './format.js';

const byId = (id) => document.getElementById(id);
const table = new Table(changed, pick);

// Controls that are one field of the view each.
const controls = [
  ['smooth', 'input', 'smooth', (e) => Number(e.value), (e, v) => { e.value = v; byId('smooth-value').textContent = v.toFixed(2); }],
  ['x', 'change', 'x', (e) => e.value, (e, v) => { e.value = v; }],
  ['part', 'change', 'part', (e) => e.value, (e, v) => { e.value = v; }],
  ...['sx', 'sy'].map((id) => [id, 'change', id, (e) => e.value, (e, v) => { e.value = v; }]),
  ...['xlog', 'ylog', 'nlog', 'same', 'band'].map((id) => [id, 'change', id, (e) => e.checked, (e, v) => { e.checked = v; }]),
];
for (const [id, event, key, get] of controls) {
  byId(id).addEventListener(event, () => {
    view[key] = get(byId(id));
    if (key === 'x') view.from = view.to = null;
    changed();
  });
}
byId('zoom-in').addEventListener('click', () => zoom(0.5));
byId('zoom-out').addEventListener('click', () => zoom(2));
byId('zoom-all').addEventListener('click', () => { view.from = view.to = null; changed(); });
for (const id of ['sx', 'sy']) byId(id).append(...fields.map(([key, text]) => new Option(text, key)));
byId('csv').addEventListener('click', saveTable);
byId('scatter-svg').addEventListener('click', saveScatter);
byId('skip').addEventListener('click', (event) => { // the address is the view's: the link's #curves would end it
  event.preventDefault();
  byId('curves').focus();
  byId('curves').scrollIntoView();
});
onPick(pick);
byId('clear').addEventListener('click', () => { view.runs = []; changed(); });
onZoom(changed);
start(changed);

function pick(id) {
  if (!toggle(id)) state(`${maxSelected} runs are selected: no more at once`, 'lost');
  changed();
}

// changed follows a change of the view.
function changed() {
  write();
  follow();
  draw();
}

let waiting = 0;

// draw draws what there is, once for all that came since the last time.
function draw() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() => {
    table.draw();
    const any = selected().length > 0;
    byId('views').hidden = !any;
    byId('nothing').hidden = any;
    for (const [id, , key, , put] of controls) put(byId(id), view[key]);
    drawChosen();
    drawScatter();
    drawCharts();
    if (!any) return;
    drawGallery();
    drawSettings();
  });
}

const chips = new Map(); // by run

// drawChosen lists the selected runs with their colours.
function drawChosen() {
  const ids = selected(), names = labels(ids), numbers = slots();
  for (const [id, li] of chips) {
    if (ids.includes(id)) continue;
    li.remove();
    chips.delete(id);
    point(null); // no pointer leaves what is gone
  }
  ids.forEach((id, i) => {
    if (!chips.has(id)) chips.set(id, makeChip(id));
    const li = chips.get(id), r = rows.get(id);
    const [swatch, name, facts, remove] = li.children;
    paint(swatch, color(numbers.get(id)), dash(numbers.get(id)));
    name.textContent = names.get(id);
    li.title = r?.name ?? id;
    facts.textContent = r ? about(r) : rows.size ? 'no longer there' : '';
    remove.ariaLabel = `Take ${name.textContent} out of the selection`;
    if (byId('chosen').children[i] !== li) byId('chosen').insertBefore(li, byId('chosen').children[i] ?? null);
  });
}

function about(r) {
  const parts = [r.state === 'running' && r.left ? `${span(r.left)} left` : r.state];
  if (r.note) parts.push(r.note.length > 90 ? r.note.slice(0, 90) + '…' : r.note);
  if (r.test !== undefined) parts.push(`test ${percent(r.test)} %`);
  else if (r.val !== undefined) parts.push(`val. ${percent(r.val)} %`);
  return parts.join(' · ');
}

function makeChip(id) {
  const li = document.createElement('li');
  li.append(document.createElement('span'), document.createElement('span'), document.createElement('small'), document.createElement('button'));
  li.children[0].className = 'swatch';
  li.children[3].type = 'button';
  li.children[3].textContent = '×';
  li.children[3].addEventListener('click', () => pick(id));
  for (const event of ['pointerenter', 'focusin']) li.addEventListener(event, () => point(id));
  for (const event of ['pointerleave', 'focusout']) li.addEventListener(event, () => point(null));
  return li;
}

// follow keeps the connection to what is selected, and none while the page is
// hidden: a browser has few connections to give.
function follow() {
  if (document.hidden) {
    disconnect();
    return;
  }
  keep(selected());
  connect(selected().sort(), {
    rows: (update) => { takeRows(update); draw(); },
    points: (message) => { takePoints(message); draw(); },
    state,
  });
}

function state(text, kind) {
  byId('link').textContent = text;
  byId('link').className = kind;
}

document.addEventListener('visibilitychange', follow);
addEventListener('hashchange', () => { read(); follow(); draw(); });
addEventListener('keyup', (event) => {
  if (event.key === '/' && !event.target.matches('select, input:not([type=checkbox]):not([type=range])')) byId('query').focus();
});
darkness.addEventListener('change', draw);
read();
follow();
draw();
