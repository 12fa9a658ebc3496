// A tree as MathML: which sign stands between factors, where parentheses are needed, how a number is rounded.
import { base, escaped, script, symbolMath, written } from './letters.js';
import { toRows } from './matrices.js';
import { shown, shownExactly, shownTogether } from './numerals.js';

/** @typedef {import('./evaluate.js').Tree} Tree */
/** @typedef {import('./letters.js').Alphabet} Alphabet */
/** @typedef {import('./letters.js').Notation} Notation */
/** @typedef {import('./numerals.js').Precision} Precision */
/** @typedef {import('./numerals.js').Shown} Shown */
/** @typedef {{alphabet: Alphabet, notation: Notation, precision: Precision, otherwise: string, numerals: string, most: number}} Style */
/**
 * A piece that is set: `math`; how tightly it binds; whether it begins with a minus or a digit, ends with a digit or a
 * fraction, is higher than a line, is made of numbers alone.
 * @typedef {{math: string, level: number, minus: boolean, digit: boolean, end: boolean, tall: boolean, numeric: boolean, kind: string, sign?: boolean}} Piece
 */

const [RELATION, SUM, BIG, PRODUCT, TIGHT, ATOM] = [0, 1, 2, 3, 4, 5];
const BESIDE = '<mo>\u2062</mo>';
const APPLY = '<mo>\u2061</mo>';
const TIMES = '<mo>×</mo>';
const MINUS = '<mo form="prefix">\u2212</mo>';
const DOTS = /** @type {Record<string, string>} */ ({ horizontal: '<mo>⋯</mo>', vertical: '<mo>⋮</mo>', diagonal: '<mo>⋱</mo>' });

/** @param {string} math @param {number} level @param {Partial<Piece>} [more] @returns {Piece} */
function piece(math, level, more = {}) {
  return { math, level, minus: false, digit: false, end: false, tall: false, numeric: false, kind: '', ...more };
}

/** The tree as the inside of a `math` element. @param {Tree} tree @param {Style} style */
export function math(tree, style) {
  return set(tree, style).math;
}

/** @param {Tree} tree @param {Style} style @returns {Piece} */
function set(tree, style) {
  const rule = RULES[tree.op];
  if (!rule) throw new Error(`no rule to write ${tree.op}`);
  return rule(tree, style);
}

/** @param {Piece} p @param {string} [left] @param {string} [right] @returns {Piece} */
function fenced(p, left = '(', right = ')') {
  const grows = p.tall ? '' : ' stretchy="false"';
  return piece(`<mrow><mo${grows}>${left}</mo>${p.math}<mo${grows}>${right}</mo></mrow>`, ATOM, {
    tall: p.tall,
    numeric: p.numeric,
  });
}

/** @param {Piece} p @param {number} least */
function within(p, least) {
  return p.level < least ? fenced(p) : p;
}

/** A term behind a sign. @param {Piece} p */
function behindSign(p) {
  if (p.minus && p.level > SUM) return fenced(p);
  return within(p, BIG);
}

/** A negative number in a place where it was put in for a letter. @param {Piece} p */
function substituted(p) {
  return p.kind === 'number' && p.minus ? fenced(p) : p;
}

/** @param {string} digits @param {Style} style */
function numerals(digits, style) {
  if (!style.numerals) return digits;
  return digits.replace(/\d/g, (d) => [...style.numerals][Number(d)]);
}

/** @param {Shown} number @param {Style} style @returns {Piece} */
function digits(number, style) {
  const minus = number.text.startsWith('-');
  const plain = minus ? number.text.slice(1) : number.text;
  const own =
    plain === '∞'
      ? `<mi mathvariant="normal">∞</mi>`
      : plain === 'NaN'
        ? '<mtext>NaN</mtext>'
        : plain
          ? `<mn>${numerals(plain, style)}</mn>`
          : '';
  const more = { kind: 'number', minus, digit: true, end: true, numeric: true };
  let body = own;
  if (number.power !== null) {
    const exponent = `${number.power < 0 ? MINUS : ''}<mn>${numerals(String(Math.abs(number.power)), style)}</mn>`;
    const power = `<msup><mn>${numerals('10', style)}</mn><mrow>${exponent}</mrow></msup>`;
    body = own ? `${own}${TIMES}${power}` : power;
  }
  const level = minus ? SUM : number.power !== null && own ? PRODUCT : ATOM;
  return piece(
    minus ? `<mrow>${MINUS}${body}</mrow>` : number.power !== null && own ? `<mrow>${body}</mrow>` : body,
    level,
    more,
  );
}

/** @param {Tree} tree @param {Style} style */
function number(tree, style) {
  return digits(tree.exact ? shownExactly(tree.value, style.precision) : shown(tree.value, style.precision), style);
}

