// Each quantity as a card: its equation with the numbers, where it comes from, one entry of it in scalars, the quiz.
import { blankLines } from './drawn.js';
import { entryOf, lettersOf } from './entries.js';
import { evaluate, scope } from './evaluate.js';
import { verdict } from './judge.js';
import { escaped } from './letters.js';
import { Sheet } from './sheet.js';
import { node, substitute } from './substitute.js';
import { kept, math } from './typeset.js';

/** @typedef {import('./evaluate.js').Tree} Tree */
/** @typedef {import('./matrices.js').Matrix} Matrix */
/** @typedef {import('./training.js').Assignment} Assignment */

export class Cards extends Sheet {
  // ---- the equations

  /** The lines of an equation: in letters, with the numbers put in, the result. @param {Assignment} a */
  equation(a) {
    const style = this.style;
    const value = /** @type {Matrix} */ (this.values.get(a.quantity));
    const relation = (/** @type {string} */ sign) => `<mo form="infix">${sign}</mo>`;
    const line = (/** @type {string} */ sign, /** @type {string} */ right, /** @type {string} */ left = '') =>
      `<mtd>${left}</mtd><mtd><mrow>${relation(sign)}${right}</mrow></mtd>`;
    const target = math(this.letter(a.quantity), style);
    const tree = this.shown(a);
    const rows = [line('=', math(tree, style), target)];
    if (!this.now.hidden.has(a.quantity) && tree.op !== 'Symbol') rows.push(line('=', math(substitute(tree, this.at), style)));
    const { sign, math: result } = this.result(a.quantity, value);
    rows.push(line(sign, result));
    return rows;
  }

  /** @param {number | undefined} key */
  reason(key) {
    if (key === undefined) return '';
    const { texts, sentences } = this.data.reasons[this.language] ?? this.data.reasons.en;
    const piece = (/** @type {number | string | Tree} */ span) => {
      if (typeof span === 'number') return escaped(texts[span]);
      return `<math>${math(typeof span === 'string' ? this.letter(span) : span, this.style)}</math>`;
    };
    return sentences[key].map(piece).join('');
  }

  /** What a card says beside the lines of its equation, which come apart. @param {Assignment} a @param {number} lines how many */
  card(a, lines) {
    const picked = a.quantity === this.now.picked;
    return (
      `<h4><button class="pick" data-pick="${a.quantity}" aria-expanded="${picked}">${this.spoken(a.quantity)}</button></h4>` +
      `<p>${this.reason(a.reason)}</p>` +
      `<div class="formula"><math display="block"><mtable class="lines" displaystyle="true">${blankLines(lines)}</mtable></math></div>` +
      `${this.quizFields(a)}${picked ? this.detail(a) : ''}`
    );
  }

  /** Where a quantity comes from, what it feeds, and one entry of it in scalars. @param {Assignment} a */
  detail(a) {
    const links = (/** @type {string[]} */ names) =>
      names.map((name) => `<button class="link" data-pick="${name}">${this.spoken(name)}</button>`).join(' ') || '–';
    const from = lettersOf(this.shown(a))
      .map((letter) => letter.name)
      .filter((name) => this.values.has(name));
    const feeds = this.assignments
      .filter((b) => lettersOf(b.letters).some((letter) => letter.name === a.quantity))
      .map((b) => b.quantity);
    const value = /** @type {Matrix} */ (this.values.get(a.quantity));
    const [i, j] = [Math.min(this.now.entry[0], value.rows - 1), Math.min(this.now.entry[1], value.columns - 1)];
    const shape = (/** @type {Tree} */ tree) => evaluate(tree, this.at);
    const scalars = entryOf(this.shown(a), i, j, shape, (letter, row, column) => this.placed(letter, row, column));
    const target = this.placed(this.letter(a.quantity), i, j);
    const relation = '<mo form="infix">=</mo>';
    const result = math(node(evaluate(scalars, this.at)), this.style);
    const equation =
      value.values.length === 1
        ? ''
        : `<div class="formula"><math display="block"><mtable class="lines" displaystyle="true">` +
          `<mtr><mtd>${math(target, this.style)}</mtd><mtd><mrow>${relation}${math(scalars, this.style)}</mrow></mtd></mtr>` +
          `<mtr><mtd></mtd><mtd><mrow>${relation}${math(substitute(scalars, this.at), this.style)}</mrow></mtd></mtr>` +
          `<mtr><mtd></mtd><mtd><mrow><mo form="infix">≈</mo>${result}</mrow></mtd></mtr></mtable></math></div>`;
    const first = this.style.notation.first;
    const chooser =
      value.values.length === 1
        ? ''
        : `<label>${this.say('live_row')} <input type="number" data-entry="0" min="${first}" max="${value.rows - 1 + first}" value="${i + first}"></label> ` +
          `<label>${this.say('live_column')} <input type="number" data-entry="1" min="${first}" max="${value.columns - 1 + first}" value="${j + first}"></label>`;
    return (
      `<div class="detail"><p>${this.say('live_from')} ${links(from)}</p><p>${this.say('live_feeds')} ${links(feeds)}</p>` +
      `${chooser ? `<p>${this.say('live_entry')} ${chooser}</p>` : ''}${equation}</div>`
    );
  }

