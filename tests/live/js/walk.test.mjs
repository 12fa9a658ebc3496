// The modules of the browser of a training, by node's own runner: addresses, words, regions of a matrix, curves, tables, questions.
import assert from 'node:assert/strict';
import test from 'node:test';
import { asFragment, fromFragment } from '../../../src/handgrad/live/walk/js/address.js';
import { Asking, Lost, Refused, address } from '../../../src/handgrad/live/walk/js/asking.js';
import { scales } from '../../../src/handgrad/live/walk/js/curves.js';
import { around, cellSize, entries, paint, strength } from '../../../src/handgrad/live/walk/js/heat.js';
import { batchTable, numbersTable, whyTable } from '../../../src/handgrad/live/walk/js/tables.js';
import { Words, escaped } from '../../../src/handgrad/live/walk/js/words.js';

test('an address carries the place and gives it back', () => {
  const place = {
    training: 1,
    step: 40,
    against: { training: 0, step: 7 },
    detail: 'scalar',
    focus: 'W1[0,3]',
    language: 'bn',
    numerals: 'bn',
  };
  assert.deepEqual(fromFragment(asFragment(place)), place);
  const plain = { training: 0, step: 3, against: null, detail: '', focus: '', language: '', numerals: '' };
  assert.equal(asFragment(plain), '#step=3');
});

test('an address that is damaged says what it can', () => {
  assert.deepEqual(fromFragment('#step=-3&training=x&against=1'), {});
  assert.deepEqual(fromFragment('#step=1e9&against=0,2,3&focus=W1'), { focus: 'W1' });
  assert.deepEqual(fromFragment(''), {});
});

test('words are filled, digits are those of the reader, thousands stand apart', () => {
  const words = new Words({ en: { at: 'step {step} of {steps}' }, bn: { at: '{steps} এর {step}' } });
  assert.equal(words.say('at', { step: 2, steps: 9 }), 'step 2 of 9');
  assert.equal(words.say('unknown'), 'unknown');
  assert.equal(words.count(1234567), '1\u202f234\u202f567');
  assert.equal(words.count(123), '123');
  assert.equal(words.number(null), '–');
  assert.equal(words.number(Number.POSITIVE_INFINITY), '–');
  assert.equal(words.number(-0.123456), '−0.1235');
  words.language = 'bn';
  words.numerals = 'bn';
  assert.equal(words.say('at', { step: 2, steps: 9 }), '9 এর 2');
  assert.equal(words.count(1203), '১\u202f২০৩');
  words.language = 'xx'; // one that the page does not speak
  assert.equal(words.say('at', { step: 1, steps: 2 }), 'step 1 of 2');
});

