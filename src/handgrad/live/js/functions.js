// The functions that a tree may apply, entry by entry: activations, their derivatives, and what losses are made of.
import { combined, lines, mapped } from './matrices.js';

/** @typedef {import('./matrices.js').Matrix} Matrix */
/** @typedef {(x: Matrix[], p: number[], axis: 0 | 1) => Matrix} Rule */

/** @param {number} z */
const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
/** @param {number} z */
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
/** SELU's constants. */
const [ALPHA, SCALE] = [1.6732632423543772, 1.0507009873554805];
/** @param {number} z */
const density = (z) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/**
 * The complementary error function: a series near 0, the continued fraction of Laplace far from it.
 * Source: Abramowitz and Stegun (1964), equations 7.1.5 and 7.1.14. @param {number} x
 */
export function erfc(x) {
  const size = Math.abs(x);
  if (size < 2) {
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum) && n < 200; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let tail = size;
  for (let n = 120; n >= 1; n--) tail = size + n / 2 / tail;
  const right = Math.exp(-size * size) / (Math.sqrt(Math.PI) * tail);
  return x > 0 ? right : 2 - right;
}

/** The normal distribution function. @param {number} z */
export function normal(z) {
  return erfc(-z / Math.SQRT2) / 2;
}

/** @param {number[]} z */
function softmax(z) {
  const largest = Math.max(...z);
  const powers = z.map((x) => Math.exp(x - largest));
  const total = powers.reduce((sum, x) => sum + x, 0);
  return powers.map((x) => x / total);
}

/** @param {number[]} z */
function lnSoftmax(z) {
  const largest = Math.max(...z);
  const total = Math.log(z.reduce((sum, x) => sum + Math.exp(x - largest), 0));
  return z.map((x) => x - largest - total);
}

/** @param {(z: number, ...p: number[]) => number} f @returns {Rule} */
const each = (f) => (x, p) => mapped(x[0], (z) => f(z, ...p));
/** @param {(a: number, b: number) => number} f @returns {Rule} */
const together = (f) => (x) => x.reduce((a, b) => combined(a, b, f));

/** @type {Record<string, Rule>} */
export const FUNCTIONS = {
  identity: each((z) => z),
  sigmoid: each(sigmoid),
  tanh: each(Math.tanh),
  relu: each((z) => (z < 0 ? 0 : z)),
  leaky_relu: each((z, alpha) => (z > 0 ? z : alpha * z)),
  elu: each((z, alpha) => (z > 0 ? z : alpha * Math.expm1(z))),
  gelu: each((z) => z * normal(z)),
  silu: each((z) => z * sigmoid(z)),
  softplus: each(softplus),
  softmax: (x, p, axis) => lines(x[0], axis, softmax),
  step: each((z) => (z > 0 ? 1 : 0)),
  relu6: each((z) => Math.min(Math.max(z, 0), 6)),
  hard_sigmoid: each((z) => Math.min(Math.max(z + 3, 0), 6) / 6),
  selu: each((z) => SCALE * (z > 0 ? z : ALPHA * Math.expm1(z))),
  mish: each((z) => z * Math.tanh(softplus(z))),
  exponential: each(Math.exp),
  "identity'": each(() => 1),
  "sigmoid'": each((z) => sigmoid(z) * sigmoid(-z)),
  "tanh'": each((z) => 1 - Math.tanh(z) ** 2),
  "relu'": each((z) => (z > 0 ? 1 : 0)),
  "leaky_relu'": each((z, alpha) => (z > 0 ? 1 : alpha)),
  "elu'": each((z, alpha) => (z > 0 ? 1 : alpha * Math.exp(z))),
  "gelu'": each((z) => normal(z) + z * density(z)),
  "silu'": each((z) => sigmoid(z) * (1 + z * sigmoid(-z))),
  "softplus'": each(sigmoid),
  "softmax'": (x, p, axis) => mapped(lines(x[0], axis, softmax), (a) => a * (1 - a)),
  "step'": each(() => 0),
  "relu6'": each((z) => (z > 0 && z < 6 ? 1 : 0)),
  "hard_sigmoid'": each((z) => (z > -3 && z < 3 ? 1 / 6 : 0)),
  "selu'": each((z) => SCALE * (z > 0 ? 1 : ALPHA * Math.exp(z))),
  "mish'": each((z) => {
    const gate = Math.tanh(softplus(z));
    return gate + z * (1 - gate * gate) * sigmoid(z);
  }),
  "exponential'": each(Math.exp),
  exp: each(Math.exp),
  ln: each(Math.log),
  ln_softmax: (x, p, axis) => lines(x[0], axis, lnSoftmax),
  max: together((a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : a > b ? a : b)),
  min: together((a, b) => (Number.isNaN(a) || Number.isNaN(b) ? NaN : a < b ? a : b)),
  abs: each(Math.abs),
  sign: each(Math.sign),
  erf_phi: each(normal),
  phi: each(density),
  clip: each((x, limit) => Math.min(Math.max(x, -limit), limit)),
  indicator: each((x) => (x > 0 ? 1 : 0)),
};
