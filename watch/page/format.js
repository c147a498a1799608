// How numbers and names are written.

export const percent = (v) => (100 * v).toFixed(2);

// plain is a number of four digits, or, below a million, of all those before the
// point: a whole number is exact.
export const plain = (v) => {
  if (v === 0) return '0';
  const a = Math.abs(v);
  if (a >= 1e6 || a < 1e-3) return v.toExponential(2);
  return String(a >= 1e3 ? Math.round(v) : Number(v.toPrecision(4)));
};

// short is a count of few digits: 3.15 M.
export function short(v, digits = 3) {
  for (const [size, unit] of [[1e9, ' G'], [1e6, ' M'], [1e3, ' k']]) {
    if (Math.abs(v) >= size) return Number((v / size).toPrecision(digits)) + unit;
  }
  return String(Number(v.toPrecision(digits)));
}

// span is a time given in seconds.
export function span(s) {
  if (s < 90) return Math.round(s) + ' s';
  if (s < 90 * 60) return Math.round(s / 60) + ' min';
  if (s < 48 * 3600) return (s / 3600).toFixed(1) + ' h';
  return (s / 86400).toFixed(1) + ' d';
}

// setting is a value of a run's config.
export const setting = (v) => (v === undefined || v === '' ? '–' : String(v));
