// A training that can be walked: from the leaves of a step, its program gives every quantity; the next step begins where it ended.
import { evaluate, scope } from './evaluate.js';
import { fromRows, mapped, matrix, scalar, toRows, transposed } from './matrices.js';
import { roundDecimal } from './numerals.js';

/** @typedef {import('./evaluate.js').Tree} Tree */
/** @typedef {import('./matrices.js').Matrix} Matrix */
/** @typedef {number | (number | null)[] | (number | null)[][]} Nested */
/** number: a single one; vector: one dimension; weights: two, the same on paper; rows: one sample a row. @typedef {'number' | 'vector' | 'weights' | 'rows'} Kind */
/** @typedef {{quantity: string, letters: Tree, part?: string, layer?: number, reason?: number, shown?: Tree[]}} Assignment */
/** What every step of one batch size computes, and the constants that belong to the size. @typedef {{samples: number, assignments: Assignment[], constants: Record<string, number>}} Program */
/** A step of the plan; without rows it takes all of them in order, without a rate the first one. @typedef {{rows?: number[], rate?: number, masks?: Record<string, Nested>}} Planned */
/**
 * @typedef {{rate: number, first?: number, column: boolean, kinds: Record<string, Kind>, data: Record<string, Nested>, start: Record<string, Nested>,
 *   given: Record<string, Nested>, same: Record<string, string>, kept: Record<string, Nested>, constants: Record<string, number>, plan: Planned[], programs: Program[], quantities: string[],
 *   rounding: {digits: number | null, carry: boolean, quantities: Record<string, number>}, steps: number, samples: number}} Calculation
 */
/** One edit: the entry of a quantity of the start. @typedef {{quantity: string, index: number[], value: number}} Edit */

/** Other names that a hyperparameter is asked for by. @type {Record<string, string>} */
const ALSO = {
  learning_rate: 'eta',
  momentum: 'mu',
  decay: 'rho',
  l2: 'lambda',
  l1: 'lambda1',
  weight_decay: 'lambda_w',
};

/** A quantity as it stands on paper. @param {Nested} value @param {Kind} kind @param {boolean} column @returns {Matrix} */
export function onPaper(value, kind, column) {
  if (typeof value === 'number' || value === null) return scalar(value ?? NaN);
  if (kind === 'vector') {
    const list = /** @type {number[]} */ (value);
    return column ? matrix(list.length, 1, list) : matrix(1, list.length, list);
  }
  const rows = fromRows(/** @type {number[][]} */ (value));
  return kind === 'rows' && column ? transposed(rows) : rows;
}

/** The nested list that programs read: one sample a row, a bias in one dimension. @param {Matrix} value @param {Kind} kind @param {boolean} column @returns {Nested} */
export function asNested(value, kind, column) {
  const clean = (/** @type {number} */ x) => (Number.isFinite(x) ? x : null);
  if (kind === 'number') return /** @type {number} */ (clean(value.values[0]));
  if (kind === 'vector') return Array.from(value.values, clean);
  return toRows(kind === 'rows' && column ? transposed(value) : value).map((line) => line.map(clean));
}

/** A number deep in a nested list, set. @param {Nested} value @param {number[]} index @param {number} number @returns {Nested} */
function replaced(value, index, number) {
  if (index.length === 0) return number;
  const list = [.../** @type {any[]} */ (value)];
  list[index[0]] = replaced(list[index[0]], index.slice(1), number);
  return list;
}

/** @param {Nested} value @param {number[]} index @returns {unknown} */
function within(value, index) {
  return index.reduce((/** @type {any} */ held, place) => held?.[place], value);
}

export class Training {
  /** @param {Calculation} calculation */
  constructor(calculation) {
    this.calculation = calculation;
    /** @type {Edit[]} */
    this.edits = [];
    this.data = { ...calculation.data };
    this.start = { ...calculation.start };
    this.constants = { ...calculation.constants };
    this.given = { ...calculation.given };
    /** @type {Map<string, Matrix>[]} */
    this.worked = [];
  }

