// One entry of a quantity in scalars: the tree of the whole, opened at a row and a column.
/** @typedef {import('./evaluate.js').Tree} Tree */
/** @typedef {(tree: Tree) => {rows: number, columns: number}} Shape */

/** @param {Tree[]} terms @returns {Tree} */
const total = (terms) => (terms.length === 1 ? terms[0] : { op: 'Sum', terms });
/** @param {Tree[]} factors @returns {Tree} */
const times = (factors) => ({ op: 'Times', factors, sign: false });

/**
 * The entry at row i and column j of a tree, as a tree of scalars; a quantity whose rows or columns are one number is
 * repeated along them. `shape` tells how large a tree is; `place` how a letter names its entry at a place on paper.
 * @param {Tree} tree @param {number} i @param {number} j @param {Shape} shape @param {(letter: Tree, i: number, j: number) => Tree} place @returns {Tree}
 */
export function entryOf(tree, i, j, shape, place) {
  const size = shape(tree);
  const [row, column] = [size.rows === 1 ? 0 : i, size.columns === 1 ? 0 : j];
  const inner = (/** @type {Tree} */ part) => entryOf(part, row, column, shape, place);
  const each = (/** @type {Tree[]} */ parts) => parts.map(inner);
  const along = (/** @type {number} */ count) => [...Array(count).keys()];
  switch (tree.op) {
    case 'Symbol':
    case 'Gradient':
      return size.rows * size.columns === 1 ? tree : place(tree, row, column);
    case 'Matrix':
      return { op: 'Number', value: tree.matrix.values[row * size.columns + column] };
    case 'Grid':
      return tree.rows[row][column];
    case 'Sum':
      return { ...tree, terms: each(tree.terms) };
    case 'Times':
      return { ...tree, factors: each(tree.factors) };
    case 'Hadamard':
      return times(each(tree.factors));
    case 'Negative':
    case 'Root':
      return { ...tree, operand: inner(tree.operand) };
    case 'Factor':
      return inner(tree.operand);
    case 'Divide':
      return { ...tree, numerator: inner(tree.numerator), denominator: inner(tree.denominator) };
    case 'Power':
      return { ...tree, base: inner(tree.base), exponent: inner(tree.exponent) };
    case 'Transpose':
      return entryOf(tree.operand, column, row, shape, place);
    case 'MatMul': {
      const depth = shape(tree.left).columns;
      const product = (/** @type {number} */ k) =>
        times([entryOf(tree.left, row, k, shape, place), entryOf(tree.right, k, column, shape, place)]);
      return total(along(depth).map(product));
    }
    case 'Outer': {
      const at = (/** @type {Tree} */ side, /** @type {number} */ k) =>
        shape(side).rows > 1 ? entryOf(side, k, 0, shape, place) : entryOf(side, 0, k, shape, place);
      return times([at(tree.left, row), at(tree.right, column)]);
    }
    case 'SumOver': {
      const { rows, columns } = shape(tree.operand);
      const rowsOf = tree.axis === 1 ? [row] : along(rows);
      const columnsOf = tree.axis === 0 ? [column] : along(columns);
      const terms = rowsOf.flatMap((r) => columnsOf.map((c) => entryOf(tree.operand, r, c, shape, place)));
      if (!tree.mean) return total(terms);
      return { op: 'Divide', numerator: total(terms), denominator: { op: 'Number', value: terms.length, exact: true } };
    }
    case 'Apply':
      if (/softmax/.test(tree.function)) return tree; // mixes the units: stays whole
      return { ...tree, arguments: each(tree.arguments) };
    case 'Cases':
      return { ...tree, branches: tree.branches.map((/** @type {[Tree, Tree | null]} */ [v, c]) => [inner(v), c && inner(c)]) };
    case 'Relation':
      return { ...tree, left: inner(tree.left), right: inner(tree.right) };
    default:
      return tree;
  }
}

/** Every letter of a tree, once. @param {Tree} tree @returns {Tree[]} */
export function lettersOf(tree) {
  /** @type {Map<string, Tree>} */
  const found = new Map();
  const visit = (/** @type {unknown} */ held) => {
    if (Array.isArray(held)) held.forEach(visit);
    else if (held && typeof held === 'object' && 'op' in held) {
      const node = /** @type {Tree} */ (held);
      if (node.name) found.set(node.name, found.get(node.name) ?? node);
      else Object.values(node).forEach(visit);
    }
  };
  visit(tree);
  return [...found.values()];
}

/** The tree with other trees in the place of its letters. @param {Tree} tree @param {(letter: Tree) => Tree} change @returns {Tree} */
export function withLetters(tree, change) {
  /** @type {(held: any) => any} */
  const visit = (held) => {
    if (Array.isArray(held)) return held.map(visit);
    if (!held || typeof held !== 'object' || ArrayBuffer.isView(held)) return held;
    if (held.name && (held.op === 'Symbol' || held.op === 'Gradient')) return change(held);
    if (held.op === 'Matrix') return held;
    return Object.fromEntries(Object.entries(held).map(([field, part]) => [field, visit(part)]));
  };
  return visit(tree);
}
