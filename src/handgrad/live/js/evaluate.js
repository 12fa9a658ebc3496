// Trees of a worked calculation, evaluated: each letter is looked up, each node computed. No formula stands here.
import { FUNCTIONS } from './functions.js';
import { combined, mapped, matrix, product, scalar, summed, transposed } from './matrices.js';

/** @typedef {import('./matrices.js').Matrix} Matrix */
/**
 * A node as the page's data hold it: `op` is its kind, the other fields are those of the record's tree. A letter has the
 * `name` of the quantity that it means and the `key` of how it is written.
 * @typedef {{op: string, [field: string]: any}} Tree
 */
/**
 * What letters mean: `values` by public name, as on paper; `indices` of the sums around; `column`: a sample is a column.
 * @typedef {{values: Map<string, Matrix>, indices: Map<string, number>, column: boolean}} Scope
 */

/** @param {Map<string, Matrix>} values @param {boolean} column @returns {Scope} */
export function scope(values, column) {
  return { values, column, indices: new Map() };
}

/** @param {Tree} tree @param {Scope} at @returns {Matrix} */
export function evaluate(tree, at) {
  const rule = RULES[tree.op];
  if (!rule) throw new Error(`no rule to evaluate ${tree.op}`);
  return rule(tree, at);
}

/** @param {Tree} tree @param {Scope} at */
function value(tree, at) {
  return evaluate(tree, at).values[0];
}

/** A zero-based place: a number, or an index letter of a sum around, which counts from 1. @param {number | string} place @param {Scope} at */
function zeroBased(place, at) {
  if (typeof place === 'number') return place;
  const index = at.indices.get(place);
  if (index === undefined) throw new Error(`the index ${place} belongs to no sum`);
  return index - 1;
}

/** @param {Tree} tree @param {Scope} at @returns {Matrix} */
function letter(tree, at) {
  const counted = tree.op === 'Symbol' ? at.indices.get(tree.letter) : undefined;
  if (counted !== undefined) return scalar(counted);
  const whole = at.values.get(tree.name);
  if (!whole) throw new Error(`nothing is bound to ${tree.name}`);
  let found = whole;
  const across = tree.weights ? false : at.column; // are the samples the columns?
  if (tree.sample !== undefined && whole.rows * whole.columns > 1) {
    const i = zeroBased(tree.sample, at);
    found = across ? column(whole, i) : row(whole, i);
  }
  const entry = tree.entry ?? [];
  if (entry.length === 2) return scalar(found.values[zeroBased(entry[0], at) * found.columns + zeroBased(entry[1], at)]);
  if (entry.length === 1) {
    const k = zeroBased(entry[0], at);
    if (found.rows === 1 || found.columns === 1) return scalar(found.values[found.values.length === 1 ? 0 : k]);
    return across ? row(found, k) : column(found, k);
  }
  return found;
}

/** @param {Matrix} a @param {number} i */
function row(a, i) {
  return matrix(1, a.columns, a.values.subarray(i * a.columns, (i + 1) * a.columns));
}

/** @param {Matrix} a @param {number} j */
function column(a, j) {
  return matrix(
    a.rows,
    1,
    Array.from({ length: a.rows }, (_, i) => a.values[i * a.columns + j]),
  );
}

/** @param {Tree[]} trees @param {Scope} at @param {(x: number, y: number) => number} f */
function folded(trees, at, f) {
  return trees.map((tree) => evaluate(tree, at)).reduce((a, b) => combined(a, b, f));
}

/** @param {Tree} tree @param {Scope} at @returns {Matrix} */
function bigSum(tree, at) {
  const [first, last] = [tree.first ? value(tree.first, at) : 1, value(tree.last, at)];
  const indices = new Map(at.indices);
  let total = null;
  for (let i = first; i <= last; i++) {
    indices.set(tree.index, i);
    const term = evaluate(tree.body, { ...at, indices });
    total = total ? combined(total, term, (x, y) => x + y) : term;
  }
  return total ?? scalar(0);
}

/** @type {Record<string, (x: number, y: number) => boolean>} */
const TRUTH = {
  '=': (x, y) => x === y,
  '<': (x, y) => x < y,
  '>': (x, y) => x > y,
  '<=': (x, y) => x <= y,
  '>=': (x, y) => x >= y,
  '!=': (x, y) => x !== y,
};

