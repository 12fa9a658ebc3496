// What stands on the page already is not drawn again: most of an edit's time would be spent on parts that read as before.

/** What an element was last given. @type {WeakMap<Element, string>} */
const drawn = new WeakMap();

/** Sets what an element holds where it reads otherwise than before. @param {Element} element @param {string} html */
export function redraw(element, html) {
  if (drawn.get(element) === html) return;
  drawn.set(element, html);
  element.innerHTML = html;
}

/** The empty lines of an equation; `redrawLines` fills them. @param {number} count */
export const blankLines = (count) => '<mtr></mtr>'.repeat(count);

/** The lines of the first equation of an element. @param {Element} element @param {string[]} lines */
export function redrawLines(element, lines) {
  const rows = element.querySelector('mtable')?.children ?? [];
  lines.forEach((line, k) => redraw(rows[k], line));
}
