// A chart as an SVG file: the same lines, with axes and a legend.
import { tick } from './chart.js';

const left = 64, right = 16, top = 34, bottom = 44, width = 640, height = 360;

// svg writes lines of {name, color, dash, faint, xs, ys, low, high}, or dots, that
// may be hollow; axes has {x, y, xlog, ylog, min, max, low, high}: what the axes
// are of, and what they span.
export function svg(title, lines, axes) {
  const sx = scale(axes.min, axes.max, left, width - right, axes.xlog);
  const sy = scale(axes.low, axes.high, height - bottom, top, axes.ylog);
  const named = lines.filter((l) => !l.faint);
  const tall = height + 18 * named.length + 8;
  const out = [`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${tall}" viewBox="0 0 ${width} ${tall}" font-family="Liberation Sans, Arial, Helvetica, sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`, `<text x="${width / 2}" y="20" text-anchor="middle">${escape(title)}</text>`,
    `<clipPath id="c"><rect x="${left}" y="${top}" width="${width - left - right}" height="${height - top - bottom}"/></clipPath>`];
  for (const v of ticks(axes.low, axes.high, axes.ylog, 6)) {
    out.push(`<path d="M${left} ${n(sy(v))}H${width - right}" stroke="#ddd"/>`, `<text x="${left - 6}" y="${n(sy(v) + 4)}" text-anchor="end">${tick(v)}</text>`);
  }
  for (const v of ticks(axes.min, axes.max, axes.xlog, 8)) out.push(`<text x="${n(sx(v))}" y="${height - bottom + 16}" text-anchor="middle">${tick(v)}</text>`);
  out.push(`<path d="M${left} ${height - bottom}H${width - right}" stroke="#555"/>`, `<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">${escape(axes.x)}</text>`);
  out.push('<g clip-path="url(#c)" fill="none" stroke-linejoin="round">');
  for (const l of lines) {
    if (l.low) out.push(`<path d="${path(l.xs, l.high, sx, sy, axes)}${path([...l.xs].reverse(), [...l.low].reverse(), sx, sy, axes).replace('M', 'L')}Z" fill="${l.color}" fill-opacity="0.17"/>`);
    if (l.dots) out.push(...l.xs.map((x, i) => dot(sx(x), sy(l.ys[i]), l)));
    else out.push(`<path d="${path(l.xs, l.ys, sx, sy, axes)}" stroke="${l.color}" stroke-width="${l.faint ? 0.8 : 1.6}"${l.faint ? ' stroke-opacity="0.25"' : ''}${dashed(l)}/>`);
  }
  out.push('</g>');
  named.forEach((l, i) => {
    const y = height + 18 * i + 4;
    out.push(l.dots ? dot(left + 10, y, l) : `<path d="M${left} ${y}h20" stroke="${l.color}" stroke-width="2"${dashed(l)}/>`, `<text x="${left + 28}" y="${y + 4}">${escape(l.name)}</text>`);
  });
  return out.join('\n') + '\n</svg>\n';
}

const n = (v) => Number(v.toFixed(2));
const dashed = (l) => (l.dash ? ` stroke-dasharray="${l.dash.join(' ')}"` : '');
const dot = (x, y, l) => `<circle cx="${n(x)}" cy="${n(y)}" r="3.5" fill="${l.hollow ? 'none' : l.color}" stroke="${l.color}"/>`;
const escape = (text) => text.replace(/[<>&"]/g, (c) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' })[c]);

function path(xs, ys, sx, sy, { xlog, ylog }) {
  let d = '', pen = false;
  xs.forEach((x, i) => {
    const ok = Number.isFinite(ys[i]) && !(ylog && ys[i] <= 0) && !(xlog && x <= 0);
    if (ok) d += `${pen ? 'L' : 'M'}${n(sx(x))} ${n(sy(ys[i]))}`;
    pen = ok;
  });
  return d;
}

function scale(low, high, from, to, log) {
  const f = log ? Math.log : (v) => v, a = f(low), span = f(high) - a || 1;
  return (v) => from + ((f(v) - a) / span) * (to - from);
}

// ticks are about count round numbers between low and high.
export function ticks(low, high, log, count) {
  const list = [];
  if (log && high / low > 3) {
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
      for (const m of high / low < 1e3 ? [1, 2, 5] : [1]) if (m * 10 ** e >= low && m * 10 ** e <= high) list.push(m * 10 ** e);
    }
    return list;
  }
  const rough = (high - low) / count, unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((m) => m * unit >= rough * 0.999);
  for (let i = Math.ceil(low / step); i * step <= high && list.length < 100; i++) list.push(i * step);
  return list;
}

// save has the browser download a text under a name.
export function save(name, type, text) {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([text], { type }));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}
