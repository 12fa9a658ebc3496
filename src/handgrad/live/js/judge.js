// A typed answer against the calculation: exact, rounded, cut off, or wrong; right only with an earlier wrong answer.
import { decimal, roundDecimal } from './numerals.js';

/** @typedef {'exact' | 'rounded' | 'truncated' | 'wrong' | 'follows'} Verdict */

/** How many decimals a number was typed with. @param {string} text */
export function decimalsOf(text) {
  const [mantissa, power = '0'] = text.trim().toLowerCase().split('e');
  return Math.max(0, (mantissa.split(/[.,]/)[1]?.length ?? 0) - Number(power));
}

/** @param {string} text */
export function numberOf(text) {
  const clean = text.trim().replace('\u2212', '-').replace(',', '.');
  return clean === '' ? NaN : Number(clean);
}

/** Cut off after so many decimals. @param {number} value @param {number} decimals */
function truncated(value, decimals) {
  const d = decimal(value);
  if (!d || -d.exponent <= decimals) return value;
  const digits = d.digits / 10n ** BigInt(-d.exponent - decimals);
  return Number(`${d.negative ? '-' : ''}${digits}e${-decimals}`) + 0;
}

/**
 * @param {string} text what was typed @param {number} right the program's own number
 * @param {number} [following] the number that follows from the reader's own earlier answers @returns {Verdict}
 */
export function verdict(text, right, following) {
  const [typed, decimals] = [numberOf(text), decimalsOf(text)];
  if (Math.abs(typed - right) <= 1e-12 * Math.max(1e-6, Math.abs(right))) return 'exact';
  if (typed === roundDecimal(right, decimals)) return 'rounded';
  if (decimals > 0 && typed === truncated(right, decimals)) return 'truncated';
  if (following !== undefined && typed === roundDecimal(following, decimals)) return 'follows';
  return 'wrong';
}
