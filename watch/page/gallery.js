// The filters of the selected runs' first layers, over training.
import { labels, rows } from './store.js';
import { view, selected } from './view.js';
import { color, dash, paint, slots } from './color.js';
import { short } from './format.js';

const byId = (id) => document.getElementById(id);
const kept = new Map(); // run → {at, list}: the sets of filters that the server has
const figures = new Map(); // by run
let stops = []; // of the slider: epochs
let playing = 0;
let changed = () => {};

// start wires the slider; f is called when the view has been changed here.
export function start(f) {
  changed = f;
  byId('epoch').addEventListener('input', () => {
    const at = Number(byId('epoch').value);
    view.epoch = at === stops.length - 1 ? null : stops[at];
    changed();
  });
  byId('play').addEventListener('click', () => (playing ? stop() : play()));
}

function play() {
  if (stops.length < 2) return;
  if (view.epoch === null) view.epoch = stops[0];
  byId('play').textContent = 'Pause';
  byId('play').ariaPressed = 'true';
  changed();
  playing = setInterval(() => {
    const at = place() + 1;
    view.epoch = at >= stops.length - 1 ? null : stops[at];
    changed();
    if (view.epoch === null) stop();
  }, 700);
}

function stop() {
  clearInterval(playing);
  playing = 0;
  byId('play').textContent = 'Play';
  byId('play').ariaPressed = 'false';
}

// place is the slider's place of the view's epoch: of the last stop not after it.
function place() {
  if (view.epoch === null) return stops.length - 1;
  return Math.max(0, stops.findLastIndex((e) => e <= view.epoch));
}

// fetchKept asks which filters a run has, when there may be new ones.
async function fetchKept(id) {
  const row = rows.get(id);
  if (!row) return;
  const at = `${row.epoch} ${row.state} ${row.updated}`;
  const had = kept.get(id);
  if (had?.at === at) return;
  kept.set(id, { at, list: had?.list ?? [] });
  try {
    const answer = await fetch(`api/runs/${id}/filters`);
    if (!answer.ok) return;
    const list = await answer.json();
    kept.set(id, { at, list });
    drawGallery();
  } catch { // the server is away: ask again with the next change
    kept.delete(id);
  }
}

// drawGallery draws a figure for each run, of the filters at the slider, which
// are the same units throughout, and beside them those chosen at the end from
// the filters with 20 non-zeros or more. Runs that kept none share a line.
export function drawGallery() {
  const ids = selected();
  ids.forEach(fetchKept);
  const sets = (id) => kept.get(id)?.list ?? [];
  const all = new Set(ids.flatMap((id) => sets(id).filter((k) => k.epoch >= 0).map((k) => k.epoch)));
  stops = [...all].sort((a, b) => a - b);
  const slider = byId('epoch'), at = place(), stopAt = stops[at];
  slider.max = Math.max(0, stops.length - 1);
  slider.value = Math.max(0, at);
  slider.disabled = byId('play').disabled = stops.length < 2;
  const name = stopAt === undefined ? 'none' : `epoch ${stopAt}`;
  byId('epoch-value').textContent = name;
  slider.setAttribute('aria-valuetext', name);
  const names = labels(ids), numbers = slots(), have = ids.filter((id) => sets(id).length), none = ids.filter((id) => !sets(id).length);
  for (const [id, figure] of figures) {
    if (!have.includes(id)) { figure.remove(); figures.delete(id); }
  }
  byId('unfiltered').textContent = none.length ? `No filters are kept${none.some((id) => rows.get(id)?.state === 'running') ? ' yet' : ''}: ${none.map((id) => names.get(id)).join('; ')}.` : '';
  const home = byId('gallery');
  have.forEach((id, i) => {
    if (!figures.has(id)) figures.set(id, make());
    const figure = figures.get(id);
    if (home.children[i] !== figure) home.insertBefore(figure, home.children[i] ?? null);
    const list = sets(id).filter((k) => k.epoch >= 0);
    paint(figure.querySelector('.swatch'), color(numbers.get(id)), dash(numbers.get(id)));
    figure.querySelector('figcaption span:last-child').textContent = names.get(id);
    const [fixed, chosen] = figure.querySelectorAll('.set');
    fill(fixed, id, names.get(id), list.findLast((k) => k.epoch <= stopAt) ?? list[0]);
    fill(chosen, id, names.get(id), sets(id).find((k) => k.epoch < 0));
  });
}

function make() {
  const figure = document.createElement('figure');
  const caption = figure.appendChild(document.createElement('figcaption'));
  caption.append(document.createElement('span'), document.createElement('span'));
  caption.firstChild.className = 'swatch';
  const pair = figure.appendChild(document.createElement('div'));
  pair.className = 'pair';
  for (let i = 0; i < 2; i++) {
    const set = pair.appendChild(document.createElement('div'));
    set.className = 'set';
    set.append(document.createElement('img'), document.createElement('small'));
    set.hidden = true;
  }
  return figure;
}

async function fill(set, id, title, k) {
  const [image, facts] = set.children;
  set.hidden = !k;
  if (!k) return;
  const which = k.epoch < 0 ? `At the end, ${k.shown} of those with 20 non-zeros or more` : `Epoch ${k.epoch}, the same ${k.shown} units throughout`;
  const medians = k.eligible ? `; medians of those: ${short(k.nonzero)} non-zeros, radius ${k.radius.toFixed(1)} pixels` : '';
  facts.textContent = `${which}. Of all ${k.units.toLocaleString('en')}, ${k.eligible.toLocaleString('en')} have 20 non-zeros or more${medians}.`;
  const address = k.shown ? `api/runs/${id}/filters/${k.epoch < 0 ? 'end' : k.epoch}.png?v=${k.stamp}` : '';
  if (image.dataset.address === address) return;
  image.dataset.address = address;
  if (!address) {
    image.hidden = true;
    return;
  }
  const next = new Image(); // the old picture stays until the new one can be drawn
  next.src = address;
  try {
    await next.decode();
  } catch { // the old picture is not what the words say; the next drawing asks again
    if (image.dataset.address === address) {
      image.hidden = true;
      image.dataset.address = '';
    }
    return;
  }
  if (image.dataset.address !== address) return;
  image.src = address;
  image.hidden = false;
  await image.decode().catch(() => {}); // it is there already: this is for its size
  fit(image);
  image.alt = `First-layer filters of ${title}, ${k.epoch < 0 ? 'at the end' : 'epoch ' + k.epoch}`;
}

// fit makes every weight a square of a whole number of the screen's pixels.
function fit(image) {
  const room = image.parentElement.clientWidth, ratio = devicePixelRatio || 1;
  const times = Math.max(1, Math.floor((room * ratio) / image.naturalWidth));
  image.style.width = Math.min(room, (times * image.naturalWidth) / ratio) + 'px';
}

addEventListener('resize', () => {
  for (const figure of figures.values()) for (const image of figure.querySelectorAll('img')) if (image.naturalWidth) fit(image);
});
