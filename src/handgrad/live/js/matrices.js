// Matrices of float64: what every letter of a calculation stands for. A number has one row and one column.

/** @typedef {{rows: number, columns: number, values: Float64Array}} Matrix */

/** @param {number} rows @param {number} columns @param {ArrayLike<number>} [values] @returns {Matrix} */
export function matrix(rows, columns, values) {
  return { rows, columns, values: values ? Float64Array.from(values) : new Float64Array(rows * columns) };
}

/** @param {number} value @returns {Matrix} */
export function scalar(value) {
  return { rows: 1, columns: 1, values: Float64Array.of(value) };
}

/** From nested lists; `null` is a value without bounds. @param {(number | null)[][]} rows @returns {Matrix} */
export function fromRows(rows) {
  return matrix(
    rows.length,
    rows[0]?.length ?? 0,
    rows.flat().map((value) => value ?? NaN),
  );
}

/** @param {Matrix} a @returns {number[][]} */
export function toRows(a) {
  return Array.from({ length: a.rows }, (_, i) => Array.from(a.values.subarray(i * a.columns, (i + 1) * a.columns)));
}

/** @param {Matrix} a @returns {Matrix} */
export function transposed(a) {
  const out = matrix(a.columns, a.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) out.values[j * a.rows + i] = a.values[i * a.columns + j];
  }
  return out;
}

/** @param {Matrix} a @param {(x: number) => number} f @returns {Matrix} */
export function mapped(a, f) {
  return { rows: a.rows, columns: a.columns, values: a.values.map((x) => f(x)) };
}

/** The size that two meet in: one of each pair is 1, or both agree. @param {number} a @param {number} b */
function meeting(a, b) {
  if (a !== b && a !== 1 && b !== 1) throw new Error(`shapes do not fit: ${a} and ${b}`);
  return a === 1 ? b : a;
}

/** Entry by entry; a row, a column or a number is repeated. @param {Matrix} a @param {Matrix} b @param {(x: number, y: number) => number} f @returns {Matrix} */
export function combined(a, b, f) {
  const [rows, columns] = [meeting(a.rows, b.rows), meeting(a.columns, b.columns)];
  const out = matrix(rows, columns);
  const [rowOfA, stepA] = [a.rows === 1 ? 0 : a.columns, a.columns === 1 ? 0 : 1];
  const [rowOfB, stepB] = [b.rows === 1 ? 0 : b.columns, b.columns === 1 ? 0 : 1];
  for (let i = 0, place = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, place++) {
      out.values[place] = f(a.values[i * rowOfA + j * stepA], b.values[i * rowOfB + j * stepB]);
    }
  }
  return out;
}

/** @param {Matrix} a @param {Matrix} b @returns {Matrix} */
export function product(a, b) {
  if (a.columns !== b.rows) throw new Error(`shapes do not fit: ${a.rows}x${a.columns} and ${b.rows}x${b.columns}`);
  const out = matrix(a.rows, b.columns);
  const { rows, columns: depth } = a;
  const width = b.columns;
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < depth; k++) {
      const left = a.values[i * depth + k];
      for (let j = 0; j < width; j++) out.values[i * width + j] += left * b.values[k * width + j];
    }
  }
  return out;
}

/** The sum along an axis: 0 down the columns, 1 along the rows, null of all. @param {Matrix} a @param {0 | 1 | null} axis @returns {Matrix} */
export function summed(a, axis) {
  const out = matrix(axis === 1 ? a.rows : 1, axis === 0 ? a.columns : 1);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) {
      out.values[axis === 1 ? i : axis === 0 ? j : 0] += a.values[i * a.columns + j];
    }
  }
  return out;
}

/** A function of each column (axis 0) or row (axis 1). @param {Matrix} a @param {0 | 1} axis @param {(line: number[]) => number[]} f @returns {Matrix} */
export function lines(a, axis, f) {
  const upright = axis === 0 ? transposed(a) : a;
  const out = matrix(upright.rows, upright.columns, toRows(upright).flatMap(f));
  return axis === 0 ? transposed(out) : out;
}
