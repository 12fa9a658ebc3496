// Two inputs as a plane: the prediction at each place, the samples, and where each unit of the first layer switches.
const [SIZE, CELLS, LEVELS] = [300, 36, 32];

/** @param {number[][]} X */
export function extent(X) {
  return [0, 1].map((axis) => {
    const values = X.map((row) => row[axis]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = Math.max(0.5, (high - low) * 0.35);
    return [low - margin, high + margin];
  });
}

/**
 * @param {number[][]} X @param {number[]} targets @param {(x: number[][]) => number[]} predict @param {number[][]} W @param {number[]} b
 * @param {{describe: string, names: [string, string]}} show
 */
export function plane(X, targets, predict, W, b, show) {
  const [across, up] = extent(X);
  const px = (/** @type {number} */ v) => ((v - across[0]) / (across[1] - across[0])) * SIZE;
  const py = (/** @type {number} */ v) => SIZE - ((v - up[0]) / (up[1] - up[0])) * SIZE;
  const grid = [];
  for (let i = 0; i < CELLS; i++) {
    for (let j = 0; j < CELLS; j++) {
      grid.push([across[0] + ((j + 0.5) / CELLS) * (across[1] - across[0]), up[1] - ((i + 0.5) / CELLS) * (up[1] - up[0])]);
    }
  }
  const values = predict(grid);
  const finite = [...values, ...targets].filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const middle = low >= 0 && high <= 1 ? 0.5 : (low + high) / 2;
  const reach = Math.max(high - middle, middle - low) || 1;
  const side = SIZE / CELLS;
  const cells = shades(
    values.map((v) => (v < middle ? -1 : 1) * Math.min(1, Math.abs(v - middle) / reach)),
    side,
  );
  const lines = W.map(([w1, w2], unit) => {
    const ends = crossing(w1, w2, b[unit] ?? 0, across, up);
    if (ends.length < 2) return '';
    const [[x1, y1], [x2, y2]] = ends;
    return `<line class="boundary" x1="${px(x1)}" y1="${py(y1)}" x2="${px(x2)}" y2="${py(y2)}"><title>${unit + 1}</title></line>`;
  }).join('');
  const samples = X.map((row, k) => {
    const mark = targets[k] >= middle ? 'positive' : 'negative';
    const [x, y] = [px(row[0]), py(row[1])];
    const shape =
      mark === 'positive'
        ? `<circle cx="${x}" cy="${y}" r="6"/>`
        : `<path d="M${x - 5} ${y - 5}L${x + 5} ${y + 5}M${x - 5} ${y + 5}L${x + 5} ${y - 5}"/>`;
    return `<g class="sample ${mark}">${shape}</g>`;
  }).join('');
  return (
    `<svg viewBox="-2 -2 ${SIZE + 4} ${SIZE + 24}" role="img" aria-label="${show.describe}" xmlns="http://www.w3.org/2000/svg">` +
    `<g class="cells">${cells}</g>${lines}${samples}<rect class="frame" width="${SIZE}" height="${SIZE}"/>` +
    `<text x="${SIZE / 2}" y="${SIZE + 16}" text-anchor="middle">${show.names[0]} →</text>` +
    `<text x="12" y="16">↑ ${show.names[1]}</text></svg>`
  );
}

/**
 * The cells of one shade as one path: 64 shapes to draw instead of a thousand.
 * @param {number[]} strengths from -1 to 1, row by row @param {number} side
 */
function shades(strengths, side) {
  /** @type {Map<number, string>} */
  const paths = new Map();
  const width = (side + 0.4).toFixed(2);
  strengths.forEach((strength, k) => {
    const shade = Math.round(strength * LEVELS);
    if (!shade) return; // half way between the two, or no number at all
    const [i, j] = [Math.floor(k / CELLS), k % CELLS];
    const cell = `M${(j * side).toFixed(1)} ${(i * side).toFixed(1)}h${width}v${width}h-${width}z`;
    paths.set(shade, (paths.get(shade) ?? '') + cell);
  });
  return [...paths]
    .map(([shade, d]) => {
      const opacity = ((Math.abs(shade) / LEVELS) * 0.5).toFixed(3);
      return `<path class="${shade < 0 ? 'negative' : 'positive'}" fill-opacity="${opacity}" d="${d}"/>`;
    })
    .join('');
}

/** Where the line w1 x + w2 y + b = 0 leaves the rectangle. @param {number} w1 @param {number} w2 @param {number} b @param {number[]} across @param {number[]} up */
function crossing(w1, w2, b, across, up) {
  /** @type {number[][]} */
  const found = [];
  const inside = (/** @type {number} */ v, /** @type {number[]} */ range) => v >= range[0] && v <= range[1];
  if (w2 !== 0) for (const x of across) if (inside(-(w1 * x + b) / w2, up)) found.push([x, -(w1 * x + b) / w2]);
  if (w1 !== 0) for (const y of up) if (inside(-(w2 * y + b) / w1, across)) found.push([-(w2 * y + b) / w1, y]);
  return found;
}
