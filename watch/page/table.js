// The table of runs: found, sorted, one page at a time.
import { rest, rows, title, varying } from './store.js';
import { view, selected } from './view.js';
import { percent, short, span } from './format.js';
import { color, dash, paint, slots } from './color.js';

const share = (row) => row.epoch / Math.max(1, row.config.epochs);
const order = ['running', 'planned', 'interrupted', 'failed', 'broken', 'done'];

// columns: key, heading, the value that it is sorted by, or several of them, what
// is shown, and what is said when the pointer rests on it.
const columns = [
  { key: 'name', title: 'Run', value: named },
  { key: 'state', title: 'State', hint: (r) => r.note ?? '', value: (r) => order.indexOf(r.state), show: (r) => r.state },
  { key: 'progress', title: 'Progress', value: share },
  { key: 'left', title: 'Left', value: (r) => r.left, show: (r) => (r.left ? span(r.left) : ''), num: true, hide: 'mid' },
  { key: 'val', title: 'Val. %', value: (r) => r.val, show: (r) => (r.val === undefined ? '–' : percent(r.val)), hint: (r) => (r.best === undefined ? '' : `best ${percent(r.best)}`), num: true },
  { key: 'test', title: 'Test %', value: (r) => r.test, show: (r) => (r.test === undefined ? '–' : percent(r.test)), num: true, hide: 'mid' },
  { key: 'nonzero', title: 'Non-zeros', value: (r) => r.nonzero || undefined, show: (r) => (r.nonzero ? short(r.nonzero) : '–'), num: true, hide: 'mid' },
  { key: 'data', title: 'Data', value: (r) => r.config.data || undefined, hide: 'wide' },
  { key: 'seed', title: 'Seed', value: (r) => r.config.seed, num: true, hide: 'wide' },
  { key: 'updated', title: 'Updated', value: (r) => r.updated, show: (r) => when(r.updated), num: true, hide: 'wide' },
];

// What else is different among the runs that are found.
const columned = new Set(['data', 'seed']);
let different = [];

// named is what runs are sorted by as their names are read: the title, then
// settings as numbers, of which β is in the title.
function named({ config: c }) {
  return [title({ config: { ...c, beta: 0 } }), ...['beta', ...different, ...columned].map((key) => c[key])];
}

// found are the rows that the search finds.
export let found = [];
export const varies = (r) => rest(r, different);

function when(seconds) {
  const d = new Date(1000 * seconds);
  const time = d.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return d.toDateString() === new Date().toDateString() ? time : d.toLocaleDateString([], { day: 'numeric', month: 'short' }) + ' ' + time;
}

// matcher makes a test of a row from what is searched for.
function matcher(query, state) {
  const tests = query.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const [, name, sign, text] = word.match(/^([a-z_-]+)([=<>])(.+)$/) ?? [];
    if (!name) return (r) => words(r).includes(word);
    const wanted = Number(text);
    return (r) => {
      const got = field(r, name.replaceAll('-', '_'));
      if (got === undefined) return false;
      if (sign === '<') return Number(got) < wanted;
      if (sign === '>') return Number(got) > wanted;
      return Number.isNaN(wanted) ? String(got).toLowerCase() === text : Number(got) === wanted;
    };
  });
  return (r) => (!state || r.state === state) && tests.every((test) => test(r));
}

const words = (r) => `${r.name} ${title(r)} ${r.state} ${r.config.model} ${r.config.data} ${r.config.optimizer} ${r.note ?? ''} ${r.config.note ?? ''}`.toLowerCase();

// field is what `name=value` asks for: a result in percent, or a setting.
function field(r, name) {
  switch (name) {
    case 'val': return r.val === undefined ? undefined : 100 * r.val;
    case 'test': return r.test === undefined ? undefined : 100 * r.test;
    case 'best': return r.best === undefined ? undefined : 100 * r.best;
    case 'epoch': case 'nonzero': case 'state': case 'seconds': return r[name];
    case 'validation': return r.config.val;
    default: return r.config[name];
  }
}

const byId = (id) => document.getElementById(id);
const cells = new Map(); // the rows shown, by id: they are kept, so that focus is

export class Table {
  // changed is called when the view has been changed here; pick with the id of a run.
  constructor(changed, pick) {
    this.changed = changed;
    this.pick = pick;
    for (const c of columns) {
      const th = document.createElement('th');
      th.scope = 'col';
      th.className = `${c.num ? 'num' : ''} ${c.hide ?? ''}`;
      const button = th.appendChild(document.createElement('button'));
      button.type = 'button';
      button.addEventListener('click', () => {
        view.down = view.sort === c.key ? !view.down : Boolean(c.num);
        view.sort = c.key;
        view.page = 0;
        changed();
      });
      byId('heads').append(th);
    }
    const listen = (id, event, act) => byId(id).addEventListener(event, () => { act(byId(id)); changed(); });
    listen('query', 'input', (e) => { view.q = e.value; view.page = 0; });
    listen('state', 'change', (e) => { view.state = e.value; view.page = 0; });
    listen('size', 'change', (e) => { view.size = Number(e.value); view.page = 0; });
    listen('prev', 'click', () => { view.page--; });
    listen('next', 'click', () => { view.page++; });
    byId('find').addEventListener('submit', (event) => event.preventDefault());
    byId('rows').addEventListener('keydown', (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const boxes = [...byId('rows').querySelectorAll('input')];
      boxes[boxes.indexOf(document.activeElement) + step]?.focus();
      event.preventDefault();
    });
  }

