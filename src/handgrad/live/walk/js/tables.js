// What is said in tables: the numbers of a step, the rows of its batch, why a row is predicted as it is.
import { escaped } from './words.js';

/** @typedef {import('./words.js').Words} Words */
/** @typedef {Record<string, number | null>} Numbers */
/**
 * @typedef {{step: number, first: number, samples: number, rows: number[], losses: (number | null)[] | null, predicted: string[],
 *   columns: string[], cells: string[][], target: string[], targets: string[][]}} Batch
 */
/**
 * @typedef {{row: number, prediction: {target: string, class?: string, value?: number, probability?: number}, baseline: number,
 *   output: number, contributions: {column: string, value: string | null, contribution: number}[]}} Why
 */

const NUMBERS = ['loss', 'penalty', 'rate', 'gradient_norm', 'update_norm', 'weight_norm'];

/** @param {string} text @param {string} [kind] */
const cell = (text, kind = '') => `<td${kind && ` class="${kind}"`}>${escaped(text)}</td>`;
/** @param {string} text */
const head = (text) => `<th scope="col">${escaped(text)}</th>`;

/** The numbers of each side, a side a column. @param {Words} words @param {{side: string, numbers: Numbers}[]} sides */
export function numbersTable(words, sides) {
  const shown = NUMBERS.filter((name) => sides.some(({ numbers }) => name !== 'penalty' || numbers.penalty));
  const heads =
    sides.length > 1
      ? `<thead><tr><td></td>${sides.map(({ side }) => head(words.say(`walk_${side}`))).join('')}</tr></thead>`
      : '';
  const rows = shown.map((name) => {
    const values = sides.map(({ numbers }) => cell(words.number(numbers[name]), 'r'));
    return `<tr><th scope="row">${escaped(words.say(`walk_${name}`))}</th>${values.join('')}</tr>`;
  });
  return `<table>${heads}<tbody>${rows.join('')}</tbody></table>`;
}

/** @param {Words} words @param {Batch} batch @param {boolean} reasons */
export function batchTable(words, batch, reasons) {
  const heads = [
    words.say('walk_row'),
    ...(batch.target.length ? batch.target : ['y']),
    words.say('walk_predicted'),
    words.say('walk_row_loss'),
    ...batch.columns,
  ];
  const rows = batch.rows.map((row, k) => {
    const wrong = batch.target.length > 0 && batch.targets[k].join(', ') !== batch.predicted[k];
    const why = reasons
      ? `<td><button type="button" data-why="${row}" aria-label="${escaped(words.say('walk_why_row', { row }))}">${escaped(words.say('walk_why'))}</button></td>`
      : '';
    const cells = [
      `<th scope="row">${words.digits(row)}</th>`,
      why,
      ...batch.targets[k].map((text) => cell(text)),
      cell(batch.predicted[k], 'predicted'),
      cell(words.number(batch.losses?.[k]), 'r'),
      ...batch.cells[k].map((text) => cell(text)),
    ];
    return `<tr${wrong ? ' class="missed"' : ''}>${cells.join('')}</tr>`;
  });
  const all = reasons ? [heads[0], words.say('walk_why'), ...heads.slice(1)] : heads;
  return `<table><thead><tr>${all.map(head).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** @param {Words} words @param {Why} why */
export function whyTable(words, why) {
  const { prediction } = why;
  const value = prediction.class ?? words.number(prediction.value);
  const probability = prediction.probability === undefined ? '' : words.digits(`${(100 * prediction.probability).toFixed(1)} %`);
  const key = prediction.class === undefined ? 'walk_why_is' : 'walk_why_class';
  const title = words.say(key, { row: words.digits(why.row), target: prediction.target, value, probability });
  const largest = Math.max(1e-300, ...why.contributions.map((part) => Math.abs(part.contribution)));
  const rows = why.contributions.map((part) => {
    const long = Math.round((100 * Math.abs(part.contribution)) / largest);
    return (
      `<tr><th scope="row">${escaped(part.column)}</th>${cell(part.value ?? words.say('walk_empty'))}` +
      `${cell(words.number(part.contribution), 'r')}<td><span class="bar${part.contribution < 0 ? ' negative' : ''}" data-long="${long}"></span></td></tr>`
    );
  });
  const sum = why.contributions.reduce((total, part) => total + part.contribution, 0);
  const closing = { baseline: words.number(why.baseline), sum: words.number(sum), output: words.number(why.output) };
  const heads = [words.say('walk_column'), words.say('walk_cell'), words.say('walk_contribution')].map(head).join('');
  return (
    `<h3 tabindex="-1">${escaped(title)}</h3><div class="table"><table><thead><tr>${heads}<td></td></tr></thead><tbody>${rows.join('')}</tbody></table></div>` +
    `<p>${escaped(words.say('walk_why_sum', closing))}</p><p><button type="button" data-close>${escaped(words.say('walk_close'))}</button></p>`
  );
}

/** Gives the bars their lengths: a policy that forbids styles in markup allows them from a module. @param {ParentNode} root */
export function stretchBars(root) {
  for (const bar of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('.bar'))) {
    bar.style.width = `${(Number(bar.dataset.long) / 100) * 7}rem`;
  }
}

/** What is wider than the screen can be scrolled by keyboard. */
export function reach() {
  for (const box of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.table'))) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  }
}