  /** Forgets what was worked out, and takes the numbers as they are edited now. */
  begin() {
    const c = this.calculation;
    this.data = { ...c.data };
    this.start = { ...c.start };
    this.constants = { ...c.constants };
    this.given = { ...c.given };
    for (const edit of this.edits) {
      const held = /** @type {Record<string, Nested>} */ (this.holder(edit.quantity));
      held[edit.quantity] = replaced(held[edit.quantity], edit.index, edit.value);
    }
    this.worked = [];
  }

  /** Where the start of a quantity is kept. @param {string} quantity @returns {Record<string, any> | undefined} */
  holder(quantity) {
    return [this.given, this.data, this.start, this.constants].find((held) => quantity in held);
  }

  /** Every quantity that can be edited, with its numbers as they were given or edited. @returns {Record<string, Nested>} */
  editable() {
    return { ...this.constants, ...this.data, ...this.start, ...this.given };
  }

  /** The name and the place that are meant. @param {string} quantity @param {unknown} index @returns {{quantity: string, index: number[]}} */
  place(quantity, index) {
    const name = this.holder(quantity) ? quantity : (ALSO[quantity] ?? quantity);
    const held = this.holder(name);
    if (!held) throw new Error(`${quantity} is not given but computed; change what it is computed from`);
    const list =
      index === null || index === undefined || index === ''
        ? []
        : typeof index === 'string'
          ? index.split(',').map(Number)
          : [index].flat();
    let places = /** @type {number[]} */ (list);
    const whole = held[name];
    if (!Array.isArray(whole)) places = [];
    else if (!Array.isArray(whole[0])) places = places.slice(-1);
    if (typeof within(held[name], places) !== 'number')
      throw new Error(`${name} has no entry ${places.join(',') || '(say which)'}`);
    return { quantity: name, index: places };
  }

  /** Sets one number of what was given; all that follows from it is worked out anew. @param {string} quantity @param {unknown} index @param {number} value */
  set(quantity, index, value) {
    if (!Number.isFinite(value)) throw new Error(`${quantity} takes a number, got ${value}`);
    const at = this.place(quantity, index);
    const same = (/** @type {Edit} */ e) => e.quantity === at.quantity && String(e.index) === String(at.index);
    this.edits = this.edits.filter((edit) => !same(edit));
    if (within(this.original(at.quantity), at.index) !== value) this.edits.push({ ...at, value });
    this.begin();
  }

  /** @param {string} quantity @returns {Nested} */
  original(quantity) {
    const c = this.calculation;
    return /** @type {Nested} */ ([c.given, c.data, c.start, c.constants].find((held) => quantity in held)?.[quantity]);
  }

  /** @param {Edit[]} edits */
  restore(edits) {
    this.edits = edits;
    this.begin();
  }

  /** How many steps can be walked: the order of the batches is known so far. */
  get most() {
    return this.first + this.calculation.plan.length - 1;
  }

  /** The first step that is known: 1, or the one of a trained model from which it is walked. */
  get first() {
    return this.calculation.first ?? 1;
  }

  /** Every value of a step by its name, as on paper. @param {number} step @returns {Map<string, Matrix>} */
  values(step) {
    if (!Number.isInteger(step) || step < this.first || step > this.most) {
      throw new Error(`steps are counted from ${this.first} to ${this.most}, got ${step}`);
    }
    for (let next = this.first + this.worked.length; next <= step; next++) this.worked.push(this.work(next));
    return this.worked[step - this.first];
  }

  /** The rows of the data that a step takes. @param {number} step @returns {number[]} */
  rows(step) {
    const { plan, samples } = this.calculation;
    return plan[step - this.first].rows ?? Array.from({ length: samples }, (_, row) => row);
  }

  /** The program of a step's batch size. @param {number} step @returns {Program} */
  program(step) {
    const samples = this.rows(step).length;
    const found = this.calculation.programs.find((program) => program.samples === samples);
    if (!found) throw new Error(`no program for a batch of ${samples}`);
    return found;
  }

