// The network as a figure whose colours and widths follow the numbers.
import { kept } from './typeset.js';

/** @typedef {import('./matrices.js').Matrix} Matrix */
/** @typedef {{sizes: number[], activations: string[], names?: string[]}} Shape */

const [WIDTH, HEIGHT, RADIUS] = [560, 300, 17];
const MOST_UNITS = 8;

/** @param {string} text */
const safe = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** Where the units of each layer stand: [unit, x, y], a unit of -1 for dots. @param {number[]} sizes */
function places(sizes) {
  const step = (WIDTH - 110) / Math.max(1, sizes.length - 1);
  return sizes.map((size, l) => {
    const shown = kept(size, MOST_UNITS);
    const list = size > MOST_UNITS ? [...shown.slice(0, MOST_UNITS >> 1), -1, ...shown.slice(MOST_UNITS >> 1)] : shown;
    const gap = Math.min(74, (HEIGHT - 56) / Math.max(1, list.length));
    return list.map((unit, k) => ({ unit, x: 55 + l * step, y: HEIGHT / 2 + 6 + (k - (list.length - 1) / 2) * gap }));
  });
}

/**
 * The figure as SVG. `weight(l, i, j)` and `value(l, i)` are the numbers, `label(l, i)` what a unit is called, `write` rounds.
 * Edges and units carry data-quantity and data-index, so that a click knows what it meant; `lit` names what is worked on.
 * @param {Shape} shape @param {{weight: (l: number, i: number, j: number) => number, value: (l: number, i: number) => number,
 *   label: (l: number, i: number) => string, write: (x: number) => string, describe: string, lit: Set<string>, flow: string}} show
 */
export function figure(shape, show) {
  const columns = places(shape.sizes);
  let largest = 1e-12;
  for (let l = 1; l < columns.length; l++) {
    for (const to of columns[l])
      for (const from of columns[l - 1])
        if (to.unit >= 0 && from.unit >= 0) largest = Math.max(largest, Math.abs(show.weight(l, to.unit, from.unit)));
  }
  let edges = '';
  let nodes = '';
  for (let l = 1; l < columns.length; l++) {
    for (const to of columns[l]) {
      for (const from of columns[l - 1]) {
        if (to.unit < 0 || from.unit < 0) continue;
        const w = show.weight(l, to.unit, from.unit);
        const strength = Math.min(1, Math.abs(w) / largest);
        const lit = show.lit.has(`W${l}`) ? ` lit ${show.flow}` : '';
        edges +=
          `<line class="edge ${w < 0 ? 'negative' : 'positive'}${lit}" data-quantity="W${l}" data-index="${to.unit},${from.unit}" ` +
          `x1="${from.x + RADIUS}" y1="${from.y}" x2="${to.x - RADIUS}" y2="${to.y}" stroke-width="${(0.6 + 4.4 * strength).toFixed(2)}">` +
          `<title>${safe(`W${l} ${to.unit},${from.unit} = ${show.write(w)}`)}</title></line>`;
      }
    }
  }
  columns.forEach((column, l) => {
    const quantity = l === 0 ? 'x' : l === columns.length - 1 ? 'yhat' : `a${l}`;
    for (const { unit, x, y } of column) {
      if (unit < 0) {
        nodes += `<text class="dots" x="${x}" y="${y + 5}" text-anchor="middle">⋮</text>`;
        continue;
      }
      const value = show.value(l, unit);
      const size = Number.isFinite(value) ? Math.min(1, Math.abs(value)) : 0;
      const lit = show.lit.has(quantity) || show.lit.has(`z${l}`) || show.lit.has(`delta${l}`) ? ` lit ${show.flow}` : '';
      nodes +=
        `<g class="unit ${value < 0 ? 'negative' : 'positive'}${lit}" data-quantity="${quantity}" data-index="0,${unit}">` +
        `<circle class="ground" cx="${x}" cy="${y}" r="${RADIUS}"/><circle class="fill" cx="${x}" cy="${y}" r="${RADIUS}" fill-opacity="${(0.08 + 0.5 * size).toFixed(3)}"/>` +
        `<text class="name" x="${x}" y="${y + 4}" text-anchor="middle">${safe(show.label(l, unit))}</text>` +
        `<text class="value" x="${x}" y="${y + RADIUS + 13}" text-anchor="middle">${safe(show.write(value))}</text></g>`;
    }
    const kind = l === 0 ? '' : shape.activations[l - 1];
    nodes += `<text class="layer" x="${column[0].x}" y="14" text-anchor="middle">${safe(kind)}</text>`;
  });
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${safe(show.describe)}" xmlns="http://www.w3.org/2000/svg">` +
    `<g class="edges">${edges}</g>${nodes}</svg>`
  );
}
