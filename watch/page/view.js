// What is shown, and its form in the address: a link keeps the whole view.

const first = {
  q: '', state: '', sort: 'updated', down: true, page: 0, size: 10,
  runs: [], // ids; a run's place gives its colour, and null is a free one
  smooth: 0, x: 'epoch', part: 'both', xlog: false, ylog: false, nlog: true,
  from: null, to: null, // of the horizontal axis; null: all
  epoch: null, // of the filters; null: the last
  same: false, band: false, sx: 'nonzero', sy: 'val',
};

export const view = { ...first, runs: [] };

// selected are the ids of the runs that are selected.
export const selected = () => view.runs.filter(Boolean);

export const maxSelected = 24;

// toggle selects a run, or no longer. It gives false where there is no room.
export function toggle(id) {
  const at = view.runs.indexOf(id);
  if (at >= 0) {
    view.runs[at] = null;
    while (view.runs.length && !view.runs.at(-1)) view.runs.pop();
    return true;
  }
  if (selected().length >= maxSelected) return false;
  const free = view.runs.indexOf(null);
  if (free >= 0) view.runs[free] = id;
  else view.runs.push(id);
  return true;
}

let waiting = 0;

// write puts the view into the address, soon: browsers refuse to have it changed
// with every move of a slider.
export function write() {
  clearTimeout(waiting);
  waiting = setTimeout(writeNow, 200);
}

function writeNow() {
  const parts = [];
  for (const [key, value] of Object.entries(view)) {
    const text = key === 'runs' ? value.map((id) => id ?? '').join(',') : value === null ? '' : String(value);
    if (text !== (first[key] === null ? '' : String(first[key]))) parts.push(key + '=' + encodeURIComponent(text).replaceAll('%2C', ','));
  }
  const hash = parts.length ? '#' + parts.join('&') : '';
  if (hash !== location.hash) history.replaceState(null, '', location.pathname + location.search + hash);
}

// read takes the view from the address.
export function read() {
  clearTimeout(waiting);
  Object.assign(view, first, { runs: [] });
  for (const part of location.hash.slice(1).split('&')) {
    const [key, value = ''] = part.split('=');
    if (!Object.hasOwn(first, key)) continue;
    let text;
    try { text = decodeURIComponent(value); } catch { continue; }
    if (key === 'runs') view.runs = ids(text);
    else if (typeof first[key] === 'boolean') view[key] = text === 'true';
    else if (typeof first[key] === 'string') view[key] = text;
    else if (text !== '' && Number.isFinite(Number(text))) view[key] = Number(text);
  }
  view.page = Math.max(0, Math.floor(view.page));
  view.smooth = Math.min(0.99, Math.max(0, view.smooth));
  if (!(view.size >= 1)) view.size = first.size;
}

// ids reads the selected runs, each once.
function ids(text) {
  const seen = new Set();
  const list = text.split(',').slice(0, 4 * maxSelected).map((id) => {
    if (!/^[0-9a-f]{12}$/.test(id) || seen.has(id) || seen.size >= maxSelected) return null;
    seen.add(id);
    return id;
  });
  while (list.length && !list.at(-1)) list.pop();
  return list;
}
