// The loss over the steps walked so far: a line whose points can be chosen.
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [560, 180, 58, 26, 12];

/** The losses of the steps from `first` on. @param {number[]} losses @param {number} step @param {number} first @param {{write: (x: number) => string, describe: string, axis: string}} show */
export function curve(losses, step, first, show) {
  const finite = losses.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const logarithmic = low > 0 && high / low > 20;
  const map = logarithmic ? Math.log : (/** @type {number} */ x) => x;
  const span = map(high) - map(low) || 1;
  const x = (/** @type {number} */ k) => LEFT + (k / Math.max(1, losses.length - 1)) * (WIDTH - LEFT - 14);
  const y = (/** @type {number} */ v) => HEIGHT - BOTTOM - ((map(v) - map(low)) / span) * (HEIGHT - BOTTOM - TOP);
  const points = losses.map((v, k) => (Number.isFinite(v) ? `${x(k).toFixed(1)},${y(v).toFixed(1)}` : '')).filter(Boolean);
  const every = Math.ceil(losses.length / 400);
  const dots = losses
    .map((v, k) => ({ v, k }))
    .filter(({ v, k }) => Number.isFinite(v) && (k % every === 0 || k + first === step))
    .map(({ v, k }) => {
      const here = k + first === step;
      return `<circle class="point${here ? ' here' : ''}" data-step="${k + first}" cx="${x(k).toFixed(1)}" cy="${y(v).toFixed(1)}" r="${here ? 5 : 3}"><title>${k + first}: ${show.write(v)}</title></circle>`;
    });
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${show.describe}" xmlns="http://www.w3.org/2000/svg">` +
    `<path class="axes" d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - 14}"/>` +
    `<text x="${LEFT - 6}" y="${TOP + 6}" text-anchor="end">${show.write(high)}</text>` +
    (high > low ? `<text x="${LEFT - 6}" y="${HEIGHT - BOTTOM}" text-anchor="end">${show.write(low)}</text>` : '') +
    `<text x="${LEFT}" y="${HEIGHT - 8}">${first}</text><text x="${WIDTH - 14}" y="${HEIGHT - 8}" text-anchor="end">${first + losses.length - 1}</text>` +
    `<text x="${(LEFT + WIDTH) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${show.axis}</text>` +
    `<polyline points="${points.join(' ')}"/>${dots.join('')}</svg>`
  );
}
