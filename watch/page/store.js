// What the server has told: the rows of all runs, and the points of those that
// are or were selected.

export const rows = new Map(); // by id
export const curves = new Map(); // by id

// Columns of a point before the non-zeros of the layers.
const fixed = ['epoch', 'seconds', 'lr', 'trainLoss', 'trainAcc', 'valLoss', 'valAcc'];

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

// label is a run's name without the folders that all of ids have in common.
export function label(id, ids) {
  const name = rows.get(id)?.name ?? id;
  const folders = name.split('/').slice(0, -1);
  const others = ids.map((other) => rows.get(other)?.name.split('/')).filter(Boolean);
  let common = 0;
  while (common < folders.length && others.every((o) => common < o.length - 1 && o[common] === folders[common])) common++;
  return name.split('/').slice(common).join('/');
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
