// Numbers in the place of letters: the line of a calculation between its symbols and its result.
import { withLetters } from './entries.js';
import { evaluate } from './evaluate.js';

/** @typedef {import('./evaluate.js').Tree} Tree */
/** @typedef {import('./evaluate.js').Scope} Scope */
/** @typedef {import('./matrices.js').Matrix} Matrix */

const CONSTANTS = /^(m|n\d*|L|t)$/;

/** A value as a node: one number, or a matrix. @param {Matrix} value @param {boolean} [exact] @returns {Tree} */
export function node(value, exact = false) {
  return value.values.length === 1 ? { op: 'Number', value: value.values[0], exact } : { op: 'Matrix', matrix: value };
}

/** The tree with the numbers put in; sums over an index are written out where they are short. @param {Tree} tree @param {Scope} at @param {number} [most] @returns {Tree} */
export function substitute(tree, at, most = 8) {
  if (tree.op === 'BigSum') return writtenOut(tree, at, most);
  if (tree.op === 'Symbol' || tree.op === 'Gradient') return node(evaluate(tree, at), CONSTANTS.test(tree.name));
  if (tree.op === 'Cases') return branch(tree, at, most);
  /** @type {Tree} */
  const out = { ...tree };
  for (const [field, held] of Object.entries(tree)) {
    if (Array.isArray(held)) out[field] = held.map((part) => (part?.op ? substitute(part, at, most) : part));
    else if (held?.op) out[field] = substitute(held, at, most);
  }
  if (out.op === 'Times') out.sign = true;
  return out;
}

/** @param {Tree} tree @param {Scope} at @param {number} most @returns {Tree} */
function writtenOut(tree, at, most) {
  const [first, last] = [tree.first, tree.last].map((end) => evaluate(end, at).values[0]);
  if (last - first + 1 > most) return node(evaluate(tree, at));
  const terms = [];
  for (let k = first; k <= last; k++) {
    const indices = new Map(at.indices).set(tree.index, k);
    terms.push(substitute(tree.body, { ...at, indices }, most));
  }
  return terms.length === 1 ? terms[0] : { op: 'Sum', terms };
}

/** Of a number the branch that holds, of a matrix its value. @param {Tree} tree @param {Scope} at @param {number} most @returns {Tree} */
function branch(tree, at, most) {
  const value = evaluate(tree, at);
  if (value.values.length > 1) return node(value);
  const held = tree.branches.find((/** @type {[Tree, Tree | null]} */ [, when]) => !when || evaluate(when, at).values[0]);
  return substitute(held[0], at, most);
}

/** Is there a number to put in? @param {Tree} tree */
export function hasLetters(tree) {
  let found = false;
  withLetters(tree, (letter) => {
    found = true;
    return letter;
  });
  return found;
}
