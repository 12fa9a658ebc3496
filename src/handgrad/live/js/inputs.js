// The numbers that can be changed, as fields: typing, arrow keys, dragging.
import { kept } from './typeset.js';

/** @typedef {import('./training.js').Nested} Nested */
const MOST = 12;

/** A step of the arrow keys that suits a number: a tenth of its first digit's place, at least a thousandth. @param {number} value */
export function stepOf(value) {
  if (!value) return 0.1;
  return 10 ** Math.max(-4, Math.floor(Math.log10(Math.abs(value))) - 1);
}

/** @param {string} quantity @param {string} index @param {number} value @param {string} label @param {boolean} changed */
function field(quantity, index, value, label, changed) {
  return (
    `<input type="number" step="any" inputmode="decimal" class="${changed ? 'changed' : ''}" data-quantity="${quantity}" data-index="${index}" ` +
    `value="${value}" aria-label="${label}" size="7">`
  );
}

/**
 * A quantity's numbers as a grid of fields; of large ones the corners, with dots.
 * @param {string} quantity @param {Nested} value @param {string} name @param {Set<string>} changed
 */
export function fields(quantity, value, name, changed) {
  const one = (/** @type {number} */ x, /** @type {number[]} */ index) => {
    const at = index.join(',');
    return field(quantity, at, x, `${name}${at ? ` ${at}` : ''}`, changed.has(`${quantity}:${at}`));
  };
  if (!Array.isArray(value)) return `<div class="fields"><div>${one(/** @type {number} */ (value), [])}</div></div>`;
  const flat = !Array.isArray(value[0]);
  const rows = /** @type {number[][]} */ (flat ? value.map((x) => [x]) : value);
  const [down, across] = [kept(rows.length, MOST), kept(rows[0].length, MOST)];
  const dots = '<span class="dots">…</span>';
  const lines = down.map((i, k) => {
    const cells = across.map(
      (j, h) => (h === MOST >> 1 && rows[0].length > MOST ? dots : '') + one(rows[i][j], flat ? [i] : [i, j]),
    );
    return `${k === MOST >> 1 && rows.length > MOST ? `<div>${dots}</div>` : ''}<div>${cells.join('')}</div>`;
  });
  return `<div class="fields">${lines.join('')}</div>`;
}

/** Dragging across a field changes its number; a plain click still types. @param {HTMLElement} root @param {(input: HTMLInputElement, value: number) => void} change */
export function draggable(root, change) {
  /** @type {{input: HTMLInputElement, x: number, value: number, step: number, moved: boolean} | null} */
  let held = null;
  root.addEventListener('pointerdown', (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || !input.dataset.quantity || event.pointerType === 'touch') return;
    const value = input.valueAsNumber;
    held = { input, x: event.clientX, value, step: stepOf(value), moved: false };
  });
  root.addEventListener('pointermove', (event) => {
    if (!held || !event.buttons) return;
    const steps = Math.trunc((event.clientX - held.x) / 6);
    if (!steps && !held.moved) return;
    held.moved = true;
    event.preventDefault();
    const digits = Math.max(0, -Math.floor(Math.log10(held.step)));
    change(held.input, Number((held.value + steps * held.step).toFixed(Math.min(15, digits + 2))));
  });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave']) {
    root.addEventListener(end, () => {
      held = null;
    });
  }
  root.addEventListener('keydown', (event) => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || !input.dataset.quantity) return;
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    const step = stepOf(input.valueAsNumber || 0) * (event.shiftKey ? 10 : 1);
    const digits = Math.max(0, -Math.floor(Math.log10(step))) + 2;
    change(input, Number(((input.valueAsNumber || 0) + direction * step).toFixed(Math.min(15, digits))));
  });
}