/** Which of `count` rows are shown where at most `most` are. @param {number} count @param {number} most */
export function kept(count, most) {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  const first = most >> 1;
  return [...Array(first).keys(), ...Array.from({ length: most - 1 - first }, (_, i) => count - (most - 1 - first) + i)];
}

/** @param {Tree} tree @param {Style} style */
function matrixPiece(tree, style) {
  const { rows, columns } = tree.matrix;
  const [down, across] = [kept(rows, style.most), kept(columns, style.most)];
  const all = toRows(tree.matrix);
  const cells = shownTogether(
    down.map((i) => across.map((j) => all[i][j])),
    style.precision,
  ).map((line) => line.map((entry) => digits(entry, style).math));
  return array(cells, rows, columns, style);
}

/** @param {string[][]} cells @param {number} rows @param {number} columns @param {Style} style */
function array(cells, rows, columns, style) {
  const [moreRows, moreColumns] = [rows > style.most, columns > style.most];
  const half = style.most >> 1;
  const lines = cells.map((line) => (moreColumns ? [...line.slice(0, half), DOTS.horizontal, ...line.slice(half)] : line));
  if (moreRows)
    lines.splice(
      half,
      0,
      lines[0].map((_, j) => (moreColumns && j === half ? DOTS.diagonal : DOTS.vertical)),
    );
  const table = lines.map((line) => `<mtr>${line.map((cell) => `<mtd>${cell}</mtd>`).join('')}</mtr>`).join('');
  let out = `<mrow><mo>[</mo><mtable class="matrix numbers">${table}</mtable><mo>]</mo></mrow>`;
  if (moreRows || moreColumns) out = `<munder>${out}<mrow><mn>${rows}</mn><mo>×</mo><mn>${columns}</mn></mrow></munder>`;
  return piece(out, ATOM, { tall: true, kind: 'matrix' });
}

/** @param {Tree} tree @param {Style} style */
function symbol(tree, style) {
  return piece(symbolMath(written(tree, style.alphabet, style.notation)), ATOM);
}

/** With a superscript: a symbol that has one of its own takes parentheses, unless the two may join. @param {Tree} tree @param {string} above @param {Style} style @param {boolean} joins */
function raised(tree, above, style, joins) {
  if (tree.op === 'Symbol') {
    const name = written(tree, style.alphabet, style.notation);
    if (!name.suffix && (joins || !name.above)) return piece(symbolMath(name, above), TIGHT);
    return piece(`<msup>${fenced(symbol(tree, style)).math}${above}</msup>`, TIGHT);
  }
  const inner = within(substituted(set(tree, style)), ATOM);
  return piece(`<msup>${inner.math}${above}</msup>`, TIGHT, { tall: inner.tall, numeric: inner.numeric, digit: inner.digit });
}

/** @param {Tree} tree @param {Style} style */
function sum(tree, style) {
  const places = kept(tree.terms.length, 8);
  const elided = tree.terms.length > 8;
  let out = '';
  let [first, tall, numeric] = [/** @type {Piece | null} */ (null), false, true];
  places.forEach((place, k) => {
    const term = tree.terms[place];
    if (elided && k === 4) out += `<mo>+</mo>${DOTS.horizontal}`;
    const negative = term.op === 'Negative';
    let p = set(negative ? term.operand : term, style);
    if (k > 0 && !negative) p = substituted(p);
    if (negative) p = behindSign(p.kind === 'number' ? substituted(p) : p);
    else if (k > 0 && !(term.op === 'Sum' && !p.minus)) p = behindSign(p);
    else if (k === 0) p = within(p, SUM);
    out += k === 0 ? (negative ? MINUS : '') : negative ? '<mo>\u2212</mo>' : '<mo>+</mo>';
    out += p.math;
    if (!first) first = { ...p, minus: negative || p.minus };
    tall ||= p.tall;
    numeric &&= p.numeric;
  });
  const start = /** @type {Piece} */ (/** @type {unknown} */ (first));
  return piece(`<mrow>${out}</mrow>`, SUM, { minus: start.minus, digit: start.digit, tall, numeric });
}

/** Does a factor take parentheses? Products of one kind run on, of different kinds they are told apart. @param {string} parent @param {boolean} signed @param {Piece} p @param {number} place @param {number} count */
function grouped(parent, signed, p, place, count) {
  if (p.level !== PRODUCT || p.kind === 'number') return p.level < PRODUCT && !(place === 0 && p.kind === 'number');
  if (parent === 'Times' && p.kind === 'Times') return Boolean(p.sign) && !signed;
  if (parent === 'Times' && p.kind === 'MatMul') return place < count - 1;
  if (parent === p.kind || (parent === 'MatMul' && p.kind === 'Times' && !p.sign)) return place > 0;
  return true;
}