  /** A letter that names its entry at a place on paper. @param {Tree} letter @param {number} row @param {number} column @returns {Tree} */
  placed(letter, row, column) {
    if (letter.op === 'Gradient')
      return {
        ...letter,
        by: this.placed(letter.by, row, column),
        entry: this.placed(letter.by, row, column).entry,
        sample: this.placed(letter.by, row, column).sample,
      };
    const kind = this.now.training.calculation.kinds[letter.name];
    if (kind === 'weights' || /^W/.test(letter.letter ?? '')) return { ...letter, entry: [row, column], weights: true };
    const upright = this.data.calculation.column;
    const [unit, sample] = upright ? [row, column] : [column, row];
    const whole = this.values.get(letter.name);
    const several = whole && (upright ? whole.columns : whole.rows) > 1;
    return several ? { ...letter, entry: [unit], sample } : { ...letter, entry: [unit] };
  }

  // ---- the quiz

  /** @param {Assignment} a */
  quizFields(a) {
    if (!this.now.hidden.has(a.quantity)) return '';
    const value = /** @type {Matrix} */ (this.values.get(a.quantity));
    const inputs = kept(value.rows, 6).map((i) => {
      const line = kept(value.columns, 6).map((j) => {
        const key = `${a.quantity}:${i}:${j}`;
        const typed = this.answers.get(key) ?? '';
        const found = typed ? this.judged(a, i, j, typed) : '';
        return `<input class="answer ${found}" inputmode="decimal" data-answer="${key}" value="${escaped(typed)}" size="8" aria-label="${escaped(`${this.name(a.quantity)} ${this.nestedIndex(a.quantity, i, j)}`)}">${found ? `<span class="verdict">${this.say(`live_${found}`)}</span>` : ''}`;
      });
      return `<div>${line.join('')}</div>`;
    });
    return `<div class="quiz"><p>${this.say('live_type')}</p>${inputs.join('')}</div>`;
  }

  /** @param {Assignment} a @param {number} i @param {number} j @param {string} typed */
  judged(a, i, j, typed) {
    const value = /** @type {Matrix} */ (this.values.get(a.quantity));
    const own = new Map(this.values);
    for (const [key, text] of this.answers) {
      const [quantity, row, column] = key.split(':');
      const held = own.get(quantity);
      const number = Number(text.replace(',', '.').replace('−', '-'));
      if (!held || quantity === a.quantity || !Number.isFinite(number)) continue;
      const values = Float64Array.from(held.values);
      values[Number(row) * held.columns + Number(column)] = number;
      own.set(quantity, { ...held, values });
    }
    const follows = evaluate(a.letters, scope(own, this.data.calculation.column));
    const place = i * value.columns + j;
    return verdict(typed, value.values[place], follows.values[place]);
  }
}
