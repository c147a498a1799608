// The settings in which the selected runs differ.
import { labels, rows, varying } from './store.js';
import { view, selected } from './view.js';
import { color, dash, paint, slots } from './color.js';
import { setting } from './format.js';

// drawSettings draws a table: a row for each setting, a column for each run.
export function drawSettings() {
  const runs = selected().map((id) => rows.get(id)).filter(Boolean);
  const names = labels(runs.map((r) => r.id)), numbers = slots();
  const table = document.getElementById('settings');
  const keys = [...new Set(runs.flatMap((r) => Object.keys(r.config)))];
  const all = keys.map((key) => ({ key, values: runs.map((r) => setting(r.config[key])) }));
  const different = varying(runs);
  const differ = ({ key }) => different.includes(key);
  const list = all.filter((row) => view.same || runs.length < 2 || differ(row));
  const state = JSON.stringify([runs.map((r) => [names.get(r.id), numbers.get(r.id), color(numbers.get(r.id))]), list]);
  if (table.dataset.state === state) return;
  table.dataset.state = state;
  const cell = (kind, text, scope) => {
    const node = document.createElement(kind);
    node.textContent = text;
    if (scope) node.scope = scope;
    return node;
  };
  const head = document.createElement('tr');
  head.append(cell('th', 'setting', 'col'));
  for (const r of runs) {
    const th = cell('th', names.get(r.id), 'col');
    const swatch = document.createElement('span');
    swatch.className = 'swatch';
    paint(swatch, color(numbers.get(r.id)), dash(numbers.get(r.id)));
    th.prepend(swatch, ' ');
    head.append(th);
  }
  const body = list.map((row) => {
    const tr = document.createElement('tr');
    tr.append(cell('th', row.key.replaceAll('_', '-'), 'row'));
    for (const value of row.values) {
      const td = cell('td', value);
      td.className = runs.length > 1 && differ(row) ? 'differs' : '';
      tr.append(td);
    }
    return tr;
  });
  if (list.length === 0) {
    const tr = document.createElement('tr');
    tr.append(Object.assign(cell('td', 'They have the same settings.'), { colSpan: runs.length + 1 }));
    body.push(tr);
  }
  const thead = document.createElement('thead'), tbody = document.createElement('tbody');
  thead.append(head);
  tbody.append(...body);
  table.replaceChildren(thead, tbody);
}