/** @param {string} kind @param {Tree[]} trees @param {Style} style @param {string} sign @returns {Piece} */
function joined(kind, trees, style, sign) {
  const all = trees.map((tree) => set(tree, style));
  const numeric = all.every((p) => p.numeric);
  const times = kind === 'Times' && (sign === TIMES || all.every((p) => p.numeric || p.kind === 'matrix'));
  const between = times || (kind === 'Hadamard' && numeric) ? TIMES : sign;
  const places = kept(all.length, 8);
  let [out, last] = ['', /** @type {Piece | null} */ (null)];
  places.forEach((place, k) => {
    let p = substituted(all[place]);
    const open = place === all.length - 1 && p.level === BIG; // nothing follows: a sum there needs no end
    if (!open && grouped(kind, between === TIMES, p, place, all.length)) p = fenced(p);
    if (k > 0) out += between === BESIDE && last && (p.digit || (last.end && p.tall)) ? TIMES : between;
    if (all.length > 8 && k === 4) out += `${DOTS.horizontal}${between}`;
    out += p.math;
    last = p;
  });
  const tall = all.some((p) => p.tall);
  const first = all[0];
  return piece(`<mrow>${out}</mrow>`, PRODUCT, {
    kind: kind === 'Hadamard' && numeric ? 'Times' : kind,
    sign: between === TIMES,
    minus: first.minus && first.kind !== 'number',
    digit: first.digit && !first.minus,
    tall,
    numeric,
  });
}