  draw() {
    [...byId('heads').children].forEach((th, i) => {
      const on = columns[i].key === view.sort;
      th.firstChild.textContent = columns[i].title + (on ? (view.down ? ' ↓' : ' ↑') : '');
      th.ariaSort = on ? (view.down ? 'descending' : 'ascending') : 'none';
    });
    for (const [id, value] of [['query', view.q], ['state', view.state], ['size', String(view.size)]]) {
      if (byId(id).value !== value) byId(id).value = value;
    }
    const column = columns.find((c) => c.key === view.sort) ?? columns.at(-1);
    const sign = view.down ? -1 : 1;
    const test = matcher(view.q, view.state);
    const list = found = [...rows.values()].filter(test);
    different = varying(list).filter((key) => !columned.has(key));
    const values = new Map(list.map((r) => [r, [column.value(r)].flat()]));
    const first = (a, b) => values.get(a).reduce((so, v, i) => so || compare(v, values.get(b)[i], sign), 0);
    list.sort((a, b) => first(a, b) || compare(a.name, b.name));
    const last = Math.max(0, Math.ceil(list.length / view.size) - 1);
    const page = Math.min(view.page, last); // the view keeps its page until the rows have come
    byId('prev').disabled = page === 0;
    byId('next').disabled = page === last;
    if (rows.size) view.page = page;
    const from = page * view.size;
    const shown = list.slice(from, from + view.size);
    byId('pages').textContent = list.length ? `${from + 1}–${from + shown.length} of ${list.length}` : 'no run is found';
    this.tally();
    const body = byId('rows'), numbers = slots();
    const focus = document.activeElement; // is lost where its row moves
    for (const [id, tr] of cells) {
      if (!shown.some((r) => r.id === id)) { tr.remove(); cells.delete(id); }
    }
    shown.forEach((r, i) => {
      if (!cells.has(r.id)) cells.set(r.id, this.make(r));
      const tr = cells.get(r.id);
      fill(tr, r, numbers.get(r.id));
      if (body.children[i] !== tr) body.insertBefore(tr, body.children[i] ?? null);
    });
    if (focus !== document.activeElement && body.contains(focus)) focus.focus({ preventScroll: true });
    byId('clear').disabled = selected().length === 0;
  }

  tally() {
    const counts = Object.fromEntries(order.map((s) => [s, 0]));
    for (const r of rows.values()) counts[r.state]++;
    byId('tally').textContent = `${rows.size} ${rows.size === 1 ? 'run' : 'runs'}` + order.filter((s) => counts[s]).map((s) => ` · ${counts[s]} ${s}`).join('');
  }

  make(r) {
    const tr = document.createElement('tr');
    for (const c of columns) {
      const td = tr.appendChild(document.createElement('td'));
      td.className = `${c.num ? 'num' : ''} ${c.hide ?? ''} ${c.key}`;
    }
    const label = tr.children[0].appendChild(document.createElement('label'));
    const box = label.appendChild(document.createElement('input'));
    box.type = 'checkbox';
    box.addEventListener('change', () => this.pick(r.id));
    label.append(document.createElement('span'), document.createElement('span'));
    label.children[1].className = 'swatch';
    label.children[2].className = 'names';
    for (const part of ['title', 'varies', 'path']) label.children[2].appendChild(document.createElement('span')).className = part;
    tr.addEventListener('click', (event) => {
      if (!event.target.closest('label, input, a, button') && !String(getSelection())) this.pick(r.id);
    });
    const bar = tr.children[2].appendChild(document.createElement('progress'));
    tr.children[2].append(' ', document.createElement('span'));
    bar.max = 1;
    return tr;
  }
}

// fill puts a run into its row, changing only what has changed; slot is undefined
// where it is not selected.
function fill(tr, r, slot) {
  const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  columns.forEach((c, i) => {
    const td = tr.children[i];
    if (c.key === 'name') {
      const [box, swatch, name] = td.firstChild.children;
      box.checked = slot !== undefined;
      swatch.style.visibility = box.checked ? '' : 'hidden';
      if (box.checked) paint(swatch, color(slot), dash(slot));
      [title(r), varies(r)].forEach((text, at) => put(name.children[at], text));
      name.title = [r.name, r.config.note].filter(Boolean).join('\n');
      put(name.children[2], [r.config.note, r.name].filter(Boolean).join(' · '));
    } else if (c.key === 'progress') {
      td.firstChild.value = share(r);
      td.firstChild.ariaLabel = `epoch ${r.epoch} of ${r.config.epochs}`;
      put(td.lastChild, `${r.epoch}/${r.config.epochs}`);
    } else {
      put(td, String((c.show ?? c.value)(r) ?? ''));
      if (c.hint) td.title = c.hint(r);
      if (c.key === 'state') td.className = 'state ' + r.state;
    }
  });
}

const collator = new Intl.Collator('en', { numeric: true });

// compare is sort's; what is missing comes last, whatever the sign of the others.
function compare(a, b, sign = 1) {
  if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
  return sign * (typeof a === 'string' ? collator.compare(a, b) : a - b);
}