  /** @param {number} step @returns {Map<string, Matrix>} */
  work(step) {
    const { column, rounding } = this.calculation;
    const program = this.program(step);
    const values = this.leaves(step, program);
    const fixed = this.fixed(step);
    for (const [quantity, value] of fixed) values.set(quantity, value);
    // what the program does not compute stands as it was, until an edit says otherwise
    for (const [name, value] of Object.entries(this.edits.length ? {} : this.calculation.kept)) {
      values.set(name, onPaper(value, this.calculation.kinds[name], column));
    }
    for (const [other, quantity] of Object.entries(this.calculation.same)) {
      values.set(other, /** @type {Matrix} */ (fixed.get(quantity)));
    }
    const at = scope(values, column);
    for (const { quantity, letters } of program.assignments) {
      let value = fixed.get(quantity) ?? evaluate(letters, at);
      value = this.fitting(quantity, value);
      const digits =
        rounding.carry && !/^(mask|derivative)/.test(quantity) ? (rounding.quantities[quantity] ?? rounding.digits) : null;
      if (digits !== null) value = mapped(value, (x) => roundDecimal(x, digits));
      values.set(quantity, value);
    }
    return values;
  }

  /** A bias that all units share has one gradient: the number is repeated for each. @param {string} quantity @param {Matrix} value */
  fitting(quantity, value) {
    const of = /^db(\d+)/.exec(quantity);
    const whole = of && this.calculation.start[`b${of[1]}`];
    if (!whole || !Array.isArray(whole) || value.values.length === whole.length) return value;
    return onPaper(Array(whole.length).fill(value.values[0]), 'vector', this.calculation.column);
  }

  /** Quantities that were given by hand, for the rows of this step. @param {number} step @returns {Map<string, Matrix>} */
  fixed(step) {
    const rows = this.rows(step);
    const { kinds, column, samples } = this.calculation;
    return new Map(
      Object.entries(this.given).map(([name, whole]) => {
        const cut = kinds[name] === 'rows' && Array.isArray(whole) && whole.length === samples && rows.length < samples;
        const part = cut ? rows.map((row) => /** @type {number[][]} */ (whole)[row]) : whole;
        return [name, onPaper(/** @type {Nested} */ (part), kinds[name], column)];
      }),
    );
  }

  /** What a step starts from: its rows, the parameters and states that the step before left, its constants. @param {number} step @param {Program} program */
  leaves(step, program) {
    const { column, kinds, plan } = this.calculation;
    const planned = plan[step - this.first];
    /** @type {Map<string, Matrix>} */
    const values = new Map();
    for (const [name, whole] of Object.entries(this.data)) {
      const part = this.rows(step).map((row) => /** @type {number[][]} */ (whole)[row]);
      values.set(name, onPaper(part, kinds[name] ?? 'rows', column));
    }
    const before = step > this.first ? this.values(step - 1) : null;
    for (const [name, whole] of Object.entries(this.start)) {
      const after = before?.get(name.endsWith('_old') ? name.slice(0, -4) : `${name}_new`) ?? before?.get(name);
      values.set(name, after ?? onPaper(whole, kinds[name], column));
    }
    for (const [name, mask] of Object.entries(planned.masks ?? {})) values.set(name, onPaper(mask, 'rows', column));
    const original = this.calculation.constants.eta;
    const given = planned.rate ?? this.calculation.rate;
    const rate = original ? (given * this.constants.eta) / original : (this.constants.eta ?? given);
    for (const [name, value] of Object.entries({ ...this.constants, ...program.constants, eta: rate, t: step })) {
      values.set(name, scalar(value));
    }
    return values;
  }

  /** The quantities of a step as programs read them. @param {number} step @returns {Record<string, Nested>} */
  quantities(step) {
    const { kinds, column, quantities } = this.calculation;
    const values = this.values(step);
    /** @type {Record<string, Nested>} */
    const found = {};
    for (const name of quantities) {
      const value = values.get(name);
      if (value) found[name] = asNested(value, kinds[name], column);
    }
    return found;
  }

  /** A number of a step. @param {number} step @param {string} quantity */
  number(step, quantity) {
    return this.values(step).get(quantity)?.values[0];
  }
}
