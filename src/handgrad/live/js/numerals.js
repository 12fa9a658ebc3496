// How a number is shown: rounded as on paper, half up, from its shortest decimal text, never from its binary form.

/**
 * A decimal number: sign * digits * 10^exponent, digits without zeros at the end unless they were asked for.
 * @typedef {{negative: boolean, digits: bigint, exponent: number}} Decimal
 */

/**
 * How many digits: `decimals` after the point, or `significant` digits where that is given; `point` is the sign itself.
 * @typedef {{decimals: number, significant?: number | null, point?: string, numerals?: string}} Precision
 */

/**
 * A number as it is shown: text, times ten to the `power` where that is not null; `exact`: nothing was rounded away.
 * @typedef {{text: string, power: number | null, exact: boolean}} Shown
 */

const LARGEST_PLAIN = 7;
const PLAIN_FROM = -3;
const EXTRA_DECIMALS = 1;

/** @param {number} value @returns {Decimal | null} */
export function decimal(value) {
  if (!Number.isFinite(value)) return null;
  const [mantissa, power] = String(Math.abs(value)).split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  return { negative: value < 0, digits: BigInt(whole + fraction), exponent: Number(power ?? 0) - fraction.length };
}

/** The exponent of the first digit. @param {Decimal} d */
function adjusted(d) {
  return d.digits === 0n ? 0 : String(d.digits).length - 1 + d.exponent;
}

/** Rounded half up so that no digit lies behind 10^exponent. @param {Decimal} d @param {number} exponent @returns {Decimal} */
function quantized(d, exponent) {
  if (exponent <= d.exponent) {
    return { ...d, digits: d.digits * 10n ** BigInt(d.exponent - exponent), exponent };
  }
  const unit = 10n ** BigInt(exponent - d.exponent);
  return { ...d, digits: (2n * d.digits + unit) / (2n * unit), exponent };
}

/** Without zeros at the end. @param {Decimal} d @returns {Decimal} */
function normalized(d) {
  if (d.digits === 0n) return { negative: false, digits: 0n, exponent: 0 };
  let { digits, exponent } = d;
  while (digits % 10n === 0n) {
    digits /= 10n;
    exponent += 1;
  }
  return { ...d, digits, exponent };
}

/** |a - b| <= 1e-13 max(|b|, 1e-6): equal but for an artefact of binary arithmetic. @param {Decimal} a @param {Decimal} b */
function same(a, b) {
  const exponent = Math.min(a.exponent, b.exponent, adjusted(b) - 14, -20);
  const [x, y] = [a, b].map((d) => (d.negative ? -1n : 1n) * quantized(d, exponent).digits);
  const distance = x > y ? x - y : y - x;
  const size = y < 0n ? -y : y;
  const least = 10n ** BigInt(-6 - exponent);
  return distance * 10n ** 13n <= (size > least ? size : least);
}

/** @param {Decimal} d @param {Precision} precision */
function written(d, precision) {
  let text = String(d.digits);
  if (d.exponent > 0) text += '0'.repeat(d.exponent);
  if (d.exponent < 0) {
    text = text.padStart(1 - d.exponent, '0');
    text = `${text.slice(0, d.exponent)}${precision.point ?? '.'}${text.slice(d.exponent)}`;
  }
  return (d.negative ? '-' : '') + text;
}

/** @param {number} value */
function notFinite(value) {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '∞' : '-∞';
}

/** To so many significant digits. @param {Decimal} d @param {number} digits @returns {Decimal} */
function toDigits(d, digits) {
  const rounded = quantized(d, adjusted(d) - digits + 1);
  return String(rounded.digits).length > digits ? quantized(rounded, rounded.exponent + 1) : rounded;
}

/** @param {Decimal} d @param {number} digits @param {Precision} precision @returns {Shown} */
function scientific(d, digits, precision) {
  const rounded = toDigits(d, digits);
  const power = adjusted(rounded);
  const exact = same(rounded, d);
  const mantissa = { ...(exact ? normalized(rounded) : rounded) };
  mantissa.exponent -= power;
  const one = exact && mantissa.digits === 1n && mantissa.exponent === 0 && !mantissa.negative;
  return { text: one ? '' : written(mantissa, precision), power, exact };
}

/** Written without a power of ten: not so large, and not rounded to nothing. @param {Decimal} d @param {number} decimals */
function fits(d, decimals) {
  if (d.digits === 0n) return true;
  if (adjusted(d) >= LARGEST_PLAIN) return adjusted(d) < 15 && normalized(d).exponent >= 0;
  return quantized(d, -decimals).digits !== 0n;
}

