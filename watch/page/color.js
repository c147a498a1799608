// The colours and dashes of selected runs, to be told apart on light and on dark.
import { alike, rows } from './store.js';
import { view } from './view.js';

const light = ['#0b62a4', '#d1480f', '#1d8a4a', '#8b3fb0', '#b07a00', '#c2266e', '#007f8c', '#6b5344', '#4a56d6', '#7a8b00', '#aa3333', '#555c66'];
const dark = ['#6cb8f0', '#ff9a66', '#67d08f', '#cf9bf0', '#e8c050', '#ff85b8', '#54d0dc', '#c8a890', '#a0a8ff', '#c6d84a', '#ff7d7d', '#b4bcc6'];

// Lengths of strokes and gaps, of training and of validation, for each dozen of runs.
const dashes = [[undefined, [5, 3]], [[2, 3], [9, 3, 2, 3]]];

export const darkness = matchMedia('(prefers-color-scheme: dark)');

// slots are the numbers of the selected runs' colours and dashes, by run: their
// places in the view. With seeds as a band, all seeds of a group have its number.
export function slots() {
  const numbers = new Map(), groups = new Map();
  view.runs.forEach((id, place) => {
    if (!id) return;
    const group = (view.band && alike(rows.get(id))) || id;
    if (!groups.has(group)) groups.set(group, view.band ? groups.size : place);
    numbers.set(id, groups.get(group));
  });
  return numbers;
}

// color is that of a slot, pale on what is dark.
export const color = (slot, pale = darkness.matches) => (pale ? dark : light)[slot % light.length];

// dash is that of a slot's line; undefined: it is solid.
export const dash = (slot, val = false) => dashes[Math.floor(slot / light.length) % dashes.length][val ? 1 : 0];

// paint shows a colour and a dash in an element.
export function paint(node, ink, strokes) {
  node.style.background = ink;
  let at = 0;
  const stops = (strokes ?? []).map((length, i) => `${i % 2 ? 'transparent' : '#000'} ${at}px ${(at += length)}px`);
  node.style.mask = strokes ? `repeating-linear-gradient(90deg, ${stops.join()})` : '';
}
