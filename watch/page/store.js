// What the server has told: the rows of all runs, and the points of those that
// are or were selected.

export const rows = new Map(); // by id
export const curves = new Map(); // by id

// Columns of a point before the non-zeros of the layers.
const fixed = ['epoch', 'seconds', 'lr', 'trainLoss', 'trainAcc', 'valLoss', 'valAcc', 'stepMs', 'work'];

// takeRows notes rows that have changed, and forgets those that are gone.
export function takeRows(update) {
  if (update.all) rows.clear();
  for (const row of update.rows) rows.set(row.id, row);
}

// takePoints notes points of a run.
export function takePoints(message) {
  let curve = curves.get(message.run);
  if (!curve || message.again) {
    curve = { mark: '', layers: [], values: Object.fromEntries([...fixed, 'hours'].map((name) => [name, []])), nonzero: {}, version: 0 };
    curves.set(message.run, curve);
  }
  curve.mark = message.mark;
  curve.version++;
  for (const layer of message.layers ?? []) {
    if (!curve.layers.includes(layer)) curve.layers.push(layer);
    curve.nonzero[layer] ??= new Array(curve.values.epoch.length).fill(NaN);
  }
  const { values } = curve;
  for (const point of message.rows) {
    fixed.forEach((name, i) => values[name].push(point[i]));
    values.hours.push((values.hours.at(-1) ?? 0) + point[1] / 3600);
    for (const layer of curve.layers) {
      const at = message.layers.indexOf(layer);
      curve.nonzero[layer].push(at < 0 ? NaN : point[fixed.length + at]);
    }
  }
}

// keep forgets the points of runs that are no longer selected, if they are many.
export function keep(ids) {
  for (const id of curves.keys()) {
    if (curves.size <= 60) return;
    if (!ids.includes(id)) curves.delete(id);
  }
}

// position is how far the runs' points have come, for the server.
export function position(version, ids) {
  const marks = ids.filter((id) => curves.get(id)?.mark).map((id) => id + ':' + curves.get(id).mark);
  return [version, ...marks].join(',');
}

// varying are the names of settings that are not the same in all of some rows.
export function varying(list) {
  const keys = Object.keys(list[0]?.config ?? {});
  for (const { config } of list) for (const key of Object.keys(config)) if (!keys.includes(key)) keys.push(key);
  const rank = (key) => foremost.indexOf(key) + 1 || 9;
  return keys.filter((key) => !noNumber.has(key) && list.some(({ config }) => config[key] !== list[0].config[key])).sort((a, b) => rank(a) - rank(b));
}

const foremost = ['lambda_conv', 'lambda_fc', 'beta', 'lr'];

const noNumber = new Set(['threads', 'data_dir', 'name', 'note', 'from', 'sparse', 'returns', 'skip_bad']); // they change no number of a run

// written is a setting as train's flags have it, small numbers as 1e-4; nothing
// where it is one of β-lasso's and the run is SGD's.
export function written({ config }, key) {
  const v = config[key];
  if (config.optimizer === 'sgd' && (key === 'beta' || key.startsWith('lambda')) && !v) return '';
  const text = typeof v === 'number' && v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential() : String(v ?? '–');
  return `${key.replaceAll('_', '-')}=${text}`;
}

// entitled are the settings that a title has.
const entitled = new Set(['model', 'alpha', 'width', 'optimizer', 'beta']);

// title is what a run is called: the user's own name for it, or its network and
// optimiser.
export function title({ config: c }) {
  if (c.name) return c.name;
  const size = c.alpha ? ` α=${c.alpha}` : c.width ? ` ${c.width}` : '';
  return `${(c.model ?? '').toUpperCase()}${size}, ${c.optimizer === 'beta-lasso' ? `β-lasso β=${c.beta ?? 0}` : 'SGD'}`;
}

// rest are the settings in which a run differs from others, but for those in its
// title.
export const rest = (row, keys) => keys.filter((key) => !entitled.has(key)).map((key) => written(row, key)).filter(Boolean).join(' ');

// alike is the same for runs that differ in their seed alone.
export function alike(row) {
  if (!row) return null;
  return JSON.stringify(Object.entries(row.config).filter(([key]) => key !== 'seed' && !noNumber.has(key)).sort());
}

// labels names some runs: title, what varies among them, and, where that is not
// enough to tell them apart, the end of their path, which is a hash in a study.
// Settings that are pooled are not named.
export function labels(ids, pooled = []) {
  const known = ids.map((id) => rows.get(id)).filter(Boolean);
  const keys = varying(known).filter((key) => !pooled.includes(key));
  const names = new Map(ids.map((id) => [id, id]));
  const count = new Map();
  for (const row of known) {
    const name = [title(row), rest(row, keys)].filter(Boolean).join(' ');
    names.set(row.id, name);
    count.set(name, (count.get(name) ?? 0) + 1);
  }
  for (const row of known) {
    if (count.get(names.get(row.id)) > 1) names.set(row.id, `${names.get(row.id)} ${row.name.split('/').at(-1)}`);
  }
  return names;
}

const smoothed = new WeakMap(); // array of values → {weight, length, result}

// smooth is an exponential moving average whose first values are not drawn
// towards zero. It goes on where it ended when values have been added.
export function smooth(values, weight) {
  if (weight === 0) return values;
  let kept = smoothed.get(values);
  if (!kept || kept.weight !== weight) smoothed.set(values, (kept = { weight, sum: 0, mass: 0, result: [] }));
  for (let i = kept.result.length; i < values.length; i++) {
    if (Number.isFinite(values[i])) {
      kept.sum = weight * kept.sum + (1 - weight) * values[i];
      kept.mass = weight * kept.mass + (1 - weight);
    }
    kept.result.push(Number.isFinite(values[i]) ? kept.sum / kept.mass : NaN);
  }
  return kept.result;
}
