// A heat map on a canvas: one pixel a cell, drawn large; the pointer and the keyboard read single cells.

/**
 * A region of a matrix as the server sends it: each cell is a block of `down` by `across` entries.
 * @typedef {{name: string, rows: number, columns: number, top: number, left: number, bottom: number, right: number, down: number,
 *   across: number, cells: (number | null)[][], largest: number | null, rms: number | null, unbounded: number}} Heat
 */
/** The entries that a cell stands for, the last ones not included. @typedef {{top: number, bottom: number, left: number, right: number}} Entries */

const [WIDEST, HIGHEST, LEAST, MOST] = [250, 288, 2, 22];

/** The entries of a cell. @param {Heat} heat @param {number} row @param {number} column @returns {Entries} */
export function entries(heat, row, column) {
  const [top, left] = [heat.top + row * heat.down, heat.left + column * heat.across];
  return { top, bottom: Math.min(top + heat.down, heat.bottom), left, right: Math.min(left + heat.across, heat.right) };
}

/** The region that opens around a block: as much as stands on a screen entry by entry. @param {Heat} heat @param {Entries} block @param {{rows: number, columns: number}} most */
export function around(heat, block, most) {
  const span = (/** @type {number} */ middle, /** @type {number} */ size, /** @type {number} */ whole) => {
    const length = Math.min(size, whole);
    const from = Math.min(Math.max(0, Math.floor(middle - length / 2)), whole - length);
    return `${from}:${from + length}`;
  };
  const rows = span((block.top + block.bottom) / 2, most.rows, heat.rows);
  const columns = span((block.left + block.right) / 2, most.columns, heat.columns);
  return `${rows},${columns}`;
}

/** How large a cell is drawn, in CSS pixels. @param {Heat} heat */
export function cellSize(heat) {
  const [rows, columns] = [heat.cells.length, heat.cells[0]?.length ?? 1];
  const fits = (/** @type {number} */ room, /** @type {number} */ count) => Math.min(MOST, Math.max(LEAST, room / count));
  const [wide, high] = [fits(WIDEST, columns), fits(HIGHEST, rows)];
  return { wide: Math.min(wide, high * 2), high: Math.min(high, wide * 2) };
}

/** A colour of the page as its three numbers. @param {string} name @returns {[number, number, number]} */
function colour(name) {
  const text = getComputedStyle(document.body).getPropertyValue(name).trim();
  const number = Number.parseInt(text.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/** The colours of the theme that is on. */
export function palette() {
  return { ground: colour('--sheet'), positive: colour('--positive'), negative: colour('--negative'), ink: colour('--ink') };
}

/**
 * Where between the ground and the full colour a number stands, 0 to 1: small ones are lifted, so that they can be told from 0.
 * @param {number} value @param {number} largest
 */
export function strength(value, largest) {
  return largest > 0 ? Math.min(1, Math.abs(value) / largest) ** 0.65 : 0;
}

/** @param {HTMLCanvasElement} canvas @param {Heat} heat @param {number} largest @param {ReturnType<typeof palette>} colours */
export function paint(canvas, heat, largest, colours) {
  const [rows, columns] = [heat.cells.length, heat.cells[0]?.length ?? 0];
  canvas.width = Math.max(1, columns);
  canvas.height = Math.max(1, rows);
  const context = canvas.getContext('2d');
  if (!context || !rows || !columns) return;
  const image = context.createImageData(columns, rows);
  heat.cells.flat().forEach((value, place) => {
    const full = value === null ? colours.ink : value < 0 ? colours.negative : colours.positive;
    const part = value === null ? 1 : strength(value, largest);
    for (let c = 0; c < 3; c++) image.data[4 * place + c] = Math.round(colours.ground[c] + part * (full[c] - colours.ground[c]));
    image.data[4 * place + 3] = 255;
  });
  context.putImageData(image, 0, 0);
}

/** One heat map in the page. */
export class HeatMap {
  /** @param {(map: HeatMap) => void} tell @param {(map: HeatMap) => void} open */
  constructor(tell, open) {
    this.element = document.createElement('div');
    this.element.className = 'heat';
    this.element.tabIndex = 0;
    this.element.setAttribute('role', 'application');
    this.canvas = document.createElement('canvas');
    this.cell = document.createElement('div');
    this.cell.className = 'cell';
    this.element.append(this.canvas, this.cell);
    /** @type {Heat | null} */
    this.heat = null;
    this.row = 0;
    this.column = 0;
    const move = (/** @type {PointerEvent | MouseEvent} */ event) => {
      const box = this.canvas.getBoundingClientRect();
      this.to(
        Math.floor(((event.clientY - box.top) / box.height) * this.canvas.height),
        Math.floor(((event.clientX - box.left) / box.width) * this.canvas.width),
      );
      tell(this);
    };
    this.element.addEventListener('pointermove', move);
    this.element.addEventListener('click', (event) => {
      move(event);
      open(this);
    });
    this.element.addEventListener('focus', () => tell(this));
    this.element.addEventListener('keydown', (event) => {
      const [far, wide] = event.key.startsWith('Page') ? [10, 0] : [1, 1];
      /** @type {Record<string, [number, number]>} */
      const moves = {
        ArrowUp: [-1, 0],
        ArrowDown: [1, 0],
        ArrowLeft: [0, -wide],
        ArrowRight: [0, wide],
        PageUp: [-far, 0],
        PageDown: [far, 0],
        Home: [0, -1e9],
        End: [0, 1e9],
      };
      const by = moves[event.key];
      if (by) {
        this.to(this.row + by[0], this.column + by[1]);
        tell(this);
      } else if (event.key === 'Enter' || event.key === ' ') open(this);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  /** @param {number} row @param {number} column */
  to(row, column) {
    const within = (/** @type {number} */ place, /** @type {number} */ count) => Math.min(Math.max(0, place), count - 1);
    this.row = within(row, this.canvas.height);
    this.column = within(column, this.canvas.width);
    const percent = (/** @type {number} */ part, /** @type {number} */ whole) => `${(100 * part) / whole}%`;
    Object.assign(this.cell.style, {
      left: percent(this.column, this.canvas.width),
      top: percent(this.row, this.canvas.height),
      width: percent(1, this.canvas.width),
      height: percent(1, this.canvas.height),
    });
  }

  /** @param {Heat} heat @param {number} largest @param {ReturnType<typeof palette>} colours @param {string} label @param {number} [height] of a row */
  show(heat, largest, colours, label, height) {
    this.heat = heat;
    paint(this.canvas, heat, largest, colours);
    const { wide, high } = cellSize(heat);
    this.element.style.width = `${Math.round(this.canvas.width * wide) + 2}px`;
    this.element.style.height = `${Math.round(this.canvas.height * (height ?? high)) + 2}px`;
    this.element.setAttribute('aria-label', label);
    this.to(this.row, this.column);
  }

  /** What stands at the cursor. */
  get here() {
    if (!this.heat) return null;
    return { ...entries(this.heat, this.row, this.column), value: this.heat.cells[this.row]?.[this.column] ?? null };
  }
}
