// What the page shows: the words, the letters and the numbers of the step that is open.
import { evaluate, scope } from './evaluate.js';
import { escaped, plain, written } from './letters.js';
import { toRows } from './matrices.js';
import { plainText, shown, shownTogether } from './numerals.js';
import { History, fromFragment } from './state.js';
import { Training } from './training.js';
import { kept, math } from './typeset.js';
import { swapped } from './variants.js';

/** @typedef {import('./evaluate.js').Tree} Tree */
/** @typedef {import('./matrices.js').Matrix} Matrix */
/** @typedef {import('./training.js').Assignment} Assignment */
/**
 * Where the reader is: the step, how far the training was walked, what was swapped, picked and hidden, and the moment of the
 * animation (-1 when it rests).
 * @typedef {{swap: Record<string, string>, training: Training, step: number, walked: number, picked: string | null, entry: number[],
 *   hidden: Set<string>, moment: number, timer: number}} Now
 */

export const BENGALI = '০১২৩৪৫৬৭৮৯';

export class Sheet {
  /** @param {any} data */
  constructor(data) {
    this.data = data;
    const { moment, choices } = fromFragment(location.hash);
    const training = new Training(swapped(data.calculation, data.variants, moment.swap));
    training.restore(moment.edits);
    const step = Math.min(Math.max(training.first, moment.step), training.most);
    this.choices = { ...choices };
    this.history = new History();
    /** @type {Map<string, string>} */
    this.answers = new Map();
    /** @type {Now} */
    this.now = {
      swap: moment.swap,
      training,
      step,
      walked: step,
      picked: null,
      entry: [0, 0],
      hidden: new Set(),
      moment: -1,
      timer: 0,
    };
  }

  // ---- words, letters, numbers

  get language() {
    return this.choices.language ?? this.data.language;
  }

  /** @param {string} key @param {Record<string, unknown>} [fill] */
  say(key, fill = {}) {
    const words = this.data.words[this.language] ?? this.data.words.en;
    return String(words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(fill[name] ?? ''));
  }

  /** @returns {import('./typeset.js').Style} */
  get style() {
    const notation = { ...this.data.notation };
    for (const name of ['layer', 'names']) if (this.choices[name]) notation[name] = this.choices[name];
    if (this.choices.first) notation.first = Number(this.choices.first);
    const decimals = this.choices.digits === undefined ? this.data.precision.decimals : Number(this.choices.digits);
    const precision = { ...this.data.precision, decimals, point: notation.decimal };
    if (this.choices.digits !== undefined) precision.significant = null;
    const numerals = this.choices.numerals === 'bn' ? BENGALI : '';
    return { alphabet: this.data.alphabet, notation, precision, otherwise: this.say('otherwise'), numerals, most: 6 };
  }

  /** @param {number} value */
  write(value) {
    const text = plainText(shown(value, this.style.precision));
    return this.choices.numerals === 'bn' ? text.replace(/\d/g, (d) => [...BENGALI][Number(d)]) : text;
  }

  /** The letter of a quantity. @param {string} quantity @returns {Tree} */
  letter(quantity) {
    return this.data.symbols[quantity] ?? { op: 'Symbol', name: quantity, letter: 'g' };
  }

  /** @param {string} quantity */
  name(quantity) {
    const { alphabet, notation } = this.style;
    const letter = this.letter(quantity);
    /** @type {(tree: Tree) => string} */
    const plainly = (tree) =>
      tree.op === 'Gradient' ? `∂${plainly(tree.of)}/∂${plainly(tree.by)}` : plain(written(tree, alphabet, notation));
    return plainly(letter);
  }

  /** @param {string} quantity */
  nameMath(quantity) {
    return `<math>${math(this.letter(quantity), this.style)}</math>`;
  }

  /** A letter that is seen, and its name for those who listen. @param {string} quantity */
  spoken(quantity) {
    return `<span class="spoken">${escaped(this.name(quantity))}</span>${this.nameMath(quantity).replace('<math>', '<math aria-hidden="true">')}`;
  }

  // ---- what is computed now

  get values() {
    return this.now.training.values(this.now.step);
  }

  get at() {
    return scope(this.values, this.data.calculation.column);
  }