/** Each entry from the first branch whose condition holds there. @param {Tree} tree @param {Scope} at @returns {Matrix} */
function cases(tree, at) {
  /** @type {Matrix | null} */
  let out = null;
  for (const [branch, condition] of [...tree.branches].reverse()) {
    const here = evaluate(branch, at);
    if (!condition || !out) {
      out = here;
      continue;
    }
    const holds = evaluate(condition, at);
    const otherwise = combined(out, holds, (x) => x);
    const then = combined(here, holds, (x) => x);
    const spread = combined(holds, otherwise, (x) => x);
    out = mapped(otherwise, (x) => x);
    for (let k = 0; k < out.values.length; k++) {
      if (spread.values[k]) out.values[k] = then.values[then.values.length === 1 ? 0 : k];
    }
  }
  if (!out) throw new Error('none of the cases applies');
  return out;
}

/** @param {Tree} tree @param {Scope} at @returns {Matrix} */
function norm(tree, at) {
  const operand = evaluate(tree.operand, at).values;
  const size =
    tree.order === 1 ? operand.reduce((s, x) => s + Math.abs(x), 0) : Math.sqrt(operand.reduce((s, x) => s + x * x, 0));
  return scalar(size);
}

/** @param {Tree} tree @param {Scope} at @returns {Matrix} */
function outer(tree, at) {
  const [left, right] = [evaluate(tree.left, at), evaluate(tree.right, at)];
  return product(matrix(left.values.length, 1, left.values), matrix(1, right.values.length, right.values));
}

/** @param {Tree} tree @param {Scope} at @returns {Matrix} */
function applied(tree, at) {
  const rule = FUNCTIONS[tree.function];
  if (!rule) throw new Error(`unknown function ${tree.function}`);
  const parameters = (tree.parameters ?? []).map((/** @type {Tree} */ p) => value(p, at));
  return rule(
    tree.arguments.map((/** @type {Tree} */ a) => evaluate(a, at)),
    parameters,
    tree.axis ?? 0,
  );
}

/** @param {Tree} tree @param {Scope} at @returns {Matrix} */
function sumOver(tree, at) {
  const operand = evaluate(tree.operand, at);
  const total = summed(operand, tree.axis ?? null);
  return tree.mean ? mapped(total, (x) => (x * total.values.length) / operand.values.length) : total;
}

/** @param {Tree} tree @param {Scope} at @returns {Matrix} */
function grid(tree, at) {
  const rows = tree.rows.map((/** @type {Tree[]} */ line) => line.map((entry) => value(entry, at)));
  return matrix(rows.length, rows[0].length, rows.flat());
}

/** @type {Record<string, (tree: Tree, at: Scope) => Matrix>} */
export const RULES = {
  Symbol: letter,
  Gradient: letter,
  Number: (tree) => scalar(tree.value ?? NaN),
  Matrix: (tree) => tree.matrix,
  Grid: grid,
  Sum: (tree, at) => folded(tree.terms, at, (x, y) => x + y),
  Negative: (tree, at) => mapped(evaluate(tree.operand, at), (x) => -x),
  Times: (tree, at) => folded(tree.factors, at, (x, y) => x * y),
  Hadamard: (tree, at) => folded(tree.factors, at, (x, y) => x * y),
  MatMul: (tree, at) => product(evaluate(tree.left, at), evaluate(tree.right, at)),
  Outer: outer,
  Transpose: (tree, at) => transposed(evaluate(tree.operand, at)),
  Divide: (tree, at) => combined(evaluate(tree.numerator, at), evaluate(tree.denominator, at), (x, y) => x / y),
  Power: (tree, at) => combined(evaluate(tree.base, at), evaluate(tree.exponent, at), (x, y) => x ** y),
  Root: (tree, at) => mapped(evaluate(tree.operand, at), Math.sqrt),
  Norm: norm,
  Apply: applied,
  Factor: (tree, at) => evaluate(tree.operand, at),
  BigSum: bigSum,
  SumOver: sumOver,
  Relation: (tree, at) => combined(evaluate(tree.left, at), evaluate(tree.right, at), (x, y) => Number(TRUTH[tree.sign](x, y))),
  Cases: cases,
};