/** @param {string} name @param {string[]} inside @param {string[]} below @param {boolean} tall @param {Style} style */
function called(name, inside, below, tall, style) {
  const known = style.alphabet.functions[name.replace(/'+$/, '')];
  const primes = '′'.repeat(name.length - name.replace(/'+$/, '').length);
  const subscripts = [...(known.subscript ? [script(known.subscript)] : []), ...below];
  let head = base(known.base, false, known.upright);
  const under = subscripts.length ? `<mrow>${subscripts.join('<mo>,</mo>')}</mrow>` : '';
  if (under && primes) head = `<msubsup>${head}${under}<mo>${primes}</mo></msubsup>`;
  else if (under) head = `<msub>${head}${under}</msub>`;
  else if (primes) head = `<msup>${head}<mo>${primes}</mo></msup>`;
  const fence = tall ? '' : ' stretchy="false"';
  return `<mrow>${head}${APPLY}<mrow><mo${fence}>(</mo>${inside.join('<mo>,</mo>')}<mo${fence}>)</mo></mrow></mrow>`;
}

/** @param {Tree} tree @param {Style} style @returns {Piece} */
function applied(tree, style) {
  const inside = tree.arguments.map((/** @type {Tree} */ a) => set(a, style));
  const [first] = inside;
  const tall = inside.some((/** @type {Piece} */ p) => p.tall);
  const numeric = inside.every((/** @type {Piece} */ p) => p.numeric);
  if (tree.function === 'exp' && !tall) return piece(`<msup><mi>e</mi><mrow>${first.math}</mrow></msup>`, TIGHT, { numeric });
  if (tree.function === 'abs') return { ...fenced(first, '|', '|'), numeric };
  if (tree.function === 'indicator') {
    const condition = piece(`${first.math}<mo>&gt;</mo><mn>0</mn>`, RELATION, { tall });
    return piece(`<mrow><mi mathvariant="normal">𝟏</mi>${fenced(condition, '[', ']').math}</mrow>`, ATOM, { tall, numeric });
  }
  const below = (tree.parameters ?? []).map((/** @type {Tree} */ p) => set(p, style).math);
  const name = tree.function === 'ln_softmax' ? 'softmax' : tree.function;
  let out = called(
    name,
    inside.map((/** @type {Piece} */ p) => p.math),
    below,
    tall,
    style,
  );
  if (tree.function === 'ln_softmax') out = `<mrow><mi>ln</mi>${BESIDE}${out}</mrow>`;
  return piece(out, ATOM, { tall, numeric });
}

/** @param {Tree} tree @param {Style} style */
function bigSum(tree, style) {
  const below = `<mrow><mi>${tree.index}</mi>${tree.first ? `<mo>=</mo>${set(tree.first, style).math}` : ''}</mrow>`;
  const above = tree.last ? set(tree.last, style).math : '';
  const sign = above ? `<munderover><mo>∑</mo>${below}${above}</munderover>` : `<munder><mo>∑</mo>${below}</munder>`;
  const body = within(set(tree.body, style), BIG);
  return piece(`<mrow>${sign}${BESIDE}${body.math}</mrow>`, BIG, { tall: true });
}

/** @param {Tree} tree @param {Style} style */
function sumOver(tree, style) {
  const letters = tree.index || (tree.axis === 0 ? 'i' : tree.axis === 1 ? 'j' : 'ij');
  const index = `<mrow>${[...letters].map((c) => `<mi>${c}</mi>`).join('<mo>,</mo>')}</mrow>`;
  const operand = set(tree.operand, style);
  if (tree.mean) {
    return piece(`<mrow><msub><mi>mean</mi>${index}</msub>${APPLY}${fenced(operand).math}</mrow>`, BIG, { tall: true });
  }
  return piece(`<mrow><munder><mo>∑</mo>${index}</munder>${BESIDE}${within(operand, BIG).math}</mrow>`, BIG, { tall: true });
}

/** @param {Tree} tree @param {Style} style */
function gradient(tree, style) {
  const round = '<mi mathvariant="normal">∂</mi>';
  const [of, by] = [tree.of, tree.by].map((side) => within(set(side, style), ATOM).math);
  return piece(`<mfrac><mrow>${round}${of}</mrow><mrow>${round}${by}</mrow></mfrac>`, TIGHT, { tall: true, end: true });
}

/** @param {Tree} tree @param {Style} style */
function fraction(tree, style) {
  const [top, bottom] = [set(tree.numerator, style), set(tree.denominator, style)];
  const numeric = top.numeric && bottom.numeric;
  return piece(`<mfrac>${top.math}${bottom.math}</mfrac>`, TIGHT, { tall: true, end: true, numeric });
}

/** @param {Tree} tree @param {Style} style */
function cases(tree, style) {
  const rows = tree.branches.map((/** @type {[Tree, Tree | null]} */ [value, condition]) => {
    const when = condition ? set(condition, style).math : `<mtext class="label">${escaped(style.otherwise)}</mtext>`;
    return `<mtr><mtd>${set(value, style).math}</mtd><mtd>${when}</mtd></mtr>`;
  });
  return piece(`<mrow><mo>{</mo><mtable class="cases">${rows.join('')}</mtable></mrow>`, RELATION, { tall: true });
}

const SIGNS = /** @type {Record<string, string>} */ ({ '<': '&lt;', '>': '&gt;', '<=': '≤', '>=': '≥', '!=': '≠', '~': '≈' });

/** @param {Tree} tree @param {Style} style */
function relation(tree, style) {
  const [left, right] = [set(tree.left, style), set(tree.right, style)];
  return piece(`<mrow>${left.math}<mo>${SIGNS[tree.sign] ?? tree.sign}</mo>${right.math}</mrow>`, RELATION, {
    tall: left.tall || right.tall,
  });
}

/** @param {Tree} tree @param {Style} style */
function norm(tree, style) {
  const inner = fenced(set(tree.operand, style), '‖', '‖');
  const below = tree.order === 1 ? '<mn>1</mn>' : '<mi mathvariant="normal">F</mi>';
  return piece(`<msub>${inner.math}${below}</msub>`, ATOM, { tall: inner.tall });
}

/** @type {Record<string, (tree: Tree, style: Style) => Piece>} */
export const RULES = {
  Symbol: symbol,
  Gradient: gradient,
  Number: number,
  Matrix: matrixPiece,
  Grid: (tree, style) =>
    array(
      tree.rows.map((/** @type {Tree[]} */ line) => line.map((entry) => set(entry, style).math)),
      tree.rows.length,
      tree.rows[0].length,
      style,
    ),
  Sum: sum,
  Negative: (tree, style) => {
    const inner = behindSign(substituted(set(tree.operand, style)));
    return piece(`<mrow>${MINUS}${inner.math}</mrow>`, SUM, { minus: true, tall: inner.tall, numeric: inner.numeric });
  },
  Times: (tree, style) => joined('Times', tree.factors, style, tree.sign ? TIMES : BESIDE),
  Hadamard: (tree, style) => joined('Hadamard', tree.factors, style, '<mo>⊙</mo>'),
  MatMul: (tree, style) => joined('MatMul', [tree.left, tree.right], style, BESIDE),
  Outer: (tree, style) => joined('Outer', [tree.left, tree.right], style, '<mo>⊗</mo>'),
  Transpose: (tree, style) =>
    raised(tree.operand, '<mi mathvariant="normal">⊤</mi>', style, style.notation.layer !== 'superscript'),
  Divide: fraction,
  Power: (tree, style) => raised(tree.base, set(tree.exponent, style).math, style, false),
  Root: (tree, style) => {
    const inner = set(tree.operand, style);
    return piece(`<msqrt>${inner.math}</msqrt>`, ATOM, { tall: inner.tall, numeric: inner.numeric });
  },
  Norm: norm,
  Apply: applied,
  Factor: (tree, style) => set(tree.operand, style),
  BigSum: bigSum,
  SumOver: sumOver,
  Relation: relation,
  Cases: cases,
};