  /** @returns {Assignment[]} */
  get assignments() {
    return this.now.training.program(this.now.step).assignments;
  }

  /** The assignments that the sheet shows. */
  get lines() {
    return this.assignments.filter((a) => a.part);
  }

  /** The letters that are shown: those of the sheet where they give the same numbers, else those of the program. @param {Assignment} a */
  shown(a) {
    const value = /** @type {Matrix} */ (this.values.get(a.quantity));
    const size = Math.max(...value.values.map(Math.abs), 1e-300);
    const agrees = (/** @type {Tree} */ tree) => {
      try {
        return evaluate(tree, this.at).values.every((x, k) => Math.abs(x - value.values[k]) <= 1e-9 * size);
      } catch {
        return false; // a form that needs what another choice has not
      }
    };
    return a.shown?.find(agrees) ?? a.letters;
  }

  /** @param {string} quantity @param {number} row @param {number} column */
  nestedIndex(quantity, row, column) {
    const kind = this.now.training.calculation.kinds[quantity];
    if (kind === 'number') return '';
    const { column: upright } = this.data.calculation;
    if (kind === 'vector') return String(upright ? row : column);
    return kind === 'rows' && upright ? `${column},${row}` : `${row},${column}`;
  }

  /** A result whose numbers know what they are. @param {string} quantity @param {Matrix} value */
  result(quantity, value) {
    const style = this.style;
    const hide = this.now.hidden.has(quantity);
    const rows = toRows(value);
    const [down, across] = [kept(value.rows, style.most), kept(value.columns, style.most)];
    const texts = shownTogether(
      down.map((i) => across.map((j) => rows[i][j])),
      style.precision,
    );
    const sign = texts.flat().every((entry) => entry.exact) ? '=' : '≈';
    if (value.values.length === 1) return { sign, math: this.shownCell(quantity, texts[0][0], 0, 0, hide) };
    const lines = texts.map((line, k) => {
      const cells = line.map((entry, h) => `<mtd>${this.shownCell(quantity, entry, down[k], across[h], hide)}</mtd>`);
      if (value.columns > style.most) cells.splice(style.most >> 1, 0, '<mtd><mo>⋯</mo></mtd>');
      return `<mtr>${cells.join('')}</mtr>`;
    });
    if (value.rows > style.most) {
      const width = across.length + (value.columns > style.most ? 1 : 0);
      lines.splice(style.most >> 1, 0, `<mtr>${'<mtd><mo>⋮</mo></mtd>'.repeat(width)}</mtr>`);
    }
    let out = `<mrow><mo>[</mo><mtable class="matrix numbers">${lines.join('')}</mtable><mo>]</mo></mrow>`;
    if (value.rows > style.most || value.columns > style.most) {
      out = `<munder>${out}<mrow><mn>${value.rows}</mn><mo>×</mo><mn>${value.columns}</mn></mrow></munder>`;
    }
    return { sign, math: out };
  }

  /** @param {string} quantity @param {import('./numerals.js').Shown} entry @param {number} i @param {number} j @param {boolean} hide */
  shownCell(quantity, entry, i, j, hide) {
    const text =
      this.choices.numerals === 'bn' ? plainText(entry).replace(/\d/g, (d) => [...BENGALI][Number(d)]) : plainText(entry);
    const changed = this.differs(quantity, i, j) ? ' class="changed"' : '';
    return `<mrow data-quantity="${quantity}" data-index="${this.nestedIndex(quantity, i, j)}"${changed}><mn>${hide ? '?' : escaped(text)}</mn></mrow>`;
  }

  /** Is a number another one than in the case as it was given? @param {string} quantity @param {number} i @param {number} j */
  differs(quantity, i, j) {
    if (!this.now.training.edits.length) return false;
    const before = this.unedited().get(quantity);
    const now = this.values.get(quantity);
    return Boolean(before && now && before.values[i * before.columns + j] !== now.values[i * now.columns + j]);
  }

  /** The values of this step as they are without any edit. */
  unedited() {
    if (!this.plainTraining || this.plainTraining.calculation !== this.now.training.calculation) {
      this.plainTraining = new Training(this.now.training.calculation);
    }
    return this.plainTraining.values(this.now.step);
  }
}
