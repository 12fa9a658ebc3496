// The judge of typed answers and the numerals, run by node's own runner: node --test tests/live/js
import assert from 'node:assert/strict';
import test from 'node:test';
import { erfc } from '../../../src/handgrad/live/js/functions.js';
import { decimalsOf, verdict } from '../../../src/handgrad/live/js/judge.js';
import { plainText, roundDecimal, shown, shownExactly } from '../../../src/handgrad/live/js/numerals.js';

test('an answer is judged by the digits that were typed', () => {
  assert.equal(verdict('0.61940', 0.6194), 'exact');
  assert.equal(verdict('0.62', 0.6194), 'rounded');
  assert.equal(verdict('0.61', 0.6194), 'truncated');
  assert.equal(verdict('0.6', 0.6194), 'rounded');
  assert.equal(verdict('0.55', 0.6194), 'wrong');
  assert.equal(verdict('0.55', 0.6194, 0.5482), 'follows');
  assert.equal(verdict('', 0.6194), 'wrong');
  assert.equal(verdict('\u22120,38', -0.3806), 'rounded');
  assert.equal(verdict('-0.3', -0.38), 'truncated');
});

test('decimals are those behind the point, a power of ten moves them', () => {
  assert.deepEqual(['1', '1.20', '1,5', '3e-4', '1.5e2'].map(decimalsOf), [0, 2, 1, 4, 0]);
});

test('numbers are rounded half up on their decimal text', () => {
  assert.equal(plainText(shown(2.675, { decimals: 2 })), '2.68');
  assert.equal(plainText(shown(2.9 - 3.2, { decimals: 4 })), '−0.3');
  assert.equal(plainText(shown(4e-7, { decimals: 4 })), '4 × 10⁻⁷');
  assert.equal(plainText(shownExactly(1e-8, { decimals: 4 })), '10⁻⁸');
  assert.equal(roundDecimal(0.285, 2), 0.29);
  assert.equal(roundDecimal(1e300, 4), 1e300);
  assert.ok(Object.is(roundDecimal(-0.001, 2), 0));
});

test('the complementary error function is right on both of its branches', () => {
  // Abramowitz and Stegun (1964), table 7.1
  const known = [
    [0, 1],
    [0.5, 0.4795001221869535],
    [1, 0.15729920705028513],
    [2, 0.004677734981047266],
    [-1, 1.8427007929497148],
  ];
  for (const [x, value] of known) assert.ok(Math.abs(erfc(x) / value - 1) < 1e-13, String(x));
  assert.ok(Math.abs(erfc(2 - 1e-9) / erfc(2) - 1) < 1e-7);
});