test('nothing of a table becomes markup', () => {
  assert.doesNotMatch(escaped('<b a="1">&\''), /[<>"']/);
  const words = new Words({ en: {} });
  const batch = {
    step: 1,
    first: 0,
    samples: 1,
    rows: [4],
    losses: [0.5],
    predicted: ['<i>no</i>'],
    columns: ['<b>'],
    cells: [['<script>']],
    target: ['kind'],
    targets: [['yes']],
  };
  const table = batchTable(words, batch, true);
  assert.doesNotMatch(table, /<(b|i|script)>/);
  assert.match(table, /class="missed"/); // yes, predicted as no
  assert.match(table, /data-why="4"/);
  assert.doesNotMatch(batchTable(words, { ...batch, predicted: ['yes'] }, false), /missed|data-why/);
});

/** A matrix of 10 by 7 in blocks of 4 by 3. */
// prettier-ignore
const HEAT = {
  name: 'W1', rows: 10, columns: 7, top: 0, left: 0, bottom: 10, right: 7, down: 4, across: 3,
  cells: [[1, 2, 3], [4, 5, 6], [7, 8, null]], largest: 8, rms: 1, unbounded: 1,
};

test('the cells of a region are its entries, each of them once', () => {
  const seen = new Map();
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 3; column++) {
      const { top, bottom, left, right } = entries(HEAT, row, column);
      for (let i = top; i < bottom; i++)
        for (let j = left; j < right; j++) seen.set(`${i},${j}`, (seen.get(`${i},${j}`) ?? 0) + 1);
    }
  assert.equal(seen.size, 70);
  assert.ok([...seen.values()].every((times) => times === 1));
  assert.deepEqual(entries(HEAT, 2, 2), { top: 8, bottom: 10, left: 6, right: 7 });
});

test('the region that opens holds the block and stays within the matrix', () => {
  for (let row = 0; row < 3; row++)
    for (let column = 0; column < 3; column++) {
      const block = entries(HEAT, row, column);
      const [down, across] = around(HEAT, block, { rows: 5, columns: 5 })
        .split(',')
        .map((range) => range.split(':').map(Number));
      assert.ok(down[0] <= block.top && block.bottom <= down[1] && down[0] >= 0 && down[1] <= 10);
      assert.ok(across[0] <= block.left && block.right <= across[1] && across[0] >= 0 && across[1] <= 7);
      assert.equal(down[1] - down[0], 5);
      assert.equal(across[1] - across[0], 5);
    }
  assert.equal(around(HEAT, entries(HEAT, 0, 0), { rows: 99, columns: 99 }), '0:10,0:7');
});

test('cells stay within bounds and are not drawn out', () => {
  for (const [rows, columns] of [
    [1, 1],
    [1, 400],
    [400, 1],
    [144, 125],
    [3, 3],
  ]) {
    const { wide, high } = cellSize({ ...HEAT, cells: Array.from({ length: rows }, () => Array(columns).fill(0)) });
    assert.ok(wide >= 2 && wide <= 22 && high >= 2 && high <= 22, `${rows} x ${columns}`);
    assert.ok(wide <= 2 * high && high <= 2 * wide, `${rows} x ${columns}`);
  }
});

test('a colour says the sign and the size of a number', () => {
  assert.equal(strength(0, 8), 0);
  assert.equal(strength(-8, 8), 1);
  assert.equal(strength(80, 8), 1);
  assert.equal(strength(1, 0), 0);
  assert.ok(strength(1, 8) > 1 / 8); // small ones are lifted
  const pixels = { data: new Uint8ClampedArray(4 * 9) };
  const context = { createImageData: () => pixels, putImageData: () => {} };
  const canvas = { width: 0, height: 0, getContext: () => context };
  const colours = { ground: [255, 255, 255], positive: [0, 0, 255], negative: [255, 0, 0], ink: [0, 0, 0] };
  const cells = [
    [8, -8, 0],
    [4, -4, null],
    [1, -1, 80],
  ];
  paint(canvas, { ...HEAT, cells }, 8, colours);
  const pixel = (k) => [...pixels.data.slice(4 * k, 4 * k + 4)];
  assert.deepEqual([canvas.width, canvas.height], [3, 3]);
  assert.deepEqual([0, 1, 2, 5, 8].map(pixel), [
    [0, 0, 255, 255],
    [255, 0, 0, 255],
    [255, 255, 255, 255],
    [0, 0, 0, 255],
    [0, 0, 255, 255],
  ]);
});

test('an axis is logarithmic where its numbers span a factor of more than fifty, and only of positive ones', () => {
  const series = (...ys) => [{ kind: 'a', label: '', points: ys.map((y, k) => [k + 1, y]) }];
  assert.deepEqual(scales(series(1, 2, 3)), { first: 1, last: 3, low: 1, high: 3, log: false });
  assert.equal(scales(series(1, 51)).log, true);
  assert.equal(scales(series(0, 51)).log, false);
  assert.equal(scales(series(null, 2)).low, 2);
  assert.deepEqual(scales(series(null, Number.NaN)), { first: 1, last: 2, low: 0, high: 1, log: false });
  assert.equal(scales(series(1, 2), -5).first, -5);
  const points = Array.from({ length: 300_000 }, (_, k) => /** @type {[number, number]} */ ([k, k])); // more than a call takes
  const many = scales([{ kind: 'a', label: '', points }]);
  assert.equal(many.high, 299_999);
});

test('a penalty is a row where there is one', () => {
  const words = new Words({ en: {} });
  const numbers = { loss: 1, penalty: 0, rate: 0.1, gradient_norm: 1, update_norm: 1, weight_norm: 1 };
  assert.doesNotMatch(numbersTable(words, [{ side: 'a', numbers }]), /penalty/);
  assert.match(numbersTable(words, [{ side: 'a', numbers: { ...numbers, penalty: 0.5 } }]), /penalty/);
  assert.doesNotMatch(numbersTable(words, [{ side: 'a', numbers }]), /thead/);
  assert.match(
    numbersTable(words, [
      { side: 'a', numbers },
      { side: 'b', numbers },
    ]),
    /<thead>/,
  );
});

test('contributions are ranked bars whose sum is said', () => {
  const words = new Words({ en: { walk_why_sum: '{baseline} + {sum} = {output}', walk_why_class: '{value} {probability}' } });
  const html = whyTable(words, {
    row: 3,
    prediction: { target: 'kind', class: '<yes>', probability: 0.61 },
    baseline: 0.5,
    output: 1.25,
    contributions: [
      { column: 'a', value: '2', contribution: 1 },
      { column: 'b', value: null, contribution: -0.25 },
    ],
  });
  assert.match(html, /0\.5 \+ 0\.75 = 1\.25/);
  assert.match(html, /&#60;yes&#62; 61\.0 %/);
  assert.match(html, /data-long="100"/);
  assert.match(html, /bar negative" data-long="25"/);
});

test('a question leaves out what is not asked', () => {
  assert.equal(address('batch', {}), 'batch');
  assert.equal(address('sheet', { model: 0, focus: '', step: undefined, detail: 'a b' }), 'sheet?model=0&detail=a+b');
});

/** A server of the tests: answers in turn. @param {Array<() => Promise<unknown>>} answers */
function answering(...answers) {
  const asked = [];
  globalThis.fetch = (url, { signal }) => {
    asked.push(url);
    const next = answers.shift();
    return new Promise((done, fail) => {
      signal.addEventListener('abort', () => fail(new DOMException('', 'AbortError')));
      next().then(done, fail);
    });
  };
  return asked;
}
const said =
  (body, status = 200) =>
  async () => ({ status, ok: status < 400, json: async () => body });
const never = () => new Promise(() => {});

test('the newest question of a kind takes the place of the older ones', async () => {
  answering(never, said({ step: 2 }), said({ other: 1 }));
  const asking = new Asking();
  const [old, other] = [asking.ask('batch', 'batch', { step: 1 }), () => asking.ask('epoch', 'epoch')];
  const newest = asking.ask('batch', 'batch', { step: 2 });
  assert.equal(await old, null);
  assert.deepEqual(await newest, { step: 2 });
  assert.deepEqual(await other(), { other: 1 });
  assert.equal(asking.open.size, 0);
});

test('a server that is busy is asked again, one that refuses is quoted, one that is gone is lost', async () => {
  const asked = answering(said({}, 503), said({ step: 1 }));
  assert.deepEqual(await new Asking().ask('batch', 'batch'), { step: 1 });
  assert.equal(asked.length, 2);
  answering(said({ error: 'there is no step 9' }, 400));
  await assert.rejects(
    new Asking().ask('batch', 'batch'),
    (error) => error instanceof Refused && error.message === 'there is no step 9',
  );
  answering(async () => ({ status: 500, ok: false, json: async () => JSON.parse('<') }));
  await assert.rejects(new Asking().ask('batch', 'batch'), (error) => error instanceof Refused && error.message === '500');
  answering(async () => {
    throw new TypeError('Failed to fetch');
  });
  await assert.rejects(new Asking().ask('batch', 'batch'), Lost);
});