/** Decimals that leave the largest entry two significant digits, if one more does. @param {Decimal[]} numbers @param {number} decimals */
function enough(numbers, decimals) {
  let largest = /** @type {Decimal} */ ({ negative: false, digits: 0n, exponent: 0 });
  for (const d of numbers) if (larger(d, largest)) largest = { ...d, negative: false };
  const rounded = quantized(largest, -decimals);
  if (largest.digits === 0n || (rounded.digits !== 0n && same(rounded, largest))) return decimals;
  const wanted = 1 - adjusted(largest);
  return decimals < wanted && wanted <= decimals + EXTRA_DECIMALS ? wanted : decimals;
}

/** |a| > |b| @param {Decimal} a @param {Decimal} b */
function larger(a, b) {
  const exponent = Math.min(a.exponent, b.exponent);
  return quantized(a, exponent).digits > quantized(b, exponent).digits;
}

/** @param {number} value @param {number} decimals @param {Precision} precision @returns {Shown} */
function fixed(value, decimals, precision) {
  const d = decimal(value);
  if (d === null) return { text: notFinite(value), power: null, exact: true };
  if (!fits(d, decimals)) {
    const digits = Math.max(2, precision.decimals);
    const small = adjusted(d) >= PLAIN_FROM && adjusted(d) < 0;
    return small ? toText(d, digits, precision) : scientific(d, digits, precision);
  }
  if (d.digits === 0n) return { text: '0', power: null, exact: true };
  const rounded = quantized(d, -decimals);
  return { text: written(rounded, precision), power: null, exact: same(rounded, d) };
}

/** @param {number} value @param {number} digits @param {Precision} precision @returns {Shown} */
function significant(value, digits, precision) {
  const d = decimal(value);
  if (d === null) return { text: notFinite(value), power: null, exact: true };
  if (d.digits === 0n) return { text: '0', power: null, exact: true };
  const rounded = toDigits(d, digits);
  const place = adjusted(rounded);
  if (place <= -5 || place >= Math.max(LARGEST_PLAIN, digits)) return scientific(d, digits, precision);
  return toText(d, digits, precision);
}

/** So many significant digits, without a power of ten. @param {Decimal} d @param {number} digits @param {Precision} precision @returns {Shown} */
function toText(d, digits, precision) {
  const rounded = toDigits(d, digits);
  const exact = same(rounded, d);
  return { text: written(exact ? normalized(rounded) : rounded, precision), power: null, exact };
}

/**
 * The entries of a matrix with the same number of decimals; zeros at the end that all share are dropped.
 * @param {number[][]} values @param {Precision} precision @returns {Shown[][]}
 */
export function shownTogether(values, precision) {
  const digits = precision.significant;
  if (digits) return values.map((row) => row.map((value) => significant(value, digits, precision)));
  const finite = /** @type {Decimal[]} */ (
    values
      .flat()
      .map(decimal)
      .filter((d) => d !== null)
  );
  let decimals = enough(finite, precision.decimals);
  const plain = finite.filter((d) => fits(d, decimals));
  if (plain.every((d) => same(quantized(d, -decimals), d))) {
    decimals = Math.max(0, ...plain.map((d) => -normalized(quantized(d, -decimals)).exponent));
  }
  return values.map((row) => row.map((value) => fixed(value, decimals, precision)));
}

/** One number. @param {number} value @param {Precision} precision @returns {Shown} */
export function shown(value, precision) {
  return shownTogether([[value]], precision)[0][0];
}

/** A constant of a formula, with all its digits. @param {number} value @param {Precision} precision @returns {Shown} */
export function shownExactly(value, precision) {
  const d = decimal(value);
  if (d === null) return { text: notFinite(value), power: null, exact: true };
  const plain = normalized(d);
  if (d.digits !== 0n && (adjusted(d) <= -5 || adjusted(d) >= 15)) {
    return scientific(d, String(plain.digits).length, precision);
  }
  return { text: written(plain, precision), power: null, exact: true };
}

/** Rounded half up to so many decimals, as a number; what is not finite stays. @param {number} value @param {number} decimals */
export function roundDecimal(value, decimals) {
  const d = decimal(value);
  if (d === null) return value;
  const rounded = quantized(d, -decimals);
  return Number(`${d.negative ? '-' : ''}${rounded.digits}e${rounded.exponent}`) + 0;
}

/** The shown number on one line. @param {Shown} number */
export function plainText(number) {
  const text = number.text.replace('-', '−');
  if (number.power === null) return text;
  const raised = [...String(number.power)].map((c) => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(c)]).join('');
  return text ? `${text} × 10${raised}` : `10${raised}`;
}
