// Curves of the loss as SVG: any number of series over the steps, a mark where the reader is.
import { escaped } from './words.js';

/** A series is drawn where it has numbers. @typedef {{points: [number, number | null][], kind: string, label: string}} Series */
/** @typedef {{x: number, kind: string}} Mark */
/** @typedef {{left: number, right: number, top: number, bottom: number, width: number, height: number}} Frame */

const MANY = 50; // times as large: beyond that an axis is logarithmic

/** @param {Series[]} series @param {number} [from] the axis begins there at the latest */
export function scales(series, from) {
  const values = series.flatMap((s) => s.points.map(([, y]) => y)).filter((y) => y !== null && Number.isFinite(y));
  const known = /** @type {number[]} */ (values);
  const xs = [...(from === undefined ? [] : [from]), ...series.flatMap((s) => s.points.map(([x]) => x))];
  const [low, high] = [known.reduce((a, b) => Math.min(a, b), Infinity), known.reduce((a, b) => Math.max(a, b), -Infinity)];
  return {
    first: xs.reduce((a, b) => Math.min(a, b), Infinity),
    last: xs.reduce((a, b) => Math.max(a, b), -Infinity),
    low: Number.isFinite(low) ? low : 0,
    high: Number.isFinite(high) ? high : 1,
    log: low > 0 && high / low > MANY,
  };
}

/** @param {ReturnType<typeof scales>} scale @param {Frame} frame */
function placed({ first, last, low, high, log }, frame) {
  const [a, b] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const across = frame.right - frame.left;
  return {
    /** @param {number} x */
    x: (x) => frame.left + (last > first ? ((x - first) / (last - first)) * across : across / 2),
    /** @param {number} y */
    y: (y) => frame.bottom - (b > a ? ((log ? Math.log(y) : y) - a) / (b - a) : 0.5) * (frame.bottom - frame.top),
    /** The step below a place of the pointer. @param {number} left */
    step: (left) => Math.round(first + ((left - frame.left) / across) * (last - first)),
  };
}

/**
 * Draws the curves into an element; a click tells the step.
 * @param {HTMLElement} into @param {Series[]} series @param {Mark[]} marks
 * @param {{label: string, write: (value: number) => string, count: (value: number) => string, from?: number}} said @param {(step: number) => void} go
 */
export function drawCurves(into, series, marks, said, go) {
  const width = Math.max(260, into.clientWidth - 16);
  const height = 190;
  const frame = { left: 62, right: width - 10, top: 24, bottom: height - 24, width, height };
  const scale = scales(series, said.from);
  const at = placed(scale, frame);
  const line = (/** @type {Series} */ s) => {
    const known = s.points.filter(([, y]) => y !== null && Number.isFinite(y) && !(scale.log && /** @type {number} */ (y) <= 0));
    const points = known.map(([x, y]) => `${at.x(x).toFixed(1)},${at.y(/** @type {number} */ (y)).toFixed(1)}`).join(' ');
    if (known.length === 1) {
      const [x, y] = points.split(',');
      return `<circle class="series ${s.kind}" cx="${x}" cy="${y}" r="3"/>`;
    }
    return `<polyline class="series ${s.kind}" points="${points}"/>`;
  };
  const mark = (/** @type {Mark} */ { x, kind }) => {
    if (x < scale.first || x > scale.last) return '';
    const place = at.x(x).toFixed(1);
    return `<line class="here ${kind}" x1="${place}" x2="${place}" y1="${frame.top - 4}" y2="${frame.bottom + 4}"/>`;
  };
  let left = frame.left;
  const keys = series
    .filter((s) => s.label)
    .map((s) => {
      const key =
        `<line class="series ${s.kind}" x1="${left}" x2="${left + 22}" y1="10" y2="10"/>` +
        `<text class="key" x="${left + 27}" y="14">${escaped(s.label)}</text>`;
      left += 40 + s.label.length * 7.2;
      return key;
    });
  const middle = scale.log ? Math.sqrt(scale.low * scale.high) : (scale.low + scale.high) / 2;
  const heights = [...new Set([scale.high, middle, scale.low])].map(
    (y) =>
      `<path class="axis" d="M${frame.left},${at.y(y).toFixed(1)}H${frame.right}"/>` +
      `<text x="${frame.left - 6}" y="${(at.y(y) + 4).toFixed(1)}" text-anchor="end">${escaped(said.write(y))}</text>`,
  );
  const ends = [
    [scale.first, 'start'],
    [scale.last, 'end'],
  ].map(
    ([x, anchor]) =>
      `<text x="${at.x(Number(x)).toFixed(1)}" y="${height - 6}" text-anchor="${anchor}">${escaped(said.count(Number(x)))}</text>`,
  );
  into.innerHTML =
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(said.label)}" xmlns="http://www.w3.org/2000/svg">` +
    `${heights.join('')}${ends.join('')}${keys.join('')}${series.map(line).join('')}${marks.map(mark).join('')}</svg>`;
  const svg = /** @type {SVGSVGElement} */ (into.firstElementChild);
  svg.addEventListener('click', (event) => {
    const box = svg.getBoundingClientRect();
    go(at.step(((event.clientX - box.left) / box.width) * width));
  });
  return scale;
}
